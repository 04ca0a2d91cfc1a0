/*
 * Forms: query strings, application/x-www-form-urlencoded and multipart/form-data (RFC 7578) become a list of named
 * texts and files. Everything is bounded; what is not well-formed is BAD_REQUEST.
 */
#ifndef AIBOX_API_FORM_H
#define AIBOX_API_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "api/arena.h"
#include "core/status.h"

#define FORM_MAX_PARTS  1000
#define FORM_MAX_NAME   256  /* bytes of a field's name */
#define FORM_MAX_HEADER 8192 /* bytes of a part's headers */

struct form_part {
    const char *name;  /* UTF-8, NUL-terminated */
    const char *value; /* NUL behind it, not counted */
    size_t size;
    const char *raw; /* urlencoded: the value before decoding; else NULL */
    size_t raw_size;
    bool file; /* multipart: has a filename or the Content-Type of an image: bytes, not checked to be text */
};

/* In the order they came. The memory belongs to the arena and to the text that was parsed. */
struct form {
    struct form_part *parts;
    size_t count;
};

/* "a=b&c=d": text[0..size) is only read. */
enum aibox_status form_parse_urlencoded(struct arena *arena, const char *text, size_t size, struct form *form,
                                        struct aibox_error *err);

/*
 * text[0..size) must outlive the form; a byte behind each value is overwritten with NUL. `boundary`: 1 to 70 bytes,
 * from the Content-Type. Lines may end in CRLF or in LF alone.
 */
enum aibox_status form_parse_multipart(struct arena *arena, char *text, size_t size, const char *boundary,
                                       struct form *form, struct aibox_error *err);

#endif
