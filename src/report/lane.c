#include "report/lane.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "report/report_internal.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MOST_MS  60000

/* ---- life -------------------------------------------------------------------------------------------------- */

static void *run(void *arg)
{
    struct lane *lane = arg;
    char name[16];

    (void)snprintf(name, sizeof name, "report-%s", lane->kind->name);
    pthread_setname_np(pthread_self(), name);
    lane->kind->run(lane);
    return NULL;
}

enum aibox_status lane_start(struct lane *lane, const struct lane_kind *kind, struct report *report, const char *url,
                             struct aibox_error *err)
{
    lane->kind = kind;
    lane->report = report;
    (void)snprintf(lane->url, sizeof lane->url, "%s", url);
    enum aibox_status status = post_open(&lane->post, err);
    if (status != AIBOX_OK)
        return status;
    pthread_mutex_init(&lane->mu, NULL);
    if (!clock_cond_init(&lane->wake)) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
        goto no_cond;
    }
    if (pthread_create(&lane->thread, NULL, run, lane) != 0) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
        goto no_thread;
    }
    return AIBOX_OK;

no_thread:
    pthread_cond_destroy(&lane->wake);
no_cond:
    pthread_mutex_destroy(&lane->mu);
    post_close(lane->post);
    return status;
}

void lane_wake(struct lane *lane)
{
    pthread_mutex_lock(&lane->mu);
    lane->wakes++;
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->mu);
}

void lane_hurry(struct lane *lane)
{
    pthread_mutex_lock(&lane->mu);
    lane->wakes++;
    lane->hurried = true;
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->mu);
}

void lane_ask_to_stop(struct lane *lane, bool break_off)
{
    pthread_mutex_lock(&lane->mu);
    lane->stopping = true;
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->mu);
    if (break_off)
        post_cancel(lane->post);
}

void lane_join(struct lane *lane)
{
    pthread_join(lane->thread, NULL);
    post_close(lane->post);
    pthread_cond_destroy(&lane->wake);
    pthread_mutex_destroy(&lane->mu);
    lane->kind->free(lane);
}

/* ---- waiting ------------------------------------------------------------------------------------------------- */

bool lane_stopping(struct lane *lane)
{
    pthread_mutex_lock(&lane->mu);
    bool stopping = lane->stopping;
    pthread_mutex_unlock(&lane->mu);
    return stopping;
}

unsigned long lane_wakes(struct lane *lane)
{
    pthread_mutex_lock(&lane->mu);
    unsigned long wakes = lane->wakes;
    pthread_mutex_unlock(&lane->mu);
    return wakes;
}

/* Until told to stop, or woken (`wakes` NULL: whatever comes), or `*hurried` (guarded by `mu`; NULL: never). */
static bool sleep_until(struct lane *lane, const unsigned long *wakes, const bool *hurried, int64_t wait_ms)
{
    struct timespec until = clock_deadline(wait_ms);
    int late = 0;

    pthread_mutex_lock(&lane->mu);
    while (!lane->stopping && late == 0 && (!wakes || lane->wakes == *wakes) && !(hurried && *hurried))
        late = wait_ms < 0 ? pthread_cond_wait(&lane->wake, &lane->mu)
                           : pthread_cond_timedwait(&lane->wake, &lane->mu, &until);
    bool going_on = !lane->stopping;
    pthread_mutex_unlock(&lane->mu);
    return going_on;
}

bool lane_sleep(struct lane *lane, unsigned long wakes, int64_t wait_ms)
{
    return sleep_until(lane, &wakes, NULL, wait_ms);
}

bool lane_pause(struct lane *lane, int64_t wait_ms)
{
    return sleep_until(lane, NULL, NULL, wait_ms);
}

int64_t backoff_next(struct backoff *backoff)
{
    int64_t wait_ms = backoff->wait_ms == 0 ? BACKOFF_FIRST_MS : backoff->wait_ms * 2;

    backoff->wait_ms = wait_ms < BACKOFF_MOST_MS ? wait_ms : BACKOFF_MOST_MS;
    return backoff->wait_ms;
}

/* 0: there is nothing to wait for. True: somebody was in a hurry meanwhile. */
static bool set_next_try(struct lane *lane, int64_t at_ms)
{
    pthread_mutex_lock(&lane->mu);
    bool hurried = lane->hurried;
    lane->figures.next_try_ms = at_ms;
    if (at_ms == 0)
        lane->hurried = false;
    pthread_mutex_unlock(&lane->mu);
    return hurried;
}

bool lane_back_off(struct lane *lane, struct backoff *backoff)
{
    int64_t wait_ms = backoff_next(backoff);

    (void)set_next_try(lane, clock_realtime_ms() + wait_ms);
    bool going_on = sleep_until(lane, NULL, &lane->hurried, wait_ms);
    if (set_next_try(lane, 0))
        backoff->wait_ms = 0;
    return going_on;
}

/* ---- sending ------------------------------------------------------------------------------------------------- */

/* For the log: a query may hold a token. */
static void url_for_log(const char *url, char *out, size_t size)
{
    url_show(url, out, size);
    out[strcspn(out, "?")] = '\0';
}

static void succeed(struct lane *lane, const char *url)
{
    char shown[URL_MAX + 1];

    pthread_mutex_lock(&lane->mu);
    bool was_down = lane->figures.down;
    lane->figures.down = false;
    lane->figures.sent++;
    lane->figures.last_success_ms = clock_realtime_ms();
    pthread_mutex_unlock(&lane->mu);
    if (!was_down)
        return;
    url_for_log(url, shown, sizeof shown);
    log_info("report", "a receiver is back kind=%s url=%s", lane->kind->name, shown);
}

static void fail(struct lane *lane, const char *url, const char *reason)
{
    char shown[URL_MAX + 1];

    pthread_mutex_lock(&lane->mu);
    bool was_down = lane->figures.down;
    lane->figures.down = true;
    lane->figures.failed++;
    lane->figures.last_failure_ms = clock_realtime_ms();
    (void)snprintf(lane->figures.last_error, sizeof lane->figures.last_error, "%s", reason);
    pthread_mutex_unlock(&lane->mu);
    if (was_down)
        return;
    url_for_log(url, shown, sizeof shown);
    log_warn("report", "a receiver does not take reports kind=%s url=%s reason=\"%s\"", lane->kind->name, shown,
             reason);
}

bool lane_send(struct lane *lane, struct post_request *request, struct post_answer *answer)
{
    char allow[ALLOW_MAX];

    settings_text(lane->report->settings, "reports.allow", allow, sizeof allow);
    request->allow = allow;
    if (!request->url)
        request->url = lane->url;
    bool done = post_send(lane->post, request, answer);
    if (done)
        succeed(lane, request->url);
    else if (!lane_stopping(lane)) /* what was broken off says nothing about the receiver */
        fail(lane, request->url, answer->reason);
    request->allow = NULL;
    return done;
}

void lane_fail(struct lane *lane, const char *reason)
{
    fail(lane, lane->url, reason);
}

void lane_count_dropped(struct lane *lane, uint64_t n)
{
    pthread_mutex_lock(&lane->mu);
    lane->figures.dropped += n;
    pthread_mutex_unlock(&lane->mu);
}

/* ---- figures --------------------------------------------------------------------------------------------------- */

void lane_figures_get(struct lane *lane, struct lane_figures *out)
{
    pthread_mutex_lock(&lane->mu);
    *out = lane->figures;
    pthread_mutex_unlock(&lane->mu);
}

void lane_print(struct lane *lane, struct json_out *out)
{
    char shown[URL_MAX + 1];
    struct lane_figures figures;

    lane_figures_get(lane, &figures);
    url_show(lane->url, shown, sizeof shown);
    json_out_object_begin(out);
    json_out_key_text(out, "url", shown);
    json_out_key_bool(out, "down", figures.down);
    json_out_key_int(out, "sent", (int64_t)figures.sent);
    json_out_key_int(out, "failed", (int64_t)figures.failed);
    json_out_key_int(out, "dropped", (int64_t)figures.dropped);
    json_out_key_int(out, "last_success", figures.last_success_ms);
    json_out_key_int(out, "last_failure", figures.last_failure_ms);
    json_out_key_int(out, "next_try", figures.next_try_ms);
    json_out_key_text(out, "last_error", figures.last_error);
    if (lane->kind->backlog) {
        struct lane_backlog backlog = lane->kind->backlog(lane);
        json_out_key_int(out, "waiting", backlog.count);
        json_out_key_float(out, "oldest_seconds", (double)backlog.oldest_ms / 1000);
    }
    if (lane->kind->print)
        lane->kind->print(lane, out);
    json_out_object_end(out);
}
