/* The figures measured, and what they should be: one table, or JSON. */
#ifndef AIBOX_BENCH_REPORT_H
#define AIBOX_BENCH_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define REPORT_MAX_FIGURES 160
#define REPORT_TEXT        160

enum report_verdict {
    REPORT_MET,
    REPORT_MISSED,
    REPORT_PLAIN,   /* there is no target */
    REPORT_SKIPPED, /* not measured: what it needs is not here; `measured` says what */
    REPORT_FAILED   /* not measured: `measured` says why */
};

struct report_figure {
    char name[REPORT_TEXT];
    char measured[REPORT_TEXT];
    char target[REPORT_TEXT];
    enum report_verdict verdict;
    double value; /* NAN when skipped */
};

struct report {
    struct report_figure figures[REPORT_MAX_FIGURES];
    size_t count;
};

/* `unit` follows the value. Targets: at most, at least, or none (NAN in both). */
void report_at_most(struct report *report, const char *name, double value, double target, const char *unit);
void report_at_least(struct report *report, const char *name, double value, double target, const char *unit);
void report_plain(struct report *report, const char *name, double value, const char *unit);
/* `verdict`: REPORT_SKIPPED or REPORT_FAILED. */
void report_missing(struct report *report, const char *name, enum report_verdict verdict, const char *why);

/* Machine, then the table, on stdout. */
void report_print(struct report *report, const char *machine);
/* A new reference: [{name, value, measured, target, verdict}]. */
json_t *report_json(const struct report *report);
/* False when a figure failed. */
bool report_is_whole(const struct report *report);

#endif
