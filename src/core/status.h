/* Status codes and errors: one list for C, REST and RabbitMQ. */
#ifndef AIBOX_CORE_STATUS_H
#define AIBOX_CORE_STATUS_H

#include <stddef.h>

/*
 * X(C name, wire code, wire name, HTTP status, default text)
 *
 * Wire names are law, also the misspelt ones. HTTP status 0: never sent by REST.
 */
#define AIBOX_STATUS_LIST(X)                                                                                           \
    X(OK, 0, "SUCCESS", 200, "done")                                                                                   \
    X(COMMAND_PARAM, 40071, "PARAM_ERROR", 0, "the command's arguments are wrong")                                     \
    X(PROCESS_FAILED, 50072, "SERVER_PROCESS_FAILED", 500, "internal error")                                           \
    X(REMOTE_FAILED, 50073, "REMOTE_SERVER_FAILED", 0, "the platform did not answer")                                  \
    X(REMOTE_DATA, 50074, "REMOTE_DATA_FAILED", 0, "the platform's answer can't be used")                              \
    X(PARAM, 40091, "PARAM_ERROR", 400, "a wrong argument")                                                            \
    X(NOT_FOUND, 40491, "NOT_FOUND", 404, "no such thing")                                                             \
    X(CONTENT_TYPE, 41591, "CONTENT_TYPE_ERROR", 415, "this call does not take that Content-Type")                     \
    X(BAD_REQUEST, 40000, "BAD_REQUEST", 400, "malformed request")                                                     \
    X(UNSUPPORTED_IMAGE, 40001, "UNSUPPORT_CONTENT_TYPE", 415, "unsupported kind of picture")                          \
    X(EMPTY_BODY, 40002, "EMPTY_REQUEST_JSON", 400, "a body is required and is empty")                                 \
    X(IMAGE, 40003, "IMAGE_ERROR", 400, "not a picture that can be read")                                              \
    X(NO_FACE, 40004, "NO_FACE", 400, "no face found")                                                                 \
    X(BOOLEAN, 40005, "BOOLEAN_ARGUMENT_ERROR", 400, "not a boolean")                                                  \
    X(LOW_QUALITY, 40006, "LOW_QUALITY_ERROR", 400, "the face's quality is too low")                                   \
    X(IMAGE_TOO_LARGE, 40007, "IMAGE_SIZE_TOO_LARGE_ERROR", 400, "the picture is too large")                           \
    X(EMPTY_GROUP, 40008, "EMPTY_GROUP_ERROR", 400, "nobody is in that group")                                         \
    X(FACE_TOO_SMALL, 40009, "ENROLL_FACE_SIZE_NOT_ENOUGH_ERROR", 400, "the face is too small")                        \
    X(BAD_FEATURE, 40010, "BAD_FEATURE_ERROR", 400, "not a usable feature vector")                                     \
    X(IDENTITY_EXISTS, 40011, "IDENTITY_EXSIT_ERROR", 400, "identity_id exists already")                               \
    X(GROUP_NAME, 40012, "GROUP_NAME_ERROR", 400, "a wrong name")                                                      \
    X(GROUP_NOT_LOADED, 40013, "GROUP_NOT_LOAD", 503, "the gallery is still being loaded")                             \
    X(STRANGER_KEPT, 40014, "STRANGER_NOT_DELETE", 400, "that stranger can't be deleted")                              \
    X(GALLERY_FULL, 40015, "GROUP_LEN_ERROR", 400, "the gallery is full")                                              \
    X(NO_FACE_IN_PICTURE, 40094, "NO_FACE_IN_PICTURE", 0, "no face in the photo")                                      \
    X(DELETE_USER, 40095, "DELETE_USER_FAILED", 0, "could not be deleted")                                             \
    X(NO_PATH, 40400, "NOT_FOUND", 404, "no such path")                                                                \
    X(ID_NOT_FOUND, 40401, "ID_NOT_FOUND", 404, "no such id")                                                          \
    X(METHOD, 40500, "METHOD_NOT_ALLOWED", 405, "this path does not take that method")                                 \
    X(UNAUTHORIZED, 40100, "UNAUTHORIZED", 401, "no valid credential")                                                 \
    X(FORBIDDEN, 40300, "FORBIDDEN", 403, "the credential does not give that right")                                   \
    X(PAYLOAD_TOO_LARGE, 41300, "PAYLOAD_TOO_LARGE", 413, "the body is too large")                                     \
    X(TOO_MANY_REQUESTS, 42900, "TOO_MANY_REQUESTS", 429, "too many requests")                                         \
    X(NOT_IMPLEMENTED, 50100, "NOT_IMPLEMENTED", 501, "not offered on this build")

enum aibox_status {
#define X(name, code, wire, http, text) AIBOX_##name,
    AIBOX_STATUS_LIST(X)
#undef X
        AIBOX_STATUS_COUNT
};

/* A failure's details. The creator is the caller; callees only fill it in. May be NULL everywhere. */
struct aibox_error {
    enum aibox_status status;
    char message[512]; /* UTF-8, names the field or file; never a path of the box, SQL, or a secret */
};

/* Wire code (40091), wire name ("PARAM_ERROR"), HTTP status (400), English default text. */
int status_code(enum aibox_status status);
const char *status_name(enum aibox_status status);
int status_http(enum aibox_status status);
const char *status_text(enum aibox_status status);

/*
 * Fills `err` (if not NULL) with status and a printf-formatted message, cut at a whole UTF-8
 * character when too long, and returns `status`, so that `return error_set(err, AIBOX_PARAM, ...)`
 * is the usual way to fail. `format` NULL: the status's default text.
 */
enum aibox_status error_set(struct aibox_error *err, enum aibox_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the message that `err` holds already. No-op on NULL. */
void error_prefix(struct aibox_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
