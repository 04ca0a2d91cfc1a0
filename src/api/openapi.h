/* The endpoint table as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0). */
#ifndef AIBOX_API_OPENAPI_H
#define AIBOX_API_OPENAPI_H

#include <stddef.h>

#include "api/endpoint.h"
#include "core/json_out.h"

/* Writes one document. Rows of one path become one path item. */
void openapi_print(const struct api_endpoint *table, size_t n, struct json_out *out);

/* The schema of the call's answer, if it is known; else nothing is written, and false. */
bool openapi_print_answer(const struct api_endpoint *row, struct json_out *out);

/* ---- shared with openapi_schema.c ------------------------------------------------------------------------ */

enum openapi_place { OPENAPI_IN_JSON, OPENAPI_IN_FORM, OPENAPI_IN_QUERY };

/* The schema of one field (JSON Schema 2020-12), as it is written at that place. */
void openapi_print_schema(const struct api_field *field, enum openapi_place place, struct json_out *out);
/* The field's help, its aliases, and what else a reader must know; a string. */
void openapi_print_description(const struct api_field *field, struct json_out *out);

#endif
