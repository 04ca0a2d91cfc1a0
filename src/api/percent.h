/* Percent-encoding (RFC 3986 § 2.1) as used in paths, query strings and forms. Any thread. */
#ifndef AIBOX_API_PERCENT_H
#define AIBOX_API_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Decodes text[0..size) into `out`, which has room for size + 1 bytes and may be `text` itself; puts a NUL behind it.
 * `plus_is_space`: application/x-www-form-urlencoded. Returns the length, or -1 for a '%' without two hex digits.
 */
ptrdiff_t percent_decode(const char *text, size_t size, bool plus_is_space, char *out);

#endif
