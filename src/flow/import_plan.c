#include "flow/import_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buffer.h"
#include "core/utf8.h"
#include "flow/import_labels.h"

#define NOTHING    UINT32_MAX                           /* no entry */
#define MAX_IDS    ((size_t)IMPORT_MAX_ITEMS * 65 + 64) /* bytes of all ids with NUL */
#define TABLE_NAME "people.csv"

struct item {
    size_t row;      /* where its record begins in the table, from 1; 0: without table */
    uint32_t line;   /* of the record */
    uint32_t entry;  /* its photo; NOTHING: none, or not found */
    uint32_t photo;  /* which of the row's photos */
    uint32_t person; /* see import_plan_person() */
    uint32_t id;     /* while planning: offset in `ids` */
    uint32_t order;  /* while planning: among those of one person */
};

struct import_plan {
    struct import_archive *archive;
    struct item *items; /* owned */
    size_t count, room;
    size_t ignored;

    char *table; /* owned; NULL without */
    const char *table_file;
    size_t table_folder; /* bytes of the path of its folder with '/', which photos are named from */
    struct csv_reader reader;
    struct csv_record record;
    struct import_header header;

    struct buffer ids; /* while planning */
    uint32_t *by_name; /* while planning: entries by the last part of their names */
    bool *used;        /* while planning: entries that are a row's photo */
};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* ---- list ------------------------------------------------------------------------------------------------- */

static enum aibox_status add(struct import_plan *plan, const struct item *item, const char *id, struct aibox_error *err)
{
    struct item *added;

    if (plan->count == IMPORT_MAX_ITEMS)
        return error_set(err, AIBOX_PARAM, "more than %u photos", IMPORT_MAX_ITEMS);
    if (plan->count == plan->room) {
        size_t room = plan->room ? plan->room * 2 : 256;
        struct item *items = realloc(plan->items, room * sizeof *items);

        if (!items)
            return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        plan->items = items;
        plan->room = room;
    }
    added = &plan->items[plan->count++];
    *added = *item;
    added->id = (uint32_t)plan->ids.size;
    if (!buffer_append(&plan->ids, id, strlen(id) + 1))
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return AIBOX_OK;
}

static int compare_items(const void *a, const void *b, void *ids)
{
    const struct item *one = a, *other = b;
    int order = strcmp((const char *)ids + one->id, (const char *)ids + other->id);

    if (order == 0)
        order = (one->order > other->order) - (one->order < other->order);
    /* Ids lie in the order in which the items were found. */
    return order != 0 ? order : (one->id > other->id) - (one->id < other->id);
}

/* Brings the items of each person together. Those without an id are nobody's. */
static void sort_items(struct import_plan *plan)
{
    const char *ids = (const char *)plan->ids.data;

    if (plan->count == 0)
        return;
    qsort_r(plan->items, plan->count, sizeof *plan->items, compare_items, plan->ids.data);
    for (size_t i = 1; i < plan->count; i++) {
        const char *id = ids + plan->items[i].id;
        bool same = *id && strcmp(id, ids + plan->items[i - 1].id) == 0;

        plan->items[i].person = plan->items[i - 1].person + !same;
    }
}

/* ---- photos by name --------------------------------------------------------------------------------------- */

/* Of other programs' making: resource forks of macOS, thumbnails, hidden files. */
static bool is_litter(const char *path)
{
    return strncmp(path, "__MACOSX/", 9) == 0 || strstr(path, "/__MACOSX/") || last_part(path)[0] == '.';
}

static bool is_folder(const char *path)
{
    return last_part(path)[0] == '\0';
}

static enum aibox_status plan_photo(struct import_plan *plan, size_t entry, struct aibox_error *err)
{
    const char *path = import_archive_name(plan->archive, entry);
    struct item item = {.entry = (uint32_t)entry};
    struct photo_name name;

    if (is_folder(path))
        return AIBOX_OK;
    if (is_litter(path) || !photo_name_is_picture(last_part(path))) {
        plan->ignored++;
        return AIBOX_OK;
    }
    if (photo_name_parse(last_part(path), &name, NULL) != AIBOX_OK)
        return add(plan, &item, "", err);
    item.order = (uint32_t)name.number;
    return add(plan, &item, name.id, err);
}

/* ---- photos by table ------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b, void *archive)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    int order = strcmp(last_part(import_archive_name(archive, one)), last_part(import_archive_name(archive, other)));

    return order != 0 ? order : (one > other) - (one < other);
}

static enum aibox_status index_names(struct import_plan *plan, struct aibox_error *err)
{
    size_t count = import_archive_count(plan->archive);

    plan->by_name = calloc(count + 1, sizeof *plan->by_name);
    plan->used = calloc(count + 1, sizeof *plan->used);
    if (!plan->by_name || !plan->used)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    for (size_t i = 0; i < count; i++)
        plan->by_name[i] = (uint32_t)i;
    qsort_r(plan->by_name, count, sizeof *plan->by_name, compare_names, plan->archive);
    return AIBOX_OK;
}

/* The first in by_name whose name's last part is not less. */
static size_t lower_bound(const struct import_plan *plan, const char *name)
{
    size_t low = 0, high = import_archive_count(plan->archive);

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(last_part(import_archive_name(plan->archive, plan->by_name[middle])), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whether `path` in the archive is what the table calls `name`: from the table's folder. */
static bool is_called(const struct import_plan *plan, const char *path, const char *name)
{
    if (strncmp(name, "./", 2) == 0)
        name += 2;
    return strncmp(path, plan->table_file, plan->table_folder) == 0 && strcmp(path + plan->table_folder, name) == 0;
}

/* The photo that the table calls `name`: by its path, or, when there is only one, by its file name anywhere. */
static uint32_t find_photo(const struct import_plan *plan, const char *name)
{
    size_t count = import_archive_count(plan->archive), found = 0;
    uint32_t first = NOTHING;

    for (size_t i = lower_bound(plan, last_part(name)); i < count; i++) {
        const char *path = import_archive_name(plan->archive, plan->by_name[i]);

        if (strcmp(last_part(path), last_part(name)) != 0)
            break;
        if (is_called(plan, path, name))
            return plan->by_name[i];
        if (!is_litter(path) && found++ == 0)
            first = plan->by_name[i];
    }
    return found == 1 && strcmp(last_part(name), name) == 0 ? first : NOTHING;
}

/* The photos that a row names. A file name may hold any separator: first the cell is one as a whole. */
static enum aibox_status read_photos(const struct import_plan *plan, struct store_text_list *out,
                                     struct aibox_error *err)
{
    const char *cell = import_cell(&plan->header, &plan->record, IMPORT_PHOTO);
    const char *separators = find_photo(plan, cell) != NOTHING ? "" : strchr(cell, ';') ? ";" : ",";
    enum aibox_status status = import_list_read(cell, separators, out, err);

    if (status != AIBOX_OK)
        error_prefix(err, "photo");
    return status;
}

static bool is_blank_row(const struct csv_record *record)
{
    for (size_t i = 0; i < record->count; i++)
        if (record->cells[i][0] != '\0')
            return false;
    return true;
}

/* A row becomes an item for each photo, or one without. What is wrong with it is said when its turn comes. */
static enum aibox_status plan_row(struct import_plan *plan, bool readable, struct aibox_error *err)
{
    struct item item = {.row = plan->record.at + 1, .line = (uint32_t)plan->record.line, .entry = NOTHING};
    struct store_text_list photos = {0};
    enum aibox_status status = AIBOX_OK;
    const char *id = "";

    if (readable && is_blank_row(&plan->record))
        return AIBOX_OK;
    if (readable && strlen(import_cell(&plan->header, &plan->record, IMPORT_IDENTITY_ID)) <= STORE_MAX_IDENTITY)
        id = import_cell(&plan->header, &plan->record, IMPORT_IDENTITY_ID);
    if (readable)
        (void)read_photos(plan, &photos, NULL);
    if (photos.count == 0)
        status = add(plan, &item, id, err);
    for (size_t i = 0; i < photos.count && status == AIBOX_OK; i++) {
        item.photo = (uint32_t)i;
        item.entry = find_photo(plan, photos.items[i]);
        if (item.entry != NOTHING)
            plan->used[item.entry] = true;
        status = add(plan, &item, id, err);
    }
    store_text_list_free(&photos);
    return status;
}

static enum aibox_status plan_rows(struct import_plan *plan, const atomic_bool *stop, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    while (status == AIBOX_OK && !atomic_load(stop)) {
        enum csv_step step = csv_next(&plan->reader, &plan->record, NULL);

        if (step == CSV_END)
            break;
        status = plan_row(plan, step == CSV_RECORD, err);
    }
    for (size_t i = 0; i < import_archive_count(plan->archive); i++) {
        const char *path = import_archive_name(plan->archive, i);

        plan->ignored +=
            !plan->used[i] && !is_folder(path) && path != plan->table_file && strcmp(path, IMPORT_LABELS) != 0;
    }
    return status;
}

/* people.csv in whatever folder; else the only file that ends in .csv. NOTHING: there is none, or no telling which. */
static uint32_t find_table(const struct import_archive *archive)
{
    uint32_t only = NOTHING;
    size_t tables = 0;

    for (size_t i = 0; i < import_archive_count(archive); i++) {
        const char *path = import_archive_name(archive, i), *dot = strrchr(last_part(path), '.');

        if (is_litter(path) || !dot || strcasecmp(dot, ".csv") != 0)
            continue;
        if (strcasecmp(last_part(path), TABLE_NAME) == 0)
            return (uint32_t)i;
        only = (uint32_t)i;
        tables++;
    }
    return tables == 1 ? only : NOTHING;
}

static enum aibox_status open_table(struct import_plan *plan, uint32_t entry, struct aibox_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum aibox_status status = import_archive_read(plan->archive, entry, IMPORT_MAX_TABLE, &bytes, &size, err);

    plan->table = (char *)bytes;
    plan->table_file = import_archive_name(plan->archive, entry);
    plan->table_folder = (size_t)(last_part(plan->table_file) - plan->table_file);
    if (status == AIBOX_OK)
        status = csv_begin(&plan->reader, plan->table, size, err);
    if (status == AIBOX_OK)
        switch (csv_next(&plan->reader, &plan->record, err)) {
        case CSV_RECORD:
            status = import_header_read(&plan->record, &plan->header, err);
            break;
        case CSV_BROKEN:
            status = AIBOX_PARAM;
            break;
        case CSV_END:
            status = error_set(err, AIBOX_PARAM, "it is empty");
        }
    if (status == AIBOX_OK)
        return AIBOX_OK;
    error_prefix(err, "%.200s", plan->table_file);
    /* Of a photo these would be faults of the picture. */
    return status == AIBOX_IMAGE_TOO_LARGE ? AIBOX_PARAM : status;
}

/* ---- making ------------------------------------------------------------------------------------------------ */

static enum aibox_status fill(struct import_plan *plan, const atomic_bool *stop, struct aibox_error *err)
{
    uint32_t table = find_table(plan->archive);
    enum aibox_status status = AIBOX_OK;

    if (table != NOTHING) {
        status = index_names(plan, err);
        if (status == AIBOX_OK)
            status = open_table(plan, table, err);
        return status == AIBOX_OK ? plan_rows(plan, stop, err) : status;
    }
    for (size_t i = 0; i < import_archive_count(plan->archive) && status == AIBOX_OK && !atomic_load(stop); i++)
        status = plan_photo(plan, i, err);
    return status;
}

enum aibox_status import_plan_make(struct import_archive *archive, const atomic_bool *stop, struct import_plan **out,
                                   struct aibox_error *err)
{
    struct import_plan *plan = calloc(1, sizeof *plan);
    enum aibox_status status;

    *out = NULL;
    if (!plan)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    plan->archive = archive;
    buffer_init(&plan->ids, MAX_IDS);
    csv_record_init(&plan->record);
    status = fill(plan, stop, err);
    if (status == AIBOX_OK && plan->count == 0 && !atomic_load(stop))
        status = error_set(err, AIBOX_PARAM,
                           "the archive holds neither photos (.jpg, .jpeg, .png, .webp) nor people in a table");
    if (status == AIBOX_OK)
        sort_items(plan);
    buffer_free(&plan->ids);
    if (status != AIBOX_OK) {
        import_plan_free(plan);
        return status;
    }
    *out = plan;
    return AIBOX_OK;
}

void import_plan_free(struct import_plan *plan)
{
    if (!plan)
        return;
    free(plan->items);
    free(plan->table);
    free(plan->by_name);
    free(plan->used);
    csv_record_free(&plan->record);
    import_header_free(&plan->header);
    free(plan);
}

/* ---- using ------------------------------------------------------------------------------------------------- */

size_t import_plan_count(const struct import_plan *plan)
{
    return plan->count;
}

size_t import_plan_ignored(const struct import_plan *plan)
{
    return plan->ignored;
}

size_t import_plan_person(const struct import_plan *plan, size_t item)
{
    return plan->items[item].person;
}

static enum aibox_status photo_task(const struct import_plan *plan, const struct item *item, struct import_task *out,
                                    struct aibox_error *err)
{
    const char *path = import_archive_name(plan->archive, item->entry);
    struct photo_name name;
    enum aibox_status status = photo_name_parse(last_part(path), &name, err);

    (void)snprintf(out->file, sizeof out->file, "%s", path);
    return status == AIBOX_OK ? import_person_of_name(&name, &out->person, err) : status;
}

static enum aibox_status find_row_photo(const struct import_plan *plan, const struct item *item,
                                        struct import_task *out, struct aibox_error *err)
{
    struct store_text_list photos = {0};
    enum aibox_status status = read_photos(plan, &photos, err);

    if (status == AIBOX_OK && item->photo < photos.count) {
        const char *name = photos.items[item->photo];

        (void)snprintf(out->file, sizeof out->file, "%.*s", (int)utf8_prefix(name, strlen(name), sizeof out->file - 1),
                       name);
        if (item->entry == NOTHING)
            status = error_set(err, AIBOX_PARAM, "the archive holds no photo '%.200s'", name);
    }
    store_text_list_free(&photos);
    return status;
}

static enum aibox_status row_task(struct import_plan *plan, const struct item *item, struct import_task *out,
                                  struct aibox_error *err)
{
    enum aibox_status status;

    (void)snprintf(out->file, sizeof out->file, "%s:%u", last_part(plan->table_file), (unsigned)item->line);
    plan->reader.at = item->row - 1;
    plan->reader.line = item->line;
    if (csv_next(&plan->reader, &plan->record, err) != CSV_RECORD)
        return AIBOX_PARAM;
    status = import_person_of_row(&plan->header, &plan->record, &out->person, err);
    return status == AIBOX_OK ? find_row_photo(plan, item, out, err) : status;
}

enum aibox_status import_plan_task(struct import_plan *plan, size_t index, struct import_task *out,
                                   struct aibox_error *err)
{
    const struct item *item = &plan->items[index];

    *out = (struct import_task){.has_entry = item->entry != NOTHING, .entry = item->entry};
    return item->row ? row_task(plan, item, out, err) : photo_task(plan, item, out, err);
}

void import_task_free(struct import_task *task)
{
    import_person_free(&task->person);
}
