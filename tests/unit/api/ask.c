#include "ask.h"

#include <stdlib.h>
#include <string.h>

struct ask *ask_open(const struct api_endpoint *endpoint, enum arguments_encoding encoding, const char *text,
                     size_t size, const char *boundary, bool plain)
{
    struct ask *ask = calloc(1, sizeof *ask);
    struct arguments_source source = {.encoding = encoding, .size = size, .boundary = boundary, .plain = plain};

    if (!ask)
        abort();
    ask->text = source.text = malloc(size + 1);
    if (!ask->text || request_init(&ask->req, NULL, endpoint, &ask->err) != AIBOX_OK)
        abort();
    if (size)
        memcpy(ask->text, text, size);
    ask->text[size] = '\0';
    ask->status = arguments_parse(&ask->req, &source, &ask->err);
    return ask;
}

void ask_close(struct ask *ask)
{
    request_free(&ask->req);
    free(ask->text);
    free(ask);
}

struct ask *ask_json(const struct api_endpoint *endpoint, const char *text)
{
    return ask_open(endpoint, ARGUMENTS_JSON, text, strlen(text), NULL, false);
}

struct ask *ask_form(const struct api_endpoint *endpoint, const char *text)
{
    return ask_open(endpoint, ARGUMENTS_URLENCODED, text, strlen(text), NULL, false);
}

struct ask *ask_multipart(const struct api_endpoint *endpoint, const char *text)
{
    return ask_open(endpoint, ARGUMENTS_MULTIPART, text, strlen(text), "XX", false);
}
