#include "flow/import_labels.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "store/store.h"

#define MAX_FILE ((size_t)16 << 20) /* bytes */

static const char *const lists[] = {[STORE_GROUP] = "groups", [STORE_PERMISSION] = "permissions"};

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* Those that can't be made are no reason to stop: people who need them fail, with the reason. */
static void create_one(struct store *store, enum store_label_kind kind, const json_t *label)
{
    const char *name = json_string_value(json_object_get(label, "name"));
    const char *description = json_string_value(json_object_get(label, "description"));
    const char *id = json_string_value(json_object_get(label, "id"));
    char *info = json_dumps(json_object_get(label, "info"), JSON_COMPACT);
    struct aibox_error err = {0};

    if (name && store_label_create(store, kind, kind == STORE_PERMISSION ? id : NULL, name,
                                   description ? description : "", info, NULL, &err) != AIBOX_OK)
        log_debug("import", "a label is not made kind=%s reason=\"%s\"", lists[kind], err.message);
    free(info);
}

static void create_all(struct store *store, enum store_label_kind kind, const json_t *file)
{
    const json_t *list = json_object_get(file, lists[kind]);

    for (size_t i = 0; i < json_array_size(list) && i < STORE_MAX_LABELS; i++)
        create_one(store, kind, json_array_get(list, i));
}

static bool find(const struct import_archive *archive, size_t *out)
{
    for (size_t i = 0; i < import_archive_count(archive); i++)
        if (strcmp(import_archive_name(archive, i), IMPORT_LABELS) == 0) {
            *out = i;
            return true;
        }
    return false;
}

enum aibox_status import_labels_create(struct import_archive *archive, struct store *store,
                                       const struct import_options *options, struct aibox_error *err)
{
    uint8_t *bytes = NULL;
    json_t *file = NULL;
    size_t size, index;
    enum aibox_status status;

    if (!(options->create_groups || options->create_permissions) || !find(archive, &index))
        return AIBOX_OK;
    status = import_archive_read(archive, index, MAX_FILE, &bytes, &size, err);
    if (status == AIBOX_OK && !(file = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL)))
        status = error_set(err, AIBOX_PARAM, "it is not JSON");
    if (status == AIBOX_OK && options->create_groups)
        create_all(store, STORE_GROUP, file);
    if (status == AIBOX_OK && options->create_permissions)
        create_all(store, STORE_PERMISSION, file);
    json_decref(file);
    free(bytes);
    if (status != AIBOX_OK)
        error_prefix(err, IMPORT_LABELS);
    return status == AIBOX_IMAGE_TOO_LARGE ? AIBOX_PARAM : status;
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

static json_t *print_list(const struct store_label_list *labels, const char *only)
{
    json_t *list = json_array();

    for (size_t i = 0; i < labels->count; i++) {
        const struct store_label *label = &labels->items[i];
        json_t *info;

        if (only && strcmp(label->name, only) != 0)
            continue;
        info = json_loads(label->info, 0, NULL);
        if (json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o*}", "id", label->id, "name", label->name,
                                                  "description", label->description, "info", info)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

enum aibox_status import_labels_print(struct store *store, const char *group, char **out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    json_t *file = json_object();

    *out = NULL;
    for (int kind = STORE_GROUP; kind <= STORE_PERMISSION && status == AIBOX_OK; kind++) {
        struct store_label_list labels = {0};

        status = store_label_list(store, (enum store_label_kind)kind, 0, 0, &labels, err);
        if (status == AIBOX_OK &&
            json_object_set_new(file, lists[kind], print_list(&labels, kind == STORE_GROUP ? group : NULL)) != 0)
            status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        store_label_list_free(&labels);
    }
    if (status == AIBOX_OK && !(*out = json_dumps(file, JSON_INDENT(1))))
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    json_decref(file);
    return status;
}
