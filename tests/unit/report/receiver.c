#include "receiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <microhttpd.h>
#include <pthread.h>

#include "core/buffer.h"
#include "core/clock.h"

#define MOST_BODY ((size_t)8 << 20)
#define WAIT_MS   120000 /* only a failing test waits that long */

struct receiver {
    struct MHD_Daemon *daemon;
    char url[40];
    pthread_mutex_t mu;
    pthread_cond_t came;
    struct received all[RECEIVER_MOST];
    size_t n;
    int status;
    char body[256];
};

struct request {
    struct buffer target, body;
};

static enum MHD_Result add_argument(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct buffer *target = ctx;

    (void)kind;
    buffer_appendf(target, "%s%s=%s", memchr(target->data, '?', target->size) ? "&" : "?", key, value ? value : "");
    return MHD_YES;
}

static struct request *begin(struct MHD_Connection *mhd, const char *path)
{
    struct request *request = calloc(1, sizeof *request);

    buffer_init(&request->target, 8192);
    buffer_init(&request->body, MOST_BODY);
    buffer_append_text(&request->target, path);
    MHD_get_connection_values(mhd, MHD_GET_ARGUMENT_KIND, add_argument, &request->target);
    buffer_append_text(&request->body, "");
    return request;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd, const char *path, const char *method,
                                  const char *version, const char *bytes, size_t *size, void **state)
{
    struct receiver *receiver = ctx;
    struct request *request = *state;

    (void)method;
    (void)version;
    if (!request) {
        *state = begin(mhd, path);
        return MHD_YES;
    }
    if (*size > 0) {
        buffer_append(&request->body, bytes, *size);
        *size = 0;
        return MHD_YES;
    }
    pthread_mutex_lock(&receiver->mu);
    int status = receiver->status;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(receiver->body), receiver->body, MHD_RESPMEM_MUST_COPY);
    if (receiver->n < RECEIVER_MOST)
        receiver->all[receiver->n++] = (struct received){.target = strdup((const char *)request->target.data),
                                                         .body = strdup((const char *)request->body.data),
                                                         .answered = status};
    pthread_cond_broadcast(&receiver->came);
    pthread_mutex_unlock(&receiver->mu);
    enum MHD_Result result = MHD_queue_response(mhd, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static void on_end(void *ctx, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode code)
{
    struct request *request = *state;

    (void)ctx;
    (void)mhd;
    (void)code;
    if (!request)
        return;
    buffer_free(&request->target);
    buffer_free(&request->body);
    free(request);
}

struct receiver *receiver_open(void)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);

    assert_non_null(receiver);
    pthread_mutex_init(&receiver->mu, NULL);
    assert_true(clock_cond_init(&receiver->came));
    receiver_answer(receiver, 200, "{\"status\": 0}");
    receiver->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, receiver,
                                        MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
    assert_non_null(receiver->daemon);
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(receiver->daemon, MHD_DAEMON_INFO_BIND_PORT);
    (void)snprintf(receiver->url, sizeof receiver->url, "http://127.0.0.1:%u", (unsigned)info->port);
    return receiver;
}

void receiver_close(struct receiver *receiver)
{
    MHD_stop_daemon(receiver->daemon);
    for (size_t i = 0; i < receiver->n; i++) {
        free(receiver->all[i].target);
        free(receiver->all[i].body);
    }
    pthread_cond_destroy(&receiver->came);
    pthread_mutex_destroy(&receiver->mu);
    free(receiver);
}

const char *receiver_url(const struct receiver *receiver)
{
    return receiver->url;
}

void receiver_answer(struct receiver *receiver, int status, const char *body)
{
    pthread_mutex_lock(&receiver->mu);
    receiver->status = status;
    (void)snprintf(receiver->body, sizeof receiver->body, "%s", body);
    pthread_mutex_unlock(&receiver->mu);
}

static const struct received *find(struct receiver *receiver, size_t n, bool taken)
{
    for (size_t i = 0; i < receiver->n; i++) {
        bool counts = !taken || (receiver->all[i].answered >= 200 && receiver->all[i].answered < 300);
        if (counts && n-- == 0)
            return &receiver->all[i];
    }
    return NULL;
}

static const struct received *wait_for(struct receiver *receiver, size_t n, bool taken)
{
    struct timespec until = clock_deadline(WAIT_MS);
    const struct received *found;
    int late = 0;

    pthread_mutex_lock(&receiver->mu);
    while (!(found = find(receiver, n, taken)) && late == 0)
        late = pthread_cond_timedwait(&receiver->came, &receiver->mu, &until);
    size_t came = receiver->n;
    pthread_mutex_unlock(&receiver->mu);
    if (!found)
        fail_msg("request %zu has not come, but %zu in all", n, came);
    return found;
}

const struct received *receiver_taken(struct receiver *receiver, size_t n)
{
    return wait_for(receiver, n, true);
}

const struct received *receiver_got(struct receiver *receiver, size_t n)
{
    return wait_for(receiver, n, false);
}

size_t receiver_count(struct receiver *receiver)
{
    pthread_mutex_lock(&receiver->mu);
    size_t n = receiver->n;
    pthread_mutex_unlock(&receiver->mu);
    return n;
}
