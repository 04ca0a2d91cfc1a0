#include "flow/export.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/utf8.h"
#include "flow/csv.h"
#include "flow/import_labels.h"
#include "flow/photo_name.h"
#include "flow/zip_out.h"
#include "vision/image.h"

#define PAGE     100 /* people read at a time */
#define ROW_MAX  ((size_t)1 << 20)
#define CELL_MAX ((size_t)256 << 10)
#define TABLE    "people.csv"

struct export
{
    const struct export_request *request;
    struct zip_out zip;
    struct spool table; /* people.csv, until all photos are written */
    uint32_t table_crc;
    struct buffer row;
    char *last; /* id of the last person written; NULL: nobody yet */
};

/* ---- the table ---------------------------------------------------------------------------------------------- */

static enum aibox_status add_row(struct export *export, const char *const *cells, size_t n, struct aibox_error *err)
{
    buffer_clear(&export->row);
    csv_add_line(&export->row, cells, n);
    if (export->row.failed)
        return error_set(err, AIBOX_PROCESS_FAILED, "a person is too long for a row, or memory ran out");
    export->table_crc = zip_out_crc(export->table_crc, export->row.data, export->row.size);
    return spool_add(&export->table, export->row.data, export->row.size, err);
}

static bool needs_json(const struct store_text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i][0] == '[' || list->items[i][0] == ' ' || strpbrk(list->items[i], ",;") != NULL ||
            list->items[i][strlen(list->items[i]) - 1] == ' ')
            return true;
    return false;
}

/* Joined by ','; a JSON list where that would not be read back. */
static void print_list(struct buffer *out, const struct store_text_list *list)
{
    if (!needs_json(list)) {
        for (size_t i = 0; i < list->count; i++)
            (void)buffer_appendf(out, "%s%s", i > 0 ? "," : "", list->items[i]);
        return;
    }
    json_t *json = json_array();
    for (size_t i = 0; i < list->count; i++)
        (void)json_array_append_new(json, json_string(list->items[i]));
    char *text = json_dumps(json, JSON_COMPACT);
    if (text == NULL || json_array_size(json) != list->count || !buffer_append_text(out, text))
        out->failed = true;
    free(text);
    json_decref(json);
}

/* A text of info.ext_info; "" for anything else. */
static const char *text_of(const json_t *info, const char *key)
{
    const char *text = json_string_value(json_object_get(json_object_get(info, "ext_info"), key));
    return text != NULL ? text : "";
}

static enum aibox_status add_person_row(struct export *export, const struct store_person *person, const json_t *info,
                                        const char *photos, struct aibox_error *err)
{
    struct buffer groups, permissions;
    char type[16];
    enum aibox_status status;

    buffer_init(&groups, CELL_MAX);
    buffer_init(&permissions, CELL_MAX);
    print_list(&groups, &person->group_names);
    print_list(&permissions, &person->permission_ids);
    (void)snprintf(type, sizeof type, "%d", person->type);
    const char *const cells[] = {person->identity_id,
                                 person->name,
                                 type,
                                 (const char *)groups.data,
                                 (const char *)permissions.data,
                                 text_of(info, "department"),
                                 text_of(info, "visit_card_number"),
                                 text_of(info, "descriptor"),
                                 photos,
                                 person->info};
    if (groups.failed || permissions.failed)
        status = error_set(err, AIBOX_PROCESS_FAILED, "a person is in too many groups, or memory ran out");
    else
        status = add_row(export, cells, sizeof cells / sizeof cells[0], err);
    buffer_free(&groups);
    buffer_free(&permissions);
    return status;
}

/* ---- photos --------------------------------------------------------------------------------------------------- */

static const char *extension_of(const uint8_t *photo, size_t size)
{
    switch (image_sniff(photo, size)) {
    case IMAGE_PNG:
        return ".png";
    case IMAGE_WEBP:
        return ".webp";
    case IMAGE_JPEG:
    case IMAGE_UNKNOWN:
    case IMAGE_UNSUPPORTED:
        break;
    }
    return ".jpg";
}

static void copy(char out[PHOTO_NAME_MAX], const char *text)
{
    size_t size = utf8_prefix(text, strlen(text), PHOTO_NAME_MAX - 1);
    memcpy(out, text, size);
    out[size] = '\0';
}

static void name_photos(const struct store_person *person, const json_t *info, struct photo_name *out)
{
    *out = (struct photo_name){.type = person->type, .number = 1};
    copy(out->id, person->identity_id);
    copy(out->name, person->name);
    copy(out->department, text_of(info, "department"));
    copy(out->card, text_of(info, "visit_card_number"));
    copy(out->description, text_of(info, "descriptor"));
}

/* Adds the photo of a face and its name to `names`. One that has gone meanwhile is left out. */
static enum aibox_status add_photo(struct export *export, const char *image_id, struct photo_name *name,
                                   struct buffer *names, struct aibox_error *err)
{
    char file_name[PHOTO_NAME_MAX];
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum aibox_status status = store_picture_get(export->request->store, image_id, &bytes, &size, err);

    if (status == AIBOX_ID_NOT_FOUND)
        return AIBOX_OK;
    if (status != AIBOX_OK)
        return status;
    (void)photo_name_build(name, extension_of(bytes, size), file_name);
    (void)buffer_appendf(names, "%s%s", names->size > 0 ? ";" : "", file_name);
    name->number++;
    status = zip_out_add(&export->zip, file_name, bytes, size, err);
    free(bytes);
    return status;
}

static enum aibox_status add_person(struct export *export, const struct store_person *person, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    json_t *info = json_loads(person->info, 0, NULL);
    struct photo_name name;
    struct buffer names;

    buffer_init(&names, CELL_MAX);
    name_photos(person, info, &name);
    for (size_t i = 0; i < person->n_faces && status == AIBOX_OK; i++)
        if (person->faces[i].image_id[0] != '\0')
            status = add_photo(export, person->faces[i].image_id, &name, &names, err);
    if (status == AIBOX_OK && names.failed)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (status == AIBOX_OK)
        status = add_person_row(export, person, info, (const char *)names.data, err);
    buffer_free(&names);
    json_decref(info);
    return status;
}

/* ---- walking --------------------------------------------------------------------------------------------------- */

/* Those of a page that come after the last one written. */
static enum aibox_status add_page(struct export *export, const struct store_person_list *page, size_t *added,
                                  struct aibox_error *err)
{
    *added = 0;
    for (size_t i = 0; i < page->count; i++) {
        const char *id = page->items[i].identity_id;
        enum aibox_status status;

        if (export->last != NULL && strcmp(id, export->last) <= 0)
            continue;
        status = add_person(export, &page->items[i], err);
        if (status != AIBOX_OK)
            return status;
        free(export->last);
        export->last = strdup(id);
        if (export->last == NULL)
            return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        ++*added;
    }
    return AIBOX_OK;
}

/* Whether somebody could be between the last one written and a page: when people were deleted meanwhile, the rest has
 * moved up. */
static bool leaves_gap(const struct export *export, size_t skip, const struct store_person_list *page)
{
    if (skip == 0)
        return false;
    return page->count == 0 || (export->last != NULL && strcmp(page->items[0].identity_id, export->last) > 0);
}

static enum aibox_status walk(struct export *export, struct aibox_error *err)
{
    struct store_person_query query = {.group = export->request->group, .limit = PAGE};
    enum aibox_status status = AIBOX_OK;

    for (bool more = true; more && status == AIBOX_OK;) {
        struct store_person_list page = {0};
        size_t added = 0;

        status = store_person_list(export->request->store, &query, &page, err);
        if (status == AIBOX_OK && leaves_gap(export, query.skip, &page)) {
            query.skip -= query.skip < PAGE ? query.skip : PAGE;
        } else if (status == AIBOX_OK) {
            status = add_page(export, &page, &added, err);
            more = query.skip + page.count < page.total;
            /* The last one is read again, to see the gap. */
            query.skip += page.count > 1 ? page.count - 1 : page.count;
        }
        store_person_list_free(&page);
    }
    return status;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static enum aibox_status add_labels(struct export *export, struct aibox_error *err)
{
    char *text = NULL;
    enum aibox_status status = import_labels_print(export->request->store, export->request->group, &text, err);

    if (status == AIBOX_OK)
        status = zip_out_add(&export->zip, IMPORT_LABELS, text, strlen(text), err);
    free(text);
    return status;
}

static enum aibox_status write_archive(struct export *export, struct aibox_error *err)
{
    static const char *const heading[] = {"identity_id", "name", "type",        "group_name", "permission_ids",
                                          "department",  "card", "description", "photo",      "info"};
    enum aibox_status status = add_row(export, heading, sizeof heading / sizeof heading[0], err);

    if (status == AIBOX_OK)
        status = add_labels(export, err);
    if (status == AIBOX_OK)
        status = walk(export, err);
    if (status == AIBOX_OK)
        status = zip_out_add_spool(&export->zip, TABLE, &export->table, export->table_crc, err);
    return status == AIBOX_OK ? zip_out_finish(&export->zip, err) : status;
}

enum aibox_status export_people(const struct export_request *request, struct aibox_error *err)
{
    struct export export = {.request = request};
    enum aibox_status status = zip_out_open(&export.zip, request->folder, request->write, request->ctx, err);

    buffer_init(&export.row, ROW_MAX);
    if (status == AIBOX_OK)
        status = spool_open(request->folder, &export.table, err);
    if (status == AIBOX_OK)
        status = write_archive(&export, err);
    free(export.last);
    buffer_free(&export.row);
    spool_close(&export.table);
    zip_out_close(&export.zip);
    return status;
}
