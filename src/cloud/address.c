#include "cloud/address.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buffer.h"

static bool is_absolute(const char *text)
{
    return strncasecmp(text, "http://", strlen("http://")) == 0 ||
           strncasecmp(text, "https://", strlen("https://")) == 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum aibox_status fail(const char *field, struct aibox_error *err)
{
    return error_set(err, AIBOX_COMMAND_PARAM, "%s: no http or https URL with a host comes of it (at most %d bytes)",
                     field, ADDRESS_MAX);
}

static char *take_text(struct buffer *text)
{
    size_t size;

    return (char *)buffer_give(text, &size);
}

/* One part of a URL, NULL without. To be freed by curl_free(). */
static char *part_of(CURLU *parts, CURLUPart part)
{
    char *text = NULL;

    return curl_url_get(parts, part, &text, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) == CURLUE_OK ? text : NULL;
}

/* libcurl repairs "http:///x"; here it has no host. */
static CURLU *parse(const char *url)
{
    const char *host = is_absolute(url) ? strstr(url, "://") + strlen("://") : NULL;
    CURLU *parts = host != NULL && *host != '/' && *host != '\0' ? curl_url() : NULL;

    if (parts == NULL || curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK)
        return parts;
    curl_url_cleanup(parts);
    return NULL;
}

enum aibox_status address_origin(const char *url, char **out, struct aibox_error *err)
{
    CURLU *parts = parse(url);
    struct buffer text;
    char *scheme = NULL, *host = NULL, *port = NULL;
    enum aibox_status status = AIBOX_COMMAND_PARAM;

    *out = NULL;
    buffer_init(&text, ADDRESS_MAX);
    if (parts != NULL) {
        scheme = part_of(parts, CURLUPART_SCHEME);
        host = part_of(parts, CURLUPART_HOST);
        port = part_of(parts, CURLUPART_PORT);
    }
    if (scheme != NULL && host != NULL && *host != '\0' && port != NULL &&
        buffer_appendf(&text, "%s://%s:%s", scheme, host, port)) {
        *out = take_text(&text);
        for (char *c = *out; *c != '\0'; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c - 'A' + 'a');
        status = AIBOX_OK;
    }
    buffer_free(&text);
    curl_free(port);
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(parts);
    return status == AIBOX_OK ? status : fail("url", err);
}

/* ---- composing ------------------------------------------------------------------------------------------- */

static void append_byte_encoded(struct buffer *out, unsigned char byte)
{
    buffer_appendf(out, "%%%02X", byte);
}

/* What no URL may hold is encoded; the rest, also what is encoded already, stays. */
static void append_path(struct buffer *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte <= ' ' || byte >= 0x7f || strchr("\"<>\\^`{|}", byte) != NULL)
            append_byte_encoded(out, byte);
        else
            buffer_append(out, &text[i], 1);
    }
}

void address_append_value(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
            strchr("-._~", byte) != NULL)
            buffer_append(out, text, 1);
        else
            append_byte_encoded(out, byte);
    }
}

/* Scheme, host and port as written, without what comes behind: "http://xxxx.com". */
static size_t authority_length(const char *url)
{
    const char *host = strstr(url, "://") + strlen("://");

    return (size_t)(host - url) + strcspn(host, "/?#");
}

/* Base + "/" + path: one slash between them. */
static void join(struct buffer *out, const char *base, size_t base_size, const char *path, size_t path_size)
{
    while (base_size > 0 && base[base_size - 1] == '/')
        base_size--;
    while (path_size > 0 && *path == '/') {
        path++;
        path_size--;
    }
    buffer_append(out, base, base_size);
    buffer_append_text(out, "/");
    append_path(out, path, path_size);
}

static size_t without_fragment(const char *text, size_t size)
{
    const char *mark = memchr(text, '#', size);

    return mark != NULL ? (size_t)(mark - text) : size;
}

/* The platform's root, without the credentials that login_url may hold: those are for logging in. */
static void append_root(struct buffer *out, const char *login_url)
{
    size_t size = authority_length(login_url);
    const char *host = strstr(login_url, "://") + strlen("://");
    const char *at = memrchr(host, '@', size - (size_t)(host - login_url));

    buffer_append(out, login_url, (size_t)(host - login_url));
    if (at != NULL)
        host = at + 1;
    buffer_append(out, host, size - (size_t)(host - login_url));
}

/* `text` without its query parameters of ours: absolute, or behind its base. */
static void append_address(struct buffer *out, const struct address_platform *platform, bool picture, const char *text,
                           size_t size)
{
    struct buffer base;

    if (size >= strlen("http://") && is_absolute(text)) {
        size_t authority = authority_length(text);
        if (authority > size)
            authority = size;
        buffer_append(out, text, authority);
        append_path(out, text + authority, size - authority);
        return;
    }
    buffer_init(&base, ADDRESS_MAX);
    if (picture && platform->img_server[0] != '\0')
        append_address(&base, platform, false, platform->img_server,
                       without_fragment(platform->img_server, strlen(platform->img_server)));
    else
        append_root(&base, platform->login_url);
    if (base.data != NULL && !base.failed)
        join(out, (const char *)base.data, base.size, text, size);
    else
        out->failed = true;
    buffer_free(&base);
}

static void append_parameters(struct buffer *out, const struct address_platform *platform)
{
    const char *query = out->data != NULL ? strchr((const char *)out->data, '?') : NULL;
    size_t length = query != NULL ? strlen(query) : 0;

    if (query == NULL)
        buffer_append_text(out, "?");
    else if (length > 1 && query[length - 1] != '&')
        buffer_append_text(out, "&");
    buffer_append_text(out, "dev_sno=");
    address_append_value(out, platform->dev_sno);
    buffer_append_text(out, "&token=");
    address_append_value(out, platform->token);
}

static bool same_origin(const char *origin, const char *url)
{
    char *other = NULL;
    bool same = address_origin(url, &other, NULL) == AIBOX_OK && strcmp(origin, other) == 0;

    free(other);
    return same;
}

/* Whether `url` leads to the platform or its picture server. */
static bool is_of_platform(const struct address_platform *platform, const char *url)
{
    char *origin = NULL;
    bool own = address_origin(url, &origin, NULL) == AIBOX_OK &&
               (same_origin(origin, platform->login_url) || same_origin(origin, platform->img_server));

    free(origin);
    return own;
}

enum aibox_status address_compose(const struct address_platform *platform, enum address_use use, const char *field,
                                  const char *text, char **out, struct aibox_error *err)
{
    struct buffer url;
    size_t size;
    char *origin = NULL;
    enum aibox_status status;

    *out = NULL;
    while (is_space(*text))
        text++;
    size = without_fragment(text, strlen(text));
    while (size > 0 && is_space(text[size - 1]))
        size--;
    if (size == 0 || !is_absolute(platform->login_url))
        return fail(field, err);
    buffer_init(&url, ADDRESS_MAX);
    append_address(&url, platform, use == ADDRESS_RELATIVE_PICTURE, text, size);
    if (use == ADDRESS_PLATFORM ||
        (use != ADDRESS_BARE && !url.failed && is_of_platform(platform, (const char *)url.data)))
        append_parameters(&url, platform);
    *out = take_text(&url);
    buffer_free(&url);
    status = *out != NULL ? address_origin(*out, &origin, NULL) : AIBOX_COMMAND_PARAM;
    free(origin);
    if (status == AIBOX_OK)
        return AIBOX_OK;
    free(*out);
    *out = NULL;
    return fail(field, err);
}
