/* Groups and permission groups: create, change, list, delete. */
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "store/batch.h"
#include "store/labels.h"
#include "store/person.h"

#define LABEL_COLUMNS "number, id, name, description, info"

static const char *kind_text(enum store_label_kind kind)
{
    return kind == STORE_GROUP ? "group" : "permission group";
}

static const char *kind_field(enum store_label_kind kind)
{
    return kind == STORE_GROUP ? "group_name" : "permission_name";
}

void store_label_free(struct store_label *label)
{
    if (!label)
        return;
    free(label->id);
    free(label->name);
    free(label->description);
    free(label->info);
    *label = (struct store_label){0};
}

void store_label_list_free(struct store_label_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        store_label_free(&list->items[i]);
    free(list->items);
    *list = (struct store_label_list){0};
}

static enum aibox_status label_read(sqlite3_stmt *stmt, struct store_label *out, struct aibox_error *err)
{
    *out = (struct store_label){.label = (unsigned)sqlite3_column_int(stmt, 0),
                                .id = sql_column_copy(stmt, 1),
                                .name = sql_column_copy(stmt, 2),
                                .description = sql_column_copy(stmt, 3),
                                .info = sql_column_copy(stmt, 4)};
    if (out->id && out->name && out->description && out->info)
        return AIBOX_OK;
    store_label_free(out);
    return out_of_memory(err);
}

static enum aibox_status label_load(struct sql *sql, uint32_t label_id, struct store_label *out,
                                    struct aibox_error *err)
{
    bool row;
    sqlite3_stmt *stmt =
        sql_begin(sql, "SELECT " LABEL_COLUMNS " FROM label WHERE label_id = ?", err, sql_int(label_id));
    enum aibox_status status = stmt ? sql_step(sql, stmt, &row, err) : AIBOX_PROCESS_FAILED;

    if (status == AIBOX_OK)
        status = row ? label_read(stmt, out, err) : error_set(err, AIBOX_NOT_FOUND, NULL);
    sql_end(stmt);
    return status;
}

static enum aibox_status not_found(enum store_label_kind kind, const char *name, struct aibox_error *err)
{
    return error_set(err, AIBOX_NOT_FOUND, "no %s %s", kind_text(kind), name);
}

/* ---- creating ----------------------------------------------------------------------------------- */

static enum aibox_status check_name(enum store_label_kind kind, const char *name, struct aibox_error *err)
{
    if (!name || !name[0])
        return error_set(err, AIBOX_GROUP_NAME, "%s must not be empty", kind_field(kind));
    if (strchr(name, ','))
        return error_set(err, AIBOX_GROUP_NAME, "%s must not hold ','", kind_field(kind));
    return text_check(kind_field(kind), name, false, STORE_MAX_NAME, err);
}

static enum aibox_status check_rest(const char *description, const char *info, struct aibox_error *err)
{
    enum aibox_status status = text_check("description", description, true, STORE_MAX_DESCRIPTION, err);

    return status == AIBOX_OK && info ? text_check_object("info", info, err) : status;
}

/* GROUP_NAME when another label of the kind has `text` as name or id. */
static enum aibox_status check_free(struct sql *sql, enum store_label_kind kind, const char *text, uint32_t except,
                                    struct aibox_error *err)
{
    uint32_t label_id;
    enum aibox_status status = label_lookup(sql, kind, text, &label_id, err);

    if (status == AIBOX_OK && label_id != 0 && label_id != except)
        status =
            error_set(err, AIBOX_GROUP_NAME, "%s: there is a %s %s already", kind_field(kind), kind_text(kind), text);
    return status;
}

/* The lowest number that no label of the kind has. */
static enum aibox_status free_number(struct sql *sql, enum store_label_kind kind, int64_t *number,
                                     struct aibox_error *err)
{
    int64_t count;
    enum aibox_status status =
        sql_get(sql, "SELECT count(*) FROM label WHERE kind = ?", &count, NULL, err, sql_int(kind));

    /* The permission group "0" is built in and doesn't count. */
    if (status == AIBOX_OK && count >= STORE_MAX_GROUPS + (kind == STORE_PERMISSION ? 1 : 0))
        return error_set(err, AIBOX_PARAM, "%s: there are %d %ss already, the most there can be", kind_field(kind),
                         STORE_MAX_GROUPS, kind_text(kind));
    if (status != AIBOX_OK)
        return status;
    return sql_get(sql,
                   "SELECT min(number) + 1 FROM label l WHERE kind = ?1 AND NOT EXISTS"
                   " (SELECT 1 FROM label n WHERE n.kind = ?1 AND n.number = l.number + 1)",
                   number, NULL, err, sql_int(kind));
}

enum aibox_status label_insert(struct batch *batch, enum store_label_kind kind, const char *id, const char *name,
                               const char *description, const char *info, uint32_t *label_id, struct aibox_error *err)
{
    char uuid[ID_UUID_SIZE];
    int64_t number;

    enum aibox_status status = check_name(kind, name, err);
    if (status == AIBOX_OK)
        status = check_free(&batch->main, kind, name, 0, err);
    if (kind == STORE_GROUP) {
        id = name;
    } else if (!id) {
        id_uuid(uuid);
        id = uuid;
    }
    if (status == AIBOX_OK && strcmp(id, name) != 0) {
        status = text_check("permission_id", id, false, STORE_MAX_NAME, err);
        if (status == AIBOX_OK)
            status = check_free(&batch->main, kind, id, 0, err);
    }
    if (status == AIBOX_OK)
        status = free_number(&batch->main, kind, &number, err);
    if (status == AIBOX_OK)
        status = sql_run(
            &batch->main, "INSERT INTO label (kind, number, id, name, description, info) VALUES (?, ?, ?, ?, ?, ?)",
            err, sql_int(kind), sql_int(number), sql_text(id), sql_text(name), sql_text(description), sql_text(info));
    *label_id = (uint32_t)sqlite3_last_insert_rowid(batch->main.db);
    batch->labels_changed = true;
    return status;
}

struct label_job {
    enum store_label_kind kind;
    const char *id, *name, *new_name, *description, *info;
    bool with_people;
    struct store_label *out;
};

static enum aibox_status run_create(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct label_job *job = arg;
    uint32_t label_id;
    enum aibox_status status = label_insert(batch, job->kind, job->id, job->name, job->description,
                                            job->info ? job->info : "{}", &label_id, err);

    return status == AIBOX_OK && job->out ? label_load(&batch->main, label_id, job->out, err) : status;
}

static enum aibox_status run_label_job(struct store *store, change_run run, struct label_job *job,
                                       struct aibox_error *err)
{
    if (job->out)
        *job->out = (struct store_label){0};
    enum aibox_status status = writer_do(store->writer, CHANGE_SHARED, run, job, err);
    if (status != AIBOX_OK)
        store_label_free(job->out);
    return status;
}

enum aibox_status store_label_create(struct store *store, enum store_label_kind kind, const char *id, const char *name,
                                     const char *description, const char *info, struct store_label *out,
                                     struct aibox_error *err)
{
    struct label_job job = {.kind = kind, .id = id, .name = name, .description = description, .info = info, .out = out};
    enum aibox_status status = check_name(kind, name, err);

    if (status == AIBOX_OK)
        status = check_rest(description, info, err);
    return status == AIBOX_OK ? run_label_job(store, run_create, &job, err) : status;
}

/* ---- changing ----------------------------------------------------------------------------------- */

static bool is_built_in(uint32_t label_id)
{
    return label_id == LABEL_DEFAULT_GROUP || label_id == LABEL_EVERYBODY;
}

enum aibox_status label_change(struct batch *batch, enum store_label_kind kind, uint32_t label_id, const char *new_name,
                               const char *description, const char *info, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    if (label_id == LABEL_EVERYBODY)
        return error_set(err, AIBOX_PARAM, "permission_name: permission group \"0\" is built in");
    if (new_name && label_id == LABEL_DEFAULT_GROUP && strcmp(new_name, STORE_DEFAULT_GROUP) != 0)
        return error_set(err, AIBOX_GROUP_NAME, STORE_DEFAULT_GROUP " can't be renamed");
    if (new_name)
        status = check_name(kind, new_name, err);
    if (status == AIBOX_OK)
        status = check_rest(description, info, err);
    if (status == AIBOX_OK && new_name)
        status = check_free(&batch->main, kind, new_name, label_id, err);
    if (status == AIBOX_OK)
        status = sql_run(&batch->main,
                         "UPDATE label SET name = coalesce(?2, name), description = ?3, info = coalesce(?4, info),"
                         " id = CASE WHEN kind = 0 THEN coalesce(?2, id) ELSE id END WHERE label_id = ?1",
                         err, sql_int(label_id), sql_text(new_name), sql_text(description), sql_text(info));
    batch->labels_changed = true;
    return status;
}

static enum aibox_status run_update(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct label_job *job = arg;
    uint32_t label_id;
    enum aibox_status status = label_lookup(&batch->main, job->kind, job->name, &label_id, err);

    if (status == AIBOX_OK && label_id == 0)
        status = not_found(job->kind, job->name, err);
    if (status == AIBOX_OK)
        status = label_change(batch, job->kind, label_id, job->new_name, job->description, job->info, err);
    return status == AIBOX_OK && job->out ? label_load(&batch->main, label_id, job->out, err) : status;
}

enum aibox_status store_label_update(struct store *store, enum store_label_kind kind, const char *name,
                                     const char *new_name, const char *description, const char *info,
                                     struct store_label *out, struct aibox_error *err)
{
    struct label_job job = {
        .kind = kind, .name = name, .new_name = new_name, .description = description, .info = info, .out = out};

    return run_label_job(store, run_update, &job, err);
}

/* ---- reading ------------------------------------------------------------------------------------ */

enum aibox_status store_label_get(struct store *store, enum store_label_kind kind, const char *name,
                                  struct store_label *out, struct aibox_error *err)
{
    uint32_t label_id;
    struct reader *reader = reader_take(store->readers, err);

    *out = (struct store_label){0};
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = label_lookup(&reader->main, kind, name, &label_id, err);
    if (status == AIBOX_OK)
        status = label_id ? label_load(&reader->main, label_id, out, err) : AIBOX_NOT_FOUND;
    if (status == AIBOX_NOT_FOUND) /* also when it went between the two */
        not_found(kind, name, err);
    reader_return(store->readers, reader);
    return status;
}

enum aibox_status store_label_list(struct store *store, enum store_label_kind kind, size_t skip, size_t limit,
                                   struct store_label_list *out, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    sqlite3_stmt *stmt = NULL;
    bool row = true;

    *out = (struct store_label_list){0};
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    out->items = calloc(STORE_MAX_LABELS, sizeof *out->items);
    if (!out->items) {
        status = out_of_memory(err);
        goto out;
    }
    stmt = sql_begin(&reader->main,
                     "SELECT " LABEL_COLUMNS " FROM label WHERE kind = ? AND label_id <> ? ORDER BY label_id", err,
                     sql_int(kind), sql_int(LABEL_EVERYBODY));
    if (!stmt)
        goto out;
    for (;; out->total++) {
        status = sql_step(&reader->main, stmt, &row, err);
        if (status != AIBOX_OK || !row)
            break;
        if (out->total < skip || (limit > 0 && out->count == limit) || out->count == STORE_MAX_LABELS)
            continue;
        status = label_read(stmt, &out->items[out->count], err);
        if (status != AIBOX_OK)
            break;
        out->count++;
    }
out:
    sql_end(stmt);
    reader_return(store->readers, reader);
    if (status != AIBOX_OK)
        store_label_list_free(out);
    return status;
}

/* ---- deleting ----------------------------------------------------------------------------------- */

/* Takes the label from one person, who falls back to default_group or "0". */
static enum aibox_status take_from(struct batch *batch, enum store_label_kind kind, uint32_t label_id,
                                   struct person_row *row, struct aibox_error *err)
{
    struct label_set old_groups = row->groups, old_permissions = row->permissions;

    if (kind == STORE_GROUP) {
        label_set_remove(&row->groups, label_id);
        if (row->groups.count == 0)
            label_set_insert(&row->groups, LABEL_DEFAULT_GROUP);
    } else {
        label_set_remove(&row->permissions, label_id);
        if (row->permissions.count == 0)
            label_set_append(&row->permissions, LABEL_EVERYBODY);
    }
    return person_row_write(batch, row, &old_groups, &old_permissions, err);
}

/* The people of a label, one after the other: each leaves the list that is walked. */
static enum aibox_status empty_label(struct batch *batch, enum store_label_kind kind, uint32_t label_id,
                                     bool with_people, struct aibox_error *err)
{
    for (;;) {
        int64_t person_id;
        bool found;
        struct person_row row;
        enum aibox_status status = sql_get(&batch->main, "SELECT person_id FROM member WHERE label_id = ? LIMIT 1",
                                           &person_id, &found, err, sql_int(label_id));
        if (status != AIBOX_OK || !found)
            return status;
        status = person_row_load(&batch->main, person_id, &row, err);
        if (status == AIBOX_OK)
            status = with_people ? person_row_delete(batch, &row, err) : take_from(batch, kind, label_id, &row, err);
        person_row_free(&row);
        if (status != AIBOX_OK)
            return status;
    }
}

enum aibox_status label_remove(struct batch *batch, enum store_label_kind kind, uint32_t label_id, bool with_people,
                               struct aibox_error *err)
{
    int64_t number;

    if (is_built_in(label_id))
        return kind == STORE_GROUP
                   ? error_set(err, AIBOX_GROUP_NAME, STORE_DEFAULT_GROUP " can't be deleted")
                   : error_set(err, AIBOX_PARAM, "permission_name: permission group \"0\" can't be deleted");
    enum aibox_status status = empty_label(batch, kind, label_id, with_people, err);
    if (status == AIBOX_OK)
        status =
            sql_get(&batch->main, "SELECT number FROM label WHERE label_id = ?", &number, NULL, err, sql_int(label_id));
    if (status == AIBOX_OK)
        status = sql_run(&batch->main, "DELETE FROM label WHERE label_id = ?", err, sql_int(label_id));
    if (status == AIBOX_OK)
        status = batch_note(batch, kind == STORE_GROUP ? NOTE_GROUP_DROPPED : NOTE_PERMISSION_DROPPED, number, err);
    batch->labels_changed = true;
    batch->deleted = true;
    return status;
}

static enum aibox_status run_label_delete(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct label_job *job = arg;
    uint32_t label_id;
    enum aibox_status status = label_lookup(&batch->main, job->kind, job->name, &label_id, err);

    if (status == AIBOX_OK && label_id == 0)
        return not_found(job->kind, job->name, err);
    return status == AIBOX_OK ? label_remove(batch, job->kind, label_id, job->with_people, err) : status;
}

enum aibox_status store_label_delete(struct store *store, enum store_label_kind kind, const char *name,
                                     bool with_people, struct aibox_error *err)
{
    struct label_job job = {.kind = kind, .name = name, .with_people = with_people};

    return run_label_job(store, run_label_delete, &job, err);
}

/* ---- members of a group -------------------------------------------------------------------------- */

struct members_job {
    const char *group;
    bool add;
    const char *const *ids;
    size_t n;
    bool *missing;
};

static enum aibox_status change_member(struct batch *batch, const struct members_job *job, uint32_t group_id, size_t i,
                                       struct aibox_error *err)
{
    struct person_row row;
    enum aibox_status status = person_row_find(&batch->main, job->ids[i], &row, err);

    if (status == AIBOX_ID_NOT_FOUND) {
        job->missing[i] = true;
        status = AIBOX_OK;
    } else if (status == AIBOX_OK && label_set_has(&row.groups, group_id) != job->add) {
        struct label_set old = row.groups;
        if (job->add)
            label_set_insert(&row.groups, group_id);
        else
            label_set_remove(&row.groups, group_id);
        status = person_row_write(batch, &row, &old, &row.permissions, err);
    }
    person_row_free(&row);
    return status;
}

static enum aibox_status run_members(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct members_job *job = arg;
    uint32_t group_id;
    size_t n_missing = 0;
    enum aibox_status status = label_lookup(&batch->main, STORE_GROUP, job->group, &group_id, err);

    if (status == AIBOX_OK && group_id == 0)
        return not_found(STORE_GROUP, job->group, err);
    for (size_t i = 0; i < job->n && status == AIBOX_OK; i++) {
        status = change_member(batch, job, group_id, i, err);
        n_missing += job->missing[i];
    }
    /* What was changed until here goes back with the savepoint. */
    return status == AIBOX_OK && n_missing > 0 ? people_missing(job->ids, job->missing, job->n, err) : status;
}

static enum aibox_status list_members(struct store *store, const char *group, struct store_text_list *members,
                                      struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    sqlite3_stmt *stmt = NULL;
    bool row;

    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    stmt = sql_begin(&reader->main,
                     "SELECT identity_id FROM member WHERE label_id = (SELECT label_id FROM label WHERE kind = 0 AND"
                     " name = ?) ORDER BY identity_id",
                     err, sql_text(group));
    while (stmt && (status = sql_step(&reader->main, stmt, &row, err)) == AIBOX_OK && row) {
        if (!text_list_append(members, sql_column_text(stmt, 0))) {
            status = out_of_memory(err);
            break;
        }
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

enum aibox_status store_group_members_change(struct store *store, const char *group, bool add, const char *const *ids,
                                             size_t n_ids, struct store_text_list *members, struct aibox_error *err)
{
    struct members_job job = {.group = group, .add = add, .ids = ids, .n = n_ids};

    if (members)
        *members = (struct store_text_list){0};
    job.missing = calloc(n_ids + 1, sizeof *job.missing);
    if (!job.missing)
        return out_of_memory(err);
    enum aibox_status status = writer_do(store->writer, CHANGE_SHARED, run_members, &job, err);
    free(job.missing);
    if (status == AIBOX_OK && members) {
        status = list_members(store, group, members, err);
        if (status != AIBOX_OK)
            store_text_list_free(members);
    }
    return status;
}

enum aibox_status store_group_member_count(struct store *store, const char *group, size_t *count,
                                           struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    int64_t value;
    bool found;

    *count = 0;
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    enum aibox_status status = sql_get(&reader->main, "SELECT members FROM label WHERE kind = 0 AND name = ?", &value,
                                       &found, err, sql_text(group));
    reader_return(store->readers, reader);
    if (status != AIBOX_OK)
        return status;
    if (!found)
        return not_found(STORE_GROUP, group, err);
    *count = (size_t)value;
    return AIBOX_OK;
}
