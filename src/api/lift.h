/*
 * Pictures in JSON: a body of several megabytes is mostly base64, which the JSON parser would check and copy character
 * by character. One scan before it takes those strings out, decoded, and leaves "" in their place. What the parser then
 * says about the rest holds for the whole: only a well-formed string of plain base64 is ever replaced, and only as the
 * value of a top-level key.
 */
#ifndef AIBOX_API_LIFT_H
#define AIBOX_API_LIFT_H

#include <stdbool.h>
#include <stddef.h>

#include "api/arena.h"
#include "api/endpoint.h"
#include "core/status.h"

#define JSON_MAX_DEPTH   64   /* objects and arrays within each other; deeper is BAD_REQUEST */
#define LIFT_MIN_SIZE    1024 /* shorter strings are left to the parser */
#define LIFT_MAX_STRINGS 16   /* more than any call has pictures; the rest is left to the parser */

struct lifted {
    const char *field; /* name of the PICTURE field in the endpoint's table */
    const char *key;   /* the spelling that was used, in the arena */
    struct api_bytes bytes;
    size_t at;      /* where the placeholder ends in the shortened text */
    size_t removed; /* characters that the text lost there */
};

struct lift {
    struct lifted strings[LIFT_MAX_STRINGS];
    size_t count;
};

/*
 * Shortens text[0..*size) in place. `pictures` false: only looks at the depth. The bytes live in the arena. BAD_REQUEST
 * for too much depth, PROCESS_FAILED when memory runs out; text that is not JSON is no error here.
 */
enum aibox_status json_lift(struct arena *arena, const struct api_endpoint *endpoint, bool pictures, char *text,
                            size_t *size, struct lift *lift, struct aibox_error *err);

/* The place in the original text that corresponds to `position` in the shortened one. */
size_t lift_original_position(const struct lift *lift, size_t position);

#endif
