#include "core/url.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Exactly two slashes: libcurl also takes one or three. */
static bool has_web_scheme(const char *url)
{
    size_t size = strncasecmp(url, "https", strlen("https")) == 0 ? strlen("https")
                  : strncasecmp(url, "http", strlen("http")) == 0 ? strlen("http")
                                                                  : 0;

    return size > 0 && strncmp(url + size, "://", strlen("://")) == 0 && url[size + strlen("://")] != '/';
}

static bool is_web_url(const char *url)
{
    char *host = NULL;
    bool good = false;

    if (strlen(url) > URL_MAX || !has_web_scheme(url) || strchr(url, '#'))
        return false;
    CURLU *parts = curl_url();
    if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        good = *host != '\0';
    curl_free(host);
    curl_url_cleanup(parts);
    return good;
}

enum aibox_status url_check(const char *field, const char *url, struct aibox_error *err)
{
    if (is_web_url(url))
        return AIBOX_OK;
    return error_set(err, AIBOX_PARAM,
                     "%s: expected an http:// or https:// URL with a host, without #fragment, of at most %d bytes",
                     field, URL_MAX);
}

void url_show(const char *url, char *out, size_t size)
{
    const char *authority = strstr(url, "://");
    const char *at = NULL;

    if (authority) {
        authority += 3;
        size_t length = strcspn(authority, "/?#");
        at = memrchr(authority, '@', length);
    }
    if (at)
        (void)snprintf(out, size, "%.*s***%s", (int)(authority - url), url, at);
    else
        (void)snprintf(out, size, "%s", url);
}
