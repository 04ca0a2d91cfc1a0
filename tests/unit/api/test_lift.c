#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/lift.h"
#include "ask.h"
#include "core/base64.h"
#include "core/buffer.h"

static const struct api_field fields[] = {
    {.name = "photo", .type = API_PICTURE, .alias = "image|pic", .help = "photo"},
    {.name = "second", .type = API_PICTURE, .help = "second"},
    {.name = "text", .type = API_TEXT, .help = "text"},
    {.name = "info", .type = API_DICT, .help = "info"},
};
static const struct api_endpoint endpoint = {.method = "POST", .path = "/p", .fields = fields, .n_fields = 4};

#define PICTURE_SIZE 3000

static uint8_t picture[PICTURE_SIZE];
static char base64[PICTURE_SIZE * 2];

static int prepare(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof picture; i++)
        picture[i] = (uint8_t)(i * 7 + i / 256);
    base64_encode(picture, sizeof picture, base64);
    return 0;
}

/* `format` with one "%s" for the base64 of the picture. */
static struct buffer body_of(const char *format)
{
    struct buffer body;
    const char *place = strstr(format, "%s");

    buffer_init(&body, 1 << 20);
    assert_true(buffer_append(&body, format, (size_t)(place - format)));
    assert_true(buffer_append_text(&body, base64));
    assert_true(buffer_append_text(&body, place + 2));
    return body;
}

static size_t count_lifted(const struct buffer *body)
{
    struct arena arena;
    struct lift lift;
    size_t size = body->size;
    char *text = malloc(size);
    size_t count;

    assert_non_null(text);
    memcpy(text, body->data, size);
    arena_init(&arena);
    assert_int_equal(json_lift(&arena, &endpoint, true, text, &size, &lift, NULL), AIBOX_OK);
    count = lift.count;
    for (size_t i = 0; i < lift.count; i++) {
        assert_int_equal(lift.strings[i].bytes.size, sizeof picture);
        assert_memory_equal(lift.strings[i].bytes.data, picture, sizeof picture);
    }
    arena_free(&arena);
    free(text);
    return count;
}

/* Both ways give the same answer; returns whether the picture arrived. */
static bool check_same(const struct buffer *body, size_t expected_lifts)
{
    struct ask *lifted = ask_open(&endpoint, ARGUMENTS_JSON, (const char *)body->data, body->size, NULL, false);
    struct ask *plain = ask_open(&endpoint, ARGUMENTS_JSON, (const char *)body->data, body->size, NULL, true);
    struct api_bytes one = api_picture(&lifted->req, "photo");
    struct api_bytes other = api_picture(&plain->req, "photo");
    bool arrived = one.size == sizeof picture;

    assert_int_equal(count_lifted(body), expected_lifts);
    assert_int_equal(lifted->status, plain->status);
    assert_string_equal(lifted->err.message, plain->err.message);
    assert_int_equal(api_picture_check(&lifted->req, "photo", NULL), api_picture_check(&plain->req, "photo", NULL));
    assert_int_equal(one.size, other.size);
    if (one.size)
        assert_memory_equal(one.data, other.data, one.size);
    ask_close(lifted);
    ask_close(plain);
    return arrived;
}

static void check(const char *format, size_t expected_lifts, bool expected_picture)
{
    struct buffer body = body_of(format);

    if (check_same(&body, expected_lifts) != expected_picture)
        fail_msg("%s", format);
    buffer_free(&body);
}

static void pictures_are_lifted(void **state)
{
    (void)state;
    check("{\"photo\":\"%s\"}", 1, true);
    check(" { \"text\" : \"a\" , \"photo\" : \"%s\" , \"info\" : { } } ", 1, true);
    check("{\"image\":\"%s\",\"text\":\"x\"}", 1, true);
    check("{\"photo\":\"data:image/jpeg;base64,%s\"}", 1, true);
    check("{\"info\":{\"a\":[1,{\"b\":\"}\"}]},\"photo\":\"%s\"}", 1, true);
    check("{\"text\":\"\\\"\\\\\",\"photo\":\"%s\"}", 1, true);
    check("{\"text\":1.5e3,\"photo\":\"%s\"}", 1, true);
}

static void escapes_are_understood(void **state)
{
    (void)state;
    check("{\"\\u0070hoto\":\"%s\"}", 1, true);
    check("{\"photo\":\"\\u0064ata:image\\/png;base64,\\r\\n\\t%s\\n\"}", 1, true);
    check("{\"photo\":\"%s\\u000a\\u0020\"}", 1, true);
    check("{\"photo\":\"%s\\u003d\"}", 0, false); /* padding too much */
    check("{\"photo\":\"%s\\u0000\"}", 0, false); /* no JSON of ours */
    check("{\"photo\":\"%s\\u00e5\"}", 0, false); /* no base64 */
    check("{\"photo\":\"%s\\x\"}", 0, false);     /* no JSON */
    check("{\"photo\":\"%s\\u12\"}", 0, false);   /* no JSON */
    check("{\"photo\":\"%s\\\"\"}", 0, false);    /* no base64 */
    check("{\"photo\":\"%s\\\"}", 0, false);      /* the string does not end */
}

static void escaped_slashes_are_lifted(void **state)
{
    struct buffer body;

    (void)state;
    buffer_init(&body, 1 << 20);
    (void)buffer_append_text(&body, "{\"photo\":\"");
    for (const char *at = base64; *at; at++)
        (void)buffer_append(&body, *at == '/' ? "\\/" : at, *at == '/' ? 2 : 1);
    (void)buffer_append_text(&body, "\"}");
    assert_true(check_same(&body, 1));
    buffer_free(&body);
}

static void the_rest_is_left_alone(void **state)
{
    (void)state;
    check("{\"text\":\"%s\"}", 0, false);             /* not a picture */
    check("{\"other\":\"%s\"}", 0, false);            /* not known */
    check("{\"info\":{\"photo\":\"%s\"}}", 0, false); /* not at the top */
    check("{\"info\":[\"photo\",\"%s\"]}", 0, false);
    check("[{\"photo\":\"%s\"}]", 0, false);
    check("[\"photo\",\"%s\"]", 0, false);
    check("{\"photo\":[\"%s\"]}", 0, false);
    check("{\"photo\":\"%s\n\"}", 0, false); /* a raw line break is no JSON */
    check("{\"photo\":\"%s\xc3\xa5\"}", 0, false);
    check("{\"photo\":\"%s\xff\"}", 0, false);
    check("{\"photo\":\"!%s\"}", 0, false);
}

static void broken_json_stays_broken(void **state)
{
    (void)state;
    check("{\"photo\":\"%s\",}", 1, false);
    check("{\"photo\":\"%s\"", 1, false);
    check("{\"photo\":\"%s\"} x", 1, false);
    check("{\"photo\":\"%s\" \"text\":1}", 1, false);
    check("{\"photo\":\"%s\",\"text\":}", 1, false);
    check("{\"photo\" \"%s\"}", 0, false);
    check("{\"photo\"::\"%s\"}", 0, false);
    check("{,\"photo\":\"%s\"}", 0, false);
    check("{\"photo\",\"x\":\"%s\"}", 0, false);
    check("{} {\"photo\":\"%s\"}", 0, false);
    check("{\"text\":x,\"photo\":\"%s\"}", 1, false);
    check("{\"photo\":\"%s\",\"photo\":\"Zm9v\"}", 1, false);
    check("{\"photo\":\"%s\",\"ph\\u006fto\":null}", 1, false);
}

static void errors_keep_their_place(void **state)
{
    struct buffer body = body_of("{\"photo\":\"%s\",\"text\":oops}");
    struct ask *ask = ask_open(&endpoint, ARGUMENTS_JSON, (const char *)body.data, body.size, NULL, false);
    char place[40];

    (void)state;
    (void)snprintf(place, sizeof place, "at byte %zu", body.size - 1);
    if (!strstr(ask->err.message, place))
        fail_msg("%s, not %s", ask->err.message, place);
    ask_close(ask);
    buffer_free(&body);
}

static void nulls_and_aliases_are_chosen_as_without(void **state)
{
    (void)state;
    check("{\"photo\":null,\"image\":\"%s\"}", 1, true);
    check("{\"photo\":\"Zm9v\",\"image\":\"%s\"}", 1, false);
    check("{\"photo\":\"\",\"pic\":\"%s\"}", 1, false);
}

static void two_pictures_are_lifted(void **state)
{
    struct buffer body;

    (void)state;
    buffer_init(&body, 1 << 20);
    (void)buffer_appendf(&body, "{\"second\":\"%s\",\"text\":\"x\",\"photo\":\"%s\"}", base64, base64);
    assert_true(check_same(&body, 2));
    buffer_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_lifted),
        cmocka_unit_test(escapes_are_understood),
        cmocka_unit_test(escaped_slashes_are_lifted),
        cmocka_unit_test(the_rest_is_left_alone),
        cmocka_unit_test(broken_json_stays_broken),
        cmocka_unit_test(errors_keep_their_place),
        cmocka_unit_test(nulls_and_aliases_are_chosen_as_without),
        cmocka_unit_test(two_pictures_are_lifted),
    };

    return cmocka_run_group_tests(tests, prepare, NULL);
}
