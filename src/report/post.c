#include "report/post.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "core/address.h"
#include "core/buffer.h"
#include "core/clock.h"
#include "report/allow.h"

#define MOST_REDIRECTS  3
#define POLL_MS         1000
#define MOST_HOST_BYTES 256
#define MOST_URL_BYTES  4097

struct post {
    CURLM *multi;
    CURL *easy;
    struct buffer body; /* of the answer */
    char allow[ALLOW_MAX];
    bool fresh;   /* the open connection was allowed by an earlier list: not to be used any more */
    bool guarded; /* addresses are looked at: the host is not named in `allow` */
    bool refused; /* an address was not allowed */
    atomic_bool cancelled;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- callbacks of libcurl ---------------------------------------------------------------------------------- */

/* What doesn't fit is read and forgotten: a chatty receiver is no failure. */
static size_t receive(char *bytes, size_t size, size_t n, void *ctx)
{
    struct post *post = ctx;
    size_t room = POST_MAX_ANSWER - post->body.size;
    size_t take = size * n < room ? size * n : room;

    return buffer_append(&post->body, bytes, take) ? size * n : 0;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct post *post = ctx;
    struct address address = address_of(&to->addr);

    (void)purpose;
    if (post->guarded && !allow_address(post->allow, &address)) {
        post->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* ---- opening ------------------------------------------------------------------------------------------------- */

static void set_constant_options(struct post *post)
{
    CURL *easy = post->easy;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a name that is being looked up holds up nobody's end */
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "AIBOX/" AIBOX_VERSION);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, post);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, post);
}

enum aibox_status post_open(struct post **out, struct aibox_error *err)
{
    struct post *post = calloc(1, sizeof *post);

    *out = NULL;
    if (!post)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    pthread_once(&once, init);
    buffer_init(&post->body, POST_MAX_ANSWER);
    post->multi = curl_multi_init();
    post->easy = curl_easy_init();
    if (!post->multi || !post->easy) {
        post_close(post);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    curl_multi_setopt(post->multi, CURLMOPT_MAXCONNECTS, 1L);
    set_constant_options(post);
    *out = post;
    return AIBOX_OK;
}

void post_close(struct post *post)
{
    if (!post)
        return;
    curl_easy_cleanup(post->easy);
    curl_multi_cleanup(post->multi);
    buffer_free(&post->body);
    free(post);
}

/* ---- URLs ---------------------------------------------------------------------------------------------------- */

/* A part of a URL, "" without; false: not a URL. */
static bool url_part(CURLU *url, CURLUPart part, char *out, size_t size)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, CURLU_DEFAULT_PORT);

    (void)snprintf(out, size, "%s", code == CURLUE_OK ? text : "");
    curl_free(text);
    return code == CURLUE_OK;
}

/* The host, an IPv6 address without brackets. */
static bool host_of(const char *text, char host[MOST_HOST_BYTES])
{
    CURLU *url = curl_url();
    char bracketed[MOST_HOST_BYTES];
    bool found = url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                 url_part(url, CURLUPART_HOST, bracketed, sizeof bracketed);

    curl_url_cleanup(url);
    if (!found)
        return false;
    size_t size = strlen(bracketed), skip = bracketed[0] == '[' && size >= 2;
    (void)snprintf(host, MOST_HOST_BYTES, "%.*s", (int)(size - 2 * skip), bracketed + skip);
    return true;
}

/* The same host, and no less protected. */
static bool may_follow(const char *from, const char *to)
{
    char from_host[MOST_HOST_BYTES], to_host[MOST_HOST_BYTES];

    if (strncasecmp(to, "http://", 7) != 0 && strncasecmp(to, "https://", 8) != 0)
        return false;
    if (strncasecmp(from, "https://", 8) == 0 && strncasecmp(to, "https://", 8) != 0)
        return false;
    return host_of(from, from_host) && host_of(to, to_host) && strcasecmp(from_host, to_host) == 0;
}

/* ---- sending ------------------------------------------------------------------------------------------------- */

static void explain(const struct post *post, CURLcode code, int64_t timeout_ms, char reason[POST_REASON])
{
    if (post->refused)
        (void)snprintf(reason, POST_REASON, "the setting reports.allow does not name that destination");
    else if (code == CURLE_OPERATION_TIMEDOUT)
        (void)snprintf(reason, POST_REASON, "no answer within %.3g s", (double)timeout_ms / 1000);
    else if (code == CURLE_COULDNT_RESOLVE_HOST)
        (void)snprintf(reason, POST_REASON, "the host's name can't be resolved");
    else if (code == CURLE_COULDNT_CONNECT)
        (void)snprintf(reason, POST_REASON, "no connection");
    else
        (void)snprintf(reason, POST_REASON, "%s", curl_easy_strerror(code));
}

/* Runs the transfer to its end. False: cancelled. */
static bool perform(struct post *post, CURLcode *code)
{
    int running = 1, left;
    CURLMsg *message;

    *code = CURLE_FAILED_INIT;
    if (curl_multi_add_handle(post->multi, post->easy) != CURLM_OK)
        return true;
    while (running > 0 && !atomic_load(&post->cancelled)) {
        if (curl_multi_perform(post->multi, &running) != CURLM_OK)
            break;
        if (running > 0 && curl_multi_poll(post->multi, NULL, 0, POLL_MS, NULL) != CURLM_OK)
            break;
    }
    while ((message = curl_multi_info_read(post->multi, &left)))
        if (message->msg == CURLMSG_DONE)
            *code = message->data.result;
    curl_multi_remove_handle(post->multi, post->easy);
    return running == 0 || !atomic_load(&post->cancelled);
}

/* Decides who is asked for leave to connect: nobody, or the guard, address by address. */
static void set_guard(struct post *post, const char *url, const char *allow)
{
    char host[MOST_HOST_BYTES];

    post->fresh = post->fresh || strcmp(post->allow, allow) != 0;
    curl_easy_setopt(post->easy, CURLOPT_FRESH_CONNECT, post->fresh ? 1L : 0L);
    (void)snprintf(post->allow, sizeof post->allow, "%s", allow);
    post->guarded = !allow_everything(allow) && !(host_of(url, host) && allow_host(allow, host));
    post->refused = false;
}

/* Where the last answer redirects to, if that may be followed; else "", and perhaps a better reason. */
static void find_redirect(struct post *post, const char *url, struct post_answer *answer, char location[MOST_URL_BYTES])
{
    char *to = NULL;

    curl_easy_getinfo(post->easy, CURLINFO_REDIRECT_URL, &to);
    if (!to || (answer->http_status != 301 && answer->http_status != 302 && answer->http_status != 307 &&
                answer->http_status != 308))
        return;
    if (strlen(to) < MOST_URL_BYTES && may_follow(url, to))
        (void)snprintf(location, MOST_URL_BYTES, "%s", to);
    else
        (void)snprintf(answer->reason, sizeof answer->reason,
                       "answered with a redirect to somewhere else, which is not followed");
}

/* One request to `url`; *location is where it is redirected to, "" without. */
static bool send_once(struct post *post, const char *url, const struct post_request *request, int64_t timeout_ms,
                      struct post_answer *answer, char location[MOST_URL_BYTES])
{
    long http_status = 0;
    CURLcode code;

    buffer_clear(&post->body);
    location[0] = '\0';
    set_guard(post, url, request->allow);
    curl_easy_setopt(post->easy, CURLOPT_URL, url);
    curl_easy_setopt(post->easy, CURLOPT_TIMEOUT_MS, (long)(timeout_ms > 0 ? timeout_ms : 1));
    if (!perform(post, &code)) {
        (void)snprintf(answer->reason, sizeof answer->reason, "broken off");
        return false;
    }
    if (code != CURLE_OK) {
        explain(post, code, request->timeout_ms, answer->reason);
        return false;
    }
    post->fresh = false; /* only one connection is kept: the new one has taken the old one's place */
    curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &http_status);
    answer->http_status = (int)http_status;
    if (http_status >= 200 && http_status < 300)
        return true;
    (void)snprintf(answer->reason, sizeof answer->reason, "answered with HTTP status %ld", http_status);
    find_redirect(post, url, answer, location);
    return false;
}

static struct curl_slist *make_headers(const struct post_request *request)
{
    char line[256];
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* many small servers don't answer it */
    struct curl_slist *longer;

    (void)snprintf(line, sizeof line, "Content-Type: %s", request->content_type);
    longer = list ? curl_slist_append(list, line) : NULL;
    if (longer && request->event_id) {
        (void)snprintf(line, sizeof line, "Idempotency-Key: %s", request->event_id);
        longer = curl_slist_append(list, line);
    }
    if (!longer)
        curl_slist_free_all(list);
    return longer;
}

bool post_send(struct post *post, const struct post_request *request, struct post_answer *answer)
{
    struct curl_slist *headers = make_headers(request);
    int64_t until_ms = clock_monotonic_ms() + request->timeout_ms;
    char urls[2][MOST_URL_BYTES];
    const char *url = request->url;
    bool done = false;

    *answer = (struct post_answer){.reason = "out of memory", .body = (char *)""};
    if (!headers)
        return false;
    curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
    curl_easy_setopt(post->easy, CURLOPT_POSTFIELDS, (const char *)request->body);
    for (int hop = 0; !done && hop <= MOST_REDIRECTS; hop++) {
        char *location = urls[hop % 2];
        int64_t left_ms = until_ms - clock_monotonic_ms();
        done = send_once(post, url, request, hop == 0 ? request->timeout_ms : left_ms, answer, location);
        if (location[0] == '\0')
            break;
        url = location;
    }
    if (done)
        answer->reason[0] = '\0';
    if (post->body.data) {
        answer->body = (char *)post->body.data;
        answer->size = post->body.size;
    }
    curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(post->easy, CURLOPT_POSTFIELDS, NULL);
    curl_slist_free_all(headers);
    return done;
}

void post_cancel(struct post *post)
{
    atomic_store(&post->cancelled, true);
    (void)curl_multi_wakeup(post->multi);
}

void post_allow_again(struct post *post)
{
    atomic_store(&post->cancelled, false);
}
