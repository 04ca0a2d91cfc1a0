/*
 * Texts lie one behind the other in a ring of bytes, none across its end. Invariants, with `mu` held: the lines
 * first..first+count-1 (by id) are kept, line `id` in slot id % LOG_RING_LINES; their texts don't overlap and were
 * written in the order of their ids, so that what is in the way of a new one is always the oldest.
 */
#include "core/log_ring.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct slot {
    int64_t time_ms;
    enum log_level level;
    char room[LOG_ROOM_SIZE];
    size_t from, size; /* of the text, its NUL included */
};

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER; /* guards what follows; leaf */
static struct slot slots[LOG_RING_LINES];
static char bytes[LOG_RING_BYTES];
static int64_t first = 1;
static size_t count;
static size_t end; /* behind the newest text */

static struct slot *slot_of(int64_t id)
{
    return &slots[(size_t)id % LOG_RING_LINES];
}

static void drop_oldest(void)
{
    first++;
    count--;
}

/* Room for `size` bytes; where. Whatever lies from `end` on up to the new text's end gives way. */
static size_t make_room(size_t size)
{
    size_t from = end;

    if (from + size > sizeof bytes) { /* begins anew: what is left behind `end` is in nobody's way but must go first */
        while (count > 0 && slot_of(first)->from >= end)
            drop_oldest();
        from = 0;
    }
    while (count > 0) {
        const struct slot *oldest = slot_of(first);
        if (oldest->from >= from + size || oldest->from + oldest->size <= from)
            break;
        drop_oldest();
    }
    return from;
}

void log_ring_put(int64_t time_ms, enum log_level level, const char *room, const char *text, size_t size)
{
    if (size >= sizeof bytes)
        return;
    pthread_mutex_lock(&mu);
    if (count == LOG_RING_LINES)
        drop_oldest();
    size_t from = make_room(size + 1);
    struct slot *slot = slot_of(first + (int64_t)count);
    size_t room_size = strnlen(room, sizeof slot->room - 1);

    *slot = (struct slot){.time_ms = time_ms, .level = level, .from = from, .size = size + 1};
    memcpy(slot->room, room, room_size);
    memcpy(bytes + from, text, size);
    bytes[from + size] = '\0';
    end = from + size + 1;
    count++;
    pthread_mutex_unlock(&mu);
}

void log_ring_clear(void)
{
    pthread_mutex_lock(&mu);
    first += (int64_t)count;
    count = 0;
    end = 0;
    memset(bytes, 0, sizeof bytes);
    pthread_mutex_unlock(&mu);
}

/* ---- finding -------------------------------------------------------------------------------------------------- */

static bool holds_text(const char *text, const char *part)
{
    size_t size = strlen(part);

    for (; *text; text++)
        if (strncasecmp(text, part, size) == 0)
            return true;
    return size == 0;
}

static bool is_asked_for(const struct slot *slot, const struct log_query *query)
{
    return slot->level >= query->least && slot->time_ms >= query->from_ms &&
           (query->to_ms == 0 || slot->time_ms <= query->to_ms) &&
           (query->room == NULL || strcmp(slot->room, query->room) == 0) &&
           (query->text == NULL || holds_text(bytes + slot->from, query->text));
}

static void note_room(struct log_lines *out, const char *room)
{
    size_t at = 0;

    while (at < out->n_rooms && strcmp(out->rooms[at], room) < 0)
        at++;
    if (out->n_rooms == LOG_ROOMS_MAX || (at < out->n_rooms && strcmp(out->rooms[at], room) == 0))
        return;
    memmove(out->rooms[at + 1], out->rooms[at], (out->n_rooms - at) * sizeof out->rooms[0]);
    memcpy(out->rooms[at], room, sizeof out->rooms[0]);
    out->n_rooms++;
}

/* Copies a line behind those that are there; `texts`: what is left of the room for texts. */
static void take(struct log_lines *out, int64_t id, const struct slot *slot, char **texts)
{
    struct log_line *line = &out->items[out->count++];

    *line = (struct log_line){.id = id, .time_ms = slot->time_ms, .level = slot->level, .text = *texts};
    memcpy(line->room, slot->room, sizeof line->room);
    memcpy(*texts, bytes + slot->from, slot->size);
    *texts += slot->size;
}

enum aibox_status log_ring_find(const struct log_query *query, struct log_lines *out, struct aibox_error *err)
{
    size_t limit = query->limit < LOG_RING_LINES ? query->limit : LOG_RING_LINES;
    char *texts;

    *out = (struct log_lines){.memory = malloc(limit * sizeof *out->items + sizeof bytes)};
    if (out->memory == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    out->items = out->memory;
    texts = (char *)(out->items + limit);
    pthread_mutex_lock(&mu);
    out->oldest = count > 0 ? first : 0;
    for (int64_t id = first + (int64_t)count - 1; id >= first; id--) {
        const struct slot *slot = slot_of(id);
        note_room(out, slot->room);
        if (!is_asked_for(slot, query))
            continue;
        out->total++;
        if (out->count < limit && (query->before == 0 || id < query->before))
            take(out, id, slot, &texts);
    }
    pthread_mutex_unlock(&mu);
    return AIBOX_OK;
}

void log_lines_free(struct log_lines *lines)
{
    free(lines->memory);
    *lines = (struct log_lines){0};
}
