/* Writing JSON straight into a growable buffer, pictures as base64 without a copy in between. */
#ifndef AIBOX_CORE_JSON_OUT_H
#define AIBOX_CORE_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"

#define JSON_OUT_MAX_DEPTH 32

/* Commas are put by the writer. Text must be valid UTF-8 (checked: invalid bytes become U+FFFD). Errors are sticky in
 * buffer.failed. Not thread-safe. */
struct json_out {
    struct buffer buffer;
    uint8_t depth;
    bool first[JSON_OUT_MAX_DEPTH];  /* nothing yet in that object or array */
    bool object[JSON_OUT_MAX_DEPTH]; /* that level is an object, else an array */
    bool after_key;
    bool broken; /* calls that make no JSON: unbalanced, a value without key, a key in an array, too deep */
};

void json_out_init(struct json_out *out, size_t maximum);
void json_out_free(struct json_out *out);
bool json_out_complete(const struct json_out *out); /* balanced, not empty, nothing failed */

void json_out_object_begin(struct json_out *out);
void json_out_object_end(struct json_out *out);
void json_out_array_begin(struct json_out *out);
void json_out_array_end(struct json_out *out);
void json_out_key(struct json_out *out, const char *key);
void json_out_text(struct json_out *out, const char *text); /* NULL: null */
void json_out_int(struct json_out *out, int64_t value);
/* The shortest text that reads back as the same float; whole numbers below 1e15 in full; beyond a float's range all 17
 * digits. NAN and infinities: null. */
void json_out_float(struct json_out *out, double value);
void json_out_bool(struct json_out *out, bool value);
void json_out_null(struct json_out *out);
void json_out_base64(struct json_out *out, const uint8_t *bytes, size_t size);
void json_out_raw(struct json_out *out, const char *json); /* a complete JSON value, trusted */
/* Inside an object: the members of the JSON object text `object`, trusted. */
void json_out_members(struct json_out *out, const char *object);

/* key and value in one go */
void json_out_key_text(struct json_out *out, const char *key, const char *text);
void json_out_key_int(struct json_out *out, const char *key, int64_t value);
void json_out_key_float(struct json_out *out, const char *key, double value);
void json_out_key_bool(struct json_out *out, const char *key, bool value);

#endif
