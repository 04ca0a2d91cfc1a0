/* A history as a box of a few months has it: 20 cameras, days with a morning and an evening, most people known. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/id.h"
#include "populate.h"
#include "store/callers.h"
#include "store/store.h"
#include "synthetic.h"

#define THREADS     64
#define CAPACITY    5000000
#define FEATURES    64 /* different ones: what they hold doesn't matter to lists */
#define AUDIT_EVERY 10 /* events to a change that somebody made */
#define DAY_MS      INT64_C(86400000)
#define HOUR_MS     INT64_C(3600000)

/* Events by the hour of the day, UTC. */
static const unsigned by_hour[24] = {1,  1,  1,  1,  2,  6,  25, 80, 100, 60, 30, 30,
                                     60, 55, 30, 30, 45, 90, 80, 40, 20,  10, 5,  2};

struct job {
    struct store *store;
    const char *model_set;
    size_t people, events;
    int64_t end_ms;
    float features[FEATURES][STORE_DIMENSION];
    atomic_size_t next;
    atomic_bool failed;
    struct aibox_error err; /* of the thread that set `failed` first */
};

/* When event `index` of `n` happened: by days, within each by the hours' shares. */
static int64_t moment(const struct job *job, size_t index)
{
    double at = ((double)index + 0.5) / (double)job->events * BENCH_EVENT_DAYS, total = 0, before = 0;
    double share = at - floor(at);
    size_t hour = 0;
    for (size_t i = 0; i < 24; i++)
        total += by_hour[i];
    while (hour < 23 && share * total >= before + by_hour[hour])
        before += by_hour[hour++];
    double inside = (share * total - before) / by_hour[hour];
    int64_t first_ms = job->end_ms - BENCH_EVENT_DAYS * DAY_MS;
    return first_ms + (int64_t)floor(at) * DAY_MS + (int64_t)(((double)hour + inside) * (double)HOUR_MS);
}

/* Texts of one event, which the event points to. */
struct texts {
    char id[64], name[64], group[32], device[32], ip[32], ep[64], best[64], fiqa[512];
};

static void be_known(struct store_event *event, struct texts *texts, size_t person, double luck, double spread)
{
    snprintf(texts->id, sizeof texts->id, "bench-%07zu", person);
    snprintf(texts->name, sizeof texts->name, "Person %zu", person);
    event->person_type = luck < 0.05 ? 2 : luck < 0.06 ? 5 : luck < 0.062 ? 3 : 1;
    event->verdict = STORE_KNOWN;
    event->score = (float)(0.5 + 0.45 * spread);
    event->margin = event->score / 2;
    event->reason = luck < 0.062 && luck >= 0.06 ? "blacklisted" : luck > 0.98 ? "no_permission" : "passed";
    event->action = strcmp(event->reason, "passed") == 0 ? "opendoor" : event->person_type == 3 ? "alarm" : "";
    snprintf(texts->best, sizeof texts->best, "%s", texts->id);
}

static void be_stranger(struct store_event *event, struct texts *texts, size_t person, double luck, double spread)
{
    id_uuid(texts->id);
    snprintf(texts->name, sizeof texts->name, "stranger");
    event->person_type = 4;
    event->verdict = luck < 0.15 ? STORE_UNCERTAIN : STORE_UNKNOWN;
    event->score = (float)(luck < 0.15 ? 0.44 + 0.05 * spread : 0.44 * spread);
    event->margin = 0.02F;
    event->reason = luck < 0.15 ? "uncertain" : "stranger";
    event->action = "";
    snprintf(texts->best, sizeof texts->best, "bench-%07zu", person);
}

static enum aibox_status save(struct job *job, size_t index, struct aibox_error *err)
{
    struct texts texts = {0};
    struct store_event event = {0};
    uint64_t state = index * UINT64_C(0x9e3779b97f4a7c15) + 1;
    uint64_t first = synthetic_random(&state), second = synthetic_random(&state), third = synthetic_random(&state);
    double luck = (double)(second % 10000) / 10000, spread = (double)(third % 10000) / 10000;
    size_t camera = (size_t)(first >> 32) % BENCH_CAMERAS, person = (size_t)(third >> 20) % job->people;
    /* Few come daily, many now and then. */
    person = (size_t)((double)person * (double)person / (double)job->people);
    if (first % 100 < 85)
        be_known(&event, &texts, person, luck, spread);
    else
        be_stranger(&event, &texts, person, luck, spread);
    snprintf(texts.group, sizeof texts.group, "site-%zu", camera % BENCH_GROUPS);
    snprintf(texts.device, sizeof texts.device, "bench-camera-%zu", camera);
    snprintf(texts.ip, sizeof texts.ip, "10.0.0.%zu", camera + 1);
    snprintf(texts.ep, sizeof texts.ep, "0x001122334455__%s", texts.ip);
    snprintf(texts.fiqa, sizeof texts.fiqa,
             "{\"fiqa_result\":true,\"fails\":[],\"success\":[],\"score\":%.3f,\"info\":{\"face_size\":%d,\"headpose\":"
             "{\"pitch_angle\":%.1f,\"roll_angle\":%.1f,\"yaw_angle\":%.1f},\"clarity\":%.3f,\"brightness\":0.97,"
             "\"partial\":false,\"occlusion\":[true,true,true],\"mask\":-1},\"age\":%d,\"sex\":%d}",
             spread, 60 + (int)(luck * 200), 20 * luck, 5 * spread, 30 * spread, 2 + luck, 20 + (int)(spread * 50),
             (int)(first & 1));
    id_ulid(event.event_id);
    event.timestamp_ms = moment(job, index);
    event.identity_id = texts.id;
    event.identity_name = texts.name;
    event.group_name = texts.group;
    event.device_id = texts.device;
    event.device_ip = texts.ip;
    event.ep_id = texts.ep;
    event.device_type = "0";
    event.threshold = 0.49F;
    event.best_identity_id = texts.best;
    event.best_score = event.score;
    event.liveness = NAN;
    event.mask = -1;
    event.room = "";
    event.grab_fiqa_info = "{}";
    event.box_fiqa_info = texts.fiqa;
    event.feature = job->features[index % FEATURES];
    event.model_set = job->model_set;
    return store_event_add(job->store, &event, err);
}

static enum aibox_status log_change(struct job *job, size_t index, struct aibox_error *err)
{
    const struct store_audit entry = {.time_ms = moment(job, index),
                                      .who = "operator",
                                      .role = "operator",
                                      .address = "10.0.0.200",
                                      .method = "PUT",
                                      .path = "/SophonFogSys/api/users",
                                      .what = "info",
                                      .status = 200};
    char id[32];
    const char *people[] = {id};
    snprintf(id, sizeof id, "bench-%07zu", index % job->people);
    return store_audit_add(job->store, &entry, people, 1, err);
}

static void *work(void *arg)
{
    struct job *job = arg;
    struct aibox_error err;
    for (size_t i; !atomic_load(&job->failed) && (i = atomic_fetch_add(&job->next, 1)) < job->events;) {
        bool before = false;
        bool well = save(job, i, &err) == AIBOX_OK && (i % AUDIT_EVERY != 0 || log_change(job, i, &err) == AIBOX_OK);
        if (!well && atomic_compare_exchange_strong(&job->failed, &before, true))
            job->err = err;
    }
    return NULL;
}

static enum aibox_status add_events(struct job *job, struct aibox_error *err)
{
    pthread_t threads[THREADS];
    size_t started = 0;
    while (started < THREADS && pthread_create(&threads[started], NULL, work, job) == 0)
        started++;
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (started == 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
    return atomic_load(&job->failed) ? error_set(err, job->err.status, "%s", job->err.message) : AIBOX_OK;
}

/* Groups, and the setting that keeps all events. */
static enum aibox_status add_rest(struct job *job, struct aibox_error *err)
{
    char keep[32], name[32];
    const char *key = "events.keep", *value = keep;
    snprintf(keep, sizeof keep, "%zu", job->events + job->events / 10 + 10000);
    store_set_retention(job->store, job->events * 2, 0);
    enum aibox_status status = store_settings_put(job->store, &key, &value, 1, err);
    for (size_t i = 0; i < BENCH_GROUPS && status == AIBOX_OK; i++) {
        snprintf(name, sizeof name, "site-%zu", i);
        status = store_label_create(job->store, STORE_GROUP, NULL, name, "", NULL, NULL, err);
    }
    return status;
}

enum aibox_status populate_events(const char *data, const char *model_set, size_t people, size_t events,
                                  struct aibox_error *err)
{
    struct synthetic *model = calloc(1, sizeof *model);
    struct job *job = calloc(1, sizeof *job);
    enum aibox_status status = AIBOX_OK;
    if (model == NULL || job == NULL) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        goto out;
    }
    *job = (struct job){.model_set = model_set, .people = people, .events = events, .end_ms = clock_realtime_ms()};
    status = store_open(data, CAPACITY, &job->store, err);
    if (status != AIBOX_OK)
        goto out;
    synthetic_init(model, 1);
    for (size_t i = 0; i < FEATURES; i++)
        synthetic_face(model, i, 1, job->features[i]);
    status = add_rest(job, err);
    if (status == AIBOX_OK)
        status = add_events(job, err);
    store_close(job->store);
out:
    free(job);
    free(model);
    return status;
}
