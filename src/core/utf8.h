/* UTF-8 checks (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
#ifndef AIBOX_CORE_UTF8_H
#define AIBOX_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool utf8_valid(const char *text, size_t size);
/* Largest prefix of at most `limit` bytes that does not cut a character. */
size_t utf8_prefix(const char *text, size_t size, size_t limit);

/* Characters of valid UTF-8. */
size_t utf8_count(const char *text);

#endif
