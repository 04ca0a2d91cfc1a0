/* A device's document as a whole: what only several fields together tell, and the groups that it names. */
#include "flow/device_dict.h"

#include <stdlib.h>
#include <string.h>

#include "flow/device_key.h"
#include "flow/devices.h"

/* ---- the document as a whole ------------------------------------------------------------------------------ */

static bool is_stream(json_int_t type)
{
    return type == DEVICE_IPC_STATIC || type == DEVICE_IPC_DYNAMIC;
}

static bool same_member(const json_t *a, const json_t *b, const char *member)
{
    return json_equal(json_object_get(a, member), json_object_get(b, member));
}

static enum aibox_status set_text(json_t *object, const char *member, const char *text, struct aibox_error *err)
{
    return json_object_set_new(object, member, json_string(text)) == 0
               ? AIBOX_OK
               : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

static enum aibox_status check_key(json_t *doc, const json_t *stored, const char *path, struct aibox_error *err)
{
    const char *key = json_string_value(json_object_get(doc, "device_key"));
    json_int_t type = json_integer_value(json_object_get(doc, "ep_type"));
    struct aibox_error why = {0};
    char address[INET6_ADDRSTRLEN];
    if (!is_stream(type)) {
        if (device_address(key, address))
            return set_text(doc, "device_key", address, err);
        return error_set(err, AIBOX_PARAM, "%s.device_key: expected the IP address of a device with ep_type %d", path,
                         (int)type);
    }
    char *url;
    const char *old = json_string_value(json_object_get(stored, "device_key"));
    enum aibox_status status = device_url_restore(key, old, &url, &why);
    if (status != AIBOX_OK)
        return error_set(err, status, "%s.device_key: %s", path, why.message);
    status = set_text(doc, "device_key", url, err);
    free(url);
    return status;
}

/* A password that came back as it was shown stays, as long as it goes to the same relay. */
static enum aibox_status restore_relay_password(json_t *relay, const json_t *stored, const char *path,
                                                struct aibox_error *err)
{
    const char *password = json_string_value(json_object_get(relay, "password"));
    json_t *old = json_object_get(stored, "password");
    if (password == NULL || strcmp(password, DEVICE_SECRET_SHOWN) != 0)
        return AIBOX_OK;
    if (old == NULL || !same_member(relay, stored, "ip") || !same_member(relay, stored, "net_port"))
        return error_set(err, AIBOX_PARAM,
                         "%s.netRelay.password: %s stands for the stored password of the same relay; give the password",
                         path, DEVICE_SECRET_SHOWN);
    return json_object_set(relay, "password", old) == 0 ? AIBOX_OK
                                                        : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

static enum aibox_status set_default(json_t *object, const char *member, json_int_t value, struct aibox_error *err)
{
    if (json_object_get(object, member) != NULL || json_object_set_new(object, member, json_integer(value)) == 0)
        return AIBOX_OK;
    return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

static json_int_t usual_port(const char *relay_type)
{
    if (relay_type != NULL && strcmp(relay_type, "modbus") == 0)
        return 502;
    return relay_type != NULL && strcmp(relay_type, "http") == 0 ? 80 : 12345;
}

static enum aibox_status check_relay(json_t *doc, const json_t *stored, const char *path, struct aibox_error *err)
{
    json_t *relay = json_object_get(doc, "netRelay");
    const char *ip = json_string_value(json_object_get(relay, "ip"));
    if (relay == NULL)
        return AIBOX_OK;
    if (ip == NULL || ip[0] == '\0') {
        if (ip == NULL && json_object_size(relay) > 0)
            return error_set(err, AIBOX_PARAM, "%s.netRelay.ip: required (an empty netRelay is none)", path);
        json_object_del(doc, "netRelay");
        return AIBOX_OK;
    }
    enum aibox_status status =
        set_default(relay, "net_port", usual_port(json_string_value(json_object_get(relay, "relay_type"))), err);
    if (status == AIBOX_OK)
        status = set_default(relay, "channels", 8, err);
    if (status == AIBOX_OK)
        status = set_default(relay, "door_port", 1, err);
    if (status == AIBOX_OK)
        status = restore_relay_password(relay, json_object_get(stored, "netRelay"), path, err);
    if (status != AIBOX_OK)
        return status;
    json_int_t channels = json_integer_value(json_object_get(relay, "channels"));
    json_int_t door = json_integer_value(json_object_get(relay, "door_port"));
    json_int_t alarm = json_integer_value(json_object_get(relay, "alarm_port"));
    if (door > channels || alarm > channels)
        return error_set(err, AIBOX_PARAM, "%s.netRelay.%s: the relay has %d channels", path,
                         door > channels ? "door_port" : "alarm_port", (int)channels);
    if (alarm != 0 && alarm == door) /* an alarm would open the door to whom it is raised about */
        return error_set(err, AIBOX_PARAM, "%s.netRelay.alarm_port: expected another channel than door_port", path);
    return AIBOX_OK;
}

enum aibox_status device_dict_check(json_t *doc, const json_t *stored, const char *path, struct aibox_error *err)
{
    static const char *const required[] = {"ep_type", "device_key"};
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        if (json_object_get(doc, required[i]) == NULL)
            return error_set(err, AIBOX_PARAM, "%s.%s: required", path, required[i]);
    const char *kind = json_string_value(json_object_get(doc, "device_type"));
    bool stream = is_stream(json_integer_value(json_object_get(doc, "ep_type")));
    if (kind != NULL && same_member(doc, stored, "device_type") && !same_member(doc, stored, "ep_type")) {
        json_object_del(doc, "device_type"); /* it went with the ep_type there was */
        kind = NULL;
    }
    if (kind != NULL && stream != (strcmp(kind, "rtsp") == 0))
        return error_set(err, AIBOX_PARAM, "%s.device_type: expected %s for this ep_type", path,
                         stream ? "rtsp" : "photo or file");
    enum aibox_status status = check_key(doc, stored, path, err);
    return status == AIBOX_OK ? check_relay(doc, stored, path, err) : status;
}

/* ---- groups and permission groups -------------------------------------------------------------------------- */

/* Appends the ids of `names` to `ids`. */
static enum aibox_status look_up(const json_t *names, enum store_label_kind kind, struct store *store, json_t *ids,
                                 struct aibox_error *err)
{
    size_t i;
    const json_t *name;
    json_array_foreach(names, i, name)
    {
        struct store_label label = {0};
        enum aibox_status status = store_label_get(store, kind, json_string_value(name), &label, err);
        if (status == AIBOX_OK && json_array_append_new(ids, json_string(label.id)) != 0)
            status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        store_label_free(&label);
        if (status != AIBOX_OK)
            return status;
    }
    return AIBOX_OK;
}

/* One of the two lists: names under `member`, what they stand for under `ids_member`. */
static enum aibox_status resolve(json_t *doc, const json_t *stored, const char *member, const char *ids_member,
                                 const char *field, enum store_label_kind kind, const char *path, struct store *store,
                                 struct aibox_error *err)
{
    struct aibox_error why = {0};
    const json_t *names = json_object_get(doc, member);
    if (names == NULL || (stored != NULL && json_equal(names, json_object_get(stored, member))))
        return AIBOX_OK;
    json_t *ids = json_array();
    enum aibox_status status = look_up(names, kind, store, ids, &why);
    if (status != AIBOX_OK)
        (void)error_set(err, status, "%s.%s: %s", path, field, why.message);
    else if (json_object_set(doc, ids_member, ids) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    json_decref(ids);
    return status;
}

enum aibox_status device_dict_resolve(json_t *doc, const json_t *stored, const char *path, struct store *store,
                                      struct aibox_error *err)
{
    /* The id of a group is its name. */
    enum aibox_status status = resolve(doc, stored, "groups", "groups", "group_id", STORE_GROUP, path, store, err);
    if (status == AIBOX_OK)
        status =
            resolve(doc, stored, "permissions", "permission_ids", "permission_id", STORE_PERMISSION, path, store, err);
    return status;
}
