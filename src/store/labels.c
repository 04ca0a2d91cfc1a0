#include "store/labels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "store/internal.h"

#define TEXT_MAX ((size_t)2 * STORE_MAX_LABELS * 2 * (STORE_MAX_NAME + 1))

struct label_map_slot {
    pthread_mutex_t mu;
    struct label_map *map; /* guarded by mu; holds one reference */
};

enum aibox_status label_slot_open(struct label_map_slot **out, struct aibox_error *err)
{
    struct label_map_slot *slot = calloc(1, sizeof *slot);

    if (!slot)
        return out_of_memory(err);
    pthread_mutex_init(&slot->mu, NULL);
    *out = slot;
    return AIBOX_OK;
}

void label_slot_close(struct label_map_slot *slot)
{
    if (!slot)
        return;
    label_map_drop(slot->map);
    pthread_mutex_destroy(&slot->mu);
    free(slot);
}

struct label_map *label_map_take(struct label_map_slot *slot)
{
    pthread_mutex_lock(&slot->mu);
    struct label_map *map = slot->map;
    if (map)
        atomic_fetch_add(&map->refs, 1);
    pthread_mutex_unlock(&slot->mu);
    return map;
}

void label_map_drop(struct label_map *map)
{
    if (!map || atomic_fetch_sub(&map->refs, 1) > 1)
        return;
    free(map->items);
    free(map->text);
    free(map);
}

/* Rows into `map`; ids and names go to `text`, their offsets into the pointers until the text has its final place. */
static enum aibox_status read_rows(struct label_map *map, struct buffer *text, struct sql *sql, struct aibox_error *err)
{
    sqlite3_stmt *stmt =
        sql_begin_values(sql, "SELECT label_id, kind, number, id, name FROM label ORDER BY label_id", err, NULL, 0);
    bool row = true;

    if (!stmt)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = sql_step(sql, stmt, &row, err);
    for (; status == AIBOX_OK && row && map->count < (size_t)2 * STORE_MAX_LABELS; map->count++) {
        struct label_entry *entry = &map->items[map->count];
        entry->label_id = (uint32_t)sqlite3_column_int64(stmt, 0);
        entry->kind = (enum store_label_kind)sqlite3_column_int(stmt, 1);
        entry->number = (unsigned)sqlite3_column_int(stmt, 2);
        buffer_append(text, sql_column_text(stmt, 3), (size_t)sqlite3_column_bytes(stmt, 3) + 1);
        if (!buffer_append(text, sql_column_text(stmt, 4), (size_t)sqlite3_column_bytes(stmt, 4) + 1))
            status = out_of_memory(err);
        else
            status = sql_step(sql, stmt, &row, err);
    }
    sql_end(stmt);
    return status;
}

enum aibox_status label_slot_load(struct label_map_slot *slot, struct sql *sql, struct aibox_error *err)
{
    struct label_map *map = calloc(1, sizeof *map);
    enum aibox_status status = AIBOX_OK;
    struct buffer text;

    buffer_init(&text, TEXT_MAX);
    if (map)
        map->items = calloc((size_t)2 * STORE_MAX_LABELS, sizeof *map->items);
    if (!map || !map->items) {
        status = out_of_memory(err);
        goto out;
    }
    atomic_init(&map->refs, 1);
    status = read_rows(map, &text, sql, err);
    if (status != AIBOX_OK)
        goto out;
    size_t size;
    map->text = (char *)buffer_give(&text, &size);
    const char *at = map->text;
    for (size_t i = 0; i < map->count; i++) {
        map->items[i].id = at;
        at += strlen(at) + 1;
        map->items[i].name = at;
        at += strlen(at) + 1;
    }
    struct label_entry *fitting = reallocarray(map->items, map->count + 1, sizeof *fitting);
    if (fitting)
        map->items = fitting;

    pthread_mutex_lock(&slot->mu);
    struct label_map *old = slot->map;
    slot->map = map;
    pthread_mutex_unlock(&slot->mu);
    map = old;
out:
    buffer_free(&text);
    label_map_drop(map);
    return status;
}

const struct label_entry *label_map_find(const struct label_map *map, uint32_t label_id)
{
    size_t low = 0, high = map ? map->count : 0;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (map->items[middle].label_id == label_id)
            return &map->items[middle];
        if (map->items[middle].label_id < label_id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct label_entry *label_map_find_name(const struct label_map *map, enum store_label_kind kind, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (map->items[i].kind == kind && strcmp(map->items[i].name, name) == 0)
            return &map->items[i];
    for (size_t i = 0; i < map->count; i++)
        if (map->items[i].kind == kind && strcmp(map->items[i].id, name) == 0)
            return &map->items[i];
    return NULL;
}

static void mask_set(uint64_t mask[STORE_MAX_LABELS / 64], unsigned number)
{
    mask[number / 64] |= UINT64_C(1) << (number % 64);
}

static enum aibox_status resolve_one(const struct label_entry *entry, struct store_text_list *ids,
                                     struct store_text_list *names, uint64_t *mask, struct aibox_error *err)
{
    if (mask && entry->number < STORE_MAX_LABELS)
        mask_set(mask, entry->number);
    if ((ids && !text_list_append(ids, entry->id)) || (names && !text_list_append(names, entry->name)))
        return out_of_memory(err);
    return AIBOX_OK;
}

static enum aibox_status resolve_by_row(uint32_t label_id, struct sql *sql, struct store_text_list *ids,
                                        struct store_text_list *names, uint64_t *mask, struct aibox_error *err)
{
    sqlite3_stmt *stmt =
        sql_begin(sql, "SELECT number, id, name FROM label WHERE label_id = ?", err, sql_int(label_id));
    bool row;

    if (!stmt)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = sql_step(sql, stmt, &row, err);
    if (status == AIBOX_OK && row) {
        struct label_entry entry = {.number = (unsigned)sqlite3_column_int(stmt, 0),
                                    .id = sql_column_text(stmt, 1),
                                    .name = sql_column_text(stmt, 2)};
        status = resolve_one(&entry, ids, names, mask, err);
    }
    sql_end(stmt);
    return status;
}

enum aibox_status label_set_resolve(const struct label_set *set, const struct label_map *map, struct sql *sql,
                                    struct store_text_list *ids, struct store_text_list *names,
                                    uint64_t mask[STORE_MAX_LABELS / 64], struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < set->count && status == AIBOX_OK; i++) {
        const struct label_entry *entry = label_map_find(map, set->ids[i]);
        status =
            entry ? resolve_one(entry, ids, names, mask, err) : resolve_by_row(set->ids[i], sql, ids, names, mask, err);
    }
    return status;
}

void label_set_read(struct label_set *set, const void *bytes, size_t size)
{
    set->count = size / sizeof set->ids[0];
    if (set->count > STORE_MAX_LABELS)
        set->count = STORE_MAX_LABELS;
    if (set->count > 0)
        memcpy(set->ids, bytes, set->count * sizeof set->ids[0]);
}

bool label_set_has(const struct label_set *set, uint32_t label_id)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->ids[i] == label_id)
            return true;
    return false;
}

bool label_set_remove(struct label_set *set, uint32_t label_id)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->ids[i] != label_id)
            continue;
        memmove(&set->ids[i], &set->ids[i + 1], (set->count - i - 1) * sizeof set->ids[0]);
        set->count--;
        return true;
    }
    return false;
}

bool label_set_append(struct label_set *set, uint32_t label_id)
{
    if (label_set_has(set, label_id))
        return true;
    if (set->count == STORE_MAX_LABELS)
        return false;
    set->ids[set->count++] = label_id;
    return true;
}

bool label_set_insert(struct label_set *set, uint32_t label_id)
{
    size_t at = 0;

    if (label_set_has(set, label_id))
        return true;
    if (set->count == STORE_MAX_LABELS)
        return false;
    while (at < set->count && set->ids[at] < label_id)
        at++;
    memmove(&set->ids[at + 1], &set->ids[at], (set->count - at) * sizeof set->ids[0]);
    set->ids[at] = label_id;
    set->count++;
    return true;
}

enum aibox_status label_lookup(struct sql *sql, enum store_label_kind kind, const char *name, uint32_t *label_id,
                               struct aibox_error *err)
{
    int64_t found_id;
    bool found;
    enum aibox_status status = sql_get(sql, "SELECT label_id FROM label WHERE kind = ? AND name = ?", &found_id, &found,
                                       err, sql_int(kind), sql_text(name));

    if (status == AIBOX_OK && !found)
        status = sql_get(sql, "SELECT label_id FROM label WHERE kind = ? AND id = ?", &found_id, &found, err,
                         sql_int(kind), sql_text(name));
    *label_id = status == AIBOX_OK && found ? (uint32_t)found_id : 0;
    return status;
}
