/* The document printed from a table, and the table of the box itself. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/argument.h"
#include "api/openapi.h"
#include "api/resources.h"
#include "api/route.h"

static enum aibox_status nothing(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                 struct aibox_error *err)
{
    (void)ctx;
    (void)req;
    (void)res;
    (void)err;
    return AIBOX_OK;
}

static const struct api_field fields[] = {
    {.name = "text", .type = API_TEXT, .max = 64, .flags = API_REQUIRED | API_NOT_EMPTY, .help = "A text."},
    {.name = "flag", .type = API_BOOL, .default_text = "true", .help = "A flag.", .flags = API_IGNORED},
    {.name = "limit", .type = API_INT, .min = 1, .max = 1000, .default_text = "10", .help = "A number."},
    {.name = "word", .type = API_NUMBER_OR_WORD, .min = 0, .max = 1, .choices = "high|low", .default_text = "high"},
    {.name = "level", .type = API_CHOICE, .choices = "a|b", .alias = "lvl|stufe", .help = "A level."},
    {.name = "photo", .type = API_PICTURE},
    {.name = "ids", .type = API_LIST, .default_text = "0", .max_items = 5},
    {.name = "info", .type = API_DICT, .flags = API_REQUIRED},
    {.name = "feature", .type = API_FLOATS},
    {.name = "any", .type = API_JSON},
};
#define FIELDS (sizeof fields / sizeof fields[0])

static const struct api_endpoint table[] = {
    {.method = "GET",
     .path = "/things/{id}",
     .encodings = API_QUERY,
     .role = API_OPEN,
     .fields = fields,
     .n_fields = FIELDS,
     .handler = nothing,
     .tag = "Things",
     .summary = "Reads a thing."},
    {.method = "POST",
     .path = "/things",
     .encodings = API_BODY_JSON | API_BODY_FORM,
     .role = API_OPERATOR,
     .fields = fields,
     .n_fields = FIELDS,
     .handler = nothing,
     .tag = "Things",
     .summary = "Makes a thing.",
     .example = "{\"text\":\"a\"}"},
    {.method = "PUT", .path = "/things", .encodings = API_BODY_JSON, .role = API_ADMIN, .handler = nothing},
};

static json_t *print(const struct api_endpoint *rows, size_t n)
{
    struct json_out out;
    json_error_t why;
    json_t *document;

    json_out_init(&out, 16 << 20);
    openapi_print(rows, n, &out);
    assert_true(json_out_complete(&out));
    document = json_loadb((const char *)out.buffer.data, out.buffer.size, JSON_REJECT_DUPLICATES, &why);
    if (!document)
        fail_msg("%s at %d", why.text, why.position);
    json_out_free(&out);
    return document;
}

/* Follows keys (and indices, as digits) separated by blanks; fails when one is missing. */
static json_t *at(json_t *json, const char *path)
{
    char step[100];

    while (*path) {
        size_t size = strcspn(path, " ");

        memcpy(step, path, size);
        step[size] = '\0';
        json = json_is_array(json) ? json_array_get(json, (size_t)(step[0] - '0')) : json_object_get(json, step);
        if (!json)
            fail_msg("no %s", step);
        path += size;
        path += *path == ' ';
    }
    return json;
}

static void check(json_t *json, const char *path, const char *expected)
{
    char *text = json_dumps(at(json, path), JSON_COMPACT | JSON_ENCODE_ANY);

    assert_string_equal(text, expected);
    free(text);
}

static void documents_follow_the_table(void **state)
{
    json_t *document = print(table, 3);
    json_t *body = at(document, "paths /things post requestBody");
    json_t *json = at(body, "content application/json");

    (void)state;
    check(document, "openapi", "\"3.1.0\"");
    check(document, "tags", "[{\"name\":\"Things\"}]");
    assert_int_equal(json_object_size(at(document, "paths")), 2);
    check(document, "paths /things post operationId", "\"post_things\"");
    check(document, "paths /things/{id} get operationId", "\"get_things_id\"");
    check(document, "paths /things post security", "[{\"bearer\":[]},{\"session\":[]},{\"basic\":[]}]");
    check(document, "paths /things/{id} get security", "[]");
    check(document, "paths /things put x-role", "\"admin\"");
    check(body, "required", "true");
    check(document, "paths /things put requestBody required", "false");
    check(json, "example", "{\"text\":\"a\"}");
    check(json, "schema required", "[\"text\",\"info\"]");
    check(json, "schema properties text",
          "{\"type\":\"string\",\"minLength\":1,\"maxLength\":64,\"description\":\"A text.\"}");
    check(json, "schema properties flag",
          "{\"type\":\"boolean\",\"default\":true,\"description\":\"A flag. Accepted for compatibility, without "
          "effect.\",\"deprecated\":true}");
    check(json, "schema properties limit",
          "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":10,\"description\":\"A number.\"}");
    check(json, "schema properties word oneOf 1", "{\"type\":\"string\",\"enum\":[\"high\",\"low\"]}");
    check(json, "schema properties word default", "\"high\"");
    check(json, "schema properties level description", "\"A level. Also taken as lvl, stufe.\"");
    check(json, "schema properties photo contentEncoding", "\"base64\"");
    check(json, "schema properties ids items", "{\"type\":\"string\"}");
    check(json, "schema properties ids default", "[\"0\"]");
    check(json, "schema properties feature items", "{\"type\":\"number\"}");
    assert_null(json_object_get(at(body, "content multipart/form-data schema properties photo"), "contentEncoding"));
    assert_non_null(at(body, "content application/x-www-form-urlencoded schema properties text"));
    check(document, "components schemas Error required", "[\"error\"]");
    check(document, "components securitySchemes bearer scheme", "\"bearer\"");
    json_decref(document);
}

static void queries_become_parameters(void **state)
{
    json_t *document = print(table, 3);
    json_t *parameters = at(document, "paths /things/{id} get parameters");

    (void)state;
    assert_int_equal(json_array_size(parameters), 1 + FIELDS);
    check(parameters, "0", "{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\"}}");
    check(parameters, "1 required", "true");
    check(parameters, "1 in", "\"query\"");
    check(parameters, "2 deprecated", "true");
    check(parameters, "3 schema default", "10");
    check(parameters, "8 content application/json schema type", "\"object\"");
    assert_null(json_object_get(at(document, "paths /things/{id} get"), "requestBody"));
    json_decref(document);
}

/* ---- the box's own table ------------------------------------------------------------------------------------ */

static void check_default(const struct api_endpoint *row, const struct api_field *field)
{
    struct api_request req;
    struct api_value value = {0};
    struct aibox_error err;

    assert_int_equal(request_init(&req, NULL, row, NULL), AIBOX_OK);
    if (argument_from_default(&req, field, &value, &err) != AIBOX_OK)
        fail_msg("%s %s: default of %s", row->method, row->path, err.message);
    json_decref(value.owned);
    request_free(&req);
}

static void check_field(const struct api_endpoint *row, const struct api_field *field)
{
    bool needs_choices = field->type == API_CHOICE || field->type == API_NUMBER_OR_WORD;

    if (!field->help || !*field->help)
        fail_msg("%s %s: %s has no help", row->method, row->path, field->name);
    if (needs_choices != (field->choices != NULL))
        fail_msg("%s %s: choices of %s", row->method, row->path, field->name);
    if (field->default_text && (field->flags & API_REQUIRED))
        fail_msg("%s %s: %s is required and has a default", row->method, row->path, field->name);
    if (field->default_text)
        check_default(row, field);
}

static void check_row(const struct api_endpoint *row)
{
    bool body = row->encodings & (API_BODY_JSON | API_BODY_FORM);

    if (!row->tag || !row->summary || !*row->summary)
        fail_msg("%s %s has no tag or summary", row->method, row->path);
    /* An upload is the body; what is said of it stands in the query. */
    if (!row->upload && body != (strcmp(row->method, "GET") != 0) && row->n_fields > 0)
        fail_msg("%s %s takes its arguments elsewhere", row->method, row->path);
    for (size_t i = 0; i < row->n_fields; i++) {
        check_field(row, &row->fields[i]);
        for (size_t j = 0; j < i; j++)
            if (strcmp(row->fields[i].name, row->fields[j].name) == 0)
                fail_msg("%s %s: %s is there twice", row->method, row->path, row->fields[i].name);
    }
    if (row->example) {
        json_t *example = json_loads(row->example, JSON_REJECT_DUPLICATES, NULL);

        if (!json_is_object(example))
            fail_msg("%s %s: the example is no JSON object", row->method, row->path);
        json_decref(example);
    }
}

static void the_own_table_is_sound(void **state)
{
    size_t n;
    const struct api_endpoint *rows = api_all_endpoints(&n);
    struct route_table routes;
    struct aibox_error err = {0};

    (void)state;
    assert_true(n > 10);
    if (route_table_make(rows, n, &routes, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    route_table_free(&routes);
    for (size_t i = 0; i < n; i++)
        if (!rows[i].page)
            check_row(&rows[i]);
}

static void the_own_document_is_whole(void **state)
{
    size_t n;
    const struct api_endpoint *rows = api_all_endpoints(&n);
    json_t *document = print(rows, n);
    json_t *ids = json_object();
    const char *path;
    const char *method;
    json_t *item;
    json_t *operation;
    size_t operations = 0;
    size_t calls = 0;

    (void)state;
    for (size_t i = 0; i < n; i++)
        calls += !rows[i].page;
    assert_int_equal(n - calls, 4); /* pages of the console are no calls */
    json_object_foreach(at(document, "paths"), path, item)
    {
        json_object_foreach(item, method, operation)
        {
            const char *id = json_string_value(at(operation, "operationId"));

            if (json_object_get(ids, id))
                fail_msg("%s is there twice", id);
            assert_int_equal(json_object_set_new(ids, id, json_true()), 0);
            assert_non_null(at(operation, "responses default"));
            operations++;
        }
    }
    assert_int_equal(operations, calls);
    json_decref(ids);
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_follow_the_table),
        cmocka_unit_test(queries_become_parameters),
        cmocka_unit_test(the_own_table_is_sound),
        cmocka_unit_test(the_own_document_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
