/* How the lanes are doing, for people (GET /api/reports) and for Prometheus. */
#include <stdio.h>
#include <string.h>

#include "report/report_internal.h"

/* ---- GET /api/reports -------------------------------------------------------------------------------------------- */

static void print_kind(struct report *report, const struct lane_kind *kind, struct json_out *out)
{
    json_out_key(out, kind->name);
    json_out_array_begin(out);
    for (size_t i = 0; i < report->n; i++)
        if (report->lanes[i]->kind == kind)
            lane_print(report->lanes[i], out);
    json_out_array_end(out);
}

void report_print(struct report *report, struct json_out *out)
{
    struct store_counters counters;

    store_count(report->store, &counters);
    json_out_object_begin(out);
    pthread_mutex_lock(&report->changing);
    for (size_t i = 0; lane_kinds[i]; i++)
        print_kind(report, lane_kinds[i], out);
    pthread_mutex_unlock(&report->changing);
    json_out_key_int(out, "events_lost", (int64_t)counters.events_lost);
    json_out_object_end(out);
}

/* ---- GET /metrics ------------------------------------------------------------------------------------------------ */

static double sent(struct lane *lane, const struct lane_figures *figures)
{
    (void)lane;
    return (double)figures->sent;
}

static double failed(struct lane *lane, const struct lane_figures *figures)
{
    (void)lane;
    return (double)figures->failed;
}

static double dropped(struct lane *lane, const struct lane_figures *figures)
{
    (void)lane;
    return (double)figures->dropped;
}

static double up(struct lane *lane, const struct lane_figures *figures)
{
    (void)lane;
    return figures->down ? 0 : 1;
}

static double waiting(struct lane *lane, const struct lane_figures *figures)
{
    (void)figures;
    return (double)lane->kind->backlog(lane).count;
}

static double oldest(struct lane *lane, const struct lane_figures *figures)
{
    (void)figures;
    return (double)lane->kind->backlog(lane).oldest_ms / 1000;
}

/* What is told of every lane. */
static const struct lane_metric {
    const char *name, *type, *help;
    double (*value)(struct lane *lane, const struct lane_figures *figures);
    bool backlog; /* of those lanes alone that must deliver */
} lane_metrics[] = {
    {"aibox_report_sent_total", "counter", "Reports that were taken by their receiver.", sent, false},
    {"aibox_report_failed_total", "counter", "Tries to send a report that failed.", failed, false},
    {"aibox_report_dropped_total", "counter", "Reports that will never be sent.", dropped, false},
    {"aibox_report_up", "gauge", "1 unless the last try failed.", up, false},
    {"aibox_report_waiting", "gauge", "Messages that wait to be sent.", waiting, true},
    {"aibox_report_oldest_seconds", "gauge", "For how long the oldest of them has been waiting.", oldest, true},
};

/* As a label's value. */
static void append_escaped(struct buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append_text(out, "\\");
        buffer_append(out, text, 1);
    }
}

/* Two addresses that differ in the password alone look the same, and a label may not come twice. */
static bool is_shown(const struct report *report, size_t at)
{
    char shown[URL_MAX + 1], other[URL_MAX + 1];

    url_show(report->lanes[at]->url, shown, sizeof shown);
    for (size_t i = 0; i < at; i++) {
        url_show(report->lanes[i]->url, other, sizeof other);
        if (report->lanes[i]->kind == report->lanes[at]->kind && strcmp(shown, other) == 0)
            return false;
    }
    return true;
}

static void print_metric(struct report *report, const struct lane_metric *metric, struct buffer *out)
{
    buffer_appendf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name, metric->type);
    for (size_t i = 0; i < report->n; i++) {
        struct lane *lane = report->lanes[i];
        struct lane_figures figures;
        char shown[URL_MAX + 1];
        if ((metric->backlog && !lane->kind->backlog) || !is_shown(report, i))
            continue;
        lane_figures_get(lane, &figures);
        url_show(lane->url, shown, sizeof shown);
        buffer_appendf(out, "%s{kind=\"%s\",url=\"", metric->name, lane->kind->name);
        append_escaped(out, shown);
        buffer_appendf(out, "\"} %.15g\n", metric->value(lane, &figures));
    }
}

void report_metrics(struct report *report, struct buffer *out)
{
    struct store_counters counters;

    pthread_mutex_lock(&report->changing);
    for (size_t i = 0; i < sizeof lane_metrics / sizeof lane_metrics[0]; i++)
        print_metric(report, &lane_metrics[i], out);
    pthread_mutex_unlock(&report->changing);
    store_count(report->store, &counters);
    buffer_appendf(out,
                   "# HELP aibox_events_lost_total Events dropped before every history receiver had them.\n"
                   "# TYPE aibox_events_lost_total counter\naibox_events_lost_total %llu\n",
                   (unsigned long long)counters.events_lost);
}
