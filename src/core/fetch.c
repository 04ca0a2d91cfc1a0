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

struct fetcher {
    CURL *curl;
};

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
    case CURLE_ABORTED_BY_CALLBACK:
        return error_set(err, AIBOX_REMOTE_FAILED, "given up: the box stops");
    default:
        break;
    }
    return error_set(err, AIBOX_REMOTE_FAILED, "not reachable (%s)", curl_easy_strerror(code));
}

/* Called at least once a second, also while nothing comes. */
static int look_for_stop(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return atomic_load((atomic_bool *)ctx) ? 1 : 0;
}

static void set_options(CURL *curl, const char *url, const struct fetch_options *options, struct buffer *body)
{
    curl_easy_reset(curl); /* connections stay */
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
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    if (options->stop != NULL) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_stop);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, options->stop);
    }
}

/* Transfers as the handle says; any answer is a result. */
static enum aibox_status transfer(CURL *curl, const struct fetch_options *options, struct buffer *body,
                                  struct fetch_result *out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    long http = 0;
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    out->http_status = (int)http;
    if (code != CURLE_OK) {
        status = explain(code, body, options->max_bytes, err);
        out->unanswered = status == AIBOX_REMOTE_FAILED && http == 0;
    } else {
        out->body = buffer_give(body, &out->size);
    }
    buffer_free(body);
    return status;
}

enum aibox_status fetcher_open(struct fetcher **out, struct aibox_error *err)
{
    pthread_once(&once, init);
    struct fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (fetcher != NULL)
        fetcher->curl = curl_easy_init();
    if (fetcher == NULL || fetcher->curl == NULL) {
        free(fetcher);
        *out = NULL;
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    *out = fetcher;
    return AIBOX_OK;
}

void fetcher_close(struct fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    curl_easy_cleanup(fetcher->curl);
    free(fetcher);
}

enum aibox_status fetcher_get(struct fetcher *fetcher, const char *url, const struct fetch_options *options,
                              struct fetch_result *out, struct aibox_error *err)
{
    struct buffer body;
    *out = (struct fetch_result){0};
    buffer_init(&body, options->max_bytes);
    set_options(fetcher->curl, url, options, &body);
    enum aibox_status status = transfer(fetcher->curl, options, &body, out, err);
    if (status == AIBOX_OK && out->http_status != 200) {
        status = error_set(err, AIBOX_REMOTE_FAILED, "answered with HTTP status %d", out->http_status);
        if (!options->keep_refusal) {
            free(out->body);
            out->body = NULL;
            out->size = 0;
        }
    }
    return status;
}

enum aibox_status fetcher_post(struct fetcher *fetcher, const char *url, const char *json, size_t size,
                               const struct fetch_options *options, struct fetch_result *out, struct aibox_error *err)
{
    struct buffer body;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    *out = (struct fetch_result){0};
    if (headers == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    buffer_init(&body, options->max_bytes);
    set_options(fetcher->curl, url, options, &body);
    curl_easy_setopt(fetcher->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(fetcher->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(fetcher->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    curl_easy_setopt(fetcher->curl, CURLOPT_POSTFIELDS, json);
    enum aibox_status status = transfer(fetcher->curl, options, &body, out, err);
    curl_easy_reset(fetcher->curl); /* `json` and the headers are forgotten */
    curl_slist_free_all(headers);
    return status;
}

enum aibox_status fetch_get(const char *url, const struct fetch_options *options, struct fetch_result *out,
                            struct aibox_error *err)
{
    struct fetcher *fetcher;
    *out = (struct fetch_result){0};
    enum aibox_status status = fetcher_open(&fetcher, err);
    if (status != AIBOX_OK)
        return status;
    status = fetcher_get(fetcher, url, options, out, err);
    fetcher_close(fetcher);
    return status;
}

void fetch_result_free(struct fetch_result *result)
{
    free(result->body);
    *result = (struct fetch_result){0};
}
