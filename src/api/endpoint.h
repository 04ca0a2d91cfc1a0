/*
 * The endpoint table: what the box offers over HTTP, row by row. One parser checks and types every argument of JSON,
 * form and query from it; every argument error, /openapi.json and the API page come from it. Handlers see typed
 * arguments only.
 */
#ifndef AIBOX_API_ENDPOINT_H
#define AIBOX_API_ENDPOINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json_out.h"
#include "core/status.h"

struct api_context; /* api/api.h: what handlers work on */
struct api_request;
struct api_response;

enum api_type {
    API_TEXT,           /* string; an integer is taken as its decimal text */
    API_BOOL,           /* JSON true/false, or true/false/True/False/1/0 as text or number; else BOOLEAN (40005) */
    API_INT,            /* integer, or its decimal text */
    API_FLOAT,          /* finite number, or its decimal text */
    API_NUMBER_OR_WORD, /* finite number (or its text), or one of `choices` */
    API_CHOICE,         /* one of `choices` */
    API_PICTURE,        /* base64 text → bytes; a multipart file part → its bytes; '' counts as given and empty */
    API_LIST,    /* list of texts; JSON text, repeated field or a plain string in a form; a plain string in JSON */
    API_DICT,    /* object; JSON text in a form */
    API_OBJECTS, /* list of objects; JSON text in a form */
    API_FLOATS,  /* list of numbers; JSON text in a form; what is beyond a float's range becomes an infinity */
    API_JSON     /* anything */
};

enum api_flags {
    API_REQUIRED = 1 << 0,  /* absent or null: PARAM naming the field. '' is a value. */
    API_NOT_EMPTY = 1 << 1, /* TEXT, LIST: '' and [] are refused (PARAM) */
    API_IGNORED = 1 << 2,   /* accepted for compatibility, checked, without effect (said so in the documentation) */
    API_WHOLE = 1 << 3      /* DICT: the field is the whole JSON body, whatever its keys; the endpoint's only field */
};

struct api_field {
    const char *name;
    enum api_type type;
    unsigned flags;
    const char *default_text; /* documentation and value when absent, in text form; NULL: none */
    double min, max;     /* INT, FLOAT: range when min < max; TEXT, LIST items: most bytes = max; LIST: see max_items */
    size_t max_items;    /* LIST, OBJECTS, FLOATS; 0: 100,000 */
    const char *choices; /* "high|middle|low" */
    const char *alias;   /* other spellings taken, "a|b" */
    const char *help;    /* one sentence with unit */
};

enum api_encodings {
    API_QUERY = 1 << 0,
    API_BODY_JSON = 1 << 1,
    API_BODY_FORM = 1 << 2,
    API_BODY_UPLOAD = 1 << 3 /* with QUERY alone: the body is a file, see `upload` and api_upload() */
};
enum api_role { API_OPEN, API_VIEWER, API_OPERATOR, API_ADMIN }; /* least right needed; OPEN: no credential at all */

enum api_audit {                    /* which calls the audit log keeps */
                 API_AUDIT_CHANGES, /* all but GET */
                 API_AUDIT_NEVER,   /* asks something by POST, or comes with every face */
                 API_AUDIT_ALWAYS   /* takes much out of the box by GET */
};

typedef enum aibox_status (*api_handler)(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                         struct aibox_error *err);

struct api_endpoint {
    const char *method; /* "GET", "POST", "PUT", "DELETE" */
    const char *path;   /* a segment "{name}", the last or that before, is any one: API_TEXT argument of that name */
    unsigned encodings; /* GET: QUERY; others: BODY_JSON (| BODY_FORM); a query string counts with QUERY alone */
    enum api_role role;
    bool
        quick; /* runs on the HTTP thread: reads that never wait (bodies over 64 KiB don't); else on a handler thread */
    const struct api_field *fields;
    size_t n_fields;
    api_handler handler;
    const char *tag;
    const char *summary;
    const char *example;                   /* JSON of a request for the documentation, or NULL */
    const struct api_upload_rules *upload; /* with API_BODY_UPLOAD */
    bool page;            /* a page or file of the console: no call, so the description of the API leaves it out */
    enum api_audit audit; /* what of the arguments is kept: audit.c */
    bool terminals;       /* browser terminals may call it, too, for their own device */
    bool when_set_up;     /* OPEN, but on an address that others reach only once there is an administrator */
};

/* The file that an endpoint takes as its body. */
struct api_upload_rules {
    const char *name;          /* of the part, where it comes as multipart/form-data */
    const char *content_types; /* besides that, "application/zip|application/octet-stream"; none told is taken, too */
    const char
        *limit_setting; /* key of the setting that holds its largest size in MiB; http.max_body_mib is not asked */
};

/* ---- what a handler asks of its request (names must be in the table: a wrong one is a bug) ---- */

bool api_given(const struct api_request *req, const char *name);       /* present and not null (defaults don't count) */
const char *api_text(const struct api_request *req, const char *name); /* NULL: absent without default */
/* A row's number in the path; PARAM names it when it is none. */
enum aibox_status api_row_id(const struct api_request *req, const char *name, int64_t *out, struct aibox_error *err);
bool api_bool(const struct api_request *req, const char *name);
int64_t api_int(const struct api_request *req, const char *name);
double api_float(const struct api_request *req,
                 const char *name); /* absent without default: NAN; a word of NUMBER_OR_WORD: NAN */

struct api_bytes {
    const uint8_t *data;
    size_t size;
};
/*
 * {NULL, 0}: absent; data non-NULL and size 0: ''. Memory of the request. Text that is not base64 is a fault of the
 * picture, which other faults go before (codes.md, "Which error wins"): it gives bytes that are no picture of any kind,
 * so that looking at it fails with IMAGE in its turn. api_picture_check() says it in better words: IMAGE naming the
 * field, OK for what is absent, empty or decoded.
 */
struct api_bytes api_picture(const struct api_request *req, const char *name);
enum aibox_status api_picture_check(const struct api_request *req, const char *name, struct aibox_error *err);
const char *const *api_list(const struct api_request *req, const char *name, size_t *n); /* NULL: absent */
json_t *api_json(const struct api_request *req, const char *name); /* DICT, OBJECTS, JSON: borrowed; NULL: absent */
const float *api_floats(const struct api_request *req, const char *name, size_t *n);

/* What was uploaded lies in file `path` (in api_context.upload_dir), from `offset` on. A handler that wants to keep it
 * renames the file; else it is deleted behind the answer. */
struct api_upload {
    const char *path;
    uint64_t offset, size;
};
const struct api_upload *api_upload(const struct api_request *req);

/* The header Last-Event-ID; NULL without. */
const char *api_last_event_id(const struct api_request *req);
/* Any header; NULL without. Memory of the request. */
const char *api_header(const struct api_request *req, const char *name);

/* Who calls. A handler that finds out more (a log-in) may say so there: the audit log tells it. */
struct access_grant;
struct access_grant *api_grant(const struct api_request *req);

/* ---- and of its response ---- */

/* The body being written, JSON. Usual success: json_out_object_begin(out); json_out_key(out, "data"); … The server
 * refuses to send an unbalanced document (500, logged). */
struct json_out *api_body(struct api_response *res);
/* Instead of JSON: takes ownership of `bytes` (malloc). `type`: static Content-Type text. */
void api_reply_bytes_take(struct api_response *res, const char *type, uint8_t *bytes, size_t size);
/*
 * Instead of JSON, an answer of any length, made while it is sent: `produce` runs on a thread of its own and hands over
 * piece by piece. False of `produce`: it could not be finished; the client sees a connection that ends early. False of
 * api_stream_write, which waits for room: nobody wants it any more, `produce` is to return. `free_ctx` (may be NULL) is
 * called at the end, also when `produce` was not: with an error, for HEAD, or when the client has left.
 */
struct api_stream;
typedef bool (*api_producer)(void *ctx, struct api_stream *stream);
bool api_stream_write(struct api_stream *stream, const void *bytes, size_t size);
/* Whether the client is still there: for producers that may have nothing to write for long. */
bool api_stream_is_wanted(struct api_stream *stream);
void api_reply_stream_take(struct api_response *res, const char *type, api_producer produce, void *ctx,
                           void (*free_ctx)(void *ctx));
void api_reply_status(struct api_response *res, int http_status);                     /* default 200 */
void api_reply_header(struct api_response *res, const char *name, const char *value); /* at most 8 */
/* Has browsers save the answer as a file, "people-20261122-140359.zip". `name`, `extension`: plain words. */
void api_reply_file_name(struct api_response *res, const char *name, const char *extension);

#endif
