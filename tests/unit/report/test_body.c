/* Bodies of reports: the same event as JSON, as a form, and among others. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../store/fixture.h"
#include "core/id.h"
#include "report/body.h"

static const struct body_options everything = {.history = true, .reg_pic = true, .spot_pic = true, .face_pic = true};

static void add(struct store *store, const char *name, size_t picture_size)
{
    uint8_t *picture = malloc(picture_size);
    struct store_event event = {.timestamp_ms = 1566016554020,
                                .identity_id = "10086",
                                .identity_name = name,
                                .person_type = 1,
                                .group_name = "a,b",
                                .reason = "passed",
                                .score = 0.625F,
                                .threshold = NAN,
                                .margin = NAN,
                                .best_score = NAN,
                                .liveness = NAN,
                                .mask = -1,
                                .spot = picture,
                                .spot_size = picture_size};

    assert_non_null(picture);
    id_random(picture, picture_size);
    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(store, &event, NULL));
    free(picture);
}

static json_t *parse(const struct body *body)
{
    json_t *json = json_loadb((const char *)body->bytes, body->size, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(json);
    return json;
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    assert_non_null(value);
    return value;
}

static void test_json_and_privacy(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct settings *settings;
    struct store_event_list list;
    struct body body;
    static const struct {
        const char *send;
        bool spot;
    } cases[] = {{"all", true}, {"events", true}, {"never", false}};

    assert_status(AIBOX_OK, settings_open(&settings, NULL));
    add(store, "\xe5\xb0\x8f\xe8\xb5\xb5 \"x\"\n", 100);
    assert_status(AIBOX_OK, store_events_after(store, 0, 10, &list, NULL));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_status(AIBOX_OK, settings_put(settings, SETTINGS_SET, "cloud.send_pictures", cases[i].send, NULL));
        assert_status(AIBOX_OK, body_of_event(store, settings, &list.items[0], &everything, &body, NULL));
        assert_string_equal(body.type, "application/json");
        json_t *event = parse(&body);
        const json_t *ext = json_object_get(event, "ext_data");
        assert_string_equal(text(event, "identity_name"), "\xe5\xb0\x8f\xe8\xb5\xb5 \"x\"\n");
        assert_string_equal(text(event, "reg_pic"), "");
        assert_int_equal(strlen(text(ext, "spot_pic")), cases[i].spot ? 136 : 0);
        assert_string_equal(text(ext, "recognize_face"), "");
        assert_true(json_real_value(json_object_get(event, "score")) == 0.625);
        json_decref(event);
        body_free(&body);
    }
    store_event_list_free(&list);
    settings_close(settings);
}

static void test_form_data(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct body_options options = everything;
    struct settings *settings;
    struct store_event_list list;
    struct body body;
    char end[100];

    options.encoding = REPORT_FORM_DATA;
    assert_status(AIBOX_OK, settings_open(&settings, NULL));
    add(store, "Ann", 3);
    assert_status(AIBOX_OK, store_events_after(store, 0, 10, &list, NULL));
    assert_status(AIBOX_OK, body_of_event(store, settings, &list.items[0], &options, &body, NULL));
    const char *boundary = strstr(body.type, "boundary=");
    assert_non_null(boundary);
    boundary += strlen("boundary=");
    assert_in_range(strlen(boundary), 16, 70); /* RFC 2046 § 5.1.1 */
    snprintf(end, sizeof end, "\r\n--%s--\r\n", boundary);
    assert_int_equal(memcmp(body.bytes, "--", 2), 0);
    assert_memory_equal(body.bytes + body.size - strlen(end), end, strlen(end));
    static const char *const parts[] = {
        "name=\"identity_id\"\r\n\r\n10086\r\n",       "name=\"identity_name\"\r\n\r\nAnn\r\n",
        "name=\"group_name\"\r\n\r\na,b\r\n",          "name=\"reg_pic\"\r\n\r\n\r\n",
        "name=\"timestamp\"\r\n\r\n1566016554020\r\n", "name=\"score\"\r\n\r\n0.625\r\n",
        "name=\"ext_data\"\r\n\r\n{\"event_id\""};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_non_null(memmem(body.bytes, body.size, parts[i], strlen(parts[i])));
    body_free(&body);
    store_event_list_free(&list);
    settings_close(settings);
}

static void test_a_batch_stops_growing(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct settings *settings;
    struct store_event_list list;
    struct body body;
    size_t n = 5;

    assert_status(AIBOX_OK, settings_open(&settings, NULL));
    for (int i = 0; i < 5; i++)
        add(store, "Ann", (size_t)5 << 20);
    assert_status(AIBOX_OK, store_events_after(store, 0, 10, &list, NULL));
    assert_status(AIBOX_OK, body_of_events(store, settings, list.items, &n, &everything, &body, NULL));
    assert_int_equal(n, 2); /* beyond 8 MiB nothing is added */
    json_t *batch = parse(&body);
    assert_int_equal(json_array_size(batch), 2);
    json_decref(batch);
    body_free(&body);
    store_event_list_free(&list);
    settings_close(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_json_and_privacy, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_form_data, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_batch_stops_growing, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
