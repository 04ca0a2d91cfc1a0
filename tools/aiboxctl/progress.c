#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "text.h"

#define BAR_COLUMNS   28
#define REDRAW_MS     100
#define PLAIN_LINE_MS 5000
#define CLEAR_LINE    "\r\033[K"
#define TELL_MAX      1024

void progress_start(struct progress *progress, size_t total)
{
    int64_t now = clock_monotonic_ms();
    *progress = (struct progress){.total = total, .bar = isatty(STDERR_FILENO) != 0, .start_ms = now, .shown_ms = now};
}

double progress_seconds(const struct progress *progress)
{
    return (double)(clock_monotonic_ms() - progress->start_ms) / 1000;
}

static void draw_bar(const struct progress *progress)
{
    char bar[BAR_COLUMNS + 1];
    size_t filled = progress->total == 0 ? 0 : progress->done * BAR_COLUMNS / progress->total;
    double seconds = progress_seconds(progress);
    double rate = seconds > 0 ? (double)progress->done / seconds : 0;
    memset(bar, '.', BAR_COLUMNS);
    memset(bar, '#', filled);
    bar[BAR_COLUMNS] = '\0';
    fprintf(stderr, CLEAR_LINE "[%s] %zu of %zu, %.0f a second", bar, progress->done, progress->total, rate);
    if (progress->failed > 0)
        fprintf(stderr, ", %zu failed", progress->failed);
    if (rate > 0 && progress->done < progress->total)
        fprintf(stderr, ", %.0f s left", (double)(progress->total - progress->done) / rate);
    fflush(stderr);
}

void progress_step(struct progress *progress, bool failed)
{
    int64_t now = clock_monotonic_ms();
    progress->done++;
    progress->failed += failed ? 1 : 0;
    if (now - progress->shown_ms < (progress->bar ? REDRAW_MS : PLAIN_LINE_MS))
        return;
    progress->shown_ms = now;
    if (progress->bar)
        draw_bar(progress);
    else
        fprintf(stderr, "%zu of %zu, %zu failed\n", progress->done, progress->total, progress->failed);
}

void progress_tell(struct progress *progress, const char *what, const char *why)
{
    char clean_what[TELL_MAX], clean_why[TELL_MAX];
    text_clean(what, clean_what, sizeof clean_what);
    text_clean(why, clean_why, sizeof clean_why);
    fprintf(stderr, "%s%s: %s\n", progress->bar ? CLEAR_LINE : "", clean_what, clean_why);
    if (progress->bar)
        draw_bar(progress);
}

void progress_end(struct progress *progress)
{
    if (!progress->bar)
        return;
    fputs(CLEAR_LINE, stderr);
    fflush(stderr);
}
