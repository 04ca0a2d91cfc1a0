/* Devices as rows: unique keys, all or nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static enum aibox_status save(struct store *store, bool create, const char *id, const char *key, const char *doc,
                              struct aibox_error *err)
{
    struct store_device device = {.device_id = id, .device_key = key, .doc = doc};

    return store_devices_save(store, create, &device, 1, NULL, err);
}

static bool append(void *ctx, const struct store_device *device)
{
    char *text = ctx;
    size_t used = strlen(text);

    assert_true(device->created_ms > 0);
    snprintf(text + used, 1000 - used, "%s|%s|%s;", device->device_id, device->device_key, device->doc);
    return true;
}

static void expect(struct store *store, const char *wanted)
{
    char text[1000] = "";

    assert_status(AIBOX_OK, store_devices_each(store, append, text, NULL));
    assert_string_equal(text, wanted);
}

static void test_save_and_delete(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;

    expect(store, "");
    assert_status(AIBOX_OK, save(store, true, "z", "10.0.0.1", "{\"a\": 1}", NULL));
    assert_status(AIBOX_OK, save(store, true, "a", "10.0.0.2", "{}", NULL));
    assert_status(AIBOX_OK, save(store, false, "z", "10.0.0.1", "{\"a\": 2}", NULL));
    expect(store, "z|10.0.0.1|{\"a\": 2};a|10.0.0.2|{};");
    fixture_reopen(fixture);
    store = fixture->store;
    expect(store, "z|10.0.0.1|{\"a\": 2};a|10.0.0.2|{};");
    assert_status(AIBOX_OK, store_devices_delete(store, (const char *const[]){"z"}, 1, NULL, NULL));
    expect(store, "a|10.0.0.2|{};");
}

static void test_keys_are_unique(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    struct aibox_error err;
    struct store_device twice[] = {{.device_id = "x", .device_key = "10.0.0.8", .doc = "{}"},
                                   {.device_id = "y", .device_key = "10.0.0.8", .doc = "{}"}};

    assert_status(AIBOX_OK, save(store, true, "a", "10.0.0.1", "{}", NULL));
    assert_status(AIBOX_OK, save(store, true, "b", "10.0.0.2", "{}", NULL));
    assert_status(AIBOX_GROUP_NAME, save(store, true, "a", "10.0.0.3", "{}", &err));
    assert_non_null(strstr(err.message, "device_id a"));
    assert_status(AIBOX_GROUP_NAME, save(store, true, "c", "10.0.0.2", "{}", &err));
    assert_non_null(strstr(err.message, "10.0.0.2"));
    assert_status(AIBOX_GROUP_NAME, save(store, false, "a", "10.0.0.2", "{}", &err));
    assert_status(AIBOX_GROUP_NAME, store_devices_save(store, true, twice, 2, NULL, &err));
    assert_status(AIBOX_NOT_FOUND, save(store, false, "c", "10.0.0.3", "{}", &err));
    assert_non_null(strstr(err.message, "c"));
    expect(store, "a|10.0.0.1|{};b|10.0.0.2|{};");
}

static void test_several_change_together_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    struct aibox_error err;
    struct store_device swapped[] = {{.device_id = "a", .device_key = "10.0.0.2", .doc = "{}"},
                                     {.device_id = "b", .device_key = "10.0.0.1", .doc = "{}"},
                                     {.device_id = "c", .device_key = "10.0.0.3", .doc = "{}"}};

    assert_status(AIBOX_OK, save(store, true, "a", "10.0.0.1", "{}", NULL));
    assert_status(AIBOX_OK, save(store, true, "b", "10.0.0.2", "{}", NULL));
    assert_status(AIBOX_NOT_FOUND, store_devices_save(store, false, swapped, 3, NULL, &err));
    assert_status(AIBOX_GROUP_NAME, store_devices_save(store, true, swapped + 1, 2, NULL, &err));
    expect(store, "a|10.0.0.1|{};b|10.0.0.2|{};");
    assert_status(AIBOX_OK, store_devices_save(store, false, swapped, 2, NULL, &err));
    expect(store, "a|10.0.0.2|{};b|10.0.0.1|{};");
    assert_status(AIBOX_NOT_FOUND, store_devices_delete(store, (const char *const[]){"a", "c"}, 2, NULL, &err));
    expect(store, "a|10.0.0.2|{};b|10.0.0.1|{};");
    assert_status(AIBOX_OK, store_devices_delete(store, (const char *const[]){"a", "b"}, 2, NULL, &err));
    expect(store, "");
}

static void test_what_is_wrong_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_status(AIBOX_PARAM, save(fixture->store, true, "", "10.0.0.1", "{}", NULL));
    assert_status(AIBOX_PARAM, save(fixture->store, true, "a", "", "{}", NULL));
    assert_status(AIBOX_PARAM, save(fixture->store, true, "a", "10.0.0.1", "[]", NULL));
    assert_status(AIBOX_OK, store_devices_save(fixture->store, true, NULL, 0, NULL, NULL));
    assert_status(AIBOX_OK, store_devices_delete(fixture->store, NULL, 0, NULL, NULL));
    expect(fixture->store, "");
}

static void test_there_is_a_limit(void **state)
{
    struct fixture *fixture = *state;
    struct store_device *many = calloc(STORE_MAX_DEVICES, sizeof *many);
    char(*names)[16] = calloc(STORE_MAX_DEVICES, sizeof *names);

    assert_non_null(many);
    assert_non_null(names);
    for (size_t i = 0; i < STORE_MAX_DEVICES; i++) {
        snprintf(names[i], sizeof names[i], "d%zu", i);
        many[i] = (struct store_device){.device_id = names[i], .device_key = names[i], .doc = "{}"};
    }
    assert_status(AIBOX_OK, store_devices_save(fixture->store, true, many, STORE_MAX_DEVICES, NULL, NULL));
    assert_status(AIBOX_PARAM, save(fixture->store, true, "one more", "k", "{}", NULL));
    assert_status(AIBOX_OK, store_devices_delete(fixture->store, (const char *const[]){"d7"}, 1, NULL, NULL));
    assert_status(AIBOX_OK, save(fixture->store, true, "one more", "k", "{}", NULL));
    free(names);
    free(many);
}

static void test_passwords_leave_the_files(void **state)
{
    struct fixture *fixture = *state;
    static const char secret[] = "xyzzy-old-password";

    assert_status(AIBOX_OK,
                  save(fixture->store, true, "a", "k", "{\"url\": \"rtsp://u:xyzzy-old-password@h/\"}", NULL));
    assert_status(AIBOX_OK, save(fixture->store, false, "a", "k", "{}", NULL));
    fixture_reopen(fixture);
    assert_int_equal(fixture_files_with(fixture, secret, strlen(secret)), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_save_and_delete),
        TEST(test_keys_are_unique),
        TEST(test_several_change_together_or_not_at_all),
        TEST(test_what_is_wrong_is_refused),
        TEST(test_there_is_a_limit),
        TEST(test_passwords_leave_the_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
