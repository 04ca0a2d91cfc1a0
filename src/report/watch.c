#include "report/watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "flow/devices.h"
#include "flow/flow.h"
#include "report/report_internal.h"

#define TICK_MS 1000

/* A device as it was seen last. */
struct seen {
    char device_id[STORE_MAX_NAME + 1];
    bool online;
};

struct watch {
    struct report *report;
    pthread_t thread;
    pthread_mutex_t mu; /* guards what follows; leaf */
    pthread_cond_t changed;
    bool stopping, woken;
    /* The thread's own. */
    struct seen *seen; /* STORE_MAX_DEVICES */
    size_t n;
};

/* ---- devices ------------------------------------------------------------------------------------------------------
 */

/* Renews what is known; true: something is not as it was. */
static bool look(struct watch *watch)
{
    struct device_list list;
    bool changed;

    if (devices_list(flow_devices(watch->report->flow), &list, NULL) != AIBOX_OK)
        return false;
    changed = list.count != watch->n;
    for (size_t i = 0; i < list.count && i < STORE_MAX_DEVICES; i++) {
        struct seen *seen = &watch->seen[i];
        const char *id = list.items[i]->device_id;
        struct device_state state;
        device_state_get(list.items[i], &state);
        changed = changed || strcmp(seen->device_id, id) != 0 || seen->online != state.online;
        size_t size = strlen(id);
        memcpy(seen->device_id, id, size < sizeof seen->device_id ? size + 1 : 0);
        seen->online = state.online;
    }
    watch->n = list.count;
    device_list_free(&list);
    return changed;
}

/* ---- the thread ----------------------------------------------------------------------------------------------------
 */

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
    bool wanted = false;

    pthread_setname_np(pthread_self(), "report-watch");
    do {
        bool was_wanted = wanted;
        if (atomic_load(&watch->report->unapplied))
            report_apply(watch->report);
        wanted = report_is_watched(watch->report);
        if (wanted && look(watch) && was_wanted)
            report_devices_changed(watch->report);
    } while (wait(watch, wanted || atomic_load(&watch->report->unapplied)));
    return NULL;
}

enum aibox_status watch_open(struct report *report, struct watch **out, struct aibox_error *err)
{
    struct watch *watch = calloc(1, sizeof *watch);

    *out = NULL;
    if (watch)
        watch->seen = calloc(STORE_MAX_DEVICES, sizeof *watch->seen);
    if (!watch || !watch->seen)
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
    free(watch ? watch->seen : NULL);
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
    free(watch->seen);
    free(watch);
}
