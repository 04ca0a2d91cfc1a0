/* Documents: JSON texts by name. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static void expect(struct store *store, const char *name, const char *json)
{
    struct aibox_error err;
    char *found;

    assert_status(AIBOX_OK, store_document_get(store, name, &found, &err));
    if (json)
        assert_string_equal(found, json);
    else
        assert_null(found);
    free(found);
}

static void test_put_get_delete(void **state)
{
    struct fixture *fixture = *state;

    expect(fixture->store, "event-url", NULL);
    assert_status(AIBOX_OK, store_document_put(fixture->store, "event-url", "{\"urls\": [\"http://a/\"]}", NULL));
    assert_status(AIBOX_OK, store_document_put(fixture->store, "mode", "\"avoid\"", NULL));
    expect(fixture->store, "event-url", "{\"urls\": [\"http://a/\"]}");
    assert_status(AIBOX_OK, store_document_put(fixture->store, "event-url", "{}", NULL));
    expect(fixture->store, "event-url", "{}");
    assert_status(AIBOX_OK, store_document_put(fixture->store, "event-url", NULL, NULL));
    assert_status(AIBOX_OK, store_document_put(fixture->store, "event-url", NULL, NULL));
    expect(fixture->store, "event-url", NULL);
    expect(fixture->store, "mode", "\"avoid\"");
}

static void test_survives_a_restart(void **state)
{
    struct fixture *fixture = *state;

    assert_status(AIBOX_OK, store_document_put(fixture->store, "模式", "{\"controller_mode\": \"警报\"}", NULL));
    fixture_reopen(fixture);
    expect(fixture->store, "模式", "{\"controller_mode\": \"警报\"}");
}

static void test_what_is_no_json_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[] = {"", "{", "{} x", "{\"a\": 1, \"a\": 2}", "'a'", "\"\xff\""};
    struct aibox_error err;
    char *huge = malloc(STORE_MAX_DOCUMENT + 2);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_status(AIBOX_PARAM, store_document_put(fixture->store, "name", wrong[i], &err));
        assert_non_null(strstr(err.message, "name"));
    }
    assert_status(AIBOX_PARAM, store_document_put(fixture->store, "", "{}", &err));
    assert_non_null(huge);
    memset(huge, ' ', STORE_MAX_DOCUMENT + 1);
    memcpy(huge, "{}", 2);
    huge[STORE_MAX_DOCUMENT + 1] = '\0';
    assert_status(AIBOX_PARAM, store_document_put(fixture->store, "name", huge, &err));
    huge[STORE_MAX_DOCUMENT] = '\0';
    assert_status(AIBOX_OK, store_document_put(fixture->store, "name", huge, &err));
    free(huge);
}

static void test_an_old_text_leaves_the_files(void **state)
{
    struct fixture *fixture = *state;
    static const char secret[] = "xyzzy-secret-of-old";

    assert_status(AIBOX_OK, store_document_put(fixture->store, "a", "{\"key\": \"xyzzy-secret-of-old\"}", NULL));
    assert_status(AIBOX_OK, store_document_put(fixture->store, "a", "{\"key\": \"new\"}", NULL));
    fixture_reopen(fixture);
    assert_int_equal(fixture_files_with(fixture, secret, strlen(secret)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_put_get_delete, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_survives_a_restart, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_json_is_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_old_text_leaves_the_files, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
