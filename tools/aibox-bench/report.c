#include "report.h"

#include <math.h>
#include <stdio.h>

#include "table.h"
#include "text.h"

static const char *const verdict_words[] = {"met", "MISSED", "", "skipped", "FAILED"};

/* Three or four significant digits, or whole: readable from 0.0023 to 1250000. */
static void number_words(double value, char *out, size_t size)
{
    snprintf(out, size, fabs(value) >= 100 ? "%.0f" : fabs(value) >= 10 ? "%.4g" : "%.3g", value);
}

static struct report_figure *add(struct report *report, const char *name, double value, const char *unit)
{
    static struct report_figure overflow;
    char number[32];
    struct report_figure *figure = report->count < REPORT_MAX_FIGURES ? &report->figures[report->count++] : &overflow;
    *figure = (struct report_figure){.verdict = REPORT_PLAIN, .value = value};
    number_words(value, number, sizeof number);
    snprintf(figure->name, sizeof figure->name, "%s", name);
    snprintf(figure->measured, sizeof figure->measured, "%s %s", number, unit);
    return figure;
}

static void judge(struct report_figure *figure, const char *sign, double target, const char *unit, bool met)
{
    char number[32];
    number_words(target, number, sizeof number);
    snprintf(figure->target, sizeof figure->target, "%s %s %s", sign, number, unit);
    figure->verdict = met ? REPORT_MET : REPORT_MISSED;
}

void report_at_most(struct report *report, const char *name, double value, double target, const char *unit)
{
    judge(add(report, name, value, unit), "≤", target, unit, value <= target);
}

void report_at_least(struct report *report, const char *name, double value, double target, const char *unit)
{
    judge(add(report, name, value, unit), "≥", target, unit, value >= target);
}

void report_plain(struct report *report, const char *name, double value, const char *unit)
{
    add(report, name, value, unit);
}

void report_missing(struct report *report, const char *name, enum report_verdict verdict, const char *why)
{
    struct report_figure *figure = add(report, name, NAN, "");
    figure->verdict = verdict;
    snprintf(figure->measured, sizeof figure->measured, "%s", why);
}

void report_print(struct report *report, const char *machine)
{
    static const char *const headers[] = {"FIGURE", ">MEASURED", ">TARGET", ""};
    struct table table;
    table_init(&table, headers, sizeof headers / sizeof headers[0]);
    table.widest = 100;
    for (size_t i = 0; i < report->count; i++) {
        const struct report_figure *figure = &report->figures[i];
        const char *const cells[] = {figure->name, figure->measured, figure->target, verdict_words[figure->verdict]};
        table_add(&table, cells);
    }
    printf("%s\n\n", machine);
    if (!table_print_take(&table, stdout))
        fputs("aibox-bench: out of memory\n", stderr);
}

json_t *report_json(const struct report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->count; i++) {
        const struct report_figure *figure = &report->figures[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:s, s:s, s:s}", "name", figure->name, "value",
                                              isnan(figure->value) ? json_null() : json_real(figure->value), "measured",
                                              figure->measured, "target", figure->target, "verdict",
                                              verdict_words[figure->verdict]));
    }
    return list;
}

bool report_is_whole(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->figures[i].verdict == REPORT_FAILED)
            return false;
    return true;
}
