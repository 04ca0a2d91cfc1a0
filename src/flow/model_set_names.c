#include "flow/model_set_names.h"

#include <dirent.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DOCUMENT "model_set"

bool model_set_folder(const char *models_dir, const char *name, char *out, size_t size)
{
    bool is_shipped = strcmp(name, MODEL_SET_SHIPPED) == 0;
    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL || strlen(name) >= MODEL_SET_NAME)
        return false;
    int length = snprintf(out, size, "%s%s%s", models_dir, is_shipped ? "" : "/", is_shipped ? "" : name);
    return length > 0 && (size_t)length < size;
}

/* ---- what is remembered --------------------------------------------------------------------------------------- */

static void copy_text(const json_t *object, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    (void)snprintf(out, size, "%s", text ? text : "");
}

enum aibox_status model_set_names_read(struct store *store, struct model_set_names *out, bool *known,
                                       struct aibox_error *err)
{
    char *text = NULL;
    *out = (struct model_set_names){0};
    enum aibox_status status = store_document_get(store, DOCUMENT, &text, err);
    json_t *object = text ? json_loads(text, 0, NULL) : NULL;
    *known = object != NULL;
    copy_text(object, "active", out->active, sizeof out->active);
    copy_text(object, "wanted", out->wanted, sizeof out->wanted);
    copy_text(object, "previous", out->previous, sizeof out->previous);
    copy_text(object, "previous_id", out->previous_id, sizeof out->previous_id);
    out->paused = json_is_true(json_object_get(object, "paused"));
    out->switch_when_ready = json_is_true(json_object_get(object, "switch_when_ready"));
    out->allow_missing = json_is_true(json_object_get(object, "allow_missing"));
    out->switched_ms = json_integer_value(json_object_get(object, "switched_ms"));
    if (out->active[0] == '\0')
        memcpy(out->active, MODEL_SET_SHIPPED, sizeof MODEL_SET_SHIPPED);
    json_decref(object);
    free(text);
    return status;
}

enum aibox_status model_set_names_write(struct store *store, const struct model_set_names *names,
                                        struct aibox_error *err)
{
    json_t *object = json_pack("{s:s, s:s, s:b, s:b, s:b, s:s, s:s, s:I}", "active", names->active, "wanted",
                               names->wanted, "paused", names->paused, "switch_when_ready", names->switch_when_ready,
                               "allow_missing", names->allow_missing, "previous", names->previous, "previous_id",
                               names->previous_id, "switched_ms", (json_int_t)names->switched_ms);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    enum aibox_status status =
        text ? store_document_put(store, DOCUMENT, text, err) : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    free(text);
    json_decref(object);
    return status;
}

enum aibox_status model_sets_choose(struct settings *settings, struct store *store, const char *models_dir, char *out,
                                    size_t size, struct aibox_error *err)
{
    char wanted[MODEL_SET_NAME];
    struct model_set_names names;
    bool known;
    enum aibox_status status = model_set_names_read(store, &names, &known, err);
    if (status != AIBOX_OK)
        return status;
    settings_text(settings, "recognition.model_set", wanted, sizeof wanted);
    if (!known && wanted[0] != '\0' && store_person_count(store) == 0)
        memcpy(names.active, wanted, sizeof names.active);
    if (!model_set_folder(models_dir, names.active, out, size))
        return error_set(err, AIBOX_PROCESS_FAILED, "recognition.model_set: the name of a folder is expected");
    return known ? AIBOX_OK : model_set_names_write(store, &names, err);
}

/* ---- the models folder ---------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool has_manifest(const char *models_dir, const char *name)
{
    char folder[PATH_MAX], path[PATH_MAX];
    if (!model_set_folder(models_dir, name, folder, sizeof folder))
        return false;
    int length = snprintf(path, sizeof path, "%s/manifest.json", folder);
    return length > 0 && (size_t)length < sizeof path && access(path, F_OK) == 0;
}

size_t model_set_names_list(const char *models_dir, char names[MODEL_SETS_MAX][MODEL_SET_NAME])
{
    size_t count = 0;
    if (has_manifest(models_dir, MODEL_SET_SHIPPED))
        (void)snprintf(names[count++], MODEL_SET_NAME, "%s", MODEL_SET_SHIPPED);
    size_t first = count;
    DIR *folder = opendir(models_dir);
    const struct dirent *entry;
    while (folder != NULL && count < MODEL_SETS_MAX && (entry = readdir(folder)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (length < MODEL_SET_NAME && strcmp(entry->d_name, MODEL_SET_SHIPPED) != 0 &&
            has_manifest(models_dir, entry->d_name))
            memcpy(names[count++], entry->d_name, length + 1);
    }
    if (folder != NULL)
        (void)closedir(folder);
    qsort(names + first, count - first, MODEL_SET_NAME, compare_names);
    return count;
}
