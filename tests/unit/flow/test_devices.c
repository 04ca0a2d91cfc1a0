/* The registry of devices, on a store of its own: each field, changes as a whole, lookups, live state. */
#include <crypt.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../store/fixture.h"
#include "flow/box_address.h"
#include "flow/devices.h"
#include "flow/ftp_account.h"

/* On a store of its own. */
struct box {
    struct fixture *files;
    struct store *store; /* of `files` */
    struct settings *settings;
    struct devices *devices;
};

static void open_devices(struct box *box)
{
    struct aibox_error err;
    box->store = box->files->store;
    if (devices_open(box->settings, box->store, &box->devices, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
}

static void restart(struct box *box)
{
    devices_close(box->devices);
    fixture_reopen(box->files);
    open_devices(box);
}

static void make_label(struct box *box, enum store_label_kind kind, const char *id, const char *name)
{
    struct store_label label = {0};
    assert_int_equal(store_label_create(box->store, kind, id, name, "", "{}", &label, NULL), AIBOX_OK);
    store_label_free(&label);
}

static int setup(void **state)
{
    struct box *box = calloc(1, sizeof *box);
    void *files;
    if (box == NULL || fixture_setup(&files) != 0)
        return -1;
    box->files = files;
    assert_int_equal(settings_open(&box->settings, NULL), AIBOX_OK);
    open_devices(box);
    make_label(box, STORE_GROUP, NULL, "staff");
    make_label(box, STORE_GROUP, NULL, "客人");
    make_label(box, STORE_PERMISSION, "1046", "lab");
    *state = box;
    return 0;
}

static int teardown(void **state)
{
    struct box *box = *state;
    void *files = box->files;
    devices_close(box->devices);
    settings_close(box->settings);
    free(box);
    return fixture_teardown(&files);
}

/* ---- helpers ---- */

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    if (json == NULL)
        fail_msg("not JSON: %s", text);
    return json;
}

/* Creates or changes; the message of a failure is in `err`. The devices are released. */
static enum aibox_status save(struct box *box, bool create, const char *text, struct aibox_error *err)
{
    struct device_saved_list saved;
    json_t *dicts = parse(text);
    err->message[0] = '\0';
    enum aibox_status status = create ? devices_create(box->devices, dicts, "list", &saved, err)
                                      : devices_update(box->devices, dicts, "list", false, &saved, err);
    json_decref(dicts);
    if (status == AIBOX_OK)
        device_saved_list_free(&saved);
    return status;
}

static void must(struct box *box, bool create, const char *text)
{
    struct aibox_error err;
    if (save(box, create, text, &err) != AIBOX_OK)
        fail_msg("%s: %s", text, err.message);
}

/* The device as clients see it, without what changes by itself; the caller frees. */
static char *shown(struct box *box, const char *device_id)
{
    const struct device *device = devices_find(box->devices, device_id);
    assert_non_null(device);
    json_t *json = device_json(box->devices, device);
    assert_non_null(json);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    device_release(device);
    return text;
}

static void expect_member(struct box *box, const char *device_id, const char *member, const char *wanted)
{
    char *text = shown(box, device_id);
    json_t *json = parse(text), *value = json_loads(wanted, JSON_DECODE_ANY, NULL);
    if (!json_equal(json_object_get(json, member), value))
        fail_msg("%s: %s is not %s", text, member, wanted);
    json_decref(value);
    json_decref(json);
    free(text);
}

static size_t count(struct box *box)
{
    struct device_list list;
    assert_int_equal(devices_list(box->devices, &list, NULL), AIBOX_OK);
    size_t n = list.count;
    device_list_free(&list);
    return n;
}

/* ---- fields ---- */

struct taken {
    const char *field, *given, *shown; /* shown NULL: as given */
};

static void test_fields_taken(void **state)
{
    static const struct taken table[] = {
        {"device_name", "\"东门\"", NULL},
        {"device_name", "12", "\"12\""},
        {"ep_type", "0", "\"0\""},
        {"ep_type", "\"4\"", NULL},
        {"device_key", "\"10.0.0.77\"", NULL},
        {"device_type", "\"file\"", NULL},
        {"group_id", "\"\"", "\"default_group\""},
        {"group_id", "\" staff ,客人,,staff\"", "\"staff,客人\""},
        {"group_name", "\"staff\"", NULL},
        {"permission_id", "\"lab\"", NULL},
        {"permission_id", "1046", "\"1046\""},
        {"permission_id", "\"1046,0\"", NULL},
        {"permission_id", "\"\"", NULL},
        {"device_attr", "{\"actions\": {\"do_match\": true}, \"x\": [1.5, null, \"\"]}", NULL},
        {"netRelay", "{}", NULL},
        {"netRelay", "{\"ip\": \"\"}", "{}"},
        {"netRelay", "{\"ip\": \"10.1.1.1\"}",
         "{\"ip\":\"10.1.1.1\",\"net_port\":12345,\"door_port\":1,\"delay_time\":5,\"channels\":8,\"alarm_port\":0}"},
        {"netRelay", "{\"ip\": \"relay.local\", \"type\": \"modbus\", \"door_port\": 0, \"password\": \"p\"}",
         "{\"ip\":\"relay.local\",\"net_port\":502,\"door_port\":0,\"delay_time\":5,\"relay_type\":\"modbus\","
         "\"channels\":8,\"alarm_port\":0,\"password\":\"***\"}"},
        {"netRelay",
         "{\"ip\": \"h\", \"net_port\": \"8080\", \"door_port\": \"64\", \"delay_time\": \"255\", \"relay_type\": "
         "\"http\", \"channels\": \"64\", \"alarm_port\": \"1\", \"user\": \"u\", \"x\": 1}",
         "{\"ip\":\"h\",\"net_port\":8080,\"door_port\":64,\"delay_time\":255,\"relay_type\":\"http\",\"channels\":64,"
         "\"alarm_port\":1,\"user\":\"u\"}"},
        {"direction", "1", NULL},
        {"direction", "\"0\"", "0"},
        {"threshold", "\"auto\"", NULL},
        {"threshold", "0.45", NULL},
        {"threshold", "\"0.45\"", "0.45"},
        {"threshold", "\"4.5e-1\"", "0.45"},
        {"threshold", "1", "1.0"},
        {"fiqa_level", "\"custom\"", NULL},
        {"liveness_mode", "\"rgb\"", NULL},
        {"liveness_mode", "\"liveness_rgb\"", "\"rgb\""},
        {"liveness_mode", "\"liveness_off\"", "\"off\""},
        {"roi_area", "[1, \"2\", 3.5, 4]", "[1,2,3.5,4]"},
        {"roi_area", "[0, 0, 0, 0]", "[]"},
        {"roi_area", "[]", NULL},
        {"min_face_size", "\"60\"", "60"},
        {"dedup_seconds", "0", NULL},
        {"dedup_seconds", "\"3600\"", "3600"},
        {"is_monitor", "false", NULL},
        {"is_monitor", "\"True\"", "true"},
        {"is_monitor", "0", "false"},
        {"memo", "\"\"", NULL},
        {"memo", "\"a\\nb\"", NULL},
        {"unknown", "{\"deep\": [1]}", "null"},
    };
    struct box *box = *state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[600];
        const char *wanted = table[i].shown != NULL ? table[i].shown : table[i].given;
        const char *member = strcmp(table[i].field, "group_name") == 0 ? "group_id" : table[i].field;
        json_t *dict = parse("{\"device_id\": \"d\", \"device_key\": \"10.0.0.1\", \"ep_type\": \"0\"}");
        json_t *value = json_loads(table[i].given, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        json_object_set_new(dict, table[i].field, value);
        char *dumped = json_dumps(dict, 0);
        snprintf(text, sizeof text, "%s", dumped);
        free(dumped);
        json_decref(dict);
        must(box, true, text);
        if (strcmp(table[i].field, "unknown") == 0) {
            char *all = shown(box, "d");
            assert_null(strstr(all, "unknown"));
            free(all);
        } else {
            expect_member(box, "d", member, wanted);
        }
        assert_int_equal(devices_clear(box->devices, NULL, NULL), AIBOX_OK);
    }
}

struct refused {
    const char *field, *given;
    enum aibox_status status;
};

static void test_fields_refused(void **state)
{
    static const struct refused table[] = {
        {"device_id", "\"\"", AIBOX_GROUP_NAME},
        {"device_id", "\"a,b\"", AIBOX_GROUP_NAME},
        {"device_id", "[]", AIBOX_PARAM},
        {"device_id", "\"a\\u0007\"", AIBOX_PARAM},
        {"device_name", "\"\"", AIBOX_GROUP_NAME},
        {"device_name", "1.5", AIBOX_PARAM},
        {"device_name", "true", AIBOX_PARAM},
        {"device_key", "null", AIBOX_PARAM},
        {"device_key", "\"\"", AIBOX_GROUP_NAME},
        {"device_key", "\"camera\"", AIBOX_PARAM},
        {"device_key", "\"rtsp://10.0.0.1/\"", AIBOX_PARAM},
        {"device_key", "5", AIBOX_PARAM},
        {"ep_type", "null", AIBOX_PARAM},
        {"ep_type", "5", AIBOX_PARAM},
        {"ep_type", "\"-1\"", AIBOX_PARAM},
        {"ep_type", "\"\"", AIBOX_PARAM},
        {"ep_type", "1.0", AIBOX_PARAM},
        {"ep_type", "\"1 \"", AIBOX_PARAM},
        {"device_type", "\"rtsp\"", AIBOX_PARAM},
        {"device_type", "\"video\"", AIBOX_PARAM},
        {"device_type", "\"photo|rtsp\"", AIBOX_PARAM},
        {"device_type", "\"\"", AIBOX_PARAM},
        {"group_id", "\"nobody\"", AIBOX_NOT_FOUND},
        {"group_id", "\"staff,nobody\"", AIBOX_NOT_FOUND},
        {"group_id", "[\"staff\"]", AIBOX_PARAM},
        {"permission_id", "\"nobody\"", AIBOX_NOT_FOUND},
        {"permission_id", "false", AIBOX_PARAM},
        {"device_attr", "[]", AIBOX_PARAM},
        {"device_attr", "\"{}\"", AIBOX_PARAM},
        {"netRelay", "[]", AIBOX_PARAM},
        {"netRelay.ip", "\"10.0.0\"", AIBOX_PARAM},
        {"netRelay.ip", "\"http://x\"", AIBOX_PARAM},
        {"netRelay.net_port", "0", AIBOX_PARAM},
        {"netRelay.net_port", "65536", AIBOX_PARAM},
        {"netRelay.door_port", "9", AIBOX_PARAM},
        {"netRelay.door_port", "-1", AIBOX_PARAM},
        {"netRelay.delay_time", "0", AIBOX_PARAM},
        {"netRelay.delay_time", "256", AIBOX_PARAM},
        {"netRelay.relay_type", "\"usb\"", AIBOX_PARAM},
        {"netRelay.channels", "0", AIBOX_PARAM},
        {"netRelay.channels", "65", AIBOX_PARAM},
        {"netRelay.alarm_port", "1", AIBOX_PARAM}, /* is the door's */
        {"netRelay.alarm_port", "9", AIBOX_PARAM},
        {"netRelay.password", "\"***\"", AIBOX_PARAM},
        {"direction", "2", AIBOX_PARAM},
        {"direction", "true", AIBOX_PARAM},
        {"threshold", "-0.1", AIBOX_PARAM},
        {"threshold", "1.01", AIBOX_PARAM},
        {"threshold", "\"Auto\"", AIBOX_PARAM},
        {"threshold", "\"0x1\"", AIBOX_PARAM},
        {"threshold", "\"nan\"", AIBOX_PARAM},
        {"threshold", "\"1e999\"", AIBOX_PARAM},
        {"threshold", "\"\"", AIBOX_PARAM},
        {"fiqa_level", "\"best\"", AIBOX_PARAM},
        {"fiqa_level", "1", AIBOX_PARAM},
        {"liveness_mode", "\"on\"", AIBOX_PARAM},
        {"liveness_mode", "\"rgb_ir\"", AIBOX_NOT_IMPLEMENTED},
        {"liveness_mode", "\"liveness_rgb_ir\"", AIBOX_NOT_IMPLEMENTED},
        {"roi_area", "[1, 2, 3]", AIBOX_PARAM},
        {"roi_area", "[1, 2, 1, 4]", AIBOX_PARAM},
        {"roi_area", "[1, 5, 2, 4]", AIBOX_PARAM},
        {"roi_area", "[-1, 2, 3, 4]", AIBOX_PARAM},
        {"roi_area", "[1, 2, 3, 65536]", AIBOX_PARAM},
        {"roi_area", "[1, 2, 3, \"x\"]", AIBOX_PARAM},
        {"roi_area", "\"1,2,3,4\"", AIBOX_PARAM},
        {"min_face_size", "-1", AIBOX_PARAM},
        {"min_face_size", "10001", AIBOX_PARAM},
        {"dedup_seconds", "3601", AIBOX_PARAM},
        {"dedup_seconds", "\"1.5\"", AIBOX_PARAM},
        {"dedup_seconds", "99999999999999999999", AIBOX_PARAM},
        {"is_monitor", "2", AIBOX_BOOLEAN},
        {"is_monitor", "\"yes\"", AIBOX_BOOLEAN},
        {"is_monitor", "\"\"", AIBOX_BOOLEAN},
        {"memo", "{}", AIBOX_PARAM},
        {"memo", "\"\\u0000\"", AIBOX_PARAM},
    };
    struct box *box = *state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct device_saved_list saved;
        struct aibox_error err = {0};
        char path[64];
        json_t *dicts = parse("[{\"device_key\": \"10.0.0.1\", \"ep_type\": 0}, {\"device_key\": \"10.0.0.2\","
                              "\"ep_type\": 0, \"netRelay\": {\"ip\": \"10.1.1.1\"}}]");
        json_t *dict = json_array_get(dicts, 1);
        const char *dot = strchr(table[i].field, '.');
        json_t *value = json_loads(table[i].given, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        if (value == NULL) /* an integer beyond 64 bits */
            value = json_string(table[i].given);
        json_object_set_new(dot == NULL ? dict : json_object_get(dict, "netRelay"),
                            dot == NULL ? table[i].field : dot + 1, value);
        enum aibox_status status = devices_create(box->devices, dicts, "devices_list", &saved, &err);
        json_decref(dicts);
        if (strcmp(table[i].given, "\"\\u0000\"") == 0) { /* reads as "" */
            assert_int_equal(status, AIBOX_OK);
            device_saved_list_free(&saved);
            devices_clear(box->devices, NULL, NULL);
            continue;
        }
        snprintf(path, sizeof path, "devices_list[1].%s: ", table[i].field);
        if (status != table[i].status || strncmp(err.message, path, strlen(path)) != 0)
            fail_msg("%s %s: %s %s", table[i].field, table[i].given, status_name(status), err.message);
        assert_int_equal(count(box), 0);
    }
}

/* ---- changes ---- */

static void test_update_changes_what_is_given(void **state)
{
    struct box *box = *state;
    struct aibox_error err;
    must(box, true,
         "{\"device_id\": \"d\", \"device_key\": \"10.0.0.1\", \"ep_type\": 0, \"memo\": \"m\", \"group_id\": "
         "\"staff\"}");
    char *before = shown(box, "d");
    must(box, false, "{\"device_id\": \"d\"}");
    must(box, false, "{\"device_id\": \"d\", \"memo\": null, \"netRelay\": null}");
    must(box, false, before);
    char *after = shown(box, "d");
    assert_string_equal(before, after);
    free(before);
    free(after);
    must(box, false, "[{\"device_id\": \"d\", \"direction\": 1, \"permission_id\": \"lab\"}]");
    expect_member(box, "d", "direction", "1");
    expect_member(box, "d", "memo", "\"m\"");
    assert_int_equal(save(box, false, "[{\"device_id\": \"d\", \"ep_type\": 2}]", &err), AIBOX_PARAM);
    assert_non_null(strstr(err.message, "list[0].device_key"));
    must(box, false, "{\"device_id\": \"d\", \"ep_type\": 2, \"device_key\": \"rtsp://u:p@10.0.0.1/\"}");
    expect_member(box, "d", "device_type", "\"rtsp\"");
    expect_member(box, "d", "device_key", "\"rtsp://u:***@10.0.0.1/\"");
    assert_int_equal(save(box, false, "{\"device_id\": \"e\"}", &err), AIBOX_NOT_FOUND);
    assert_non_null(strstr(err.message, "list.device_id"));
    assert_int_equal(save(box, true, "[1]", &err), AIBOX_PARAM);
    assert_int_equal(save(box, true, "[]", &err), AIBOX_PARAM);
}

static void test_all_or_nothing(void **state)
{
    struct box *box = *state;
    struct aibox_error err;
    struct device_list deleted = {0};
    must(box, true,
         "[{\"device_id\": \"a\", \"device_key\": \"10.0.0.1\", \"ep_type\": 0},"
         " {\"device_id\": \"b\", \"device_key\": \"10.0.0.2\", \"ep_type\": 0}]");
    assert_int_equal(
        save(box, false, "[{\"device_id\": \"a\", \"memo\": \"x\"}, {\"device_id\": \"b\", \"direction\": 7}]", &err),
        AIBOX_PARAM);
    assert_int_equal(
        save(box, false,
             "[{\"device_id\": \"a\", \"memo\": \"x\"}, {\"device_id\": \"b\", \"device_key\": \"10.0.0.1\"}]", &err),
        AIBOX_GROUP_NAME);
    expect_member(box, "a", "memo", "\"\"");
    /* Together they may swap. */
    must(box, false,
         "[{\"device_id\": \"a\", \"device_key\": \"10.0.0.2\"},"
         " {\"device_id\": \"b\", \"device_key\": \"10.0.0.1\"}]");
    expect_member(box, "a", "device_ip", "\"10.0.0.2\"");
    assert_int_equal(devices_delete(box->devices, (const char *const[]){"a", "c"}, 2, NULL, &err), AIBOX_NOT_FOUND);
    assert_int_equal(count(box), 2);
    assert_int_equal(devices_delete(box->devices, (const char *const[]){"b", "b"}, 2, &deleted, &err), AIBOX_OK);
    assert_int_equal(deleted.count, 1);
    assert_string_equal(deleted.items[0]->device_id, "b");
    device_list_free(&deleted);
    assert_int_equal(count(box), 1);
}

static void expect_ep(struct box *box, const char *device_id, const char *wanted)
{
    const struct device *device = devices_find(box->devices, device_id);
    assert_non_null(device);
    assert_string_equal(device->ep_name, wanted);
    device_release(device);
}

static void test_ep_ids_are_unique_and_stay(void **state)
{
    struct box *box = *state;
    char ep_id[DEVICE_EP_ID_SIZE], mac[BOX_MAC_SIZE], wanted[64];
    must(box, true,
         "[{\"device_id\": \"s1\", \"device_key\": \"rtsp://a:b@10.0.0.1/1\", \"ep_type\": 2},"
         " {\"device_id\": \"s2\", \"device_key\": \"rtsp://a:b@10.0.0.1/2?password=x\", \"ep_type\": 3},"
         " {\"device_id\": \"pad\", \"device_key\": \"10.0.0.1\", \"ep_type\": 0},"
         " {\"device_id\": \"other\", \"device_key\": \"10.0.0.2\", \"ep_type\": 0}]");
    expect_ep(box, "s1", "10.0.0.1");
    expect_ep(box, "s2", "rtsp://10.0.0.1/2?password=***");
    expect_ep(box, "pad", "10.0.0.1__pad");
    expect_ep(box, "other", "10.0.0.2");
    /* Others come and go: who stays keeps the name. */
    assert_int_equal(devices_delete(box->devices, (const char *const[]){"s1"}, 1, NULL, NULL), AIBOX_OK);
    must(box, false, "[{\"device_id\": \"s2\", \"memo\": \"m\"}, {\"device_id\": \"pad\", \"ep_type\": 4}]");
    expect_ep(box, "s2", "rtsp://10.0.0.1/2?password=***");
    expect_ep(box, "pad", "10.0.0.1__pad");
    must(box, false, "{\"device_id\": \"pad\", \"device_key\": \"10.0.0.3\"}");
    expect_ep(box, "pad", "10.0.0.3");
    restart(box);
    expect_ep(box, "s2", "rtsp://10.0.0.1/2?password=***");

    const struct device *device = devices_find(box->devices, "other");
    assert_int_equal(box_mac(box->store, mac, NULL), AIBOX_OK);
    snprintf(wanted, sizeof wanted, "%s__10.0.0.2", mac);
    devices_ep_id(box->devices, device, ep_id);
    assert_string_equal(ep_id, wanted);
    assert_int_equal(settings_put(box->settings, SETTINGS_STORED, "cloud.dev_sno", "SE1", NULL), AIBOX_OK);
    devices_ep_id(box->devices, device, ep_id);
    assert_string_equal(ep_id, "SE1__10.0.0.2");
    device_release(device);
}

/* ---- groups that go ---- */

static void test_labels_that_are_gone(void **state)
{
    struct box *box = *state;
    struct store_label label = {0};
    must(box, true,
         "{\"device_id\": \"d\", \"device_key\": \"10.0.0.1\", \"ep_type\": 0, \"group_id\": \"staff\", "
         "\"permission_id\": \"lab\"}");
    assert_int_equal(store_label_update(box->store, STORE_PERMISSION, "lab", "laboratory", "", NULL, &label, NULL),
                     AIBOX_OK);
    store_label_free(&label);
    /* Renamed: shown by its name, meant by its id. */
    expect_member(box, "d", "permission_id", "\"laboratory\"");
    char *text = shown(box, "d");
    must(box, false, text);
    free(text);
    assert_int_equal(store_label_delete(box->store, STORE_PERMISSION, "laboratory", false, NULL), AIBOX_OK);
    assert_int_equal(store_label_delete(box->store, STORE_GROUP, "staff", false, NULL), AIBOX_OK);
    text = shown(box, "d");
    must(box, false, text);
    free(text);
    const struct device *device = devices_find(box->devices, "d");
    struct flow_place place;
    char ep_id[DEVICE_EP_ID_SIZE];
    devices_place(box->devices, device, ep_id, &place);
    /* Still named, so that flow_recognise() finds nobody and lets nobody pass. */
    assert_true(place.labels_may_be_gone);
    assert_int_equal(place.n_groups, 1);
    assert_string_equal(place.groups[0], "staff");
    assert_int_equal(place.n_permissions, 1);
    assert_string_equal(place.permissions[0], "1046");
    device_release(device);
}

/* ---- lookups, place, state ---- */

static void expect_found(struct box *box, const char *ip, const char *device_id)
{
    const struct device *device = devices_find_ip(box->devices, ip);
    if (device_id == NULL) {
        assert_null(device);
        return;
    }
    assert_non_null(device);
    assert_string_equal(device->device_id, device_id);
    device_release(device);
}

static void test_lookups(void **state)
{
    struct box *box = *state;
    must(box, true,
         "[{\"device_id\": \"s\", \"device_key\": \"rtsp://10.0.0.1/1\", \"ep_type\": 2},"
         " {\"device_id\": \"pad\", \"device_key\": \"::FFFF:10.0.0.1\", \"ep_type\": 4},"
         " {\"device_id\": \"six\", \"device_key\": \"FE80::0:1\", \"ep_type\": 1},"
         " {\"device_id\": \"name\", \"device_key\": \"rtsp://Cam.Local/1\", \"ep_type\": 3,"
         "  \"netRelay\": {\"ip\": \"10.1.1.1\", \"net_port\": 99}}]");
    expect_found(box, "10.0.0.1", "pad");
    expect_found(box, "::ffff:10.0.0.1", "pad");
    expect_found(box, "fe80::1", "six");
    expect_found(box, "CAM.local", "name");
    expect_found(box, "10.0.0.2", NULL);
    expect_found(box, "", NULL);
    const struct device *device = devices_find_relay(box->devices, "10.1.1.1", 99);
    assert_non_null(device);
    assert_string_equal(device->device_id, "name");
    device_release(device);
    assert_null(devices_find_relay(box->devices, "10.1.1.1", 98));
    assert_int_equal(devices_delete(box->devices, (const char *const[]){"pad"}, 1, NULL, NULL), AIBOX_OK);
    expect_found(box, "10.0.0.1", "s");
}

static void test_place(void **state)
{
    struct box *box = *state;
    struct flow_place place;
    char ep_id[DEVICE_EP_ID_SIZE];
    must(box, true,
         "[{\"device_id\": \"a\", \"device_key\": \"10.0.0.1\", \"ep_type\": 4},"
         " {\"device_id\": \"b\", \"device_key\": \"rtsp://u:p@10.0.0.2/\", \"ep_type\": 3, \"group_id\": "
         "\"staff,客人\","
         "  \"permission_id\": \"0,lab\", \"threshold\": 0.5, \"fiqa_level\": \"low\", \"liveness_mode\": \"rgb\","
         "  \"roi_area\": [1, 2, 3, 4], \"min_face_size\": 50}]");
    const struct device *device = devices_find(box->devices, "a");
    devices_place(box->devices, device, ep_id, &place);
    assert_string_equal(place.device_type, "4");
    assert_string_equal(place.groups[0], STORE_DEFAULT_GROUP);
    assert_int_equal(place.n_permissions, 0);
    assert_true(isnan(place.threshold));
    assert_int_equal(place.level, QUALITY_NO);
    assert_false(place.liveness);
    assert_int_equal(place.dedup_ms, 3000);
    assert_false(place.group_must_have_people);
    device_release(device);
    device = devices_find(box->devices, "b");
    devices_place(box->devices, device, ep_id, &place);
    assert_string_equal(place.device_ip, "10.0.0.2");
    assert_string_equal(place.ep_id, ep_id);
    assert_int_equal(place.n_groups, 2);
    assert_string_equal(place.permissions[1], "1046");
    assert_float_equal(place.threshold, 0.5, 1e-6);
    assert_int_equal(place.level, QUALITY_LOW);
    assert_true(place.liveness);
    assert_float_equal(place.roi[3], 4, 0);
    assert_float_equal(place.min_face, 50, 0);
    assert_int_equal(place.dedup_ms, 10000);
    assert_int_equal(settings_put(box->settings, SETTINGS_STORED, "recognition.dedup_seconds", "30", NULL), AIBOX_OK);
    assert_int_equal(devices_dedup_ms(box->devices, device), 30000);
    device_release(device);
}

static void test_live_state_outlives_changes(void **state)
{
    struct box *box = *state;
    struct device_state live;
    must(box, true, "{\"device_id\": \"d\", \"device_key\": \"10.0.0.1\", \"ep_type\": 0, \"memo\": \"old\"}");
    const struct device *old = devices_find(box->devices, "d");
    device_state_get(old, &live);
    assert_false(live.online);
    assert_int_equal(live.last_seen_ms, 0);
    must(box, false, "{\"device_id\": \"d\", \"memo\": \"new\"}");
    device_count_frame(old, 2);
    device_count_drop(old);
    device_count_reconnect(old);
    assert_string_equal(old->memo, "old");
    const struct device *now = devices_find(box->devices, "d");
    assert_string_equal(now->memo, "new");
    device_state_get(now, &live);
    assert_true(live.online);
    assert_true(live.last_seen_ms > 0);
    assert_int_equal(live.frames, 1);
    assert_int_equal(live.faces, 2);
    assert_int_equal(live.drops, 1);
    assert_int_equal(live.reconnects, 1);
    assert_int_equal(devices_clear(box->devices, NULL, NULL), AIBOX_OK);
    assert_string_equal(now->memo, "new"); /* who holds it may go on */
    device_release(now);
    device_release(old);
}

/* ---- accounts, passwords ---- */

static bool ftp_password_matches(const char *password, const char *hash)
{
    struct crypt_data *data = calloc(1, sizeof *data);
    assert_non_null(data);
    const char *made = crypt_r(password, hash, data);
    bool same = made != NULL && strcmp(made, hash) == 0;
    free(data);
    return same;
}

static void test_ftp_accounts(void **state)
{
    struct box *box = *state;
    struct device_saved_list saved;
    char hash[FTP_HASH_SIZE], user[32], password[32];
    json_t *dict = parse("{\"device_id\": \"d\", \"device_key\": \"10.0.0.1\", \"ep_type\": 1}");
    assert_int_equal(devices_create(box->devices, dict, "d", &saved, NULL), AIBOX_OK);
    const struct device *device = saved.items[0].device;
    snprintf(user, sizeof user, "%s", device->ftp_user);
    snprintf(hash, sizeof hash, "%s", device->ftp_hash);
    snprintf(password, sizeof password, "%s", saved.items[0].ftp_password);
    assert_int_equal(strlen(user), 13);
    assert_int_equal(strlen(password), 20);
    assert_memory_equal(hash, "$6$", 3);
    assert_true(ftp_password_matches(password, hash));
    assert_false(ftp_password_matches("wrong", hash));
    device_saved_list_free(&saved);
    char *text = shown(box, "d");
    assert_null(strstr(text, user));
    assert_null(strstr(text, "$6$"));
    free(text);
    assert_int_equal(devices_update(box->devices, dict, "d", false, &saved, NULL), AIBOX_OK);
    assert_string_equal(saved.items[0].ftp_password, "");
    assert_string_equal(saved.items[0].device->ftp_hash, hash);
    device_saved_list_free(&saved);
    assert_int_equal(devices_update(box->devices, dict, "d", true, &saved, NULL), AIBOX_OK);
    assert_string_equal(saved.items[0].device->ftp_user, user);
    assert_true(ftp_password_matches(saved.items[0].ftp_password, saved.items[0].device->ftp_hash));
    assert_false(ftp_password_matches(password, saved.items[0].device->ftp_hash));
    device_saved_list_free(&saved);
    json_decref(dict);
    /* No camera any more: no account. */
    must(box, false, "{\"device_id\": \"d\", \"ep_type\": 0}");
    device = devices_find(box->devices, "d");
    assert_string_equal(device->ftp_user, "");
    device_release(device);
}

static void test_secrets_stay_in(void **state)
{
    struct box *box = *state;
    struct aibox_error err;
    must(box, true,
         "{\"device_id\": \"d\", \"device_key\": \"rtsp://u:hidden@10.0.0.1/\", \"ep_type\": 2,"
         " \"netRelay\": {\"ip\": \"r\", \"password\": \"hidden\"}}");
    char *text = shown(box, "d");
    assert_null(strstr(text, "hidden"));
    must(box, false, text);
    free(text);
    restart(box);
    const struct device *device = devices_find(box->devices, "d");
    assert_string_equal(device->key, "rtsp://u:hidden@10.0.0.1/");
    assert_string_equal(device->key_public, "rtsp://10.0.0.1/");
    assert_string_equal(device->relay.password, "hidden");
    device_release(device);
    assert_int_equal(
        save(box, false, "{\"device_id\": \"d\", \"netRelay\": {\"ip\": \"s\", \"password\": \"***\"}}", &err),
        AIBOX_PARAM);
    assert_int_equal(save(box, true, "{\"device_key\": \"rtsp://x:y@10.0.0.1/\", \"ep_type\": 3}", &err),
                     AIBOX_GROUP_NAME);
    assert_null(strstr(err.message, "hidden"));
}

/* ---- threads ---- */

static atomic_bool stop;

static void *look(void *arg)
{
    struct box *box = arg;
    while (!atomic_load(&stop)) {
        const struct device *device = devices_find_ip(box->devices, "10.0.0.1");
        if (device != NULL) {
            device_count_frame(device, 1);
            json_t *json = device_json(box->devices, device);
            json_decref(json);
        }
        device_release(device);
    }
    return NULL;
}

static void see_count(void *ctx)
{
    struct box *box = ((struct box **)ctx)[0];
    size_t *seen = ((void **)ctx)[1];
    *seen = 10 * *seen + count(box);
}

static void test_listeners(void **state)
{
    struct box *box = *state;
    size_t first = 0, second = 0;
    void *contexts[][2] = {{box, &first}, {box, &second}};
    struct aibox_error err;
    devices_listen(box->devices, see_count, contexts[0]);
    devices_listen(box->devices, see_count, contexts[1]);
    must(box, true, "{\"device_id\": \"d\", \"device_key\": \"10.0.0.1\", \"ep_type\": 0}");
    assert_int_not_equal(save(box, true, "{\"device_key\": \"10.0.0.1\", \"ep_type\": 0}", &err), AIBOX_OK);
    must(box, false, "{\"device_id\": \"d\", \"memo\": \"m\"}");
    devices_unlisten(box->devices, see_count, contexts[0]);
    must(box, true, "{\"device_key\": \"10.0.0.2\", \"ep_type\": 0}");
    assert_int_equal(devices_clear(box->devices, NULL, NULL), AIBOX_OK);
    assert_int_equal(first, 11); /* it sees the list as it is after each change that was made */
    assert_int_equal(second, 1120);
}

static void test_lookups_while_it_changes(void **state)
{
    struct box *box = *state;
    pthread_t threads[2];
    atomic_store(&stop, false);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look, box), 0);
    for (int i = 0; i < 20; i++) {
        must(box, true,
             "{\"device_id\": \"d\", \"device_key\": \"10.0.0.1\", \"ep_type\": 0, \"group_id\": \"staff\"}");
        must(box, false, "{\"device_id\": \"d\", \"group_id\": \"客人\", \"netRelay\": {\"ip\": \"10.1.1.1\"}}");
        assert_int_equal(devices_delete(box->devices, (const char *const[]){"d"}, 1, NULL, NULL), AIBOX_OK);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(count(box), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_fields_taken),
        TEST(test_fields_refused),
        TEST(test_update_changes_what_is_given),
        TEST(test_all_or_nothing),
        TEST(test_ep_ids_are_unique_and_stay),
        TEST(test_labels_that_are_gone),
        TEST(test_lookups),
        TEST(test_place),
        TEST(test_live_state_outlives_changes),
        TEST(test_ftp_accounts),
        TEST(test_secrets_stay_in),
        TEST(test_listeners),
        TEST(test_lookups_while_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
