/* From the bytes of a request to its typed arguments, as the endpoint's table says. */
#ifndef AIBOX_API_ARGUMENTS_H
#define AIBOX_API_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "api/request.h"
#include "core/status.h"

enum arguments_encoding { ARGUMENTS_JSON, ARGUMENTS_URLENCODED, ARGUMENTS_MULTIPART };

struct arguments_source {
    enum arguments_encoding encoding; /* a query string is URLENCODED */
    char *text;                       /* overwritten; lives as long as the request; a NUL behind it */
    size_t size;
    const char *boundary; /* MULTIPART */
    bool plain;           /* JSON: all of it goes through the parser, see lift.h (for tests) */
};

/*
 * Fills req->values, defaults included. The first error answers: EMPTY_BODY for a JSON body of white space where a
 * field is required; BAD_REQUEST for what does not parse; then the fields in table order: PARAM (BOOLEAN for booleans)
 * naming the field, what it takes and what came. Of a name and its aliases the first that holds a value counts; what
 * the table does not know is ignored.
 */
enum aibox_status arguments_parse(struct api_request *req, const struct arguments_source *source,
                                  struct aibox_error *err);

/*
 * The same for an object inside an argument, whose keys have a table of their own: fills `values`, one per field.
 * Messages begin with `name`: "action[2]: action_port: expected …". Nothing is to be freed.
 */
enum aibox_status arguments_parse_object(struct api_request *req, const json_t *object, const char *name,
                                         const struct api_field *fields, size_t n, struct api_value *values,
                                         struct aibox_error *err);

/* True when some field must be there, and so a body. */
bool arguments_required(const struct api_endpoint *endpoint);

#endif
