/* Opening and closing the pipeline, keeping the gallery equal to the store, inspecting pictures, figures. */
#include "flow/flow.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "flow/devices.h"
#include "flow/flow_internal.h"
#include "flow/reembed.h"

/* How many callers may wait for a worker: doors are few and want an answer soon, a camera has one frame at most looked
 * at; bulk callers wait for room. */
#define QUEUE_DOOR   256
#define QUEUE_STREAM 64
#define QUEUE_BULK   64

/* ---- the gallery follows the store (the store's writer thread, or the loader before anything is written) ---- */

static void copy_labels(struct gallery_labels *to, const uint64_t *from)
{
    memcpy(to->bits, from, sizeof to->bits);
}

static bool on_person(void *ctx, const struct store_template *state)
{
    struct flow *flow = ctx;
    autothreshold_touch(flow->autothreshold);
    if (state->n_faces == 0) {
        apart_forget(flow->apart, state->person_id);
        gallery_remove(flow->gallery, state->person_id);
        return true;
    }
    struct gallery_person person = {.person_id = state->person_id, .faces = state->features, .n_faces = state->n_faces};
    copy_labels(&person.groups, state->groups);
    copy_labels(&person.permissions, state->permissions);
    struct aibox_error err;
    if (gallery_put(flow->gallery, &person, &err) == AIBOX_OK)
        return true;
    log_error("flow", "a person could not be put into the gallery person_id=%lld reason=\"%s\"",
              (long long)state->person_id, err.message);
    /* An old face must not go on opening doors. */
    gallery_remove(flow->gallery, state->person_id);
    return false;
}

static void on_group_dropped(void *ctx, unsigned label)
{
    gallery_drop_group(((struct flow *)ctx)->gallery, label);
}

static void on_permission_dropped(void *ctx, unsigned label)
{
    gallery_drop_permission(((struct flow *)ctx)->gallery, label);
}

static void on_people_cleared(void *ctx)
{
    struct flow *flow = ctx;
    gallery_clear(flow->gallery);
    apart_clear(flow->apart);
    autothreshold_touch(flow->autothreshold);
}

static bool load_person(void *ctx, const struct store_template *state)
{
    struct flow *flow = ctx;
    on_person(flow, state);
    return !atomic_load(&flow->closing);
}

static void *load_gallery(void *arg)
{
    struct flow *flow = arg;
    struct aibox_error err;
    int64_t start = clock_monotonic_ms();
    const char *model_set = vision_model_set(flow->vision);
    if (store_templates_scan(flow->store, model_set, load_person, flow, &err) != AIBOX_OK ||
        apart_load(flow->apart, flow->store, model_set, &err) != AIBOX_OK) {
        log_error("flow", "the gallery could not be loaded reason=\"%s\"", err.message);
        atomic_store(&flow->ready, -1);
        return NULL;
    }
    log_info("flow", "gallery loaded people=%zu ms=%lld kernel=%s", gallery_count(flow->gallery),
             (long long)(clock_monotonic_ms() - start), gallery_kernel_name());
    atomic_store(&flow->ready, 1);
    return NULL;
}

/* ---- opening and closing ---- */

static void *worker_open(void *ctx, size_t index)
{
    struct flow *flow = ctx;
    struct vision_worker *worker = NULL;
    struct aibox_error err;
    if (vision_worker_open(flow->vision, &worker, &err) != AIBOX_OK) {
        log_error("flow", "a vision worker could not be opened index=%zu reason=\"%s\"", index, err.message);
        return NULL;
    }
    return worker;
}

static void worker_close(void *ctx, void *worker)
{
    (void)ctx;
    vision_worker_close(worker);
}

static size_t worker_count(const struct settings *settings)
{
    int64_t wanted = settings_int(settings, "vision.workers");
    if (wanted > 0)
        return (size_t)wanted;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (size_t)cores : 1;
}

enum aibox_status flow_open(struct settings *settings, struct store *store, const char *models_dir, struct flow **out,
                            struct aibox_error *err)
{
    enum aibox_status status;
    struct flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    flow->settings = settings;
    flow->store = store;
    flow->dedup = dedup_new();
    flow->stages = stages_new();
    flow->apart = apart_new();
    if (flow->dedup == NULL || flow->stages == NULL || flow->apart == NULL) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        goto fail;
    }
    if ((status = devices_open(settings, store, &flow->devices, err)) != AIBOX_OK)
        goto fail;
    char folder[PATH_MAX];
    if ((status = reembed_choose(settings, store, models_dir, folder, sizeof folder, err)) != AIBOX_OK ||
        (status = vision_open(folder, &flow->vision, err)) != AIBOX_OK)
        goto fail;
    size_t capacity = (size_t)settings_int(settings, "gallery.capacity");
    if ((status = gallery_open(capacity, &flow->gallery, err)) != AIBOX_OK)
        goto fail;
    if ((status = autothreshold_open(flow->gallery, flow->vision, &flow->autothreshold, err)) != AIBOX_OK)
        goto fail;
    struct pool_options options = {.name = "vision",
                                   .threads = worker_count(settings),
                                   .queue_max = {QUEUE_DOOR, QUEUE_STREAM, QUEUE_BULK},
                                   .worker_open = worker_open,
                                   .worker_close = worker_close,
                                   .ctx = flow};
    if ((status = pool_open(&options, &flow->pool, err)) != AIBOX_OK)
        goto fail;
    struct store_listener listener = {.ctx = flow,
                                      .model_set = vision_model_set(flow->vision),
                                      .person = on_person,
                                      .group_dropped = on_group_dropped,
                                      .permission_dropped = on_permission_dropped,
                                      .people_cleared = on_people_cleared};
    store_set_listener(store, &listener);
    if (pthread_create(&flow->loader, NULL, load_gallery, flow) != 0) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
        goto fail;
    }
    flow->loader_started = true;
    if ((status = reembed_open(flow, models_dir, &flow->reembed, err)) != AIBOX_OK)
        goto fail;
    *out = flow;
    return AIBOX_OK;
fail:
    flow_close(flow);
    return status;
}

void flow_close(struct flow *flow)
{
    if (flow == NULL)
        return;
    atomic_store(&flow->closing, true);
    reembed_close(flow->reembed);
    if (flow->loader_started)
        pthread_join(flow->loader, NULL);
    pool_close(flow->pool);
    store_set_listener(flow->store, NULL);
    autothreshold_close(flow->autothreshold);
    gallery_close(flow->gallery);
    vision_close(flow->vision);
    stages_free(flow->stages);
    dedup_free(flow->dedup);
    apart_free(flow->apart);
    devices_close(flow->devices);
    free(flow);
}

bool flow_ready(const struct flow *flow)
{
    return atomic_load(&flow->ready) == 1;
}

bool flow_wait_ready(struct flow *flow)
{
    if (flow->loader_started)
        pthread_join(flow->loader, NULL);
    flow->loader_started = false;
    return flow_ready(flow);
}

enum pool_priority flow_pool_priority(enum flow_priority priority)
{
    switch (priority) {
    case FLOW_DOOR:
        return POOL_URGENT;
    case FLOW_STREAM:
        return POOL_STEADY;
    case FLOW_BULK:
        break;
    }
    return POOL_BULK;
}

enum aibox_status flow_require_ready(const struct flow *flow, struct aibox_error *err)
{
    return flow_ready(flow) ? AIBOX_OK : error_set(err, AIBOX_GROUP_NOT_LOADED, NULL);
}

const char *flow_model_set(const struct flow *flow)
{
    return vision_model_set(flow->vision);
}

void flow_model_sets_get(struct flow *flow, struct flow_model_sets *out)
{
    reembed_get(flow->reembed, out);
}

struct devices *flow_devices(struct flow *flow)
{
    return flow->devices;
}

/* ---- looking at a picture ---- */

struct inspect_job {
    struct flow *flow;
    const uint8_t *picture;
    size_t size;
    const struct flow_inspection *how;
    struct flow_face *faces;
    size_t count;
    enum aibox_status status;
    struct aibox_error *err;
};

static enum aibox_status inspect_faces(struct inspect_job *job, struct vision_worker *worker, const struct image *image)
{
    struct vision_face found[VISION_MAX_FACES];
    struct vision_detect_options options = {.min_face = job->how->min_face, .tiles = VISION_TILES_AUTO};
    size_t count = 0;
    int64_t start = clock_monotonic_us();
    enum aibox_status status = vision_detect(worker, image, &options, found, job->how->max_faces, &count, job->err);
    stages_add(job->flow->stages, STAGE_DETECT, clock_monotonic_us() - start);
    if (status != AIBOX_OK || count == 0)
        return status;
    job->faces = calloc(count, sizeof *job->faces);
    if (job->faces == NULL)
        return error_set(job->err, AIBOX_PROCESS_FAILED, "out of memory");
    for (size_t i = 0; i < count; i++) {
        job->faces[i].face = found[i];
        status = look_closer(job->flow, worker, image, 1, job->how->wants, &job->how->limits, &job->faces[i], job->err);
        if (status != AIBOX_OK)
            return status;
    }
    job->count = count;
    return AIBOX_OK;
}

static void inspect(void *worker, void *arg)
{
    struct inspect_job *job = arg;
    struct image image = {0};
    int64_t start = clock_monotonic_us();
    job->status = image_decode(job->picture, job->size, 0, &image, NULL, job->err);
    stages_add(job->flow->stages, STAGE_DECODE, clock_monotonic_us() - start);
    if (job->status == AIBOX_OK)
        job->status = inspect_faces(job, worker, &image);
    image_free(&image);
}

enum aibox_status flow_inspect(struct flow *flow, enum flow_priority priority, const uint8_t *picture, size_t size,
                               const struct flow_inspection *how, struct flow_face **faces, size_t *count,
                               struct aibox_error *err)
{
    struct inspect_job job = {.flow = flow, .picture = picture, .size = size, .how = how, .err = err};
    *faces = NULL;
    *count = 0;
    enum aibox_status status = pool_run(flow->pool, flow_pool_priority(priority), -1, inspect, &job, err);
    if (status == AIBOX_OK)
        status = job.status;
    if (status != AIBOX_OK) {
        free(job.faces);
        return status;
    }
    *faces = job.faces;
    *count = job.count;
    return AIBOX_OK;
}

struct vision_quality_limits flow_quality_limits(struct flow *flow, enum vision_quality_level level)
{
    struct vision_quality_limits limits = vision_quality_limits_of(level);
    if (level != QUALITY_CUSTOM)
        return limits;
    limits.face_size = (float)settings_float(flow->settings, "quality.custom.face_size");
    limits.pitch = (float)settings_float(flow->settings, "quality.custom.pitch");
    limits.yaw = (float)settings_float(flow->settings, "quality.custom.yaw");
    if (!settings_bool(flow->settings, "quality.custom.brightness"))
        limits.judged &= ~(unsigned)QUALITY_BRIGHTNESS;
    if (!settings_bool(flow->settings, "quality.custom.clarity"))
        limits.judged &= ~(unsigned)QUALITY_CLARITY;
    return limits;
}

/* ---- threshold ---- */

static void choose_threshold(struct flow *flow, struct flow_threshold *out)
{
    struct autothreshold_answer answer;
    size_t counted = out->people < AUTOTHRESHOLD_LEAST_PEOPLE ? AUTOTHRESHOLD_LEAST_PEOPLE : out->people;
    autothreshold_threshold(flow->autothreshold, autothreshold_fmr(out->false_accept_target, counted), &answer);
    double most = settings_float(flow->settings, "recognition.max_auto_threshold");
    if (isnan(most))
        most = vision_genuine_score(flow->vision, 0.95);
    out->threshold = answer.threshold;
    out->own_gallery = answer.own_gallery;
    out->impostor_pairs = answer.pairs;
    out->limited = (double)answer.threshold > most;
    if (out->limited)
        out->threshold = (float)most;
    if (out->threshold < 0)
        out->threshold = 0;
}

static void judge_threshold(struct flow *flow, double wanted, struct flow_threshold *out)
{
    *out = (struct flow_threshold){.people = gallery_count(flow->gallery)};
    out->false_accept_target = settings_float(flow->settings, "recognition.false_accept_target");
    out->automatic = isnan(wanted);
    if (out->automatic)
        choose_threshold(flow, out);
    else
        out->threshold = (float)wanted;
    double spread;
    double fmr = autothreshold_fmr_at(flow->autothreshold, out->threshold, &spread);
    out->expected_false_accept = autothreshold_fpir(fmr, out->people);
    out->expected_low = autothreshold_fpir(fmr / spread, out->people);
    out->expected_high = autothreshold_fpir(fmin(fmr * spread, 1), out->people);
    out->expected_false_reject = vision_false_reject_at(flow->vision, out->threshold);
}

void flow_threshold_get(struct flow *flow, struct flow_threshold *out)
{
    judge_threshold(flow, settings_float(flow->settings, "recognition.threshold"), out);
}

void flow_threshold_automatic(struct flow *flow, struct flow_threshold *out)
{
    judge_threshold(flow, NAN, out);
}

uint64_t flow_threshold_histogram(struct flow *flow, uint64_t counts[FLOW_HISTOGRAM])
{
    uint64_t bins[AUTOTHRESHOLD_BINS];
    uint64_t pairs = autothreshold_histogram(flow->autothreshold, bins);
    memset(counts, 0, FLOW_HISTOGRAM * sizeof *counts);
    for (size_t i = 0; i < AUTOTHRESHOLD_BINS && pairs > 0; i++)
        counts[i * FLOW_HISTOGRAM / AUTOTHRESHOLD_BINS] += bins[i];
    return pairs;
}

float flow_pair_threshold(const struct flow *flow, const char *word)
{
    static const struct {
        const char *word;
        double fmr;
    } levels[] = {{"high", 1e-5}, {"middle", 1e-4}, {"low", 1e-3}};
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(word, levels[i].word) == 0)
            return vision_threshold_for_fmr(flow->vision, levels[i].fmr);
    return NAN;
}

/* ---- figures ---- */

void flow_metrics(struct flow *flow, struct buffer *out)
{
    stages_print(flow->stages, out);
    buffer_append_text(out, "# HELP aibox_decisions_total Recognitions by outcome.\n"
                            "# TYPE aibox_decisions_total counter\n");
    for (int i = 0; i <= FLOW_NO_FACE; i++)
        buffer_appendf(out, "aibox_decisions_total{reason=\"%s\"} %llu\n", flow_reason_names[i],
                       (unsigned long long)atomic_load(&flow->decisions[i]));
    buffer_appendf(
        out,
        "# HELP aibox_enrolments_total Enrolments by outcome.\n# TYPE aibox_enrolments_total counter\n"
        "aibox_enrolments_total{outcome=\"stored\"} %llu\naibox_enrolments_total{outcome=\"refused\"} %llu\n",
        (unsigned long long)atomic_load(&flow->enrolled), (unsigned long long)atomic_load(&flow->enrol_refused));
    buffer_appendf(out,
                   "# HELP aibox_events_unstored_total Decisions whose event could not be stored.\n"
                   "# TYPE aibox_events_unstored_total counter\naibox_events_unstored_total %llu\n",
                   (unsigned long long)atomic_load(&flow->unstored));
    struct pool_counters pool;
    pool_count(flow->pool, &pool);
    static const char *const priorities[POOL_PRIORITIES] = {"door", "stream", "bulk"};
    buffer_append_text(out, "# HELP aibox_vision_queue Pictures waiting for a worker.\n"
                            "# TYPE aibox_vision_queue gauge\n");
    for (int i = 0; i < POOL_PRIORITIES; i++)
        buffer_appendf(out, "aibox_vision_queue{priority=\"%s\"} %zu\n", priorities[i], pool.waiting[i]);
    buffer_append_text(out, "# HELP aibox_vision_refused_total Pictures refused because the queue was full.\n"
                            "# TYPE aibox_vision_refused_total counter\n");
    for (int i = 0; i < POOL_PRIORITIES; i++)
        buffer_appendf(out, "aibox_vision_refused_total{priority=\"%s\"} %llu\n", priorities[i],
                       (unsigned long long)pool.refused[i]);
    struct flow_threshold threshold;
    flow_threshold_get(flow, &threshold);
    buffer_appendf(out,
                   "# HELP aibox_gallery_people People in the gallery.\n# TYPE aibox_gallery_people gauge\n"
                   "aibox_gallery_people %zu\n"
                   "# HELP aibox_threshold Score from which a face is somebody.\n# TYPE aibox_threshold gauge\n"
                   "aibox_threshold %.4f\n"
                   "# HELP aibox_expected_false_accept Share of strangers expected to be taken for somebody.\n"
                   "# TYPE aibox_expected_false_accept gauge\naibox_expected_false_accept %.6g\n",
                   gallery_count(flow->gallery), (double)threshold.threshold, threshold.expected_false_accept);
}

struct flow_latency flow_latency(const struct flow *flow)
{
    return stages_latency(flow->stages);
}
