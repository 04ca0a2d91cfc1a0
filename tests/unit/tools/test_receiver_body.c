#include "check.h"

#include "body.h"
#include "core/base64.h"
#include "message.h"
#include "picture.h"

#define JPEG "/9j/4AAQSkZJRg=="

/* Parses a copy of `text`; the error goes into `err`. */
static json_t *parse(const char *type, const char *text, struct aibox_error *err)
{
    enum body_format format;
    char *copy = strdup(text);
    json_t *body;
    assert_non_null(copy);
    body = body_parse(type, copy, strlen(text), &format, err);
    free(copy);
    return body;
}

static json_t *parse_well(const char *type, const char *text)
{
    struct aibox_error err = {0};
    json_t *body = parse(type, text, &err);
    if (body == NULL)
        fail_msg("%s", err.message);
    return body;
}

static void check_refused(const char *type, const char *text, enum aibox_status wanted, const char *named)
{
    struct aibox_error err = {0};
    json_t *body = parse(type, text, &err);
    assert_null(body);
    assert_int_equal(err.status, wanted);
    if (strstr(err.message, named) == NULL)
        fail_msg("\"%s\" does not name %s", err.message, named);
}

static void test_json_is_taken_whatever_curl_calls_it(void **state)
{
    static const char *const types[] = {NULL, "application/json", "application/json; charset=utf-8", "text/plain",
                                        "application/x-www-form-urlencoded"};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        json_t *body = parse_well(types[i], " {\"a\": 1}");
        assert_int_equal(json_integer_value(json_object_get(body, "a")), 1);
        json_decref(body);
    }
}

static void test_what_is_neither_is_refused(void **state)
{
    (void)state;
    check_refused("application/json", "", AIBOX_EMPTY_BODY, "empty");
    check_refused("application/json", "{\"a\":", AIBOX_BAD_REQUEST, "JSON");
    check_refused("application/json", "{\"a\":1,\"a\":2}", AIBOX_BAD_REQUEST, "JSON");
    check_refused("application/json", "{\"a\":\"\xff\"}", AIBOX_BAD_REQUEST, "JSON");
    check_refused("image/jpeg", "abc", AIBOX_CONTENT_TYPE, "neither");
    check_refused("multipart/form-data", "--B--", AIBOX_BAD_REQUEST, "boundary");
    check_refused("multipart/form-data; boundary=B", "nothing", AIBOX_BAD_REQUEST, "boundary");
    check_refused("application/x-www-form-urlencoded", "a=1&a=2", AIBOX_BAD_REQUEST, "a is there twice");
    check_refused("application/x-www-form-urlencoded", "ext_data={1", AIBOX_BAD_REQUEST, "ext_data");
    check_refused("application/x-www-form-urlencoded", "a=%zz", AIBOX_BAD_REQUEST, "%");
}

static void test_memory_is_bounded(void **state)
{
    size_t size = BODY_MAX_VALUES * 2 + 2;
    char *text = malloc(size + 1);
    (void)state;
    assert_non_null(text);
    for (size_t at = 0; at < size; at++)
        text[at] = at % 2 ? ',' : '0';
    text[0] = '[';
    text[size] = '\0';
    check_refused("application/json", text, AIBOX_BAD_REQUEST, "values");
    free(text);
    /* commas in a string are no values */
    text = malloc(size + 1);
    assert_non_null(text);
    memset(text, ',', size);
    memcpy(text, "[\"\\\"", 4);
    memcpy(text + size - 2, "\"]", 3);
    json_decref(parse_well("application/json", text));
    free(text);
}

static void check_form(json_t *body)
{
    const json_t *more = json_object_get(body, "ext_data");
    assert_string_equal(json_string_value(json_object_get(body, "identity_name")), "[小赵] &");
    assert_string_equal(json_string_value(json_object_get(body, "identity_id")), "10086");
    assert_true(json_integer_value(json_object_get(body, "timestamp")) == 1566016554020);
    assert_true(json_is_real(json_object_get(body, "score")));
    assert_string_equal(json_string_value(json_object_get(more, "event_id")), "01J");
    assert_string_equal(json_string_value(json_object_get(body, "reg_pic")), "+/9A");
    json_decref(body);
}

static void test_forms_become_what_json_would_be(void **state)
{
    (void)state;
    check_form(parse_well("application/x-www-form-urlencoded",
                          "identity_id=10086&identity_name=%5B小赵%5D+%26&timestamp=1566016554020&score=0.5&"
                          "ext_data=%7B%22event_id%22%3A%2201J%22%7D&reg_pic=+/9A"));
    check_form(parse_well("multipart/form-data; boundary=B",
                          "--B\r\nContent-Disposition: form-data; name=\"identity_id\"\r\n\r\n10086\r\n"
                          "--B\r\nContent-Disposition: form-data; name=\"identity_name\"\r\n\r\n[小赵] &\r\n"
                          "--B\r\nContent-Disposition: form-data; name=\"timestamp\"\r\n\r\n1566016554020\r\n"
                          "--B\r\nContent-Disposition: form-data; name=\"score\"\r\n\r\n0.5\r\n"
                          "--B\r\nContent-Disposition: form-data; name=\"ext_data\"\r\n\r\n{\"event_id\":\"01J\"}\r\n"
                          "--B\r\nContent-Disposition: form-data; name=\"reg_pic\"\r\n\r\n+/9A\r\n"
                          "--B--\r\n"));
}

static void test_a_file_is_a_picture_or_nothing(void **state)
{
    static const char part[] =
        "--B\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"a.jpg\"\r\n\r\nabc\r\n--B--";
    char text[256];
    json_t *body;
    (void)state;
    snprintf(text, sizeof text, part, "spot_pic");
    body = parse_well("multipart/form-data; boundary=B", text);
    assert_string_equal(json_string_value(json_object_get(body, "spot_pic")), "YWJj");
    json_decref(body);
    snprintf(text, sizeof text, part, "identity_id");
    check_refused("multipart/form-data; boundary=B", text, AIBOX_BAD_REQUEST, "identity_id");
}

static void check_kind(const char *text, const char *path, enum message_kind wanted)
{
    json_t *body = parse_well("application/json", text);
    struct message message;
    size_t count;
    assert_int_equal(message_count(body, &count, NULL), AIBOX_OK);
    message_read(message_at(body, 0), path, json_is_array(body), &message);
    assert_string_equal(message_kind_name(message.kind), message_kind_name(wanted));
    json_decref(body);
}

static void test_kinds(void **state)
{
    static const char event[] = "{\"identity_id\":\"1\",\"timestamp\":1,\"ext_data\":{}}";
    (void)state;
    check_kind(event, "/RealTimeEvent", MESSAGE_REALTIME);
    check_kind(event, "/anything", MESSAGE_REALTIME);
    check_kind(event, "/EventServer/api/HistoryEvent", MESSAGE_HISTORY);
    check_kind(event, "/getRecord", MESSAGE_HISTORY);
    check_kind("[{\"identity_id\":\"1\",\"score\":0.5}]", "/RealTimeEvent", MESSAGE_HISTORY);
    check_kind("{\"identity_id\":\"1\",\"score\":1,\"want_action\":\"0\"}", "/RealTimeEvent", MESSAGE_HISTORY);
    check_kind("{\"gateway_status\":\"online\",\"sub_devices\":[]}", "/HistoryEvent", MESSAGE_STATUS);
    check_kind("{\"actionType\":1,\"deviceInfo\":{}}", "/", MESSAGE_DEVICE);
    check_kind("{\"actiontype\":2,\"deviceInfo\":{}}", "/", MESSAGE_DEVICE);
    check_kind("{\"devSno\":\"SE\",\"deviceList\":[]}", "/", MESSAGE_DEVICE_LIST);
    check_kind("{\"success\":true,\"code\":0,\"messageKey\":\"fiqa\",\"result\":{}}", "/", MESSAGE_RESULT);
    check_kind("{\"identity_id\":\"1\"}", "/RealTimeEvent", MESSAGE_UNKNOWN);
    check_kind("{}", "/", MESSAGE_UNKNOWN);
    check_kind("[1,2]", "/", MESSAGE_UNKNOWN);
}

static void test_batches_are_bounded(void **state)
{
    json_t *batch = json_array();
    struct aibox_error err = {0};
    size_t count;
    (void)state;
    assert_int_equal(message_count(batch, &count, &err), AIBOX_BAD_REQUEST);
    for (int i = 0; i < MESSAGE_BATCH_MAX; i++)
        assert_int_equal(json_array_append_new(batch, json_pack("{s:s,s:i}", "identity_id", "1", "timestamp", i)), 0);
    assert_int_equal(message_count(batch, &count, &err), AIBOX_OK);
    assert_int_equal(count, MESSAGE_BATCH_MAX);
    assert_int_equal(json_integer_value(json_object_get(message_at(batch, 99), "timestamp")), 99);
    assert_int_equal(json_array_append_new(batch, json_pack("{s:s,s:i}", "identity_id", "1", "timestamp", 1)), 0);
    assert_int_equal(message_count(batch, &count, &err), AIBOX_BAD_REQUEST);
    json_decref(batch);
}

static void test_what_an_event_says(void **state)
{
    json_t *body =
        parse_well(NULL, "{\"identity_id\":\"10086\",\"identity_name\":\"小赵\",\"timestamp\":1,\"score\":0.5,"
                         "\"ext_data\":{\"event_id\":\"01J\",\"ep_id\":\"\",\"device_ip\":\"192.0.2.7\","
                         "\"supersedes\":\"01H\"}}");
    struct message message;
    (void)state;
    message_read(body, "/x", false, &message);
    assert_string_equal(message.event_id, "01J");
    assert_string_equal(message.identity_id, "10086");
    assert_string_equal(message.person, "小赵");
    assert_string_equal(message.device, "192.0.2.7");
    assert_string_equal(message.note, "supersedes 01H");
    assert_true(message.has_score && message.score > 0.49 && message.score < 0.51);
    json_decref(body);
}

static void test_pictures_are_taken_out(void **state)
{
    json_t *body = parse_well(
        NULL, "{\"reg_pic\":\"\",\"score\":1,\"ext_data\":{\"spot_pic\":\"" JPEG "\","
              "\"recognize_face\":\"PHN2Zz4=\"},\"list\":[{\"reg_photo\":\"data:image/png;base64," JPEG "\"}]}");
    const json_t *more = json_object_get(body, "ext_data");
    struct pictures pictures;
    (void)state;
    assert_true(pictures_lift(body, &pictures));
    assert_int_equal(pictures.count, 2);
    assert_int_equal(pictures.unreadable, 1); /* "<svg>" is no picture here */
    assert_string_equal(pictures.list[0].field, "spot_pic");
    assert_string_equal(pictures.list[0].type, "image/jpeg");
    assert_int_equal(pictures.list[0].size, 10);
    assert_string_equal(json_string_value(json_object_get(more, "spot_pic")), "<image/jpeg, 10 bytes>");
    assert_string_equal(json_string_value(json_object_get(more, "recognize_face")), "PHN2Zz4=");
    assert_string_equal(json_string_value(json_object_get(body, "reg_pic")), "");
    pictures_free(&pictures);
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_is_taken_whatever_curl_calls_it),
        cmocka_unit_test(test_what_is_neither_is_refused),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_forms_become_what_json_would_be),
        cmocka_unit_test(test_a_file_is_a_picture_or_nothing),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_batches_are_bounded),
        cmocka_unit_test(test_what_an_event_says),
        cmocka_unit_test(test_pictures_are_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
