#include "core/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

#include "core/buffer.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t receive(char *bytes, size_t size, size_t n, void *ctx)
{
    return buffer_append(ctx, bytes, size * n) ? size * n : 0;
}

static enum aibox_status explain(CURLcode code, const struct buffer *body, size_t max_bytes, struct aibox_error *err)
{
    switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
        return error_set(err, AIBOX_PARAM, "not an http or https address");
    case CURLE_FILESIZE_EXCEEDED:
        return error_set(err, AIBOX_IMAGE_TOO_LARGE, "more than %zu bytes", max_bytes);
    case CURLE_WRITE_ERROR:
        if (body->failed)
            return error_set(err, AIBOX_IMAGE_TOO_LARGE, "more than %zu bytes", max_bytes);
        break;
    case CURLE_TOO_MANY_REDIRECTS:
        return error_set(err, AIBOX_REMOTE_FAILED, "too many redirects");
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(err, AIBOX_REMOTE_FAILED, "no answer in time");
    default:
        break;
    }
    return error_set(err, AIBOX_REMOTE_FAILED, "not reachable (%s)", curl_easy_strerror(code));
}

enum aibox_status fetch_get(const char *url, const struct fetch_options *options, struct fetch_result *out,
                            struct aibox_error *err)
{
    *out = (struct fetch_result){0};
    pthread_once(&once, init);
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    struct buffer body;
    buffer_init(&body, options->max_bytes);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, options->max_redirects > 0 ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)options->max_redirects);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)options->max_bytes);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, options->verify_tls ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, options->verify_tls ? 2L : 0L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    CURLcode code = curl_easy_perform(curl);
    enum aibox_status status = AIBOX_OK;
    long http = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    if (code != CURLE_OK)
        status = explain(code, &body, options->max_bytes, err);
    else if (http != 200)
        status = error_set(err, AIBOX_REMOTE_FAILED, "answered with HTTP status %ld", http);
    else
        out->body = buffer_give(&body, &out->size);
    buffer_free(&body);
    curl_easy_cleanup(curl);
    return status;
}

void fetch_result_free(struct fetch_result *result)
{
    free(result->body);
    *result = (struct fetch_result){0};
}
