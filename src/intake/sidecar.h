/* What a camera says of its picture in a JSON file beside it. Any thread. */
#ifndef AIBOX_INTAKE_SIDECAR_H
#define AIBOX_INTAKE_SIDECAR_H

#include <stddef.h>

#include "core/status.h"

#define SIDECAR_MAX_BYTES 65536
#define SIDECAR_MAX_DEPTH 16

/* *text (malloc): the object of the file, as one line. PARAM: it is not one JSON object in UTF-8 whose members have
 * different names, or is larger or deeper than that. A byte order mark is passed over. */
enum aibox_status sidecar_parse(const char *bytes, size_t size, char **text, struct aibox_error *err);

#endif
