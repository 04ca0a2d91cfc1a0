#include "intake/ftp_takers.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"

/* More than may be looked at at once: most of them wait for the disk, or for what a camera says of its picture. */
#define THREADS      8
#define TRIES        3
#define TRY_AGAIN_MS 1000
#define NOT_READY_MS 50

static const double bucket_s[] = {0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5};
#define BUCKETS (sizeof bucket_s / sizeof bucket_s[0])

enum outcome { DECIDED, NO_FACE, UNREADABLE, FAILED, OUTCOMES };
static const char *const outcome_names[] = {"decided", "no_face", "unreadable", "failed"};

struct ftp_takers {
    struct intake_context context;
    struct ftp_queue *queue;
    struct ftp_folder *folder;
    pthread_t threads[THREADS];
    size_t n;
    _Atomic uint64_t outcomes[OUTCOMES];
    _Atomic uint64_t buckets[BUCKETS + 1], sum_us; /* from upload to decision */
};

/* One picture in a taker's hands. */
struct taking {
    struct ftp_takers *takers;
    struct ftp_picture *picture;
    struct flow_probe probe;
    bool decided;
};

static void count_decision(struct ftp_takers *takers, const struct ftp_picture *picture)
{
    int64_t took_ms = clock_monotonic_ms() - picture->arrived_ms;
    size_t bucket = 0;
    while (bucket < BUCKETS && (double)took_ms / 1000 > bucket_s[bucket])
        bucket++;
    (void)atomic_fetch_add(&takers->buckets[bucket], 1);
    (void)atomic_fetch_add(&takers->sum_us, (uint64_t)took_ms * 1000);
}

static void let_next_begin(struct taking *taking)
{
    if (!taking->decided)
        ftp_queue_decided(taking->takers->queue);
    taking->decided = true;
}

/* The door first; then the next picture; then what the camera says of this one, which the event still needs. */
static const char *on_decided(void *ctx, const struct flow_decision *decision)
{
    struct taking *taking = ctx;
    const struct intake_context *context = &taking->takers->context;
    const char *action = "";
    bool fresh = clock_realtime_ms() - taking->picture->uploaded_ms <= FTP_FRESH_MS;
    if (fresh && context->react != NULL)
        action = context->react(context->react_ctx, taking->picture->device, decision);
    count_decision(taking->takers, taking->picture);
    let_next_begin(taking);
    taking->probe.grab_fiqa_info = ftp_queue_sidecar(taking->takers->queue, taking->picture);
    return action;
}

static bool is_picture_error(enum aibox_status status)
{
    return status == AIBOX_IMAGE || status == AIBOX_IMAGE_TOO_LARGE || status == AIBOX_UNSUPPORTED_IMAGE;
}

static enum aibox_status recognise(struct taking *taking, const uint8_t *bytes, size_t size, enum outcome *outcome,
                                   struct aibox_error *err)
{
    struct flow *flow = taking->takers->context.flow;
    const struct device *device = taking->picture->device;
    int64_t now_ms = clock_realtime_ms(), uploaded_ms = taking->picture->uploaded_ms;
    char ep_id[DEVICE_EP_ID_SIZE];
    struct flow_decision decision;
    taking->probe = (struct flow_probe){.picture = bytes,
                                        .picture_size = size,
                                        .timestamp_ms = uploaded_ms < now_ms ? uploaded_ms : now_ms,
                                        .with_attributes = true,
                                        .decided = on_decided,
                                        .decided_ctx = taking};
    devices_place(flow_devices(flow), device, ep_id, &taking->probe.place);
    enum aibox_status status = flow_recognise(flow, FLOW_BULK, &taking->probe, &decision, err);
    if (status != AIBOX_OK) {
        *outcome = is_picture_error(status) ? UNREADABLE : FAILED;
        return status;
    }
    *outcome = decision.has_face ? DECIDED : NO_FACE;
    device_count_frame(device, decision.has_face ? 1 : 0);
    flow_decision_free(&decision);
    return AIBOX_OK;
}

/* A failure that is not the picture's may pass. */
static void deal_with(struct ftp_takers *takers, struct ftp_picture *picture)
{
    struct taking taking = {.takers = takers, .picture = picture};
    struct aibox_error err = {.message = ""};
    enum outcome outcome = FAILED;
    uint8_t *bytes = NULL;
    size_t size;
    bool going_on = true;
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    for (int i = 0; i < TRIES && outcome == FAILED && going_on && !taking.decided; i++) {
        status = ftp_folder_read(takers->folder, picture, &bytes, &size, &err);
        if (status == AIBOX_OK)
            status = recognise(&taking, bytes, size, &outcome, &err);
        free(bytes);
        if (outcome == FAILED)
            going_on = ftp_queue_pause(takers->queue, TRY_AGAIN_MS);
    }
    let_next_begin(&taking);
    if (!going_on) { /* the box ends: the next run takes it */
        ftp_queue_finish(takers->queue, picture, NULL);
        return;
    }
    (void)atomic_fetch_add(&takers->outcomes[outcome], 1);
    if (status != AIBOX_OK) {
        device_count_drop(picture->device);
        log_info("intake", "a picture can't be decided on device_id=%s reason=\"%s\"", picture->device->device_id,
                 err.message);
    }
    ftp_folder_remove(takers->folder, picture);
    ftp_queue_finish(takers->queue, picture, status == AIBOX_OK ? "" : err.message);
}

static void *run(void *arg)
{
    struct ftp_takers *takers = arg;
    struct ftp_picture *picture;
    pthread_setname_np(pthread_self(), "ftp-taker");
    while (!flow_ready(takers->context.flow))
        if (!ftp_queue_pause(takers->queue, NOT_READY_MS))
            return NULL;
    while ((picture = ftp_queue_take(takers->queue)) != NULL)
        deal_with(takers, picture);
    return NULL;
}

enum aibox_status ftp_takers_open(const struct intake_context *context, struct ftp_queue *queue,
                                  struct ftp_folder *folder, struct ftp_takers **out, struct aibox_error *err)
{
    struct ftp_takers *takers = calloc(1, sizeof *takers);
    *out = NULL;
    if (takers == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    takers->context = *context;
    takers->queue = queue;
    takers->folder = folder;
    while (takers->n < THREADS && pthread_create(&takers->threads[takers->n], NULL, run, takers) == 0)
        takers->n++;
    if (takers->n == 0) {
        free(takers);
        return error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
    }
    *out = takers;
    return AIBOX_OK;
}

void ftp_takers_close(struct ftp_takers *takers)
{
    if (takers == NULL)
        return;
    for (size_t i = 0; i < takers->n; i++)
        pthread_join(takers->threads[i], NULL);
    free(takers);
}

void ftp_takers_metrics(struct ftp_takers *takers, struct buffer *out)
{
    uint64_t sum = 0;
    buffer_append_text(out, "# HELP aibox_intake_ftp_pictures_total Uploaded pictures that were looked at.\n"
                            "# TYPE aibox_intake_ftp_pictures_total counter\n");
    for (size_t i = 0; i < OUTCOMES; i++)
        buffer_appendf(out, "aibox_intake_ftp_pictures_total{outcome=\"%s\"} %" PRIu64 "\n", outcome_names[i],
                       atomic_load(&takers->outcomes[i]));
    buffer_append_text(out, "# HELP aibox_intake_ftp_decision_seconds From the end of an upload to the decision.\n"
                            "# TYPE aibox_intake_ftp_decision_seconds histogram\n");
    for (size_t i = 0; i < BUCKETS; i++) {
        sum += atomic_load(&takers->buckets[i]);
        buffer_appendf(out, "aibox_intake_ftp_decision_seconds_bucket{le=\"%g\"} %" PRIu64 "\n", bucket_s[i], sum);
    }
    sum += atomic_load(&takers->buckets[BUCKETS]);
    buffer_appendf(out,
                   "aibox_intake_ftp_decision_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
                   "aibox_intake_ftp_decision_seconds_sum %.3f\naibox_intake_ftp_decision_seconds_count %" PRIu64 "\n",
                   sum, (double)atomic_load(&takers->sum_us) / 1e6, sum);
}
