/* Reading JSON from outside. Any thread. */
#ifndef AIBOX_API_JSON_IN_H
#define AIBOX_API_JSON_IN_H

#include <jansson.h>
#include <stddef.h>

#include "api/lift.h"
#include "core/status.h"

/*
 * Parses text[0..size): an object or array, UTF-8 without NUL, no key twice in an object, nothing behind it, nested at
 * most JSON_MAX_DEPTH deep. Returns a new reference, or NULL with BAD_REQUEST (what is wrong, and at which byte).
 */
json_t *json_in_parse(const char *text, size_t size, struct aibox_error *err);

/* The same for text that json_lift() has shortened (and found not too deep); `lift` NULL: it hasn't. */
json_t *json_in_parse_lifted(const char *text, size_t size, const struct lift *lift, struct aibox_error *err);

#endif
