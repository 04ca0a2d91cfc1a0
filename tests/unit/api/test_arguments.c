#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ask.h"

static const struct api_field fields[] = {
    {.name = "id", .type = API_TEXT, .max = 8, .flags = API_NOT_EMPTY, .help = "id"},
    {.name = "note", .type = API_TEXT, .default_text = "none", .help = "note"},
    {.name = "flag", .type = API_BOOL, .default_text = "true", .help = "flag"},
    {.name = "limit", .type = API_INT, .default_text = "10", .min = 1, .max = 1000, .help = "limit"},
    {.name = "any_int", .type = API_INT, .help = "int"},
    {.name = "ratio", .type = API_FLOAT, .min = 0, .max = 1, .alias = "share|part", .help = "ratio"},
    {.name = "threshold", .type = API_NUMBER_OR_WORD, .min = 0, .max = 1, .choices = "high|low", .help = "t"},
    {.name = "level", .type = API_CHOICE, .choices = "high|middle|0", .default_text = "high", .help = "level"},
    {.name = "photo", .type = API_PICTURE, .alias = "image", .help = "photo"},
    {.name = "ids", .type = API_LIST, .max = 8, .max_items = 3, .help = "ids"},
    {.name = "names", .type = API_LIST, .flags = API_NOT_EMPTY, .default_text = "[\"a\",\"b\"]", .help = "names"},
    {.name = "info", .type = API_DICT, .help = "info"},
    {.name = "objects", .type = API_OBJECTS, .max_items = 2, .help = "objects"},
    {.name = "feature", .type = API_FLOATS, .help = "feature"},
    {.name = "anything", .type = API_JSON, .help = "anything"},
};

static const struct api_endpoint all = {
    .method = "POST", .path = "/all", .fields = fields, .n_fields = sizeof fields / sizeof fields[0]};

static const struct api_field needed_fields[] = {
    {.name = "first", .type = API_TEXT, .flags = API_REQUIRED, .help = "first"},
    {.name = "second", .type = API_INT, .flags = API_REQUIRED, .alias = "zweitens", .help = "second"},
};
static const struct api_endpoint needed = {.method = "POST", .path = "/n", .fields = needed_fields, .n_fields = 2};

typedef struct ask *(*ask_function)(const struct api_endpoint *endpoint, const char *text);

static void check_refused(struct ask *ask, enum aibox_status status, const char *message)
{
    assert_int_equal(ask->status, status);
    assert_int_equal(ask->err.status, status);
    assert_string_equal(ask->err.message, message);
    ask_close(ask);
}

static void check_taken(const struct ask *ask)
{
    if (ask->status != AIBOX_OK)
        fail_msg("refused: %s", ask->err.message);
}

static void absent_and_null_give_defaults(void **state)
{
    static const char *const bodies[] = {
        "{}", "{\"id\":null,\"note\":null,\"flag\":null,\"limit\":null,\"photo\":null,\"names\":null,\"info\":null}",
        "", " \n"};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct ask *ask = ask_json(&all, bodies[i]);
        const char *const *names;
        size_t n;

        check_taken(ask);
        assert_false(api_given(&ask->req, "id"));
        assert_null(api_text(&ask->req, "id"));
        assert_false(api_given(&ask->req, "note"));
        assert_string_equal(api_text(&ask->req, "note"), "none");
        assert_true(api_bool(&ask->req, "flag"));
        assert_int_equal(api_int(&ask->req, "limit"), 10);
        assert_true(isnan(api_float(&ask->req, "ratio")));
        assert_string_equal(api_text(&ask->req, "level"), "high");
        assert_null(api_picture(&ask->req, "photo").data);
        assert_null(api_list(&ask->req, "ids", &n));
        names = api_list(&ask->req, "names", &n);
        assert_int_equal(n, 2);
        assert_string_equal(names[1], "b");
        assert_null(api_json(&ask->req, "info"));
        assert_null(api_floats(&ask->req, "feature", &n));
        ask_close(ask);
    }
}

static void json_values_get_their_types(void **state)
{
    struct ask *ask = ask_json(
        &all,
        "{\"id\":\"10086\",\"note\":\"小赵\",\"flag\":false,\"limit\":1000,\"any_int\":-5,\"ratio\":0.25,"
        "\"threshold\":0.5,\"level\":\"middle\",\"photo\":\"data:image/png;base64,Zm9v\\nYmFy\",\"ids\":[\"a\",7],"
        "\"info\":{\"a\":1},\"objects\":[{},{}],\"feature\":[1,-2.5,1e39],\"anything\":[true],\"unknown\":9}");
    const char *const *ids;
    const float *floats;
    struct api_bytes photo;
    size_t n;

    (void)state;
    check_taken(ask);
    assert_true(api_given(&ask->req, "id"));
    assert_string_equal(api_text(&ask->req, "id"), "10086");
    assert_string_equal(api_text(&ask->req, "note"), "小赵");
    assert_false(api_bool(&ask->req, "flag"));
    assert_int_equal(api_int(&ask->req, "limit"), 1000);
    assert_int_equal(api_int(&ask->req, "any_int"), -5);
    assert_true(api_float(&ask->req, "ratio") == 0.25);
    assert_true(api_float(&ask->req, "threshold") == 0.5);
    assert_string_equal(api_text(&ask->req, "threshold"), "0.5");
    assert_string_equal(api_text(&ask->req, "level"), "middle");
    photo = api_picture(&ask->req, "photo");
    assert_int_equal(photo.size, 6);
    assert_memory_equal(photo.data, "foobar", 6);
    ids = api_list(&ask->req, "ids", &n);
    assert_int_equal(n, 2);
    assert_string_equal(ids[0], "a");
    assert_string_equal(ids[1], "7");
    assert_int_equal(json_integer_value(json_object_get(api_json(&ask->req, "info"), "a")), 1);
    assert_int_equal(json_array_size(api_json(&ask->req, "objects")), 2);
    floats = api_floats(&ask->req, "feature", &n);
    assert_int_equal(n, 3);
    assert_true(floats[0] == 1 && floats[1] == -2.5F && isinf(floats[2]));
    assert_true(json_is_array(api_json(&ask->req, "anything")));
    ask_close(ask);
}

static void check_form(struct ask *ask)
{
    const char *const *ids;
    const float *floats;
    struct api_bytes photo;
    size_t n;

    check_taken(ask);
    assert_string_equal(api_text(&ask->req, "id"), "10086");
    assert_string_equal(api_text(&ask->req, "note"), "");
    assert_true(api_given(&ask->req, "note"));
    assert_false(api_bool(&ask->req, "flag"));
    assert_int_equal(api_int(&ask->req, "limit"), 20);
    assert_true(api_float(&ask->req, "ratio") == 0.5);
    assert_true(isnan(api_float(&ask->req, "threshold")));
    assert_string_equal(api_text(&ask->req, "threshold"), "low");
    assert_string_equal(api_text(&ask->req, "level"), "0");
    photo = api_picture(&ask->req, "photo");
    assert_int_equal(photo.size, 3);
    assert_memory_equal(photo.data, "\xfb\xef\xbe", 3);
    ids = api_list(&ask->req, "ids", &n);
    assert_int_equal(n, 2);
    assert_string_equal(ids[0], "a b");
    assert_string_equal(ids[1], "c");
    ids = api_list(&ask->req, "names", &n);
    assert_int_equal(n, 1);
    assert_string_equal(ids[0], "one");
    assert_int_equal(json_integer_value(json_object_get(api_json(&ask->req, "info"), "a")), 1);
    assert_int_equal(json_array_size(api_json(&ask->req, "objects")), 1);
    floats = api_floats(&ask->req, "feature", &n);
    assert_int_equal(n, 2);
    assert_true(floats[1] == 2.5F);
    assert_string_equal(json_string_value(api_json(&ask->req, "anything")), "plain");
    ask_close(ask);
}

static void form_values_get_their_types(void **state)
{
    (void)state;
    /* The '+' of the picture was not encoded by its sender. */
    check_form(ask_form(&all, "id=10086&note=&flag=False&limit=20&share=0.5&threshold=low&level=0&photo=++%2B%2b&"
                              "ids=a+b&ids=c&names=one&info=%7B%22a%22%3A1%7D&objects=[{}]&feature=[1,2.5]&"
                              "anything=plain&unknown=x&&"));
#define PART(name, value) "--XX\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
    check_form(ask_multipart(
        &all, PART("id", "10086") PART("note", "") PART("flag", "0") PART("limit", "20") PART("part", "0.5")
                  PART("threshold", "low") PART("level", "0") PART("photo", "++++") PART("ids", "[\"a b\",\"c\"]")
                      PART("names", "one") PART("info", "{\"a\":1}") PART("objects", "[{}]") PART("feature", "[1,2.5]")
                          PART("anything", "plain") PART("unknown", "x") "--XX--\r\n"));
}

static void files_are_pictures(void **state)
{
    struct ask *ask =
        ask_multipart(&all, "--XX\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\n"
                            "Content-Type: image/jpeg\r\n\r\n\xff\xd8 not text\r\n"
                            "--XX\r\nContent-Disposition: form-data; name=info; filename=blob\r\n"
                            "Content-Type: application/json\r\n\r\n{\"a\": 1}\r\n--XX--");
    struct api_bytes photo;

    (void)state;
    check_taken(ask);
    photo = api_picture(&ask->req, "photo");
    assert_int_equal(photo.size, 11);
    assert_memory_equal(photo.data, "\xff\xd8 not text", 11);
    assert_true(json_is_object(api_json(&ask->req, "info")));
    ask_close(ask);

    ask = ask_multipart(&all, "--XX\r\nContent-Disposition: form-data; name=\"photo\"\r\n"
                              "Content-Type: image/png\r\n\r\nZm9v\r\n--XX--");
    check_taken(ask);
    assert_int_equal(api_picture(&ask->req, "photo").size, 4);
    ask_close(ask);
}

static void wrong_types_are_named(void **state)
{
    static const struct {
        const char *json;
        enum aibox_status status;
        const char *message;
    } cases[] = {
        {"{\"id\":\"\"}", AIBOX_PARAM, "id: expected text that is not empty, got \"\""},
        {"{\"id\":\"123456789\"}", AIBOX_PARAM, "id: expected at most 8 bytes, got 9"},
        {"{\"id\":1.5}", AIBOX_PARAM, "id: expected text that is not empty, got 1.5"},
        {"{\"id\":1.0}", AIBOX_PARAM, "id: expected text that is not empty, got 1.0"},
        {"{\"note\":true}", AIBOX_PARAM, "note: expected text, got true"},
        {"{\"note\":[]}", AIBOX_PARAM, "note: expected text, got a list"},
        {"{\"note\":{}}", AIBOX_PARAM, "note: expected text, got an object"},
        {"{\"flag\":\"yes\"}", AIBOX_BOOLEAN, "flag: expected true or false, got \"yes\""},
        {"{\"flag\":2}", AIBOX_BOOLEAN, "flag: expected true or false, got \"2\""},
        {"{\"flag\":1.0}", AIBOX_BOOLEAN, "flag: expected true or false, got 1.0"},
        {"{\"flag\":\"\"}", AIBOX_BOOLEAN, "flag: expected true or false, got \"\""},
        {"{\"limit\":0}", AIBOX_PARAM, "limit: expected an integer from 1 to 1000, got 0"},
        {"{\"limit\":1001}", AIBOX_PARAM, "limit: expected an integer from 1 to 1000, got 1001"},
        {"{\"limit\":1.0}", AIBOX_PARAM, "limit: expected an integer from 1 to 1000, got 1.0"},
        {"{\"limit\":\"abc\"}", AIBOX_PARAM, "limit: expected an integer from 1 to 1000, got \"abc\""},
        {"{\"limit\":\"\"}", AIBOX_PARAM, "limit: expected an integer from 1 to 1000, got \"\""},
        {"{\"limit\":\" 5\"}", AIBOX_PARAM, "limit: expected an integer from 1 to 1000, got \" 5\""},
        {"{\"limit\":\"+5\"}", AIBOX_PARAM, "limit: expected an integer from 1 to 1000, got \"+5\""},
        {"{\"limit\":true}", AIBOX_PARAM, "limit: expected an integer from 1 to 1000, got true"},
        {"{\"any_int\":\"99999999999999999999\"}", AIBOX_PARAM,
         "any_int: expected an integer, got \"99999999999999999999\""},
        {"{\"ratio\":1.5}", AIBOX_PARAM, "ratio: expected a number from 0 to 1, got 1.5"},
        {"{\"part\":-0.5}", AIBOX_PARAM, "ratio: expected a number from 0 to 1, got -0.5"},
        {"{\"ratio\":\"nan\"}", AIBOX_PARAM, "ratio: expected a number from 0 to 1, got \"nan\""},
        {"{\"ratio\":\"0x1\"}", AIBOX_PARAM, "ratio: expected a number from 0 to 1, got \"0x1\""},
        {"{\"threshold\":\"middle\"}", AIBOX_PARAM,
         "threshold: expected a number from 0 to 1 or one of high, low, got \"middle\""},
        {"{\"threshold\":2}", AIBOX_PARAM, "threshold: expected a number from 0 to 1 or one of high, low, got 2"},
        {"{\"level\":\"High\"}", AIBOX_PARAM, "level: expected one of high, middle, 0, got \"High\""},
        {"{\"photo\":5}", AIBOX_PARAM, "photo: expected a picture in base64, got 5"},
        {"{\"ids\":[\"a\",1.5]}", AIBOX_PARAM, "ids[1]: expected text, got 1.5"},
        {"{\"ids\":[null]}", AIBOX_PARAM, "ids[0]: expected text, got null"},
        {"{\"ids\":2.5}", AIBOX_PARAM, "ids: expected a list of texts, got 2.5"},
        {"{\"ids\":[1,2,3,4]}", AIBOX_PARAM, "ids: expected at most 3 items, got 4"},
        {"{\"ids\":[\"123456789\"]}", AIBOX_PARAM, "ids: expected items of at most 8 bytes, got one of 9"},
        {"{\"names\":[]}", AIBOX_PARAM, "names: expected a list of texts that are not empty, got an empty list"},
        {"{\"names\":\"\"}", AIBOX_PARAM,
         "names: expected a list of texts that are not empty, got an empty text among them"},
        {"{\"info\":\"{}\"}", AIBOX_PARAM, "info: expected an object, got \"{}\""},
        {"{\"objects\":{}}", AIBOX_PARAM, "objects: expected a list of objects, got an object"},
        {"{\"objects\":[{},5]}", AIBOX_PARAM, "objects[1]: expected an object, got 5"},
        {"{\"objects\":[{},{},{}]}", AIBOX_PARAM, "objects: expected at most 2 items, got 3"},
        {"{\"feature\":[1,\"2\"]}", AIBOX_PARAM, "feature[1]: expected a number, got \"2\""},
        {"{\"feature\":\"1\"}", AIBOX_PARAM, "feature: expected a list of numbers, got \"1\""},
        /* What came is cut at a whole character and made printable. */
        {"{\"limit\":\"\\n0123456789012345678901234567890123456中中\"}", AIBOX_PARAM,
         "limit: expected an integer from 1 to 1000, got \"?0123456789012345678901234567890123456…\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_refused(ask_json(&all, cases[i].json), cases[i].status, cases[i].message);
}

static void both_spellings_are_taken(void **state)
{
    struct ask *ask =
        ask_json(&all, "{\"id\":-0,\"flag\":\"True\",\"limit\":\"0020\",\"any_int\":\"-9223372036854775808\","
                       "\"ratio\":\"1e-1\",\"threshold\":\"high\",\"level\":0,\"ids\":\"one\"}");
    const char *const *ids;
    size_t n;

    (void)state;
    check_taken(ask);
    assert_string_equal(api_text(&ask->req, "id"), "0");
    assert_true(api_bool(&ask->req, "flag"));
    assert_int_equal(api_int(&ask->req, "limit"), 20);
    assert_true(api_int(&ask->req, "any_int") == INT64_MIN);
    assert_true(api_float(&ask->req, "ratio") == 0.1);
    assert_string_equal(api_text(&ask->req, "threshold"), "high");
    assert_string_equal(api_text(&ask->req, "level"), "0");
    ids = api_list(&ask->req, "ids", &n);
    assert_int_equal(n, 1);
    assert_string_equal(ids[0], "one");
    ask_close(ask);

    ask = ask_json(&all, "{\"flag\":0}");
    check_taken(ask);
    assert_false(api_bool(&ask->req, "flag"));
    ask_close(ask);
}

static void names_go_before_aliases(void **state)
{
    struct ask *ask = ask_json(&all, "{\"part\":0.1,\"share\":0.2,\"ratio\":null}");

    (void)state;
    check_taken(ask);
    assert_true(api_float(&ask->req, "ratio") == 0.2);
    ask_close(ask);
    ask = ask_form(&all, "part=0.1&ratio=0.3");
    check_taken(ask);
    assert_true(api_float(&ask->req, "ratio") == 0.3);
    ask_close(ask);
}

static void missing_fields_are_named_in_table_order(void **state)
{
    (void)state;
    check_refused(ask_json(&needed, ""), AIBOX_EMPTY_BODY, "a JSON object is required, the body is empty");
    check_refused(ask_json(&needed, "{}"), AIBOX_PARAM, "first: required, and missing");
    check_refused(ask_json(&needed, "{\"second\":\"x\"}"), AIBOX_PARAM, "first: required, and missing");
    check_refused(ask_json(&needed, "{\"first\":null}"), AIBOX_PARAM, "first: required, and missing");
    check_refused(ask_json(&needed, "{\"first\":\"\"}"), AIBOX_PARAM, "second: required, and missing");
    check_refused(ask_form(&needed, ""), AIBOX_PARAM, "first: required, and missing");
    check_refused(ask_form(&needed, "first="), AIBOX_PARAM, "second: required, and missing");
    check_refused(ask_form(&needed, "{\"first\":1}"), AIBOX_PARAM,
                  "the body looks like JSON, but its Content-Type says form: first: required, and missing");
    ask_close(ask_json(&needed, "{\"first\":1,\"zweitens\":2}"));
}

static void repeated_form_fields_are_lists_only(void **state)
{
    (void)state;
    check_refused(ask_form(&all, "limit=1&limit=2"), AIBOX_PARAM, "limit: expected once, got 2 times");
    check_refused(ask_form(&all, "photo=Zm9v&photo=Zm9v"), AIBOX_PARAM, "photo: expected once, got 2 times");
    check_refused(ask_form(&all, "ids=1&ids=2&ids=3&ids=4"), AIBOX_PARAM, "ids: expected at most 3 items, got 4");
    check_refused(ask_form(&all, "ids=[1"), AIBOX_PARAM, "ids: expected a list of texts, got \"[1\"");
    check_refused(ask_form(&all, "ids=[1.5]"), AIBOX_PARAM, "ids[0]: expected text, got 1.5");
    check_refused(ask_form(&all, "info="), AIBOX_PARAM, "info: expected an object, got \"\"");
    check_refused(ask_form(&all, "info=[]"), AIBOX_PARAM, "info: expected an object, got a list");
    check_refused(ask_form(&all, "limit="), AIBOX_PARAM, "limit: expected an integer from 1 to 1000, got \"\"");
    check_refused(ask_form(&all, "objects=[1]"), AIBOX_PARAM, "objects[0]: expected an object, got 1");
}

static void broken_json_is_a_bad_request(void **state)
{
    static const char *const bodies[] = {
        "{",
        "{\"a\":1,}",
        "{\"a\":1} x",
        "{} {}",
        "{\"a\":1,\"a\":2}",
        "{\"info\":{\"a\":1,\"a\":2}}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":1e999}",
        "{\"a\":99999999999999999999}",
        "{\"a\":NaN}",
        "{'a':1}",
        "\"text\"",
        "5",
        "[]",
        "[{}]",
        "\xef\xbb\xbf{}",
        "{\"a\":\"line\nbreak\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct ask *ask = ask_json(&all, bodies[i]);

        if (ask->status != AIBOX_BAD_REQUEST)
            fail_msg("%s: %s", bodies[i], status_name(ask->status));
        assert_true(strlen(ask->err.message) > 10);
        ask_close(ask);
    }
    check_refused(ask_json(&all, "[]"), AIBOX_BAD_REQUEST, "the body must be a JSON object, not a list");
}

/* {"anything": [[[…]]]}: `depth` brackets in all. */
static struct ask *ask_nested(size_t depth)
{
    char text[4096];
    size_t size = (size_t)snprintf(text, sizeof text, "{\"anything\":");
    struct ask *ask;

    memset(text + size, '[', depth - 1);
    memset(text + size + depth - 1, ']', depth - 1);
    text[size + 2 * (depth - 1)] = '}';
    ask = ask_open(&all, ARGUMENTS_JSON, text, size + 2 * (depth - 1) + 1, NULL, false);
    return ask;
}

static void depth_is_limited(void **state)
{
    struct ask *ask = ask_nested(64);
    char *bomb = malloc(1000001);

    (void)state;
    check_taken(ask);
    ask_close(ask);
    check_refused(ask_nested(65), AIBOX_BAD_REQUEST, "the JSON is nested deeper than 64 levels");
    assert_non_null(bomb);
    memset(bomb, '[', 1000000);
    bomb[1000000] = '\0';
    check_refused(ask_json(&all, bomb), AIBOX_BAD_REQUEST, "the JSON is nested deeper than 64 levels");
    memcpy(bomb, "anything=", 9);
    ask = ask_form(&all, bomb);
    check_taken(ask); /* just text */
    assert_true(json_is_string(api_json(&ask->req, "anything")));
    ask_close(ask);
    memcpy(bomb, "feature=[", 9);
    ask = ask_form(&all, bomb);
    assert_int_equal(ask->status, AIBOX_PARAM);
    ask_close(ask);
    free(bomb);
}

static void pictures_wait_with_their_fault(void **state)
{
    struct ask *ask = ask_json(&all, "{\"photo\":\"no base64!\"}");
    struct aibox_error err = {0};

    (void)state;
    check_taken(ask);
    assert_true(api_given(&ask->req, "photo"));
    assert_true(api_picture(&ask->req, "photo").size > 0);
    assert_int_equal(api_picture_check(&ask->req, "photo", &err), AIBOX_IMAGE);
    assert_string_equal(err.message, "photo: not base64 of a picture");
    ask_close(ask);

    ask = ask_json(&all, "{\"photo\":\"\"}");
    check_taken(ask);
    assert_true(api_given(&ask->req, "photo"));
    assert_non_null(api_picture(&ask->req, "photo").data);
    assert_int_equal(api_picture(&ask->req, "photo").size, 0);
    assert_int_equal(api_picture_check(&ask->req, "photo", NULL), AIBOX_OK);
    ask_close(ask);

    ask = ask_json(&all, "{\"photo\":\"  \"}");
    assert_int_equal(api_picture_check(&ask->req, "photo", NULL), AIBOX_IMAGE);
    ask_close(ask);
}

static void paths_carry_an_argument(void **state)
{
    static const struct api_endpoint endpoint = {.method = "GET", .path = "/images/{id}"};
    struct api_request req;

    (void)state;
    assert_int_equal(request_init(&req, NULL, &endpoint, NULL), AIBOX_OK);
    assert_int_equal(request_set_path(&req, "a%20%e5%b0%8f+b", 15, NULL), AIBOX_OK);
    assert_true(api_given(&req, "id"));
    assert_string_equal(api_text(&req, "id"), "a 小+b");
    assert_int_equal(request_set_path(&req, "a%2", 3, NULL), AIBOX_BAD_REQUEST);
    assert_int_equal(request_set_path(&req, "%00", 3, NULL), AIBOX_BAD_REQUEST);
    assert_int_equal(request_set_path(&req, "%ff", 3, NULL), AIBOX_BAD_REQUEST);
    request_free(&req);
}

static void a_row_for_the_path_is_checked(void **state)
{
    static const struct api_field row = {.name = "id", .type = API_TEXT, .flags = API_REQUIRED, .max = 3, .help = "id"};
    static const struct api_endpoint endpoint = {
        .method = "GET", .path = "/images/{id}", .fields = &row, .n_fields = 1};
    struct arguments_source source = {.encoding = ARGUMENTS_URLENCODED, .text = (char[]){""}};
    struct api_request req;
    struct aibox_error err;

    (void)state;
    assert_int_equal(request_init(&req, NULL, &endpoint, NULL), AIBOX_OK);
    assert_int_equal(request_set_path(&req, "abc", 3, NULL), AIBOX_OK);
    assert_int_equal(arguments_parse(&req, &source, &err), AIBOX_OK);
    assert_string_equal(api_text(&req, "id"), "abc");
    assert_int_equal(request_set_path(&req, "abcd", 4, NULL), AIBOX_OK);
    assert_int_equal(arguments_parse(&req, &source, &err), AIBOX_PARAM);
    request_free(&req);
}

static void a_whole_body_is_one_argument(void **state)
{
    static const struct api_field row = {.name = "values", .type = API_DICT, .flags = API_WHOLE | API_REQUIRED};
    static const struct api_endpoint endpoint = {.method = "PUT", .path = "/s", .fields = &row, .n_fields = 1};
    struct ask *ask = ask_json(&endpoint, "{\"a.b\":1,\"c\":null}");

    (void)state;
    check_taken(ask);
    assert_int_equal(json_object_size(api_json(&ask->req, "values")), 2);
    ask_close(ask);
    check_refused(ask_json(&endpoint, ""), AIBOX_EMPTY_BODY, "a JSON object is required, the body is empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_and_null_give_defaults),
        cmocka_unit_test(json_values_get_their_types),
        cmocka_unit_test(form_values_get_their_types),
        cmocka_unit_test(files_are_pictures),
        cmocka_unit_test(wrong_types_are_named),
        cmocka_unit_test(both_spellings_are_taken),
        cmocka_unit_test(names_go_before_aliases),
        cmocka_unit_test(missing_fields_are_named_in_table_order),
        cmocka_unit_test(repeated_form_fields_are_lists_only),
        cmocka_unit_test(broken_json_is_a_bad_request),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(pictures_wait_with_their_fault),
        cmocka_unit_test(paths_carry_an_argument),
        cmocka_unit_test(a_row_for_the_path_is_checked),
        cmocka_unit_test(a_whole_body_is_one_argument),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
