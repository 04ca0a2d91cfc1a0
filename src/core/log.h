/* Logging: one line per event, `time level room message key=value …`, to stderr; the last ones are kept in memory, see
 * log_ring.h. */
#ifndef AIBOX_CORE_LOG_H
#define AIBOX_CORE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
#define LOG_LEVELS 4
extern const char *const log_level_names[LOG_LEVELS]; /* "debug", … */

#define LOG_TIME_SIZE 40
/* `2026-11-03T12:00:00.123Z` of Unix ms; returns its length. */
size_t log_print_time(int64_t time_ms, char out[LOG_TIME_SIZE]);

/* Lines below `level` are dropped. Default: info. Any thread. */
void log_set_level(enum log_level level);

/*
 * Writes one line; `room` names the part of the program ("store", "api"). The text must hold no
 * password, token, photo or feature. Control characters in the formatted text are escaped, so that
 * a name from outside can't forge a line. Any thread; a line is written with one write(2).
 */
void log_write(enum log_level level, const char *room, const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * An info line for the operator of this machine alone, with a secret that he is to have: to stderr as any other, but it
 * is not kept.
 */
void log_private(const char *room, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(room, ...) log_write(LOG_LEVEL_DEBUG, room, __VA_ARGS__)
#define log_info(room, ...)  log_write(LOG_LEVEL_INFO, room, __VA_ARGS__)
#define log_warn(room, ...)  log_write(LOG_LEVEL_WARN, room, __VA_ARGS__)
#define log_error(room, ...) log_write(LOG_LEVEL_ERROR, room, __VA_ARGS__)

#endif
