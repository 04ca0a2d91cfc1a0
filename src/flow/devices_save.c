/*
 * Creating and changing devices. In this order, each for all of them before the next begins: fields, the devices
 * meant, what only the whole tells, groups and permission groups, uniqueness, ep_id, FTP accounts, the store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "flow/device_dict.h"
#include "flow/devices_internal.h"
#include "flow/ftp_account.h"

struct save {
    struct devices *devices;
    struct draft *drafts;
    size_t n;
    bool create, reset_ftp_password;
    const struct device_node **untouched; /* the devices that stay as they are */
    size_t n_untouched;
    struct aibox_error *err;
};

static enum aibox_status out_of_memory(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

static const char *id_of(const struct draft *draft)
{
    return json_string_value(json_object_get(draft->doc, "device_id"));
}

/* ---- the document -------------------------------------------------------------------------------------------- */

static struct device_node *find(struct devices *devices, const char *device_id)
{
    for (size_t i = 0; i < devices->count; i++)
        if (strcmp(devices->nodes[i]->device.device_id, device_id) == 0)
            return devices->nodes[i];
    return NULL;
}

static enum aibox_status give_id(struct save *save, struct draft *draft)
{
    char uuid[ID_UUID_SIZE];
    if (id_of(draft) != NULL)
        return AIBOX_OK;
    if (!save->create)
        return error_set(save->err, AIBOX_PARAM, "%s.device_id: required", draft->path);
    id_uuid(uuid);
    return json_object_set_new(draft->doc, "device_id", json_string(uuid)) == 0 ? AIBOX_OK : out_of_memory(save->err);
}

/* The fields given replace those of the device that is meant. */
static enum aibox_status merge(struct save *save, struct draft *draft)
{
    if (save->create)
        return AIBOX_OK;
    draft->old = find(save->devices, id_of(draft));
    if (draft->old == NULL)
        return error_set(save->err, AIBOX_NOT_FOUND, "%s.device_id: no device has the id '%s'", draft->path,
                         id_of(draft));
    json_t *whole = json_deep_copy(draft->old->doc);
    if (whole == NULL || json_object_update(whole, draft->doc) != 0) {
        json_decref(whole);
        return out_of_memory(save->err);
    }
    json_decref(draft->doc);
    draft->doc = whole;
    return AIBOX_OK;
}

static enum aibox_status read_all(struct save *save, const json_t *dicts, const char *field)
{
    bool single = !json_is_array(dicts);
    enum aibox_status status = AIBOX_OK;
    for (size_t i = 0; i < save->n && status == AIBOX_OK; i++) {
        struct draft *draft = &save->drafts[i];
        if (single)
            snprintf(draft->path, sizeof draft->path, "%s", field);
        else
            snprintf(draft->path, sizeof draft->path, "%s[%zu]", field, i);
        draft->doc = json_object();
        status = draft->doc == NULL
                     ? out_of_memory(save->err)
                     : device_dict_read(single ? dicts : json_array_get(dicts, i), draft->path, draft->doc, save->err);
        if (status == AIBOX_OK)
            status = give_id(save, draft);
    }
    for (size_t i = 0; i < save->n && status == AIBOX_OK; i++)
        status = merge(save, &save->drafts[i]);
    for (size_t i = 0; i < save->n && status == AIBOX_OK; i++) {
        struct draft *draft = &save->drafts[i];
        status = device_dict_check(draft->doc, draft->old == NULL ? NULL : draft->old->doc, draft->path, save->err);
    }
    for (size_t i = 0; i < save->n && status == AIBOX_OK; i++) {
        struct draft *draft = &save->drafts[i];
        status = device_dict_resolve(draft->doc, draft->old == NULL ? NULL : draft->old->doc, draft->path,
                                     save->devices->store, save->err);
    }
    return status;
}

/* ---- FTP account --------------------------------------------------------------------------------------------- */

static enum aibox_status make_account(struct save *save, struct draft *draft)
{
    bool camera = json_integer_value(json_object_get(draft->doc, "ep_type")) == DEVICE_CAPTURE_CAMERA;
    bool has = json_object_get(draft->doc, "ftp_user") != NULL;
    char user[FTP_USER_SIZE], hash[FTP_HASH_SIZE];
    if (!camera) {
        (void)json_object_del(draft->doc, "ftp_user");
        (void)json_object_del(draft->doc, "ftp_hash");
        return AIBOX_OK;
    }
    if (has && !save->reset_ftp_password)
        return AIBOX_OK;
    _Static_assert(sizeof draft->ftp_password == FTP_PASSWORD_SIZE, "a password fits");
    ftp_user_make(user);
    ftp_password_make(draft->ftp_password);
    enum aibox_status status = ftp_password_hash(draft->ftp_password, hash, save->err);
    if (status != AIBOX_OK)
        return status;
    if ((!has && json_object_set_new(draft->doc, "ftp_user", json_string(user)) != 0) ||
        json_object_set_new(draft->doc, "ftp_hash", json_string(hash)) != 0)
        return out_of_memory(save->err);
    return AIBOX_OK;
}

static enum aibox_status make_nodes(struct save *save)
{
    for (size_t i = 0; i < save->n; i++) {
        struct draft *draft = &save->drafts[i];
        enum aibox_status status = make_account(save, draft);
        if (status != AIBOX_OK)
            return status;
        draft->node = device_node_new(draft->doc, draft->old == NULL ? NULL : draft->old->live,
                                      draft->old == NULL ? 0 : draft->old->device.created_ms);
        if (draft->node == NULL)
            return out_of_memory(save->err);
    }
    return AIBOX_OK;
}

/* ---- uniqueness ------------------------------------------------------------------------------------------------ */

static enum aibox_status find_untouched(struct save *save)
{
    struct devices *devices = save->devices;
    save->untouched = calloc(devices->count + 1, sizeof *save->untouched);
    if (save->untouched == NULL)
        return out_of_memory(save->err);
    for (size_t i = 0; i < devices->count; i++) {
        bool replaced = false;
        for (size_t j = 0; j < save->n && !replaced; j++)
            replaced = save->drafts[j].old == devices->nodes[i];
        if (!replaced)
            save->untouched[save->n_untouched++] = devices->nodes[i];
    }
    return AIBOX_OK;
}

/*
 * Calls `same` for every device that there is beside drafts[at] when the change is done; of the drafts those before it,
 * and the later ones that `settled` lets through. True: one of them is the same.
 */
static bool any_other(const struct save *save, size_t at, bool (*settled)(const struct draft *draft),
                      bool (*same)(const struct device *other, const void *what), const void *what)
{
    for (size_t i = 0; i < save->n_untouched; i++)
        if (same(&save->untouched[i]->device, what))
            return true;
    for (size_t i = 0; i < save->n; i++)
        if ((i < at || (i > at && settled(&save->drafts[i]))) && same(&save->drafts[i].node->device, what))
            return true;
    return false;
}

static bool never(const struct draft *draft)
{
    (void)draft;
    return false;
}

static bool same_id(const struct device *other, const void *what)
{
    return strcmp(other->device_id, what) == 0;
}

static bool same_key(const struct device *other, const void *what)
{
    return strcmp(other->key_public, what) == 0;
}

static enum aibox_status check_unique(const struct save *save)
{
    for (size_t i = 0; i < save->n; i++) {
        const struct draft *draft = &save->drafts[i];
        const struct device *device = &draft->node->device;
        if (any_other(save, i, never, same_id, device->device_id))
            return error_set(save->err, save->create ? AIBOX_GROUP_NAME : AIBOX_PARAM, "%s.device_id: '%s' is %s",
                             draft->path, device->device_id, save->create ? "taken" : "given twice");
        if (any_other(save, i, never, same_key, device->key_public))
            return error_set(save->err, AIBOX_GROUP_NAME, "%s.device_key: another device has '%s'", draft->path,
                             device->key_public);
    }
    return AIBOX_OK;
}

/* ---- ep_id ------------------------------------------------------------------------------------------------------- */

/* An ep_id stays as long as the device's key does, whatever devices come and go: events and platforms know it by it. */
static bool keeps_ep_name(const struct draft *draft)
{
    return draft->old != NULL && strcmp(draft->old->device.key_public, draft->node->device.key_public) == 0;
}

static bool same_address(const struct device *other, const void *what)
{
    return strcmp(other->ip, what) == 0;
}

static bool same_ep_name(const struct device *other, const void *what)
{
    return strcmp(other->ep_name, what) == 0;
}

static enum aibox_status give_ep_names(struct save *save)
{
    char name[DEVICE_EP_ID_SIZE];
    for (size_t i = 0; i < save->n; i++) {
        struct device_node *node = save->drafts[i].node;
        const struct device *device = &node->device;
        if (keeps_ep_name(&save->drafts[i]))
            continue;
        snprintf(name, sizeof name, "%s", device->ip);
        if (any_other(save, i, keeps_ep_name, same_address, name))
            snprintf(name, sizeof name, "%s", device->key_public);
        /* A terminal's key is its address: a stream of the same host may have that already. */
        if (any_other(save, i, keeps_ep_name, same_ep_name, name))
            snprintf(name, sizeof name, "%s__%s", device->key_public, device->device_id);
        if (!device_node_set_ep_name(node, name))
            return out_of_memory(save->err);
    }
    return AIBOX_OK;
}

/* ---- the store --------------------------------------------------------------------------------------------------- */

static const struct device *draft_at(const void *list, size_t i)
{
    return &((const struct draft *)list)[i].node->device;
}

static enum aibox_status store_all(struct save *save)
{
    struct device_messages messages = {0};
    enum aibox_status status = AIBOX_OK;
    if (save->create)
        status =
            device_messages_make(save->devices, DEVICE_ADDED, draft_at, save->drafts, save->n, &messages, save->err);
    if (status != AIBOX_OK)
        return status;
    struct store_device *rows = calloc(save->n, sizeof *rows);
    char **docs = calloc(save->n, sizeof *docs);
    if (rows == NULL || docs == NULL)
        status = out_of_memory(save->err);
    for (size_t i = 0; i < save->n && status == AIBOX_OK; i++) {
        const struct device *device = &save->drafts[i].node->device;
        docs[i] = json_dumps(save->drafts[i].doc, JSON_COMPACT);
        rows[i] =
            (struct store_device){.device_id = device->device_id, .device_key = device->key_public, .doc = docs[i]};
        if (docs[i] == NULL)
            status = out_of_memory(save->err);
    }
    if (status == AIBOX_OK)
        status = store_devices_save(save->devices->store, save->create, rows, save->n, &messages.list, save->err);
    device_messages_free(&messages);
    for (size_t i = 0; i < save->n && docs != NULL; i++)
        free(docs[i]);
    for (size_t i = 0; i < save->n && status == AIBOX_OK; i++)
        save->drafts[i].node->device.created_ms = rows[i].created_ms;
    free(docs);
    free(rows);
    return status;
}

void drafts_free(struct draft *drafts, size_t n)
{
    for (size_t i = 0; i < n && drafts != NULL; i++) {
        json_decref(drafts[i].doc);
        if (drafts[i].node != NULL)
            device_release(&drafts[i].node->device);
    }
    free(drafts);
}

enum aibox_status drafts_save(struct devices *devices, const json_t *dicts, const char *field, bool create,
                              bool reset_ftp_password, struct draft **drafts, size_t *n, struct aibox_error *err)
{
    struct save save = {.devices = devices,
                        .n = json_is_array(dicts) ? json_array_size(dicts) : 1,
                        .create = create,
                        .reset_ftp_password = reset_ftp_password,
                        .err = err};
    *drafts = NULL;
    *n = 0;
    if (save.n == 0)
        return error_set(err, AIBOX_PARAM, "%s: expected at least one device", field);
    if (save.n > STORE_MAX_DEVICES)
        return error_set(err, AIBOX_PARAM, "%s: expected at most %d devices", field, STORE_MAX_DEVICES);
    save.drafts = calloc(save.n, sizeof *save.drafts);
    if (save.drafts == NULL)
        return out_of_memory(err);
    enum aibox_status status = read_all(&save, dicts, field);
    if (status == AIBOX_OK)
        status = make_nodes(&save);
    if (status == AIBOX_OK)
        status = find_untouched(&save);
    if (status == AIBOX_OK)
        status = check_unique(&save);
    if (status == AIBOX_OK)
        status = give_ep_names(&save);
    if (status == AIBOX_OK)
        status = store_all(&save);
    free(save.untouched);
    if (status != AIBOX_OK) {
        drafts_free(save.drafts, save.n);
        return status;
    }
    *drafts = save.drafts;
    *n = save.n;
    return AIBOX_OK;
}
