#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/status.h"
#include "core/utf8.h"

/* Written down a second time on purpose: these are what other programs rely on. */
static const struct {
    enum aibox_status status;
    int code;
    const char *name;
    int http;
} expected[] = {
    {AIBOX_OK, 0, "SUCCESS", 200},
    {AIBOX_COMMAND_PARAM, 40071, "PARAM_ERROR", 0},
    {AIBOX_PROCESS_FAILED, 50072, "SERVER_PROCESS_FAILED", 500},
    {AIBOX_REMOTE_FAILED, 50073, "REMOTE_SERVER_FAILED", 0},
    {AIBOX_REMOTE_DATA, 50074, "REMOTE_DATA_FAILED", 0},
    {AIBOX_PARAM, 40091, "PARAM_ERROR", 400},
    {AIBOX_NOT_FOUND, 40491, "NOT_FOUND", 404},
    {AIBOX_CONTENT_TYPE, 41591, "CONTENT_TYPE_ERROR", 415},
    {AIBOX_BAD_REQUEST, 40000, "BAD_REQUEST", 400},
    {AIBOX_UNSUPPORTED_IMAGE, 40001, "UNSUPPORT_CONTENT_TYPE", 415},
    {AIBOX_EMPTY_BODY, 40002, "EMPTY_REQUEST_JSON", 400},
    {AIBOX_IMAGE, 40003, "IMAGE_ERROR", 400},
    {AIBOX_NO_FACE, 40004, "NO_FACE", 400},
    {AIBOX_BOOLEAN, 40005, "BOOLEAN_ARGUMENT_ERROR", 400},
    {AIBOX_LOW_QUALITY, 40006, "LOW_QUALITY_ERROR", 400},
    {AIBOX_IMAGE_TOO_LARGE, 40007, "IMAGE_SIZE_TOO_LARGE_ERROR", 400},
    {AIBOX_EMPTY_GROUP, 40008, "EMPTY_GROUP_ERROR", 400},
    {AIBOX_FACE_TOO_SMALL, 40009, "ENROLL_FACE_SIZE_NOT_ENOUGH_ERROR", 400},
    {AIBOX_BAD_FEATURE, 40010, "BAD_FEATURE_ERROR", 400},
    {AIBOX_IDENTITY_EXISTS, 40011, "IDENTITY_EXSIT_ERROR", 400},
    {AIBOX_GROUP_NAME, 40012, "GROUP_NAME_ERROR", 400},
    {AIBOX_GROUP_NOT_LOADED, 40013, "GROUP_NOT_LOAD", 503},
    {AIBOX_STRANGER_KEPT, 40014, "STRANGER_NOT_DELETE", 400},
    {AIBOX_GALLERY_FULL, 40015, "GROUP_LEN_ERROR", 400},
    {AIBOX_NO_FACE_IN_PICTURE, 40094, "NO_FACE_IN_PICTURE", 0},
    {AIBOX_DELETE_USER, 40095, "DELETE_USER_FAILED", 0},
    {AIBOX_NO_PATH, 40400, "NOT_FOUND", 404},
    {AIBOX_ID_NOT_FOUND, 40401, "ID_NOT_FOUND", 404},
    {AIBOX_METHOD, 40500, "METHOD_NOT_ALLOWED", 405},
    {AIBOX_UNAUTHORIZED, 40100, "UNAUTHORIZED", 401},
    {AIBOX_FORBIDDEN, 40300, "FORBIDDEN", 403},
    {AIBOX_PAYLOAD_TOO_LARGE, 41300, "PAYLOAD_TOO_LARGE", 413},
    {AIBOX_TOO_MANY_REQUESTS, 42900, "TOO_MANY_REQUESTS", 429},
    {AIBOX_NOT_IMPLEMENTED, 50100, "NOT_IMPLEMENTED", 501},
};

static void test_every_status(void **state)
{
    (void)state;
    assert_int_equal(sizeof expected / sizeof expected[0], AIBOX_STATUS_COUNT);
    for (size_t i = 0; i < AIBOX_STATUS_COUNT; i++) {
        assert_int_equal(expected[i].status, i);
        assert_int_equal(status_code(expected[i].status), expected[i].code);
        assert_string_equal(status_name(expected[i].status), expected[i].name);
        assert_int_equal(status_http(expected[i].status), expected[i].http);
        assert_true(strlen(status_text(expected[i].status)) > 0);
    }
}

static void test_set(void **state)
{
    struct aibox_error err = {0};

    (void)state;
    assert_int_equal(error_set(&err, AIBOX_PARAM, "%s: %d", "page", 7), AIBOX_PARAM);
    assert_int_equal(err.status, AIBOX_PARAM);
    assert_string_equal(err.message, "page: 7");

    assert_int_equal(error_set(&err, AIBOX_NO_FACE, NULL), AIBOX_NO_FACE);
    assert_string_equal(err.message, status_text(AIBOX_NO_FACE));

    assert_int_equal(error_set(NULL, AIBOX_IMAGE, "anything"), AIBOX_IMAGE);
    error_prefix(NULL, "anything");
}

static void test_own_message_as_argument(void **state)
{
    struct aibox_error err = {0};

    (void)state;
    error_set(&err, AIBOX_PARAM, "inner");
    error_set(&err, AIBOX_IMAGE, "outer (%s)", err.message);
    assert_string_equal(err.message, "outer (inner)");
    error_prefix(&err, "line %d", 3);
    assert_string_equal(err.message, "line 3: outer (inner)");
    assert_int_equal(err.status, AIBOX_IMAGE);
}

/* Long messages of two- and four-byte characters, shifted byte by byte, stay valid when cut. */
static void test_cut_at_whole_character(void **state)
{
    static const char *const characters[] = {"\xc3\xbc", "\xf0\x9f\x9a\xaa"};
    struct aibox_error err = {0};
    char text[1024];

    (void)state;
    for (size_t c = 0; c < 2; c++) {
        size_t width = strlen(characters[c]);

        for (size_t shift = 0; shift < 4; shift++) {
            memset(text, 'a', shift);
            for (size_t at = shift; at + width < sizeof text; at += width)
                memcpy(text + at, characters[c], width + 1);
            error_set(&err, AIBOX_PARAM, "%s", text);
            assert_true(utf8_valid(err.message, strlen(err.message)));
            assert_in_range(strlen(err.message), sizeof err.message - 4, sizeof err.message - 1);
            error_prefix(&err, "field %d", 1);
            assert_true(utf8_valid(err.message, strlen(err.message)));
            assert_memory_equal(err.message, "field 1: ", 9);
        }
    }
}

static void test_exactly_full(void **state)
{
    struct aibox_error err = {0};
    char text[sizeof err.message];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(&err, AIBOX_PARAM, "%s", text);
    assert_string_equal(err.message, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_status),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_own_message_as_argument),
        cmocka_unit_test(test_cut_at_whole_character),
        cmocka_unit_test(test_exactly_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
