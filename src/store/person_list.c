/* Lists of people. The ids of a page come from an index alone; the rows of the page are then read one by one. */
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "store/person.h"

#define MAX_VALUES 8
#define MAX_SQL    1024

/* A query turned into SQL: which rows, and how to count them. */
struct plan {
    bool simple;       /* nothing but at most one group or permission group: counted already */
    uint32_t label_id; /* simple: of that one, 0 for everybody */
    uint32_t group_id, permission_id;
    char *pattern;
    struct sql_value values[MAX_VALUES];
    size_t n_values;
    struct buffer where;
};

static enum aibox_status plan_labels(struct plan *plan, const struct store_person_query *query,
                                     const struct label_map *labels, struct aibox_error *err)
{
    const struct label_entry *entry;

    if (query->group) {
        entry = label_map_find_name(labels, STORE_GROUP, query->group);
        if (!entry)
            return error_set(err, AIBOX_NOT_FOUND, "no group %s", query->group);
        plan->group_id = entry->label_id;
    }
    if (query->permission) {
        entry = label_map_find_name(labels, STORE_PERMISSION, query->permission);
        if (!entry)
            return error_set(err, AIBOX_NOT_FOUND, "no permission group %s", query->permission);
        plan->permission_id = entry->label_id;
    }
    return AIBOX_OK;
}

static void plan_add(struct plan *plan, struct sql_value value, const char *condition)
{
    buffer_append_text(&plan->where, condition);
    plan->values[plan->n_values++] = value;
}

static enum aibox_status plan_make(struct plan *plan, const struct store_person_query *query,
                                   const struct label_map *labels, struct aibox_error *err)
{
    *plan = (struct plan){0};
    buffer_init(&plan->where, MAX_SQL);
    if (query->limit < 1 || query->limit > 1000)
        return error_set(err, AIBOX_PARAM, "limit must be from 1 to 1000");
    enum aibox_status status = plan_labels(plan, query, labels, err);
    if (status != AIBOX_OK)
        return status;
    plan->simple = !query->name && !query->text && query->type == 0 && !(query->group && query->permission);
    plan->label_id = query->group ? plan->group_id : plan->permission_id;
    if (plan->simple)
        return AIBOX_OK;

    buffer_append_text(&plan->where, " WHERE 1");
    if (query->group)
        plan_add(plan, sql_int(plan->group_id),
                 " AND EXISTS (SELECT 1 FROM member g WHERE g.label_id = ? AND g.identity_id = person.identity_id)");
    if (query->permission)
        plan_add(plan, sql_int(plan->permission_id),
                 " AND EXISTS (SELECT 1 FROM member m WHERE m.label_id = ? AND m.identity_id = person.identity_id)");
    if (query->name)
        plan_add(plan, sql_text(query->name), " AND name = ?");
    if (query->type != 0)
        plan_add(plan, sql_int(query->type), " AND type = ?");
    if (query->text) {
        plan->pattern = text_like_pattern(query->text);
        if (!plan->pattern)
            return out_of_memory(err);
        plan_add(plan, sql_text(plan->pattern), " AND (name LIKE ? ESCAPE '\\'");
        plan_add(plan, sql_text(plan->pattern), " OR identity_id LIKE ? ESCAPE '\\'");
        plan_add(plan, sql_text(query->text),
                 " OR person_id IN (SELECT c.person_id FROM person c WHERE c.card <> '' AND c.card = ?))");
    }
    return plan->where.failed ? out_of_memory(err) : AIBOX_OK;
}

static void plan_free(struct plan *plan)
{
    buffer_free(&plan->where);
    free(plan->pattern);
}

/* Of a simple plan. */
static enum aibox_status count(struct reader *reader, const struct plan *plan, size_t *total, struct aibox_error *err)
{
    struct sql *sql = &reader->main;
    int64_t value = 0;
    enum aibox_status status =
        plan->label_id
            ? sql_get(sql, "SELECT members FROM label WHERE label_id = ?", &value, NULL, err, sql_int(plan->label_id))
            : sql_get_values(sql, "SELECT value FROM counter WHERE name = 'people'", &value, NULL, err, NULL, 0);
    *total = (size_t)value;
    return status;
}

static enum aibox_status read_ids(struct sql *sql, sqlite3_stmt *stmt, int64_t *ids, size_t limit, size_t *n,
                                  struct aibox_error *err)
{
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    bool row = true;

    for (*n = 0; status == AIBOX_OK && *n < limit;) {
        status = sql_step(sql, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        ids[(*n)++] = sqlite3_column_int64(stmt, 0);
    }
    return status;
}

/* Of a simple plan. */
static enum aibox_status page_ids(struct reader *reader, const struct plan *plan,
                                  const struct store_person_query *query, int64_t *ids, size_t *n,
                                  struct aibox_error *err)
{
    struct sql *sql = &reader->main;
    struct sql_value limit = sql_int((int64_t)query->limit), skip = sql_int((int64_t)query->skip);
    sqlite3_stmt *stmt =
        plan->label_id
            ? sql_begin(sql, "SELECT person_id FROM member WHERE label_id = ? ORDER BY identity_id LIMIT ? OFFSET ?",
                        err, sql_int(plan->label_id), limit, skip)
            : sql_begin(sql, "SELECT person_id FROM person ORDER BY identity_id LIMIT ? OFFSET ?", err, limit, skip);
    enum aibox_status status = read_ids(sql, stmt, ids, query->limit, n, err);

    sql_end(stmt);
    return status;
}

/* Page and count in one walk over all who fit: looking for them is what takes the time. */
static enum aibox_status walk(struct reader *reader, const struct plan *plan, const struct store_person_query *query,
                              int64_t *ids, size_t *n, size_t *total, struct aibox_error *err)
{
    char text[MAX_SQL + 64];
    struct sql *sql = &reader->main;
    bool row;

    sqlite3_snprintf((int)sizeof text, text, "SELECT person_id FROM person%s ORDER BY identity_id",
                     (const char *)plan->where.data);
    sqlite3_stmt *stmt = sql_begin_text(sql, text, err, plan->values, plan->n_values);
    enum aibox_status status = stmt ? AIBOX_OK : AIBOX_PROCESS_FAILED;
    while (status == AIBOX_OK) {
        status = sql_step(sql, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        if (*total >= query->skip && *n < query->limit)
            ids[(*n)++] = sqlite3_column_int64(stmt, 0);
        (*total)++;
    }
    sql_drop(stmt);
    return status;
}

static enum aibox_status read_people(struct reader *reader, const struct label_map *labels, const int64_t *ids,
                                     size_t n, struct store_person_list *out, struct aibox_error *err)
{
    struct person_row row;

    if (n == 0)
        return AIBOX_OK;
    out->items = calloc(n, sizeof *out->items);
    if (!out->items)
        return out_of_memory(err);
    for (size_t i = 0; i < n; i++) {
        enum aibox_status status = person_row_load(&reader->main, ids[i], &row, err);
        if (status == AIBOX_OK)
            status = person_from_row(&row, labels, &reader->main, &out->items[out->count], err);
        person_row_free(&row);
        if (status != AIBOX_OK)
            return status;
        out->count++;
    }
    return AIBOX_OK;
}

enum aibox_status store_person_list(struct store *store, const struct store_person_query *query,
                                    struct store_person_list *out, struct aibox_error *err)
{
    int64_t ids[1000];
    size_t n = 0;
    struct plan plan;

    *out = (struct store_person_list){0};
    struct label_map *labels = label_map_take(store->labels);
    struct reader *reader = NULL;
    enum aibox_status status = plan_make(&plan, query, labels, err);
    if (status != AIBOX_OK)
        goto out;
    reader = reader_take(store->readers, err);
    status = reader ? reader_snapshot_begin(reader, err) : AIBOX_PROCESS_FAILED;
    if (status != AIBOX_OK)
        goto out;
    status =
        plan.simple ? count(reader, &plan, &out->total, err) : walk(reader, &plan, query, ids, &n, &out->total, err);
    if (status == AIBOX_OK && plan.simple)
        status = page_ids(reader, &plan, query, ids, &n, err);
    if (status == AIBOX_OK)
        status = read_people(reader, labels, ids, n, out, err);
    reader_snapshot_end(reader);
out:
    reader_return(store->readers, reader);
    plan_free(&plan);
    label_map_drop(labels);
    if (status != AIBOX_OK)
        store_person_list_free(out);
    return status;
}

void store_person_list_free(struct store_person_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        store_person_free(&list->items[i]);
    free(list->items);
    *list = (struct store_person_list){0};
}
