/* For tests of arguments: one call from its bytes to what the handler would see. */
#ifndef AIBOX_TESTS_API_ASK_H
#define AIBOX_TESTS_API_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "api/arguments.h"
#include "api/request.h"

struct ask {
    struct api_request req;
    char *text;
    enum aibox_status status;
    struct aibox_error err;
};

/* Parses a copy of text[0..size) that ends where its memory ends. */
struct ask *ask_open(const struct api_endpoint *endpoint, enum arguments_encoding encoding, const char *text,
                     size_t size, const char *boundary, bool plain);
void ask_close(struct ask *ask);

/* The usual case: text with a NUL. */
struct ask *ask_json(const struct api_endpoint *endpoint, const char *text);
struct ask *ask_form(const struct api_endpoint *endpoint, const char *text);
struct ask *ask_multipart(const struct api_endpoint *endpoint, const char *text); /* boundary "XX" */

#endif
