/* A request as its handler sees it: the inside of what endpoint.h asks. */
#ifndef AIBOX_API_REQUEST_H
#define AIBOX_API_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "api/arena.h"
#include "api/endpoint.h"

/* One argument, typed. Which member counts follows from the field's type. */
struct api_value {
    bool given;       /* present and not null */
    bool filled;      /* given, or the default stands in */
    bool not_base64;  /* PICTURE: `bytes` are no picture, see api_picture() */
    const char *text; /* TEXT, CHOICE; NUMBER_OR_WORD: the word, or the number as it was written */
    bool boolean;
    int64_t integer;
    double number;          /* FLOAT, NUMBER_OR_WORD: NAN for a word */
    struct api_bytes bytes; /* PICTURE */
    const char **items;     /* LIST */
    float *floats;          /* FLOATS */
    size_t count;           /* LIST, FLOATS */
    json_t *json;           /* DICT, OBJECTS, JSON: borrowed from the body, or `owned` */
    json_t *owned;          /* what came as JSON text in a form */
};

struct api_request {
    const struct api_endpoint *endpoint;
    const struct api *api;    /* the server it came to; NULL in tests of the arguments alone */
    struct arena arena;       /* everything below lives there, but for the json_t */
    struct api_value *values; /* one per field of the endpoint, same order */
    const char *path_name;    /* "id" of a path that ends in "{id}"; NULL without */
    size_t path_name_size;
    const char *path_value; /* what stood there, decoded */
    json_t *body;           /* owned */
    struct api_upload upload;
    const char *last_event_id;                                     /* the header; NULL without */
    const char *(*find_header)(const void *ctx, const char *name); /* NULL in tests of the arguments alone */
    const void *header_ctx;
    struct access_grant *grant; /* who calls; NULL in tests of the arguments alone */
};

/* PROCESS_FAILED when memory runs out. `req` is used in place (not to be moved) until request_free. */
enum aibox_status request_init(struct api_request *req, const struct api *api, const struct api_endpoint *endpoint,
                               struct aibox_error *err);
void request_free(struct api_request *req);

/* The argument that a path "…/{name}" carries: percent-decodes segment[0..size). BAD_REQUEST for broken
 * encoding, invalid UTF-8 or a NUL. */
enum aibox_status request_set_path(struct api_request *req, const char *segment, size_t size, struct aibox_error *err);

#endif
