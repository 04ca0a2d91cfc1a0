/* aiboxctl status, events: how is the box, and what has it seen? */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl.h"
#include "metrics.h"
#include "table.h"
#include "text.h"

#define EVENTS      "/SophonFace/api/events"
#define EVENTS_PAGE 100
#define METRICS_MAX ((size_t)4 * 1024 * 1024)

static enum aibox_status read_events(struct box *box, size_t page, size_t per_page, json_t **answer,
                                     struct aibox_error *err)
{
    struct buffer path;
    buffer_init(&path, 4096);
    buffer_append_text(&path, EVENTS);
    box_path_query_int(&path, "page", (long long)page);
    box_path_query_int(&path, "per_page", (long long)per_page);
    enum aibox_status status = box_call(box, "GET", (const char *)path.data, NULL, answer, err);
    buffer_free(&path);
    return status;
}

/* ---- status ---- */

/* Figures that the box does not give are NAN or "". */
struct state {
    bool ready;
    char reason[512]; /* why not */
    double people, events;
    double threshold, false_accept;
    double p50_ms, p99_ms, decisions;
    char model_set[64], version[64];
};

static double metric(const char *text, const char *name, const char *labels)
{
    double value;
    return metrics_value(text, name, labels, &value) ? value : NAN;
}

static double quantile_ms(const char *text, double quantile)
{
    double value;
    return metrics_quantile(text, "aibox_stage_seconds", "stage=\"decision\"", quantile, &value) ? value * 1000 : NAN;
}

static enum aibox_status read_figures(struct box *box, struct state *state, struct aibox_error *err)
{
    struct buffer text;
    buffer_init(&text, METRICS_MAX);
    enum aibox_status status = box_get_bytes(box, "/metrics", &text, err);
    if (status == AIBOX_OK && text.data != NULL) {
        const char *metrics = (const char *)text.data;
        state->people = metric(metrics, "aibox_people", "");
        state->events = metric(metrics, "aibox_events", "");
        state->threshold = metric(metrics, "aibox_threshold", "");
        state->false_accept = metric(metrics, "aibox_expected_false_accept", "");
        state->decisions = metric(metrics, "aibox_stage_seconds_count", "stage=\"decision\"");
        state->p50_ms = quantile_ms(metrics, 0.5);
        state->p99_ms = quantile_ms(metrics, 0.99);
        metrics_label(metrics, "model_set", state->model_set, sizeof state->model_set);
        metrics_label(metrics, "version", state->version, sizeof state->version);
    }
    buffer_free(&text);
    return status;
}

static enum aibox_status read_state(struct box *box, struct state *state, struct aibox_error *err)
{
    enum aibox_status status = box_call(box, "GET", "/readyz", NULL, NULL, err);
    *state = (struct state){.ready = status == AIBOX_OK};
    if (status == AIBOX_REMOTE_FAILED || status == AIBOX_REMOTE_DATA || status == AIBOX_PARAM)
        return status;
    if (!state->ready)
        snprintf(state->reason, sizeof state->reason, "%s", err->message);
    return read_figures(box, state, err);
}

static json_t *number_or_null(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *count_or_null(double value)
{
    return isnan(value) ? json_null() : json_integer((json_int_t)value);
}

static json_t *state_json(const char *place, const struct state *state)
{
    return json_pack("{s:s, s:b, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}}", "url", place, "ready",
                     (int)state->ready, "reason", state->reason, "version", state->version, "model_set",
                     state->model_set, "people", count_or_null(state->people), "events", count_or_null(state->events),
                     "threshold", number_or_null(state->threshold), "expected_false_accept",
                     number_or_null(state->false_accept), "decision", "count", count_or_null(state->decisions),
                     "p50_ms", number_or_null(state->p50_ms), "p99_ms", number_or_null(state->p99_ms));
}

static void print_state(const char *place, const struct state *state)
{
    printf("box         %s%s%s\n", place, state->version[0] != '\0' ? ", version " : "", state->version);
    printf("state       %s%s%s%s%s\n", text_colour(state->ready ? TEXT_GOOD : TEXT_BAD, stdout),
           state->ready ? "ready" : "not ready", text_colour(TEXT_PLAIN, stdout), state->ready ? "" : ": ",
           state->reason);
    printf("people      %.0f\n", state->people);
    printf("events      %.0f\n", state->events);
    if (!isnan(state->threshold))
        printf("threshold   %.3f", state->threshold);
    if (!isnan(state->threshold) && !isnan(state->false_accept))
        printf(" (%.2g %% of strangers are expected to be taken for somebody)", state->false_accept * 100);
    if (!isnan(state->threshold))
        putchar('\n');
    if (state->model_set[0] != '\0')
        printf("model set   %s\n", state->model_set);
    if (!isnan(state->p50_ms))
        printf("decisions   %.0f, half of them within %.0f ms, 99 %% within %.0f ms\n", state->decisions, state->p50_ms,
               state->p99_ms);
}

static int run_status(struct ctl *ctl, int argc, char **argv)
{
    struct box *box = NULL;
    struct aibox_error err;
    struct state state;
    if (!ctl_only_arguments(ctl, argc, argv, 0, 0))
        return ctl->option_exit;
    enum aibox_status status = box_open(&ctl->address, &box, &err);
    if (status == AIBOX_OK)
        status = read_state(box, &state, &err);
    bool printed = status == AIBOX_OK;
    if (printed && !ctl->json)
        print_state(box_place(box), &state);
    else if (printed)
        printed = ctl_print_json_take(state_json(box_place(box), &state)) == CTL_YES;
    box_close(box);
    if (status != AIBOX_OK)
        return ctl_complain(&err);
    if (!printed)
        return CTL_ERROR;
    return state.ready ? CTL_YES : CTL_NO;
}

const struct ctl_command ctl_status = {
    .name = "status",
    .arguments = "",
    .summary = "is the box well?",
    .help =
        "Shows whether the box is ready, how many people and events it has, the threshold in force, the model set,\n"
        "and how fast it decides.\n"
        "\n"
        "Exit status 0: ready; 1: not ready; 2: it can't be asked.\n",
    .run = run_status,
};

/* ---- events ---- */

static void time_words(const json_t *event, char *out, size_t size)
{
    time_t seconds = (time_t)(json_integer_value(json_object_get(event, "timestamp")) / 1000);
    struct tm local;
    if (localtime_r(&seconds, &local) == NULL || strftime(out, size, "%Y-%m-%d %H:%M:%S", &local) == 0)
        snprintf(out, size, "?");
}

static void add_event(struct table *table, const json_t *event)
{
    char when[32], score[16];
    const json_t *more = json_object_get(event, "ext_data");
    time_words(event, when, sizeof when);
    snprintf(score, sizeof score, "%.3f", json_number_value(json_object_get(event, "score")));
    const char *const cells[] = {when,
                                 json_string_value(json_object_get(event, "reason")),
                                 score,
                                 json_string_value(json_object_get(event, "identity_name")),
                                 json_string_value(json_object_get(event, "identity_id")),
                                 json_string_value(json_object_get(more, "ep_id")),
                                 json_string_value(json_object_get(event, "_id"))};
    table_add(table, cells);
}

/* The newest `limit` events as one list, a new reference. */
static enum aibox_status newest_events(struct box *box, size_t limit, json_t **out, struct aibox_error *err)
{
    json_t *all = json_array();
    enum aibox_status status = all == NULL ? error_set(err, AIBOX_PROCESS_FAILED, "out of memory") : AIBOX_OK;
    for (size_t page = 0; status == AIBOX_OK && json_array_size(all) < limit; page++) {
        json_t *answer = NULL;
        size_t per_page = limit < EVENTS_PAGE ? limit : EVENTS_PAGE;
        status = read_events(box, page, per_page, &answer, err);
        json_t *events = json_object_get(answer, "data");
        size_t got = json_array_size(events);
        if (status == AIBOX_OK)
            json_array_extend(all, events);
        json_decref(answer);
        if (got < per_page)
            break;
    }
    while (json_array_size(all) > limit)
        json_array_remove(all, json_array_size(all) - 1);
    *out = all;
    return status;
}

static int print_events(const struct ctl *ctl, size_t limit)
{
    static const char *const headers[] = {"TIME", "OUTCOME", ">SCORE", "NAME", "ID", "DEVICE", "EVENT"};
    struct box *box = NULL;
    struct aibox_error err;
    struct table table;
    json_t *events = NULL;
    const json_t *event;
    size_t i;
    enum aibox_status status = box_open(&ctl->address, &box, &err);
    if (status == AIBOX_OK)
        status = newest_events(box, limit, &events, &err);
    box_close(box);
    if (status != AIBOX_OK) {
        json_decref(events);
        return ctl_complain(&err);
    }
    if (ctl->json)
        return ctl_print_json_take(events);
    table_init(&table, headers, sizeof headers / sizeof headers[0]);
    json_array_foreach(events, i, event)
    {
        add_event(&table, event);
    }
    json_decref(events);
    return table_print_take(&table, stdout) ? CTL_YES : ctl_fail("out of memory");
}

static int run_events(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"limit", required_argument, NULL, 'l'}, CTL_COMMON_OPTIONS};
    long limit = 20;
    for (int option; (option = ctl_next_option(ctl, argc, argv, options)) != -1;) {
        if (option == '?')
            return ctl->option_exit;
        if (!ctl_number("--limit", optarg, 1, 100000, &limit))
            return CTL_ERROR;
    }
    return ctl_check_arguments(ctl, argc, 0, 0) ? print_events(ctl, (size_t)limit) : ctl->option_exit;
}

const struct ctl_command ctl_events = {
    .name = "events",
    .arguments = "[--limit N]",
    .summary = "what the box has seen lately",
    .help = "Lists the newest events, newest first.\n"
            "\n"
            "  --limit N   as many (default 20)\n",
    .run = run_events,
};
