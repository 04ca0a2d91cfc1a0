/* GET and PUT /api/settings, with a store of its own. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/access.h"
#include "api/arguments.h"
#include "api/request.h"
#include "api/resources.h"
#include "api/response.h"
#include "api/server.h"
#include "store/store.h"

struct box {
    struct api_context ctx;
    struct api *api;
    enum account_role role; /* of who calls */
    char folder[64];
};

static struct box *open_box(const char *listen)
{
    struct box *box = calloc(1, sizeof *box);
    struct aibox_error err = {0};

    assert_non_null(box);
    box->role = ACCOUNT_ADMIN;
    (void)snprintf(box->folder, sizeof box->folder, "/tmp/aibox-test-XXXXXX");
    assert_non_null(mkdtemp(box->folder));
    assert_int_equal(settings_open(&box->ctx.settings, NULL), AIBOX_OK);
    if (store_open(box->folder, 100, &box->ctx.store, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    if (api_server_open(api_settings_endpoints, api_settings_count, &box->ctx, listen, NULL, &box->api, &err) !=
        AIBOX_OK)
        fail_msg("%s", err.message);
    return box;
}

static void close_box(struct box *box)
{
    char command[100];

    api_close(box->api, 1000);
    store_close(box->ctx.store);
    settings_close(box->ctx.settings);
    (void)snprintf(command, sizeof command, "rm -r '%s'", box->folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a name of our own */
    free(box);
}

static int begin(void **state)
{
    *state = open_box("127.0.0.1:0");
    return 0;
}

static int end(void **state)
{
    close_box(*state);
    return 0;
}

/* One call; returns the answer's document. */
static json_t *call(struct box *box, const char *method, const char *text, enum aibox_status expected,
                    const char *message)
{
    bool put = strcmp(method, "PUT") == 0;
    const struct api_endpoint *endpoint = &api_settings_endpoints[put ? 1 : 0];
    char *copy = strdup(text);
    struct arguments_source source = {
        .encoding = put ? ARGUMENTS_JSON : ARGUMENTS_URLENCODED, .text = copy, .size = strlen(text)};
    struct access_grant grant = {.way = ACCESS_SESSION, .identity = {.role = box->role}};
    struct api_request req;
    struct api_response res;
    struct aibox_error err = {0};
    enum aibox_status status;
    json_t *document;

    assert_non_null(copy);
    assert_string_equal(endpoint->method, method);
    response_init(&res);
    assert_int_equal(request_init(&req, box->api, endpoint, NULL), AIBOX_OK);
    req.grant = &grant;
    status = arguments_parse(&req, &source, &err);
    if (status == AIBOX_OK)
        status = endpoint->handler(&box->ctx, &req, &res, &err);
    if (status != expected || (message && !strstr(err.message, message)))
        fail_msg("%s: %s", status_name(status), err.message);
    response_finish(&res, status, &err, "test");
    document = json_loadb((const char *)res.bytes, res.size, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    response_free(&res);
    request_free(&req);
    free(copy);
    return document;
}

static void check_put(struct box *box, const char *text, enum aibox_status expected, const char *message)
{
    json_decref(call(box, "PUT", text, expected, message));
}

static void check_member(json_t *document, const char *key, const char *member, const char *expected)
{
    json_t *value = json_object_get(json_object_get(json_object_get(document, "data"), key), member);
    char *text;

    if (!value)
        fail_msg("no %s of %s", member, key);
    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    assert_string_equal(text, expected);
    free(text);
}

static void settings_are_told(void **state)
{
    json_t *document = call(*state, "GET", "", AIBOX_OK, NULL);

    assert_int_equal(json_object_size(json_object_get(document, "data")), settings_count);
    check_member(document, "recognition.threshold", "value", "\"auto\"");
    check_member(document, "recognition.threshold", "min", "0");
    check_member(document, "recognition.threshold", "max", "1");
    check_member(document, "recognition.threshold", "source", "\"default\"");
    check_member(document, "recognition.threshold", "restart", "false");
    check_member(document, "events.keep", "value", "10000");
    check_member(document, "events.keep", "default", "10000");
    check_member(document, "access.mode", "choices", "[\"closed\",\"open\"]");
    check_member(document, "access.mode", "restart", "true");
    check_member(document, "access.legacy_allow", "max_bytes", "2048");
    check_member(document, "cloud.person_code_as_string", "value", "false");
    check_member(document, "recognition.false_accept_target", "value", "0.01");
    json_decref(document);
    document = call(*state, "GET", "key=passmode", AIBOX_OK, NULL);
    assert_int_equal(json_object_size(json_object_get(document, "data")), 1);
    check_member(document, "passmode", "value", "\"normal\"");
    json_decref(document);
    json_decref(call(*state, "GET", "key=nonsense", AIBOX_PARAM, "key: no setting is called 'nonsense'"));
}

static void count_settings(void *ctx, const char *key, const char *value)
{
    (void)key;
    (void)value;
    (*(int *)ctx)++;
}

static int stored(struct box *box)
{
    int count = 0;

    assert_int_equal(store_settings_each(box->ctx.store, count_settings, &count, NULL), AIBOX_OK);
    return count;
}

static void changes_are_stored_and_in_force(void **state)
{
    struct box *box = *state;
    json_t *document = call(box, "PUT",
                            "{\"recognition.threshold\":0.45,\"events.keep\":500,\"passmode\":\"allpass\","
                            "\"cloud.person_code_as_string\":true,\"events.keep_days\":null}",
                            AIBOX_OK, NULL);

    assert_int_equal(json_object_size(json_object_get(document, "data")), 4);
    check_member(document, "recognition.threshold", "value", "0.45");
    check_member(document, "recognition.threshold", "source", "\"stored\"");
    check_member(document, "cloud.person_code_as_string", "value", "true");
    json_decref(document);
    assert_int_equal(settings_int(box->ctx.settings, "events.keep"), 500);
    assert_true(settings_float(box->ctx.settings, "recognition.threshold") == 0.45);
    assert_int_equal(stored(box), 4);
    check_put(box, "{\"recognition.threshold\":\"auto\",\"events.keep\":\"600\"}", AIBOX_OK, NULL);
    assert_int_equal(settings_int(box->ctx.settings, "events.keep"), 600);
    assert_int_equal(stored(box), 4);
    check_put(box, "{}", AIBOX_OK, NULL);
}

static void all_or_nothing(void **state)
{
    struct box *box = *state;

    check_put(box, "{\"events.keep\":500,\"nonsense\":1}", AIBOX_PARAM, "nonsense");
    check_put(box, "{\"events.keep\":500,\"nonsense\":null}", AIBOX_PARAM, "nonsense");
    check_put(box, "{\"events.keep\":500,\"events.keep_days\":-1}", AIBOX_PARAM, "events.keep_days");
    check_put(box, "{\"events.keep\":500,\"passmode\":\"x\"}", AIBOX_PARAM, "passmode");
    check_put(box, "{\"events.keep\":500,\"passmode\":{}}", AIBOX_PARAM, "passmode: expected text");
    check_put(box, "{\"events.keep\":5.5}", AIBOX_PARAM, "events.keep");
    check_put(box, "{\"events.keep\":500,\"access.legacy_allow\":\"10.0.0.0/99\"}", AIBOX_PARAM, "10.0.0.0/99");
    check_put(box, "", AIBOX_EMPTY_BODY, NULL);
    assert_int_equal(settings_int(box->ctx.settings, "events.keep"), 10000);
    assert_int_equal(stored(box), 0);
}

static void what_set_fixes_stays(void **state)
{
    struct box *box = *state;

    assert_int_equal(settings_put(box->ctx.settings, SETTINGS_SET, "events.keep", "700", NULL), AIBOX_OK);
    check_put(box, "{\"events.keep\":500}", AIBOX_PARAM, "events.keep: fixed by --set");
    assert_int_equal(settings_int(box->ctx.settings, "events.keep"), 700);
    assert_int_equal(stored(box), 0);
}

static void open_mode_is_for_loopback(void **state)
{
    struct box *wide = open_box("0.0.0.0:0");

    check_put(wide, "{\"access.mode\":\"open\"}", AIBOX_PARAM, "loopback");
    close_box(wide);
    check_put(*state, "{\"access.mode\":\"open\"}", AIBOX_OK, NULL);
}

/* Who can't change a setting sees no address, which may hold a password. */
static void confidential_for_others(void **state)
{
    struct box *box = *state;
    json_t *document;

    check_put(box, "{\"cloud.login_url\":\"http://u:p@h/\",\"events.keep\":600}", AIBOX_OK, NULL);
    box->role = ACCOUNT_VIEWER;
    document = call(box, "GET", "", AIBOX_OK, NULL);
    check_member(document, "cloud.login_url", "value", "\"***\"");
    check_member(document, "events.keep", "value", "600");
    check_member(document, "door.http.method", "value", "\"GET\"");
    json_decref(document);
    box->role = ACCOUNT_ADMIN;
    document = call(box, "GET", "", AIBOX_OK, NULL);
    check_member(document, "cloud.login_url", "value", "\"http://u:p@h/\"");
    json_decref(document);
}

#define ON_A_BOX(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_BOX(settings_are_told),    ON_A_BOX(changes_are_stored_and_in_force), ON_A_BOX(all_or_nothing),
        ON_A_BOX(what_set_fixes_stays), ON_A_BOX(open_mode_is_for_loopback),       ON_A_BOX(confidential_for_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
