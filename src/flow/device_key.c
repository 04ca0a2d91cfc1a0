#include "flow/device_key.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buffer.h"

#define HOST_MAX 253 /* bytes of a DNS name */

/* A stretch of a text. */
struct span {
    const char *at;
    size_t size;
};

struct url {
    struct span scheme; /* with :// */
    struct span user, password;
    bool has_user, has_password;
    struct span host;  /* without brackets */
    struct span place; /* host and port as written */
    struct span rest;  /* path and query */
};

static bool span_is(struct span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.at, text, span.size) == 0;
}

static bool span_same(struct span a, struct span b)
{
    return a.size == b.size && strncasecmp(a.at, b.at, a.size) == 0;
}

/* ---- addresses ---------------------------------------------------------------------------------------- */

static bool is_host_address4(struct in_addr address)
{
    in_addr_t bits = ntohl(address.s_addr);
    return bits != INADDR_ANY && bits != INADDR_BROADCAST && !IN_MULTICAST(bits);
}

bool device_address(const char *text, char out[INET6_ADDRSTRLEN])
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, text, &four) == 1)
        return is_host_address4(four) && inet_ntop(AF_INET, &four, out, INET6_ADDRSTRLEN) != NULL;
    if (inet_pton(AF_INET6, text, &six) != 1)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        memcpy(&four, six.s6_addr + 12, sizeof four);
        return is_host_address4(four) && inet_ntop(AF_INET, &four, out, INET6_ADDRSTRLEN) != NULL;
    }
    if (IN6_IS_ADDR_UNSPECIFIED(&six) || IN6_IS_ADDR_MULTICAST(&six))
        return false;
    return inet_ntop(AF_INET6, &six, out, INET6_ADDRSTRLEN) != NULL;
}

bool device_host_valid(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    size_t size = strlen(text);
    if (device_address(text, address))
        return true;
    if (size == 0 || size > HOST_MAX || text[0] == '-' || text[0] == '.')
        return false;
    /* Digits and dots alone are an address gone wrong. */
    if (strspn(text, "0123456789.") == size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("-._", text[i]) == NULL)
            return false;
    return true;
}

/* ---- taking a URL apart --------------------------------------------------------------------------------- */

static bool read_port(struct span port)
{
    unsigned number = 0;
    if (port.size == 0 || port.size > 5)
        return false;
    for (size_t i = 0; i < port.size; i++) {
        if (port.at[i] < '0' || port.at[i] > '9')
            return false;
        number = number * 10 + (unsigned)(port.at[i] - '0');
    }
    return number >= 1 && number <= 65535;
}

static bool read_host(struct url *url)
{
    char host[HOST_MAX + 1];
    const char *colon;
    bool in_brackets = url->place.size > 0 && url->place.at[0] == '[';
    if (in_brackets) {
        const char *end = memchr(url->place.at, ']', url->place.size);
        if (end == NULL)
            return false;
        url->host = (struct span){url->place.at + 1, (size_t)(end - url->place.at) - 1};
        colon = end + 1 < url->place.at + url->place.size ? end + 1 : NULL;
        if (colon != NULL && *colon != ':')
            return false;
    } else {
        colon = memchr(url->place.at, ':', url->place.size);
        url->host = (struct span){url->place.at, colon == NULL ? url->place.size : (size_t)(colon - url->place.at)};
    }
    if (colon != NULL) {
        struct span port = {colon + 1, (size_t)(url->place.at + url->place.size - colon) - 1};
        if (!read_port(port))
            return false;
    }
    if (url->host.size == 0 || url->host.size > HOST_MAX)
        return false;
    memcpy(host, url->host.at, url->host.size);
    host[url->host.size] = '\0';
    return in_brackets ? strchr(host, ':') != NULL && device_host_valid(host) : device_host_valid(host);
}

/* Of the schemes a stream may have; 0: another one. */
static size_t scheme_size(const char *text)
{
    static const char *const schemes[] = {"rtsp://", "rtsps://", "http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
            return strlen(schemes[i]);
    return 0;
}

static bool url_parse(const char *text, struct url *url)
{
    *url = (struct url){0};
    size_t scheme = scheme_size(text);
    if (scheme == 0 || strlen(text) > DEVICE_URL_MAX)
        return false;
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return false;
    const char *authority = text + scheme;
    size_t size = strcspn(authority, "/?#");
    /* Cameras' passwords hold '@' as it is: the last one ends them. */
    const char *at = memrchr(authority, '@', size);
    url->scheme = (struct span){text, scheme};
    url->rest = (struct span){authority + size, strlen(authority + size)};
    url->place = (struct span){authority, size};
    if (at != NULL) {
        size_t info = (size_t)(at - authority);
        const char *colon = memchr(authority, ':', info);
        url->has_user = true;
        url->user = (struct span){authority, colon == NULL ? info : (size_t)(colon - authority)};
        url->has_password = colon != NULL;
        if (colon != NULL)
            url->password = (struct span){colon + 1, (size_t)(at - colon) - 1};
        url->place = (struct span){at + 1, size - info - 1};
    }
    /* A '/' in a password would end the host too early and show what follows: then the real '@' is in the path. */
    if (memchr(url->rest.at, '@', strcspn(url->rest.at, "?")) != NULL)
        return false;
    return read_host(url);
}

enum aibox_status device_url_check(const char *url, struct aibox_error *err)
{
    struct url parts;
    if (url_parse(url, &parts))
        return AIBOX_OK;
    return error_set(
        err, AIBOX_PARAM,
        "expected the stream's URL, rtsp:// or http://user:password@host:port/path of at most %d bytes; a '/', '?' or "
        "'#' in a password is written %%2F, %%3F or %%23, a '@' in the path %%40",
        DEVICE_URL_MAX);
}

/* ---- passwords in path and query ------------------------------------------------------------------------ */

/* Where the name of a parameter may begin: behind one of these. */
static bool is_separator(char c)
{
    return strchr("/?&;_", c) != NULL; /* NUL counts too */
}

/* A parameter's value ends at a separator; but '_' ends it only before another name=, for it may be part of it. */
static size_t value_size(const char *value)
{
    size_t size = 0;
    for (; value[size] != '\0' && strchr("/?&;#", value[size]) == NULL; size++) {
        size_t name = strspn(value + size + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (value[size] == '_' && name > 0 && value[size + 1 + name] == '=')
            break;
    }
    return size;
}

/* The first value of a password parameter in `text`; size 0 and at NULL: none. */
static struct span find_secret(const char *text)
{
    static const char *const names[] = {"password=", "passwd=", "pass=", "pwd="};
    for (const char *p = text; *p != '\0'; p++) {
        if (!is_separator(*p))
            continue;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            size_t size = strlen(names[i]);
            if (strncasecmp(p + 1, names[i], size) == 0)
                return (struct span){p + 1 + size, value_size(p + 1 + size)};
        }
    }
    return (struct span){NULL, 0};
}

static void append_rest_shown(struct buffer *out, struct span rest)
{
    const char *from = rest.at;
    struct span secret;
    while ((secret = find_secret(from)).at != NULL) {
        buffer_append(out, from, (size_t)(secret.at - from));
        if (secret.size > 0)
            buffer_append_text(out, DEVICE_SECRET_SHOWN);
        from = secret.at + secret.size;
    }
    buffer_append_text(out, from);
}

static bool rest_has_placeholder(struct span rest)
{
    struct span secret;
    for (const char *from = rest.at; (secret = find_secret(from)).at != NULL; from = secret.at + secret.size)
        if (span_is(secret, DEVICE_SECRET_SHOWN))
            return true;
    return false;
}

/* ---- putting a URL together ------------------------------------------------------------------------------- */

/* The text of a buffer, which is emptied; NULL: out of memory. */
static char *text_give(struct buffer *buf)
{
    size_t size;
    return (char *)buffer_give(buf, &size);
}

static char *url_text(const char *text, bool with_user)
{
    struct url url;
    struct buffer out;
    if (!url_parse(text, &url))
        return strdup("");
    buffer_init(&out, (size_t)DEVICE_URL_MAX * 4);
    buffer_append(&out, url.scheme.at, url.scheme.size);
    if (with_user && url.has_user) {
        buffer_append(&out, url.user.at, url.user.size);
        if (url.has_password)
            buffer_append_text(&out, ":" DEVICE_SECRET_SHOWN);
        buffer_append_text(&out, "@");
    }
    buffer_append(&out, url.place.at, url.place.size);
    append_rest_shown(&out, url.rest);
    return text_give(&out);
}

char *device_url_shown(const char *url)
{
    return url_text(url, true);
}

char *device_url_public(const char *url)
{
    return url_text(url, false);
}

char *device_url_host(const char *url)
{
    struct url parts;
    char address[INET6_ADDRSTRLEN];
    if (!url_parse(url, &parts))
        return strdup("");
    char *host = strndup(parts.host.at, parts.host.size);
    if (host == NULL)
        return NULL;
    if (device_address(host, address)) {
        free(host);
        return strdup(address);
    }
    for (char *p = host; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return host;
}

/* ---- passwords that come back as *** ------------------------------------------------------------------------ */

static bool same_rest_shown(struct span given, struct span stored)
{
    struct buffer shown;
    buffer_init(&shown, (size_t)DEVICE_URL_MAX * 4);
    append_rest_shown(&shown, stored);
    bool same = !shown.failed && span_is(given, shown.data == NULL ? "" : (const char *)shown.data);
    buffer_free(&shown);
    return same;
}

/* A password goes back only to where it was: the same user, host and port, and a path as a whole. */
static bool may_restore(const struct url *given, const struct url *stored, bool password, bool rest)
{
    if (!span_same(given->place, stored->place))
        return false;
    if (password && !(stored->has_password && given->user.size == stored->user.size &&
                      memcmp(given->user.at, stored->user.at, given->user.size) == 0))
        return false;
    return !rest || same_rest_shown(given->rest, stored->rest);
}

enum aibox_status device_url_restore(const char *given, const char *stored, char **out, struct aibox_error *err)
{
    struct url url, old = {0};
    struct buffer text;
    *out = NULL;
    if (!url_parse(given, &url))
        return device_url_check(given, err); /* says why */
    bool password = url.has_password && span_is(url.password, DEVICE_SECRET_SHOWN);
    bool rest = rest_has_placeholder(url.rest);
    if ((password || rest) && !(stored != NULL && url_parse(stored, &old) && may_restore(&url, &old, password, rest)))
        return error_set(err, AIBOX_PARAM,
                         "%s stands for a stored password only as long as the rest of the URL stays; give the password",
                         DEVICE_SECRET_SHOWN);
    if (password)
        url.password = old.password;
    if (rest)
        url.rest = old.rest;
    buffer_init(&text, (size_t)DEVICE_URL_MAX * 4);
    buffer_append(&text, url.scheme.at, url.scheme.size);
    if (url.has_user) {
        buffer_append(&text, url.user.at, url.user.size);
        if (url.has_password)
            buffer_append_text(&text, ":");
        buffer_append(&text, url.password.at, url.password.size);
        buffer_append_text(&text, "@");
    }
    buffer_append(&text, url.place.at, url.place.size);
    buffer_append(&text, url.rest.at, url.rest.size);
    *out = text_give(&text);
    if (*out == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return device_url_check(*out, err);
}
