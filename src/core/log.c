#include "core/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log_ring.h"

/* A line of at most PIPE_BUF bytes reaches a pipe whole, also when several threads write. */
#define LINE_SIZE 4096
#define TEXT_SIZE 2048
#define CUT_MARK  "..."

static _Atomic int threshold = LOG_LEVEL_INFO;

const char *const log_level_names[LOG_LEVELS] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error",
};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

size_t log_print_time(int64_t time_ms, char out[LOG_TIME_SIZE])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm utc;
    size_t used;
    int added;

    out[0] = '\0';
    if (time_ms < 0 || !gmtime_r(&seconds, &utc))
        return 0;
    used = strftime(out, LOG_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    added = snprintf(out + used, LOG_TIME_SIZE - used, ".%03dZ", (int)(time_ms % 1000));
    return added > 0 ? used + (size_t)added : used;
}

/*
 * Appends `text` to line[used..limit), with control characters (C0, DEL and the two-byte C1 set, which
 * some terminals obey) as `\n` or `\x1b`. Returns the new length; `*cut` tells that not all fitted.
 */
static size_t append_escaped(char *line, size_t used, size_t limit, const char *text, bool *cut)
{
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        char escape[12] = {(char)*at, '\0'};
        size_t size = 1;
        int formatted = 1;

        if (*at == '\n') {
            formatted = snprintf(escape, sizeof escape, "\\n");
        } else if (*at < 0x20 || *at == 0x7f) {
            formatted = snprintf(escape, sizeof escape, "\\x%02x", *at);
        } else if (*at == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f) {
            formatted = snprintf(escape, sizeof escape, "\\u00%02x", at[1]);
            at++;
        }
        size = (size_t)formatted;
        if (used + size > limit) {
            *cut = true;
            break;
        }
        memcpy(line + used, escape, size);
        used += size;
    }
    return used;
}

/* Writes the line to stderr, and keeps it, if `keep`. */
__attribute__((format(printf, 4, 0))) static void write_line(enum log_level level, const char *room, bool keep,
                                                             const char *format, va_list args)
{
    char text[TEXT_SIZE];
    char line[LINE_SIZE];
    const size_t limit = sizeof line - sizeof CUT_MARK - 1; /* the mark and the line's end always fit */
    int64_t now_ms = clock_realtime_ms();
    bool cut = false;
    size_t used, from;
    ssize_t written;
    int wanted = vsnprintf(text, sizeof text, format, args);

    if (wanted < 0)
        return;
    cut = (size_t)wanted >= sizeof text;

    used = log_print_time(now_ms, line);
    line[used++] = ' ';
    used = append_escaped(line, used, limit, log_level_names[level], &cut);
    line[used++] = ' ';
    used = append_escaped(line, used, limit, room, &cut);
    line[used++] = ' ';
    from = used;
    used = append_escaped(line, used, limit, text, &cut);
    if (cut) {
        memcpy(line + used, CUT_MARK, sizeof CUT_MARK - 1);
        used += sizeof CUT_MARK - 1;
    }
    if (keep)
        log_ring_put(now_ms, level, room, line + from, used - from);
    line[used++] = '\n';
    do
        written = write(STDERR_FILENO, line, used);
    while (written < 0 && errno == EINTR);
    /* A log that can't be written has nowhere to say so. */
}

static bool is_wanted(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

void log_write(enum log_level level, const char *room, const char *format, ...)
{
    int saved_errno = errno;
    va_list args;

    if (!is_wanted(level))
        return;
    va_start(args, format);
    write_line(level, room, true, format, args);
    va_end(args);
    errno = saved_errno;
}

void log_private(const char *room, const char *format, ...)
{
    int saved_errno = errno;
    va_list args;

    if (!is_wanted(LOG_LEVEL_INFO))
        return;
    va_start(args, format);
    write_line(LOG_LEVEL_INFO, room, false, format, args);
    va_end(args);
    errno = saved_errno;
}
