/* Secrets at rest: nothing of them is in the files, what was changed is noticed, and no key but the right one opens. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "fixture.h"
#include "store/snapshot.h"

#define SECRET "rtsp-password-4711"
#define DOC    "{\"password\":\"" SECRET "\"}"

struct counted {
    size_t people, faces;
    float first;
};

static bool count(void *ctx, const struct store_template *state)
{
    struct counted *counted = ctx;

    counted->people++;
    counted->faces += state->n_faces;
    counted->first = state->features[0];
    return true;
}

static struct counted scan(struct store *store)
{
    struct counted counted = {0};

    assert_status(AIBOX_OK, store_templates_scan(store, MODEL_SET, count, &counted, NULL));
    return counted;
}

static void save(struct fixture *fixture, const char *id, unsigned seed)
{
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, id, id, seed, NULL, NULL));
}

static int64_t add_event(struct fixture *fixture, const float *feature)
{
    struct store_event event = {
        .timestamp_ms = 1, .identity_id = "a", .score = NAN, .mask = -1, .feature = feature, .model_set = MODEL_SET};

    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(fixture->store, &event, NULL));
    return event.seq;
}

static void add_device(struct fixture *fixture, const char *id)
{
    struct store_device device = {.device_id = id, .device_key = id, .doc = DOC};

    assert_status(AIBOX_OK, store_devices_save(fixture->store, true, &device, 1, NULL, NULL));
}

static bool check_doc(void *ctx, const struct store_device *device)
{
    assert_string_equal(device->doc, DOC);
    (*(size_t *)ctx)++;
    return true;
}

static void key_path(const struct fixture *fixture, char out[300])
{
    (void)snprintf(out, 300, "%s/seal.key", fixture->path);
}

static void close_store(struct fixture *fixture)
{
    store_close(fixture->store);
    fixture->store = NULL;
}

/* The store must not open; says why. */
static void expect_refusal(struct fixture *fixture, const char *key_file, const char *reason)
{
    struct store *store;
    struct aibox_error err = {0};

    assert_status(AIBOX_PROCESS_FAILED, store_open_keyed(fixture->path, key_file, 10, &store, &err));
    if (!strstr(err.message, reason))
        fail_msg("%s", err.message);
}

static void write_key(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

/* ---- what is in the files ---------------------------------------------------------------------------------------- */

static void test_nothing_is_in_the_files(void **state)
{
    struct fixture *fixture = *state;
    float feature[STORE_DIMENSION];
    const char *keys[] = {"cloud.login_url"}, *values[] = {"http://u:" SECRET "@h"};
    struct store_event event;
    size_t devices = 0;
    char *json;

    fill_feature(feature, 7);
    save(fixture, "a", 7);
    int64_t seq = add_event(fixture, feature);
    add_device(fixture, "d");
    assert_status(AIBOX_OK, store_document_put(fixture->store, "urls", DOC, NULL));
    assert_status(AIBOX_OK, store_settings_put(fixture->store, keys, values, 1, NULL));
    assert_int_equal(fixture_files_with(fixture, feature, 64), 0);
    assert_int_equal(fixture_files_with(fixture, SECRET, strlen(SECRET)), 0);
    fixture_reopen(fixture);
    assert_true(scan(fixture->store).first == feature[0]);
    assert_status(AIBOX_OK, store_event_get_by_seq(fixture->store, seq, &event, NULL));
    assert_non_null(event.feature);
    assert_true(fabsf(event.feature[3] - feature[3]) < 0.01F);
    store_event_free(&event);
    assert_status(AIBOX_OK, store_devices_each(fixture->store, check_doc, &devices, NULL));
    assert_int_equal(devices, 1);
    assert_status(AIBOX_OK, store_document_get(fixture->store, "urls", &json, NULL));
    assert_string_equal(json, DOC);
    free(json);
    assert_int_equal(fixture_query(fixture, "main",
                                   "SELECT (SELECT count(*) FROM face WHERE key_id = 0) + (SELECT count(*) FROM"
                                   " event_feature WHERE key_id = 0) + (SELECT count(*) FROM device WHERE key_id = 0)"
                                   " + (SELECT count(*) FROM document WHERE key_id = 0)"
                                   " + (SELECT count(*) FROM setting WHERE key_id = 0)"),
                     0);
}

/* A folder written before anything was sealed. */
static void test_plain_rows_are_sealed_at_opening(void **state)
{
    struct fixture *fixture = *state;
    float feature[STORE_DIMENSION];
    size_t devices = 0;

    fill_feature(feature, 7);
    save(fixture, "a", 7);
    add_device(fixture, "d");
    fixture_exec(fixture, "main",
                 "DELETE FROM seal_key; DELETE FROM counter WHERE name = 'sealed';"
                 "UPDATE face SET key_id = 0, nonce = NULL, feature = zeroblob(2048);"
                 "UPDATE device SET key_id = 0, nonce = NULL, doc = '" DOC "'");
    close_store(fixture);
    assert_true(fixture_files_with(fixture, SECRET, strlen(SECRET)) > 0);
    fixture_reopen(fixture);
    assert_int_equal(fixture_files_with(fixture, SECRET, strlen(SECRET)), 0);
    assert_status(AIBOX_OK, store_devices_each(fixture->store, check_doc, &devices, NULL));
    assert_int_equal(devices, 1);
    assert_true(scan(fixture->store).first == 0.0F);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face WHERE key_id = 0"), 0);
}

/* ---- what was changed -------------------------------------------------------------------------------------------- */

static void test_a_changed_face_is_left_out(void **state)
{
    struct fixture *fixture = *state;

    save(fixture, "a", 1);
    save(fixture, "b", 2);
    fixture_exec(fixture, "main", "UPDATE face SET feature = zeroblob(2064) WHERE face_row = 1");
    struct counted counted = scan(fixture->store);
    assert_int_equal(counted.people, 1);
    assert_int_equal(counted.faces, 1);
}

/* Somebody's face in another one's row would open his doors. */
static void test_a_face_in_anothers_row_is_left_out(void **state)
{
    struct fixture *fixture = *state;

    save(fixture, "a", 1);
    save(fixture, "b", 2);
    fixture_exec(fixture, "main",
                 "UPDATE face SET (nonce, feature) = (SELECT nonce, feature FROM face WHERE face_row = 2)"
                 " WHERE face_row = 1");
    assert_int_equal(scan(fixture->store).people, 1);
    fixture_exec(fixture, "main", "UPDATE face SET person_id = 3 - person_id WHERE face_row = 2");
    assert_int_equal(scan(fixture->store).people, 0);
}

static void test_a_changed_event_has_no_feature(void **state)
{
    struct fixture *fixture = *state;
    float feature[STORE_DIMENSION];
    struct store_event event;

    fill_feature(feature, 1);
    int64_t first = add_event(fixture, feature);
    int64_t second = add_event(fixture, feature);
    fixture_exec(fixture, "main",
                 "UPDATE event_feature SET (nonce, feature) = (SELECT nonce, feature FROM event_feature ORDER BY seq"
                 " DESC LIMIT 1) WHERE seq = (SELECT min(seq) FROM event_feature)");
    assert_status(AIBOX_OK, store_event_get_by_seq(fixture->store, first, &event, NULL));
    assert_null(event.feature);
    store_event_free(&event);
    assert_status(AIBOX_OK, store_event_get_by_seq(fixture->store, second, &event, NULL));
    assert_non_null(event.feature);
    store_event_free(&event);
}

static void test_a_changed_device_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct aibox_error err = {0};
    size_t devices = 0;

    add_device(fixture, "d");
    add_device(fixture, "e");
    fixture_exec(fixture, "main",
                 "UPDATE device SET (nonce, doc) = (SELECT nonce, doc FROM device WHERE device_id = 'd')"
                 " WHERE device_id = 'e'");
    assert_status(AIBOX_PROCESS_FAILED, store_devices_each(fixture->store, check_doc, &devices, &err));
    assert_int_equal(devices, 1);
    assert_non_null(strstr(err.message, "device e"));
}

/* ---- the key ----------------------------------------------------------------------------------------------------- */

static void test_the_key_file_is_private(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    char path[300];

    key_path(fixture, path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_size, 65);
    close_store(fixture);
    assert_int_equal(chmod(path, 0604), 0);
    expect_refusal(fixture, NULL, "open to other users");
    assert_int_equal(chmod(path, 0600), 0);
    fixture_reopen(fixture);
}

static void test_no_other_key_opens(void **state)
{
    struct fixture *fixture = *state;
    char path[300], kept[310];
    float feature[STORE_DIMENSION];

    fill_feature(feature, 1);
    save(fixture, "a", 1);
    close_store(fixture);
    key_path(fixture, path);
    (void)snprintf(kept, sizeof kept, "%s.kept", path);
    assert_int_equal(rename(path, kept), 0);
    expect_refusal(fixture, NULL, "missing");
    assert_int_not_equal(access(path, F_OK), 0); /* none was invented */
    write_key(path, "0000000000000000000000000000000000000000000000000000000000000000\n");
    expect_refusal(fixture, NULL, "not the one");
    write_key(path, "nonsense\n");
    expect_refusal(fixture, NULL, "hexadecimal");
    write_key(path, "");
    expect_refusal(fixture, NULL, "hexadecimal");
    assert_int_equal(unlink(path), 0);
    /* Apart from the folder it is as good. */
    assert_status(AIBOX_OK, store_open_keyed(fixture->path, kept, 10, &fixture->store, NULL));
    assert_true(scan(fixture->store).first == feature[0]);
    close_store(fixture);
    assert_int_equal(rename(kept, path), 0);
    fixture_reopen(fixture);
}

static void test_systemds_credential_is_found(void **state)
{
    struct fixture *fixture = *state;
    char path[300], folder[300], credential[330];

    close_store(fixture);
    key_path(fixture, path);
    (void)snprintf(folder, sizeof folder, "%s-credentials", fixture->path);
    (void)snprintf(credential, sizeof credential, "%s/aibox.key", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(rename(path, credential), 0);
    expect_refusal(fixture, NULL, "missing");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    assert_status(AIBOX_OK, store_open(fixture->path, 10, &fixture->store, NULL));
    close_store(fixture);
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_int_equal(rename(credential, path), 0);
    assert_int_equal(rmdir(folder), 0);
    fixture_reopen(fixture);
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

static void test_a_copy_is_at_home_on_another_box(void **state)
{
    struct fixture *fixture = *state;
    struct store_snapshot_options options = {.with_events = true, .copies = 1};
    char folder[300], path[300], copy[300];
    float feature[STORE_DIMENSION];
    size_t devices = 0;

    fill_feature(feature, 9);
    save(fixture, "a", 9);
    add_device(fixture, "d");
    (void)snprintf(folder, sizeof folder, "%s/restore", fixture->path);
    (void)snprintf(copy, sizeof copy, "%s-copy", fixture->path);
    assert_int_equal(mkdir(copy, 0700), 0);
    options.folder = copy;
    assert_status(AIBOX_OK, store_snapshot(fixture->store, &options, NULL));
    /* The box is another one meanwhile: of its own key, and with data of its own. */
    close_store(fixture);
    key_path(fixture, path);
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof path, "%s/aibox.db", fixture->path);
    assert_int_equal(unlink(path), 0);
    (void)snprintf(path, sizeof path, "%s/pictures.db", fixture->path);
    assert_int_equal(unlink(path), 0);
    fixture_reopen(fixture);
    assert_status(AIBOX_OK, store_document_put(fixture->store, "hex_mac", "\"0x001122334455\"", NULL));
    assert_int_equal(rename(copy, folder), 0);
    assert_status(AIBOX_OK, store_restore_prepare(fixture->store, false, NULL));
    fixture_reopen(fixture);
    char *json;
    assert_true(scan(fixture->store).first == feature[0]);
    assert_status(AIBOX_OK, store_devices_each(fixture->store, check_doc, &devices, NULL));
    assert_int_equal(devices, 1);
    assert_status(AIBOX_OK, store_document_get(fixture->store, "hex_mac", &json, NULL));
    assert_string_equal(json, "\"0x001122334455\"");
    free(json);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM seal_key"), 1);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM seal_key WHERE wrapper = 0"), 0);
    assert_int_equal(
        fixture_query(fixture, "main", "SELECT count(*) FROM face WHERE key_id <> (SELECT key_id FROM seal_key)"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_is_in_the_files),        TEST(test_plain_rows_are_sealed_at_opening),
        TEST(test_a_changed_face_is_left_out),     TEST(test_a_face_in_anothers_row_is_left_out),
        TEST(test_a_changed_event_has_no_feature), TEST(test_a_changed_device_is_an_error),
        TEST(test_the_key_file_is_private),        TEST(test_no_other_key_opens),
        TEST(test_systemds_credential_is_found),   TEST(test_a_copy_is_at_home_on_another_box),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
