/* Which lanes there are: what settings, login and outbox ask for, and bringing it about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/outbox.h"
#include "report/report_internal.h"

#define MOST_RECEIVERS 1000 /* of results, that are looked at */

const struct lane_kind *const lane_kinds[] = {&realtime_lane_kind,
                                              &history_lane_kind,
                                              &monitor_lane_kind,
                                              &outbox_lane_kind,
                                              &devices_lane_kind,
                                              &result_lane_kind,
                                              NULL};

typedef struct lane *(*lane_new)(struct report *report, const char *url, struct aibox_error *err);

struct wish {
    const struct lane_kind *kind;
    lane_new make;
    char url[URL_MAX + 1];
};

struct plan {
    struct wish wishes[REPORT_MAX_LANES];
    size_t n;
    /* The cursors of the history, also of receivers that can't be reached before the next login. */
    struct store_cursor_wish cursors[REPORT_MAX_TARGETS];
    char identities[REPORT_MAX_TARGETS][URL_MAX + 1];
    size_t n_cursors;
    bool operations; /* somebody is to get the messages about devices */
    /* Room to read into. */
    struct report_realtime realtime;
    struct report_target target;
    struct report_address address;
};

static void wish_for(struct plan *plan, const struct lane_kind *kind, lane_new make, const char *url)
{
    if (plan->n == REPORT_MAX_LANES)
        return;
    struct wish *wish = &plan->wishes[plan->n++];
    size_t length = strnlen(url, sizeof wish->url - 1); /* `url` may lie in the plan itself */
    wish->kind = kind;
    wish->make = make;
    memcpy(wish->url, url, length);
    wish->url[length] = '\0';
}

/* ---- what settings and login ask for ----------------------------------------------------------------------------- */

/* Whether an address that can't be reached yet is worth waiting for. */
static bool is_expected(struct report *report, const struct report_address *address)
{
    char one[2];

    return address->url[0] || (settings_text(report->settings, "cloud.login_url", one, sizeof one) > 0 &&
                               settings_text(report->settings, "cloud.dev_sno", one, sizeof one) > 0);
}

bool report_device_address(struct report *report, struct report_address *out, bool *list)
{
    if (report_config_devices(report->config, out, list) && is_expected(report, out))
        return true;
    *list = false;
    settings_text(report->settings, "reports.device_info_url", out->identity, sizeof out->identity);
    (void)snprintf(out->url, sizeof out->url, "%s", out->identity);
    return out->url[0] != '\0';
}

static void plan_history(struct report *report, struct plan *plan)
{
    struct report_target *target = &plan->target;

    for (size_t i = 0; i < REPORT_MAX_TARGETS && report_config_history_target(report->config, i, target); i++) {
        if (!is_expected(report, &target->address))
            continue;
        char *identity = plan->identities[plan->n_cursors];
        (void)snprintf(identity, sizeof plan->identities[0], "%s", target->address.identity);
        plan->cursors[plan->n_cursors++] =
            (struct store_cursor_wish){.url = identity, .from_oldest = target->from == REPORT_FROM_OLDEST};
        if (target->address.url[0])
            wish_for(plan, &history_lane_kind, history_lane_new, identity);
    }
}

static void plan_settings(struct report *report, struct plan *plan)
{
    bool list;

    report_config_realtime(report->config, &plan->realtime);
    for (size_t i = 0; i < plan->realtime.urls.count; i++)
        wish_for(plan, &realtime_lane_kind, realtime_lane_new, plan->realtime.urls.items[i]);
    plan_history(report, plan);
    for (size_t i = 0; report_config_monitor_target(report->config, i, &plan->target); i++)
        if (plan->target.address.url[0])
            wish_for(plan, &monitor_lane_kind, monitor_lane_new, plan->target.address.identity);
    bool wanted = report_device_address(report, &plan->address, &list);
    plan->operations = wanted && !list;
    if (!wanted || !plan->address.url[0])
        return;
    if (list)
        wish_for(plan, &devices_lane_kind, devices_lane_new, plan->address.identity);
    else
        wish_for(plan, &outbox_lane_kind, outbox_lane_new, plan->address.identity);
}

/* ---- what the outbox asks for ------------------------------------------------------------------------------------ */

/* In this order receivers of results get the lanes there are. So a crowd of dead ones holds up nobody for long. */
enum rank { SERVED, NEW, DEAD, DONE, RANKS };

static struct lane *find_lane(struct report *report, const struct lane_kind *kind, const char *url)
{
    for (size_t i = 0; i < report->n; i++) /* with `changing` held, the list stays */
        if (report->lanes[i]->kind == kind && strcmp(report->lanes[i]->url, url) == 0)
            return report->lanes[i];
    return NULL;
}

/* Of one that there are messages for. */
static enum rank rank_of(struct report *report, const char *url)
{
    struct lane *lane = find_lane(report, &result_lane_kind, url);
    struct lane_figures figures;

    if (!lane)
        return NEW;
    lane_figures_get(lane, &figures);
    return figures.down ? DEAD : SERVED;
}

static bool is_among(const struct store_text_list *receivers, const char *url)
{
    for (size_t i = 0; i < receivers->count; i++)
        if (strcmp(receivers->items[i] + strlen(OUTBOX_RESULTS), url) == 0)
            return true;
    return false;
}

static void plan_results(struct report *report, struct plan *plan)
{
    struct store_text_list receivers;
    size_t room = REPORT_MAX_RESULTS;
    struct aibox_error err;

    if (store_outbox_lanes(report->store, OUTBOX_RESULTS, MOST_RECEIVERS, &receivers, &err) != AIBOX_OK)
        log_warn("report", "receivers of results can't be looked up reason=\"%s\"", err.message);
    for (enum rank rank = SERVED; rank < DONE; rank++)
        for (size_t i = 0; i < receivers.count && room > 0; i++) {
            const char *url = receivers.items[i] + strlen(OUTBOX_RESULTS);
            if (strlen(url) > URL_MAX || rank_of(report, url) != rank)
                continue;
            wish_for(plan, &result_lane_kind, result_lane_new, url);
            room--;
        }
    for (size_t i = 0; i < report->n && room > 0; i++) {
        if (report->lanes[i]->kind != &result_lane_kind || is_among(&receivers, report->lanes[i]->url))
            continue;
        wish_for(plan, &result_lane_kind, result_lane_new, report->lanes[i]->url);
        room--;
    }
    atomic_store(&report->results_queue, receivers.count > REPORT_MAX_RESULTS);
    store_text_list_free(&receivers);
}

/* ---- bringing it about (with `changing` held) -------------------------------------------------------------------- */

static bool is_wanted(const struct lane *lane, const struct plan *plan)
{
    for (size_t i = 0; plan && i < plan->n; i++)
        if (lane->kind == plan->wishes[i].kind && strcmp(lane->url, plan->wishes[i].url) == 0)
            return true;
    return false;
}

/* Among those of `kind`, NULL: any. `plan` NULL: nothing is wanted. */
static void stop_unwanted(struct report *report, const struct lane_kind *kind, const struct plan *plan)
{
    struct lane *leaving[REPORT_MAX_LANES];
    size_t n = 0, kept = 0;

    pthread_mutex_lock(&report->mu);
    for (size_t i = 0; i < report->n; i++) {
        if ((kind && report->lanes[i]->kind != kind) || is_wanted(report->lanes[i], plan))
            report->lanes[kept++] = report->lanes[i];
        else
            leaving[n++] = report->lanes[i];
    }
    report->n = kept;
    pthread_mutex_unlock(&report->mu);
    for (size_t i = 0; i < n; i++)
        lane_ask_to_stop(leaving[i], true);
    for (size_t i = 0; i < n; i++)
        lane_join(leaving[i]);
}

static void start_missing(struct report *report, const struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct wish *wish = &plan->wishes[i];
        struct aibox_error err;
        if (find_lane(report, wish->kind, wish->url))
            continue;
        struct lane *lane = wish->make(report, wish->url, &err);
        if (!lane) {
            log_error("report", "a receiver gets no reports kind=%s reason=\"%s\"", wish->kind->name, err.message);
            continue;
        }
        pthread_mutex_lock(&report->mu);
        report->lanes[report->n++] = lane;
        pthread_mutex_unlock(&report->mu);
    }
}

/* Messages that nobody is to get any more. */
static void clear_outbox(struct report *report)
{
    size_t count;
    int64_t oldest_ms;

    if (store_outbox_count(report->store, OUTBOX_DEVICES, &count, &oldest_ms, NULL) != AIBOX_OK || count == 0)
        return;
    if (store_outbox_clear(report->store, OUTBOX_DEVICES, NULL) == AIBOX_OK)
        log_warn("report", "messages are dropped that nobody is to get any more lane=%s count=%zu", OUTBOX_DEVICES,
                 count);
}

enum aibox_status lanes_apply(struct report *report, struct aibox_error *err)
{
    struct plan *plan = calloc(1, sizeof *plan); /* large for a stack */

    if (!plan)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    pthread_mutex_lock(&report->changing);
    plan_settings(report, plan);
    plan_results(report, plan);
    stop_unwanted(report, NULL, plan);
    enum aibox_status status = store_cursors_activate(report->store, plan->cursors, plan->n_cursors, err);
    start_missing(report, plan);
    if (!plan->operations)
        clear_outbox(report);
    pthread_mutex_unlock(&report->changing);
    free(plan);
    return status;
}

void lanes_find_results(struct report *report)
{
    struct plan *plan = calloc(1, sizeof *plan);

    if (!plan)
        return;
    pthread_mutex_lock(&report->changing);
    plan_results(report, plan);
    stop_unwanted(report, &result_lane_kind, plan);
    start_missing(report, plan);
    pthread_mutex_unlock(&report->changing);
    free(plan);
}

void lanes_stop(struct report *report)
{
    pthread_mutex_lock(&report->changing);
    stop_unwanted(report, NULL, NULL);
    pthread_mutex_unlock(&report->changing);
}
