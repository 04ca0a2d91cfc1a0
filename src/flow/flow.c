/* Opening and closing the pipeline, inspecting pictures, figures. */
#include "flow/flow.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "flow/devices.h"
#include "flow/flow_internal.h"
#include "flow/model_sets.h"

/* How many callers may wait for a worker: doors are few and want an answer soon, a camera has one frame at most looked
 * at; bulk callers wait for room. */
#define QUEUE_DOOR   256
#define QUEUE_STREAM 64
#define QUEUE_BULK   64

/* ---- opening and closing ---- */

static void *load_gallery(void *arg)
{
    struct flow *flow = arg;
    struct aibox_error err;
    int64_t start = clock_monotonic_ms();
    struct generation *generation = generation_use(flow->generations);
    flow_strangers_apply(flow);
    bool loaded = generation_load(generation, flow->store, &flow->closing, &err) == AIBOX_OK &&
                  strangers_take_over(generation->strangers, &err) == AIBOX_OK;
    if (loaded)
        log_info("flow", "gallery loaded people=%zu strangers=%zu ms=%lld kernel=%s",
                 gallery_count(generation->gallery), strangers_count(generation->strangers),
                 (long long)(clock_monotonic_ms() - start), gallery_kernel_name());
    else
        log_error("flow", "the gallery could not be loaded reason=\"%s\"", err.message);
    generation_done(flow->generations, generation);
    atomic_store(&flow->ready, loaded ? 1 : -1);
    return NULL;
}

static void *worker_open(void *ctx, size_t index)
{
    struct flow *flow = ctx;
    struct aibox_error err;
    struct generation *generation = generation_use(flow->generations);
    enum aibox_status status = generation_open_worker(generation, index, &err);
    generation_done(flow->generations, generation);
    if (status != AIBOX_OK) {
        log_error("flow", "a vision worker could not be opened index=%zu reason=\"%s\"", index, err.message);
        return NULL;
    }
    flow->seats[index].index = index;
    return &flow->seats[index];
}

static size_t worker_count(const struct settings *settings)
{
    int64_t wanted = settings_int(settings, "vision.workers");
    if (wanted > 0)
        return (size_t)wanted;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (size_t)cores : 1;
}

static enum aibox_status open_generation(struct flow *flow, const char *models_dir, size_t n_workers,
                                         struct aibox_error *err)
{
    char folder[PATH_MAX];
    struct vision *vision = NULL;
    struct generation *generation = NULL;
    size_t capacity = (size_t)settings_int(flow->settings, "gallery.capacity");
    enum aibox_status status = model_sets_choose(flow->settings, flow->store, models_dir, folder, sizeof folder, err);
    if (status == AIBOX_OK)
        status = vision_open(folder, &vision, err);
    if (status == AIBOX_OK)
        status = generation_open(vision, capacity, n_workers, &generation, err);
    if (status != AIBOX_OK) {
        vision_close(vision);
        return status;
    }
    flow->generations = generations_new(generation);
    if (flow->generations == NULL) {
        generation_close(generation);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    return AIBOX_OK;
}

static enum aibox_status open_pool(struct flow *flow, size_t n_workers, struct aibox_error *err)
{
    struct pool_options options = {.name = "vision",
                                   .threads = n_workers,
                                   .queue_max = {QUEUE_DOOR, QUEUE_STREAM, QUEUE_BULK},
                                   .worker_open = worker_open,
                                   .ctx = flow};
    flow->seats = calloc(n_workers, sizeof *flow->seats);
    if (flow->seats == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return pool_open(&options, &flow->pool, err);
}

static enum aibox_status start_loading(struct flow *flow, struct aibox_error *err)
{
    struct generation *generation = generation_use(flow->generations);
    enum aibox_status status = generation_listen(generation, flow->store, err);
    generation_done(flow->generations, generation);
    if (status == AIBOX_OK && pthread_create(&flow->loader, NULL, load_gallery, flow) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
    flow->loader_started = status == AIBOX_OK;
    return status;
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
    size_t n_workers = worker_count(settings);
    if (flow->dedup == NULL || flow->stages == NULL) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        goto fail;
    }
    if ((status = devices_open(settings, store, &flow->devices, err)) != AIBOX_OK ||
        (status = open_generation(flow, models_dir, n_workers, err)) != AIBOX_OK ||
        (status = open_pool(flow, n_workers, err)) != AIBOX_OK || (status = start_loading(flow, err)) != AIBOX_OK ||
        (status = model_sets_open(flow, models_dir, &flow->model_sets, err)) != AIBOX_OK)
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
    model_sets_close(flow->model_sets);
    if (flow->loader_started)
        pthread_join(flow->loader, NULL);
    pool_close(flow->pool);
    generations_free(flow->generations);
    free(flow->seats);
    stages_free(flow->stages);
    dedup_free(flow->dedup);
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

void flow_model_set(struct flow *flow, char out[VISION_MODEL_SET])
{
    struct generation *generation = generation_use(flow->generations);
    (void)snprintf(out, VISION_MODEL_SET, "%s", vision_model_set(generation->vision));
    generation_done(flow->generations, generation);
}

struct devices *flow_devices(struct flow *flow)
{
    return flow->devices;
}

/* ---- looking at a picture ---- */

struct inspect_job {
    struct flow *flow;
    const struct generation *generation;
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

static void inspect(void *seat, void *arg)
{
    struct inspect_job *job = arg;
    struct image image = {0};
    int64_t start = clock_monotonic_us();
    job->status = image_decode(job->picture, job->size, 0, &image, NULL, job->err);
    stages_add(job->flow->stages, STAGE_DECODE, clock_monotonic_us() - start);
    if (job->status == AIBOX_OK)
        job->status = inspect_faces(job, seat_worker(seat, job->generation), &image);
    image_free(&image);
}

enum aibox_status inspect_with(struct flow *flow, const struct generation *generation, enum flow_priority priority,
                               const uint8_t *picture, size_t size, const struct flow_inspection *how,
                               struct flow_face **faces, size_t *count, struct aibox_error *err)
{
    struct inspect_job job = {
        .flow = flow, .generation = generation, .picture = picture, .size = size, .how = how, .err = err};
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

enum aibox_status flow_inspect(struct flow *flow, enum flow_priority priority, const uint8_t *picture, size_t size,
                               const struct flow_inspection *how, struct flow_face **faces, size_t *count,
                               struct aibox_error *err)
{
    struct generation *generation = generation_use(flow->generations);
    enum aibox_status status = inspect_with(flow, generation, priority, picture, size, how, faces, count, err);
    generation_done(flow->generations, generation);
    return status;
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
                   "# HELP aibox_strangers Strangers who are remembered.\n# TYPE aibox_strangers gauge\n"
                   "aibox_strangers %zu\n"
                   "# HELP aibox_threshold Score from which a face is somebody.\n# TYPE aibox_threshold gauge\n"
                   "aibox_threshold %.4f\n"
                   "# HELP aibox_expected_false_accept Share of strangers expected to be taken for somebody.\n"
                   "# TYPE aibox_expected_false_accept gauge\naibox_expected_false_accept %.6g\n",
                   threshold.people, flow_strangers_count(flow), (double)threshold.threshold,
                   threshold.expected_false_accept);
}

struct flow_latency flow_latency(const struct flow *flow)
{
    return stages_latency(flow->stages);
}
