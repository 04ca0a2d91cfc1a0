/* From what an import says of a person to the person. */
#include "flow/import_person.h"

#include <stdlib.h>
#include <string.h>

#define EXT_INFO "ext_info"

static enum aibox_status out_of_memory(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

void import_person_free(struct import_person *person)
{
    json_decref(person->info);
    json_decref(person->more);
    store_text_list_free(&person->groups);
    store_text_list_free(&person->permissions);
    *person = (struct import_person){0};
}

static enum aibox_status begin(struct import_person *out, struct aibox_error *err)
{
    *out = (struct import_person){.info = json_object(), .more = json_object()};
    return out->info && out->more ? AIBOX_OK : out_of_memory(err);
}

/* An empty text is not said. */
static enum aibox_status set_text(json_t *object, const char *key, const char *text, struct aibox_error *err)
{
    if (text[0] == '\0')
        return AIBOX_OK;
    if (json_object_set_new(object, key, json_string(text)) != 0)
        return error_set(err, AIBOX_PARAM, "%s: not valid UTF-8", key);
    return AIBOX_OK;
}

static enum aibox_status set_type(struct import_person *out, int type, struct aibox_error *err)
{
    return json_object_set_new(out->info, "type", json_integer(type)) == 0 ? AIBOX_OK : out_of_memory(err);
}

/* ---- from a file name ------------------------------------------------------------------------------------ */

enum aibox_status import_person_of_name(const struct photo_name *name, struct import_person *out,
                                        struct aibox_error *err)
{
    enum aibox_status status = begin(out, err);

    if (status != AIBOX_OK)
        return status;
    _Static_assert(sizeof out->identity_id <= sizeof name->id, "photo_name_parse() bounds it");
    memcpy(out->identity_id, name->id, strnlen(name->id, STORE_MAX_IDENTITY));
    status = set_text(out->info, "name", name->name, err);
    if (status == AIBOX_OK && name->type != 0)
        status = set_type(out, name->type, err);
    if (status == AIBOX_OK)
        status = set_text(out->more, "department", name->department, err);
    if (status == AIBOX_OK)
        status = set_text(out->more, "visit_card_number", name->card, err);
    if (status == AIBOX_OK)
        status = set_text(out->more, "descriptor", name->description, err);
    return status;
}

/* ---- from a row ------------------------------------------------------------------------------------------ */

static bool append(struct store_text_list *list, const char *text, size_t size)
{
    char **items = realloc(list->items, (list->count + 1) * sizeof *items);

    if (!items)
        return false;
    list->items = items;
    items[list->count] = strndup(text, size);
    return items[list->count] && ++list->count;
}

static enum aibox_status read_json_list(const char *cell, struct store_text_list *out, struct aibox_error *err)
{
    json_t *list = json_loads(cell, JSON_REJECT_DUPLICATES, NULL);
    enum aibox_status status = AIBOX_OK;
    const json_t *item;
    size_t i;

    if (!json_is_array(list))
        status = error_set(err, AIBOX_PARAM, "not a JSON list");
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item))
            status = error_set(err, AIBOX_PARAM, "not a JSON list of texts");
        else if (!append(out, json_string_value(item), json_string_length(item)))
            status = out_of_memory(err);
        if (status != AIBOX_OK)
            break;
    }
    json_decref(list);
    return status;
}

enum aibox_status import_list_read(const char *cell, const char *separators, struct store_text_list *out,
                                   struct aibox_error *err)
{
    if (cell[0] == '[')
        return read_json_list(cell, out, err);
    while (*cell != '\0') {
        const char *stop = cell + strcspn(cell, separators);
        const char *next = stop + (*stop != '\0');

        while (cell < stop && *cell == ' ')
            cell++;
        while (stop > cell && stop[-1] == ' ')
            stop--;
        if (stop > cell && !append(out, cell, (size_t)(stop - cell)))
            return out_of_memory(err);
        cell = next;
    }
    return AIBOX_OK;
}

static enum aibox_status read_info(const char *cell, struct import_person *out, struct aibox_error *err)
{
    json_t *info, *more;

    if (cell[0] == '\0')
        return AIBOX_OK;
    info = json_loads(cell, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(info)) {
        json_decref(info);
        return error_set(err, AIBOX_PARAM, "info: not a JSON object");
    }
    json_decref(out->info);
    out->info = info;
    /* What columns say of ext_info comes on top. */
    more = json_object_get(info, EXT_INFO);
    if (json_is_object(more) && json_object_update(out->more, more) != 0)
        return out_of_memory(err);
    return AIBOX_OK;
}

static enum aibox_status read_columns(const struct import_header *header, const struct csv_record *record,
                                      struct import_person *out, struct aibox_error *err)
{
    static const struct {
        enum import_column column;
        const char *key;
    } texts[] = {
        {IMPORT_DEPARTMENT, "department"}, {IMPORT_CARD, "visit_card_number"}, {IMPORT_DESCRIPTION, "descriptor"}};
    enum aibox_status status = AIBOX_OK;
    const char *type = import_cell(header, record, IMPORT_TYPE);

    if (type[0] != '\0' && (type[0] < '1' || type[0] > '5' || type[1] != '\0'))
        return error_set(err, AIBOX_PARAM, "type: a number from 1 to 5 is expected");
    if (type[0] != '\0')
        status = set_type(out, type[0] - '0', err);
    if (status == AIBOX_OK)
        status = set_text(out->info, "name", import_cell(header, record, IMPORT_NAME), err);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && status == AIBOX_OK; i++)
        status = set_text(out->more, texts[i].key, import_cell(header, record, texts[i].column), err);
    for (size_t i = 0; i < header->count && i < record->count && status == AIBOX_OK; i++)
        if (header->more[i])
            status = set_text(out->more, header->more[i], record->cells[i], err);
    return status;
}

static enum aibox_status read_lists(const struct import_header *header, const struct csv_record *record,
                                    struct import_person *out, struct aibox_error *err)
{
    enum aibox_status status = import_list_read(import_cell(header, record, IMPORT_GROUPS), ",;", &out->groups, err);

    if (status != AIBOX_OK) {
        error_prefix(err, "group_name");
        return status;
    }
    status = import_list_read(import_cell(header, record, IMPORT_PERMISSIONS), ",;", &out->permissions, err);
    if (status != AIBOX_OK)
        error_prefix(err, "permission_ids");
    return status;
}

enum aibox_status import_person_of_row(const struct import_header *header, const struct csv_record *record,
                                       struct import_person *out, struct aibox_error *err)
{
    const char *id = import_cell(header, record, IMPORT_IDENTITY_ID);
    enum aibox_status status = begin(out, err);

    if (status != AIBOX_OK)
        return status;
    if (id[0] == '\0')
        return error_set(err, AIBOX_PARAM, "identity_id: required, and missing");
    if (strlen(id) > STORE_MAX_IDENTITY)
        return error_set(err, AIBOX_PARAM, "identity_id: longer than %d bytes", STORE_MAX_IDENTITY);
    memcpy(out->identity_id, id, strlen(id));
    status = read_info(import_cell(header, record, IMPORT_INFO), out, err);
    if (status == AIBOX_OK)
        status = read_columns(header, record, out, err);
    if (status == AIBOX_OK)
        status = read_lists(header, record, out, err);
    return status;
}

/* ---- enrolling ------------------------------------------------------------------------------------------- */

/* The info to be stored: ext_info is brought up to date key by key, as info itself is. */
static char *print_info(const struct import_person *person, const struct store_person *stored)
{
    json_t *info = json_copy(person->info);
    json_t *old = stored->info ? json_loads(stored->info, 0, NULL) : NULL;
    json_t *more = json_object(), *kept = json_object_get(old, EXT_INFO);
    char *text = NULL;

    if (info && more && (!json_is_object(kept) || json_object_update(more, kept) == 0) &&
        json_object_update(more, person->more) == 0 &&
        (json_object_size(person->more) == 0 || json_object_set(info, EXT_INFO, more) == 0))
        text = json_dumps(info, JSON_COMPACT);
    json_decref(more);
    json_decref(old);
    json_decref(info);
    return text;
}

/* Somebody else may make the same group at the same moment. */
static enum aibox_status make_group(struct store *store, const char *name, struct aibox_error *err)
{
    struct store_label label = {0};
    enum aibox_status status = store_label_get(store, STORE_GROUP, name, &label, err);

    store_label_free(&label);
    if (status != AIBOX_NOT_FOUND)
        return status;
    status = store_label_create(store, STORE_GROUP, NULL, name, "", NULL, NULL, err);
    if (status == AIBOX_GROUP_NAME && store_label_get(store, STORE_GROUP, name, &label, NULL) == AIBOX_OK)
        status = AIBOX_OK;
    store_label_free(&label);
    return status;
}

static bool has_photo(struct store *store, const struct store_person *person, const uint8_t *photo, size_t size)
{
    bool found = false;

    for (size_t i = 0; i < person->n_faces && !found; i++) {
        uint8_t *bytes = NULL;
        size_t have = 0;

        if (person->faces[i].image_id[0] != '\0' &&
            store_picture_get(store, person->faces[i].image_id, &bytes, &have, NULL) == AIBOX_OK)
            found = have == size && memcmp(bytes, photo, size) == 0;
        free(bytes);
    }
    return found;
}

static void fill_change(const struct import_request *request, const struct import_person *person,
                        struct store_person_change *change)
{
    change->identity_id = person->identity_id;
    change->groups = (const char *const *)person->groups.items;
    change->n_groups = person->groups.count;
    if (person->groups.count == 0) {
        change->groups = request->options.groups;
        change->n_groups = request->options.n_groups;
    }
    change->permissions = (const char *const *)person->permissions.items;
    change->n_permissions = person->permissions.count;
    change->permissions_set = person->permissions.count > 0;
    change->permissions_create = request->options.create_permissions;
    change->faces_mode = STORE_FACES_ADD;
}

/* How a person is to be saved who may be there already. */
static enum aibox_status choose_mode(const struct import_request *request, const struct import_person *person,
                                     bool exists, const struct store_person *stored, enum store_person_mode *mode,
                                     struct aibox_error *err)
{
    bool was_there = exists && stored->created_ms < request->since_ms;

    if (was_there && !request->options.ignore_exist)
        return error_set(err, AIBOX_IDENTITY_EXISTS, "identity_id: '%s' exists already", person->identity_id);
    *mode = request->options.ignore_exist ? STORE_UPSERT : exists ? STORE_UPDATE : STORE_CREATE;
    return AIBOX_OK;
}

static enum aibox_status save(const struct import_request *request, const struct import_person *person,
                              const struct store_person *stored, struct flow_enrolment *enrolment, bool *created,
                              struct aibox_error *err)
{
    struct store_person_change *change = &enrolment->change;
    struct store_person saved = {0};
    enum aibox_status status = AIBOX_OK;
    char *info = print_info(person, stored);

    if (!info)
        return out_of_memory(err);
    change->info = info;
    for (size_t i = 0; i < change->n_groups && request->options.create_groups && status == AIBOX_OK; i++)
        status = make_group(request->store, change->groups[i], err);
    if (status == AIBOX_OK)
        status = flow_enrol(request->flow, FLOW_BULK, enrolment, &saved, created, NULL, err);
    store_person_free(&saved);
    free(info);
    return status;
}

enum aibox_status import_person_enrol(const struct import_request *request, const struct import_person *person,
                                      const uint8_t *photo, size_t photo_size, enum import_outcome *outcome,
                                      struct flow_duplicate *duplicate, struct aibox_error *err)
{
    struct flow_enrolment enrolment = {
        .level = request->options.level, .refuse_duplicate = request->options.refuse_duplicate, .duplicate = duplicate};
    struct store_person stored = {0};
    bool created = false, exists, known_photo;
    enum aibox_status status = store_person_get(request->store, person->identity_id, &stored, err);

    *outcome = IMPORT_FAILED;
    *duplicate = (struct flow_duplicate){0};
    if (status != AIBOX_OK && status != AIBOX_ID_NOT_FOUND)
        return status;
    exists = status == AIBOX_OK;
    fill_change(request, person, &enrolment.change);
    status = choose_mode(request, person, exists, &stored, &enrolment.change.mode, err);
    known_photo = status == AIBOX_OK && exists && photo && has_photo(request->store, &stored, photo, photo_size);
    if (photo && !known_photo) {
        enrolment.photo = photo;
        enrolment.photo_size = photo_size;
    }
    if (status == AIBOX_OK)
        status = save(request, person, &stored, &enrolment, &created, err);
    if (status == AIBOX_OK)
        *outcome = created ? IMPORT_CREATED : known_photo ? IMPORT_UNCHANGED : IMPORT_UPDATED;
    store_person_free(&stored);
    return status;
}
