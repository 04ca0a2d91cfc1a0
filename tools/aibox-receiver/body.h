/* What was posted, as JSON: a JSON body as it is, a form as an object of its fields. Any thread. */
#ifndef AIBOX_RECEIVER_BODY_H
#define AIBOX_RECEIVER_BODY_H

#include <jansson.h>
#include <stddef.h>

#include "core/status.h"

#define BODY_MAX ((size_t)32 << 20) /* bytes */
/* Values in a body, objects and arrays counted with them: each takes some 100 bytes once it is parsed, so that 32 MiB
 * of
 * "[],[],[]" would take more than a gigabyte. A batch of 100 events has some 5,000. */
#define BODY_MAX_VALUES ((size_t)200000)

enum body_format { BODY_JSON, BODY_FORM };

/*
 * Reads text[0..size), a NUL behind it, which is altered on the way. `content_type` as sent, or NULL; text that begins
 * like JSON is read as such unless the type is multipart, because `curl -d` says that everything is a form.
 *
 * Of a form, the fields that hold dicts or lists are JSON text and become what it says; those that are numbers or
 * booleans in JSON become that where they read as such; a picture sent as a file becomes base64. A name given twice is
 * an error, as it is in JSON.
 *
 * Returns a new reference to an object or array; or NULL with EMPTY_BODY, CONTENT_TYPE (neither JSON nor form) or
 * BAD_REQUEST.
 */
json_t *body_parse(const char *content_type, char *text, size_t size, enum body_format *format,
                   struct aibox_error *err);

#endif
