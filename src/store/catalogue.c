/*
 * States: FILLING (from the start) → READY (catalogue_fill read the last event) → OFF (give_up; from FILLING, too;
 * final).
 *
 *   - `rows` from `first` on are the events, those that were dropped marked so until they are squeezed out. FILLING: by
 *     seq, up to `filled_seq`; what is committed behind that is left to the filling. READY: by time, then seq.
 *   - Rows and texts are changed by the writer thread alone; once READY under the write lock. Readers hold the read
 * lock.
 *   - A text that no event has any more stays until rows are squeezed out.
 */
#include "store/catalogue.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/log.h"
#include "store/text_table.h"

#define FILL_STEP    2000 /* events read at a time: a few milliseconds */
#define SQUEEZE_FROM 4096 /* dropped rows below this are left */
#define KEY_MAX      ((size_t)256 * 1024)

enum state { FILLING, READY, OFF };

struct row {
    int64_t timestamp_ms, seq;
    uint32_t who;   /* number of identity_name, group_name, room */
    uint32_t where; /* of device_id, ep_id */
    float score;
    uint16_t reason;
    uint8_t person_type;
    bool dropped;
};

struct note {
    bool added;
    struct catalogue_event event; /* dropped: seq and timestamp_ms alone */
};

struct catalogue {
    pthread_rwlock_t lock; /* guards what follows, see above */
    atomic_int state;
    struct row *rows;
    size_t first, count, room; /* rows[first] … rows[count - 1] */
    size_t n_dropped;          /* of those */
    struct text_table who, where, reasons;

    /* Writer thread only. */
    int64_t filled_seq;
    struct note *notes;
    size_t n_notes, notes_room;
    bool lost; /* a note could not be taken */
    struct buffer key;
};

struct catalogue *catalogue_open(void)
{
    struct catalogue *catalogue = calloc(1, sizeof *catalogue);
    pthread_rwlockattr_t kind;

    if (!catalogue)
        return NULL;
    /* The writer has few and short turns; lists must not keep it waiting by coming one after the other. */
    pthread_rwlockattr_init(&kind);
    pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&catalogue->lock, &kind);
    pthread_rwlockattr_destroy(&kind);
    buffer_init(&catalogue->key, KEY_MAX);
    return catalogue;
}

/* Nothing in it; the state stays. */
static void empty(struct catalogue *catalogue)
{
    free(catalogue->rows);
    catalogue->rows = NULL;
    catalogue->first = catalogue->count = catalogue->room = catalogue->n_dropped = 0;
    text_table_free(&catalogue->who);
    text_table_free(&catalogue->where);
    text_table_free(&catalogue->reasons);
}

void catalogue_close(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    empty(catalogue);
    free(catalogue->notes);
    buffer_free(&catalogue->key);
    pthread_rwlock_destroy(&catalogue->lock);
    free(catalogue);
}

static void give_up(struct catalogue *catalogue, const char *reason)
{
    log_warn("store", "lists of events are read from the disk from now on reason=\"%s\"", reason);
    pthread_rwlock_wrlock(&catalogue->lock);
    atomic_store(&catalogue->state, OFF);
    empty(catalogue);
    pthread_rwlock_unlock(&catalogue->lock);
}

/* ---- rows --------------------------------------------------------------------------------------------- */

static bool put_texts(struct catalogue *catalogue, struct text_table *table, const char *const *texts, size_t n,
                      uint32_t *number)
{
    struct buffer *key = &catalogue->key;

    buffer_clear(key);
    for (size_t i = 0; i < n; i++)
        buffer_append(key, texts[i], strlen(texts[i]) + 1);
    return !key->failed && text_table_put(table, (const char *)key->data, key->size, number);
}

static bool make_row(struct catalogue *catalogue, const struct catalogue_event *event, struct row *row)
{
    const char *who[] = {event->identity_name, event->group_name, event->room};
    const char *where[] = {event->device_id, event->ep_id};
    uint32_t reason;

    *row = (struct row){.timestamp_ms = event->timestamp_ms,
                        .seq = event->seq,
                        .score = event->score,
                        .person_type = (uint8_t)event->person_type};
    if (!put_texts(catalogue, &catalogue->who, who, 3, &row->who) ||
        !put_texts(catalogue, &catalogue->where, where, 2, &row->where) ||
        !put_texts(catalogue, &catalogue->reasons, &event->reason, 1, &reason) || reason > UINT16_MAX)
        return false;
    row->reason = (uint16_t)reason;
    return true;
}

static bool is_before(const struct row *a, const struct row *b, bool by_time)
{
    if (by_time && a->timestamp_ms != b->timestamp_ms)
        return a->timestamp_ms < b->timestamp_ms;
    return a->seq < b->seq;
}

/* Where `row` stands or belongs. */
static size_t place_of(const struct catalogue *catalogue, const struct row *row, bool by_time)
{
    size_t low = catalogue->first, high = catalogue->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before(&catalogue->rows[middle], row, by_time))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool insert(struct catalogue *catalogue, const struct catalogue_event *event, bool by_time)
{
    struct row row;

    if (catalogue->count - catalogue->first >= CATALOGUE_MOST || !make_row(catalogue, event, &row))
        return false;
    if (catalogue->count == catalogue->room) {
        size_t room = catalogue->room + catalogue->room / 4 + 1024;
        struct row *rows = reallocarray(catalogue->rows, room, sizeof *rows);
        if (!rows)
            return false;
        catalogue->rows = rows;
        catalogue->room = room;
    }
    size_t at = catalogue->count; /* nearly always */
    if (at > catalogue->first && is_before(&row, &catalogue->rows[at - 1], by_time))
        at = place_of(catalogue, &row, by_time);
    memmove(&catalogue->rows[at + 1], &catalogue->rows[at], (catalogue->count - at) * sizeof row);
    catalogue->rows[at] = row;
    catalogue->count++;
    return true;
}

static void drop(struct catalogue *catalogue, const struct catalogue_event *event, bool by_time)
{
    struct row row = {.timestamp_ms = event->timestamp_ms, .seq = event->seq};
    size_t at = place_of(catalogue, &row, by_time);

    if (at == catalogue->count || catalogue->rows[at].seq != event->seq || catalogue->rows[at].dropped)
        return;
    catalogue->rows[at].dropped = true;
    catalogue->n_dropped++;
    while (catalogue->first < catalogue->count && catalogue->rows[catalogue->first].dropped) {
        catalogue->first++; /* where retention takes them from */
        catalogue->n_dropped--;
    }
}

/* A row's text of the old table gets a number in the new one. */
static bool move_text(struct text_table *to, const struct text_table *from, uint32_t *moved, uint32_t *number,
                      size_t n_texts)
{
    if (moved[*number] == UINT32_MAX) {
        const char *item = from->items[*number];
        size_t size = 0;
        for (size_t i = 0; i < n_texts; i++)
            size += strlen(item + size) + 1;
        if (!text_table_put(to, item, size, &moved[*number]))
            return false;
    }
    *number = moved[*number];
    return true;
}

static uint32_t *new_numbers(const struct text_table *table)
{
    size_t size = (table->count ? table->count : 1) * sizeof(uint32_t);
    uint32_t *numbers = malloc(size);

    if (numbers)
        memset(numbers, 0xff, size);
    return numbers;
}

/* Takes dropped rows out, and the texts that only they had. False: out of memory; nothing to rely on is left. */
static bool squeeze(struct catalogue *catalogue)
{
    struct text_table who = {0}, where = {0};
    uint32_t *new_who = new_numbers(&catalogue->who), *new_where = new_numbers(&catalogue->where);
    bool well = new_who && new_where;
    size_t n = 0;

    for (size_t i = catalogue->first; well && i < catalogue->count; i++) {
        struct row *row = &catalogue->rows[i];
        if (row->dropped)
            continue;
        well = move_text(&who, &catalogue->who, new_who, &row->who, 3) &&
               move_text(&where, &catalogue->where, new_where, &row->where, 2);
        catalogue->rows[n++] = *row;
    }
    text_table_free(&catalogue->who);
    text_table_free(&catalogue->where);
    catalogue->who = who;
    catalogue->where = where;
    catalogue->first = catalogue->n_dropped = 0;
    catalogue->count = n;
    free(new_who);
    free(new_where);
    return well;
}

static bool squeeze_if_due(struct catalogue *catalogue)
{
    size_t gone = catalogue->first + catalogue->n_dropped;

    return gone < SQUEEZE_FROM || gone < (catalogue->count - gone) / 4 || squeeze(catalogue);
}

/* ---- following commits ---------------------------------------------------------------------------------- */

static void take_note(struct catalogue *catalogue, const struct note *note)
{
    if (catalogue->n_notes == catalogue->notes_room) {
        size_t room = catalogue->notes_room ? catalogue->notes_room * 2 : 64;
        struct note *notes = reallocarray(catalogue->notes, room, sizeof *notes);
        if (!notes) {
            catalogue->lost = true;
            return;
        }
        catalogue->notes = notes;
        catalogue->notes_room = room;
    }
    catalogue->notes[catalogue->n_notes++] = *note;
}

void catalogue_note_added(struct catalogue *catalogue, const struct catalogue_event *event)
{
    take_note(catalogue, &(struct note){true, *event});
}

void catalogue_note_dropped(struct catalogue *catalogue, int64_t seq, int64_t timestamp_ms)
{
    take_note(catalogue, &(struct note){false, {.seq = seq, .timestamp_ms = timestamp_ms}});
}

size_t catalogue_noted(const struct catalogue *catalogue)
{
    return catalogue->n_notes;
}

void catalogue_forget(struct catalogue *catalogue, size_t n)
{
    if (n < catalogue->n_notes)
        catalogue->n_notes = n;
}

static bool apply_note(struct catalogue *catalogue, const struct note *note, bool ready)
{
    if (!ready && note->event.seq > catalogue->filled_seq)
        return true;
    if (note->added)
        return insert(catalogue, &note->event, ready);
    drop(catalogue, &note->event, ready);
    return true;
}

void catalogue_apply(struct catalogue *catalogue)
{
    int state = atomic_load(&catalogue->state);
    bool well = !catalogue->lost;

    if (state != OFF && (catalogue->n_notes > 0 || !well)) {
        pthread_rwlock_wrlock(&catalogue->lock);
        for (size_t i = 0; i < catalogue->n_notes && well; i++)
            well = apply_note(catalogue, &catalogue->notes[i], state == READY);
        well = well && squeeze_if_due(catalogue);
        pthread_rwlock_unlock(&catalogue->lock);
        if (!well)
            give_up(catalogue, "too many events, or too little memory");
    }
    catalogue->n_notes = 0;
    catalogue->lost = false;
}

void catalogue_clear(struct catalogue *catalogue)
{
    pthread_rwlock_wrlock(&catalogue->lock);
    empty(catalogue);
    pthread_rwlock_unlock(&catalogue->lock);
}

/* ---- filling ----------------------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    return is_before(a, b, true) ? -1 : is_before(b, a, true);
}

/* All events are there: by time from now on. */
static void become_ready(struct catalogue *catalogue)
{
    bool ordered = true;

    pthread_rwlock_wrlock(&catalogue->lock);
    for (size_t i = catalogue->first + 1; i < catalogue->count && ordered; i++)
        ordered = is_before(&catalogue->rows[i - 1], &catalogue->rows[i], true);
    if (!ordered)
        qsort(catalogue->rows + catalogue->first, catalogue->count - catalogue->first, sizeof *catalogue->rows,
              by_time);
    atomic_store(&catalogue->state, READY);
    pthread_rwlock_unlock(&catalogue->lock);
}

bool catalogue_is_filling(const struct catalogue *catalogue)
{
    return atomic_load(&catalogue->state) == FILLING;
}

static struct catalogue_event read_event(sqlite3_stmt *stmt)
{
    return (struct catalogue_event){.seq = sqlite3_column_int64(stmt, 0),
                                    .timestamp_ms = sqlite3_column_int64(stmt, 1),
                                    .person_type = sqlite3_column_int(stmt, 2),
                                    .score = sql_column_float(stmt, 3),
                                    .identity_name = sql_column_text(stmt, 4),
                                    .group_name = sql_column_text(stmt, 5),
                                    .room = sql_column_text(stmt, 6),
                                    .device_id = sql_column_text(stmt, 7),
                                    .ep_id = sql_column_text(stmt, 8),
                                    .reason = sql_column_text(stmt, 9)};
}

void catalogue_fill(struct catalogue *catalogue, struct sql *sql)
{
    bool row = true, well = true;
    size_t n = 0;
    sqlite3_stmt *stmt = sql_begin(sql,
                                   "SELECT seq, timestamp_ms, person_type, score, identity_name, group_name, room,"
                                   " device_id, ep_id, reason FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
                                   NULL, sql_int(catalogue->filled_seq), sql_int(FILL_STEP));
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;

    /* Nobody but this thread looks at rows before READY: no lock. */
    while (status == AIBOX_OK && well) {
        status = sql_step(sql, stmt, &row, NULL);
        if (status != AIBOX_OK || !row)
            break;
        struct catalogue_event event = read_event(stmt);
        well = insert(catalogue, &event, false);
        catalogue->filled_seq = event.seq;
        n++;
    }
    sql_end(stmt);
    if (status != AIBOX_OK || !well)
        give_up(catalogue, status != AIBOX_OK ? "the events can't be read" : "too many events, or too little memory");
    else if (n < FILL_STEP)
        become_ready(catalogue);
}

/* ---- finding ------------------------------------------------------------------------------------------------ */

/* What rows must fulfil; a table is NULL when it doesn't matter. */
struct wanted {
    bool *who, *where, *reasons; /* by number */
    float score_min, score_max;  /* NAN: open end */
    int person_type;
    bool any; /* every row will do */
};

static char folded(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* As LIKE does: the letters A to Z count as small ones, nothing else does. */
static bool contains(const char *text, const char *part)
{
    for (; *text != '\0' || *part == '\0'; text++) {
        size_t i = 0;
        while (part[i] != '\0' && folded(text[i]) == folded(part[i]))
            i++;
        if (part[i] == '\0')
            return true;
    }
    return false;
}

static bool is_any(const char *text, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(text, texts[i]) == 0)
            return true;
    return false;
}

static bool suits_who(const struct store_event_query *query, const char *name)
{
    const char *group = name + strlen(name) + 1, *room = group + strlen(group) + 1;

    return (!query->room || strcmp(room, query->room) == 0) &&
           (query->n_groups == 0 || is_any(group, query->groups, query->n_groups)) &&
           (!query->name_part || contains(name, query->name_part));
}

static bool suits_where(const struct store_event_query *query, const char *device_id)
{
    const char *ep_id = device_id + strlen(device_id) + 1;

    return (query->n_ep_ids == 0 || is_any(ep_id, query->ep_ids, query->n_ep_ids)) &&
           (query->n_devices == 0 || is_any(device_id, query->devices, query->n_devices) ||
            is_any(ep_id, query->devices, query->n_devices));
}

static bool suits_reason(const struct store_event_query *query, const char *reason)
{
    return strcmp(reason, query->reason) == 0;
}

static bool judge_texts(const struct text_table *table, const struct store_event_query *query,
                        bool (*suits)(const struct store_event_query *query, const char *text), bool **out)
{
    *out = calloc(table->count ? table->count : 1, sizeof **out);
    for (uint32_t i = 0; *out && i < table->count; i++)
        (*out)[i] = suits(query, table->items[i]);
    return *out != NULL;
}

static bool wanted_make(const struct catalogue *catalogue, const struct store_event_query *query, struct wanted *wanted)
{
    bool who = query->name_part || query->n_groups > 0 || query->room;
    bool where = query->n_ep_ids > 0 || query->n_devices > 0;

    *wanted = (struct wanted){
        .score_min = query->score_min, .score_max = query->score_max, .person_type = query->person_type};
    wanted->any = !who && !where && !query->reason && query->person_type == 0 && isnan(query->score_min) &&
                  isnan(query->score_max) && catalogue->n_dropped == 0;
    return (!who || judge_texts(&catalogue->who, query, suits_who, &wanted->who)) &&
           (!where || judge_texts(&catalogue->where, query, suits_where, &wanted->where)) &&
           (!query->reason || judge_texts(&catalogue->reasons, query, suits_reason, &wanted->reasons));
}

static void wanted_free(struct wanted *wanted)
{
    free(wanted->who);
    free(wanted->where);
    free(wanted->reasons);
}

static bool passes(const struct wanted *wanted, const struct row *row)
{
    return !row->dropped && (wanted->person_type == 0 || row->person_type == wanted->person_type) &&
           (isnan(wanted->score_min) || row->score >= wanted->score_min) &&
           (isnan(wanted->score_max) || row->score <= wanted->score_max) &&
           (!wanted->where || wanted->where[row->where]) && (!wanted->who || wanted->who[row->who]) &&
           (!wanted->reasons || wanted->reasons[row->reason]);
}

/* The rows from `low` to before `high`, in the order asked for. */
static void walk(const struct catalogue *catalogue, const struct wanted *wanted, const struct store_event_query *query,
                 size_t low, size_t high, int64_t *seqs, size_t *n, size_t *total)
{
    size_t begin = 0, end = high - low;

    *n = *total = 0;
    if (wanted->any) { /* which rows make the page is plain */
        *total = end;
        begin = query->skip < end ? query->skip : end;
        end = query->limit < end - begin ? begin + query->limit : end;
    }
    for (size_t i = begin, found = begin; i < end; i++) {
        const struct row *row = &catalogue->rows[query->oldest_first ? low + i : high - 1 - i];
        if (!wanted->any && !passes(wanted, row))
            continue;
        if (found >= query->skip && *n < query->limit)
            seqs[(*n)++] = row->seq;
        found++;
        *total += wanted->any ? 0 : 1;
    }
}

bool catalogue_find(struct catalogue *catalogue, const struct store_event_query *query, int64_t *seqs, size_t *n,
                    size_t *total)
{
    struct wanted wanted = {0};
    bool found = false;

    if (query->identity_id || query->stranger_id || query->strangers_back_only)
        return false;
    pthread_rwlock_rdlock(&catalogue->lock);
    if (atomic_load(&catalogue->state) == READY && wanted_make(catalogue, query, &wanted)) {
        struct row from = {.timestamp_ms = query->from_ms, .seq = INT64_MIN};
        struct row behind = {.timestamp_ms = query->to_ms, .seq = INT64_MAX};
        size_t low = query->from_ms ? place_of(catalogue, &from, true) : catalogue->first;
        size_t high = query->to_ms ? place_of(catalogue, &behind, true) : catalogue->count;
        walk(catalogue, &wanted, query, low, high > low ? high : low, seqs, n, total);
        found = true;
    }
    pthread_rwlock_unlock(&catalogue->lock);
    wanted_free(&wanted);
    return found;
}
