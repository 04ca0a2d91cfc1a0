#include "report/watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "flow/devices.h"
#include "flow/feed.h"
#include "flow/flow.h"
#include "report/report_internal.h"

#define TICK_MS   1000
#define STATUS_MS 5000

/* A device as it was seen last. */
struct seen {
    char device_id[STORE_MAX_NAME + 1];
    bool online;
    bool there; /* found again in the next look */
};

struct watch {
    struct report *report;
    pthread_t thread;
    pthread_mutex_t mu; /* guards what follows; leaf */
    pthread_cond_t changed;
    bool stopping, woken;
    /* The thread's own. */
    struct seen *seen, *next; /* STORE_MAX_DEVICES each */
    size_t n;                 /* in `seen` */
    struct gauges_cpu cpu;
    int64_t status_ms; /* when the feed got it last, monotonic */
};

/* ---- telling ----------------------------------------------------------------------------------------------------- */

static void publish(struct watch *watch, enum feed_kind kind, struct json_out *json)
{
    if (json_out_complete(json))
        feed_publish(watch->report->feed, kind, (const char *)json->buffer.data);
    json_out_free(json);
}

/* `device` NULL: it is gone. */
static void publish_device(struct watch *watch, const char *device_id, const struct device *device, const char *change)
{
    struct json_out json;

    json_out_init(&json, FEED_MAX_MESSAGE);
    json_out_object_begin(&json);
    json_out_key_text(&json, "device_id", device_id);
    json_out_key_text(&json, "change", change);
    if (device) {
        char ep_id[DEVICE_EP_ID_SIZE];
        struct device_state state;
        devices_ep_id(flow_devices(watch->report->flow), device, ep_id);
        device_state_get(device, &state);
        json_out_key_text(&json, "device_name", device->name);
        json_out_key_text(&json, "ep_id", ep_id);
        json_out_key_text(&json, "status", state.online ? "online" : "offline");
        json_out_key_int(&json, "last_seen", state.last_seen_ms);
    }
    json_out_object_end(&json);
    publish(watch, FEED_DEVICE, &json);
}

static void publish_status(struct watch *watch)
{
    struct json_out json;

    json_out_init(&json, FEED_MAX_MESSAGE);
    status_write(watch->report, &watch->cpu, "", true, &json);
    publish(watch, FEED_STATUS, &json);
}

/* ---- devices ----------------------------------------------------------------------------------------------------- */

/* The device as it was seen last; it is where it was, unless older ones have gone. */
static struct seen *find_seen(struct watch *watch, const char *device_id, size_t at)
{
    if (at < watch->n && strcmp(watch->seen[at].device_id, device_id) == 0)
        return &watch->seen[at];
    for (size_t i = 0; i < watch->n; i++)
        if (strcmp(watch->seen[i].device_id, device_id) == 0)
            return &watch->seen[i];
    return NULL;
}

/* What has changed of the one; notes it among those that will have been seen. */
static const char *look_at(struct watch *watch, const struct device *device, size_t at)
{
    struct seen *now = &watch->next[at], *before = find_seen(watch, device->device_id, at);
    struct device_state state;

    device_state_get(device, &state);
    now->online = state.online;
    now->there = false;
    size_t size = strlen(device->device_id);
    memcpy(now->device_id, device->device_id, size < sizeof now->device_id ? size + 1 : 0);
    if (!before)
        return "added";
    before->there = true;
    return before->online == state.online ? NULL : state.online ? "online" : "offline";
}

/* Renews what is known, and tells the feed of each change unless it is `news` to nobody. True: there was one. */
static bool look(struct watch *watch, bool news)
{
    struct device_list list;
    bool changed = false;

    if (devices_list(flow_devices(watch->report->flow), &list, NULL) != AIBOX_OK)
        return false;
    for (size_t i = 0; i < list.count; i++) {
        const char *change = look_at(watch, list.items[i], i);
        changed = changed || change;
        if (news && change)
            publish_device(watch, list.items[i]->device_id, list.items[i], change);
    }
    for (size_t i = 0; i < watch->n; i++) {
        changed = changed || !watch->seen[i].there;
        if (news && !watch->seen[i].there)
            publish_device(watch, watch->seen[i].device_id, NULL, "deleted");
    }
    struct seen *last = watch->seen;
    watch->seen = watch->next;
    watch->next = last;
    watch->n = list.count;
    device_list_free(&list);
    return changed;
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

/* False: told to stop. */
static bool wait(struct watch *watch, bool tick)
{
    struct timespec until = clock_deadline(TICK_MS);
    int late = 0;

    pthread_mutex_lock(&watch->mu);
    while (!watch->stopping && !watch->woken && late == 0)
        late = tick ? pthread_cond_timedwait(&watch->changed, &watch->mu, &until)
                    : pthread_cond_wait(&watch->changed, &watch->mu);
    watch->woken = false;
    bool going_on = !watch->stopping;
    pthread_mutex_unlock(&watch->mu);
    return going_on;
}

static void *run(void *arg)
{
    struct watch *watch = arg;
    struct report *report = watch->report;
    bool wanted = false;

    pthread_setname_np(pthread_self(), "report-watch");
    do {
        bool was_wanted = wanted, watched = feed_is_watched(report->feed);
        if (atomic_load(&report->unapplied))
            report_apply(report);
        if (atomic_load(&report->results_came) || atomic_load(&report->results_queue))
            report_find_results(report);
        wanted = watched || report_is_monitored(report);
        if (wanted && look(watch, was_wanted) && was_wanted)
            report_devices_changed(report);
        if (watched && clock_monotonic_ms() - watch->status_ms >= STATUS_MS) {
            watch->status_ms = clock_monotonic_ms();
            publish_status(watch);
        }
    } while (wait(watch, wanted || atomic_load(&report->unapplied) || atomic_load(&report->results_queue)));
    return NULL;
}

enum aibox_status watch_open(struct report *report, struct watch **out, struct aibox_error *err)
{
    struct watch *watch = calloc(1, sizeof *watch);

    *out = NULL;
    if (!watch)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    watch->status_ms = clock_monotonic_ms() - STATUS_MS;
    watch->seen = calloc(STORE_MAX_DEVICES, sizeof *watch->seen);
    watch->next = calloc(STORE_MAX_DEVICES, sizeof *watch->next);
    if (!watch->seen || !watch->next)
        goto no_memory;
    watch->report = report;
    pthread_mutex_init(&watch->mu, NULL);
    if (!clock_cond_init(&watch->changed))
        goto no_cond;
    if (pthread_create(&watch->thread, NULL, run, watch) != 0)
        goto no_thread;
    *out = watch;
    return AIBOX_OK;

no_thread:
    pthread_cond_destroy(&watch->changed);
no_cond:
    pthread_mutex_destroy(&watch->mu);
no_memory:
    free(watch->next);
    free(watch->seen);
    free(watch);
    return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
}

void watch_wake(struct watch *watch)
{
    pthread_mutex_lock(&watch->mu);
    watch->woken = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->mu);
}

void watch_close(struct watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->mu);
    watch->stopping = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->mu);
    pthread_join(watch->thread, NULL);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->mu);
    free(watch->next);
    free(watch->seen);
    free(watch);
}
