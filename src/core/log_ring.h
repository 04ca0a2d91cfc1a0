/*
 * The last lines of the log, kept in memory for those who can't read the host's journal: LOG_RING_LINES of them, and
 * LOG_RING_BYTES of text; the oldest go first. They are gone when the program ends. Any thread.
 */
#ifndef AIBOX_CORE_LOG_RING_H
#define AIBOX_CORE_LOG_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/log.h"
#include "core/status.h"

#define LOG_RING_LINES 2000
#define LOG_RING_BYTES ((size_t)512 << 10)
#define LOG_ROOM_SIZE  16 /* room for a room's name, with NUL */
#define LOG_ROOMS_MAX  32

struct log_line {
    int64_t id; /* from 1 on, rising */
    int64_t time_ms;
    enum log_level level;
    char room[LOG_ROOM_SIZE];
    const char *text; /* control characters escaped; bytes that came so may be no UTF-8 */
};

/* Which lines: those that every member allows. */
struct log_query {
    enum log_level least;
    const char *room;       /* NULL: any */
    const char *text;       /* part of the text, letters A-Z like a-z; NULL: any */
    int64_t from_ms, to_ms; /* both inclusive; to_ms 0: open end */
    int64_t before;         /* ids below this; 0: all */
    size_t limit;
};

struct log_lines {
    struct log_line *items; /* newest first */
    size_t count;
    size_t total;                             /* that the query allows, `before` and limit aside */
    int64_t oldest;                           /* id of the oldest line that is kept, whatever was asked; 0: none is */
    char rooms[LOG_ROOMS_MAX][LOG_ROOM_SIZE]; /* of all lines kept, sorted */
    size_t n_rooms;
    void *memory;
};

/* PROCESS_FAILED without memory. */
enum aibox_status log_ring_find(const struct log_query *query, struct log_lines *out, struct aibox_error *err);
void log_lines_free(struct log_lines *lines); /* zeroed is allowed */

/* Forgets all lines. Ids go on rising. */
void log_ring_clear(void);

/* Keeps text[0..size), for log.c. */
void log_ring_put(int64_t time_ms, enum log_level level, const char *room, const char *text, size_t size);

#endif
