/* Groups and permission groups: names, numbers in masks, members, deleting with and without the people. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static unsigned create(struct store *store, enum store_label_kind kind, const char *name)
{
    struct store_label label;

    assert_status(AIBOX_OK, store_label_create(store, kind, NULL, name, "", NULL, &label, NULL));
    unsigned number = label.label;
    store_label_free(&label);
    return number;
}

static void test_create_and_get(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_label label;
    struct aibox_error err;

    assert_status(AIBOX_OK, store_label_create(store, STORE_GROUP, NULL, "g", "first", "{\"a\":1}", &label, &err));
    assert_string_equal(label.id, "g");
    assert_string_equal(label.name, "g");
    assert_string_equal(label.description, "first");
    assert_string_equal(label.info, "{\"a\":1}");
    assert_int_equal(label.label, 1); /* default_group has 0 */
    store_label_free(&label);

    assert_status(AIBOX_OK, store_label_create(store, STORE_PERMISSION, NULL, "p", "", NULL, &label, &err));
    assert_int_equal(strlen(label.id), 36);
    assert_string_equal(label.info, "{}");
    store_label_free(&label);
    assert_status(AIBOX_OK, store_label_create(store, STORE_PERMISSION, "1046", "q", "", NULL, NULL, &err));
    assert_status(AIBOX_OK, store_label_get(store, STORE_PERMISSION, "1046", &label, &err));
    assert_string_equal(label.name, "q");
    store_label_free(&label);

    assert_status(AIBOX_NOT_FOUND, store_label_get(store, STORE_GROUP, "q", &label, &err));
    assert_non_null(strstr(err.message, "q"));
    assert_status(AIBOX_OK, store_label_get(store, STORE_PERMISSION, STORE_EVERYBODY, &label, &err));
    assert_int_equal(label.label, 0);
    store_label_free(&label);
}

static void test_wrong_names(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct aibox_error err;
    char name[STORE_MAX_NAME + 2];

    create(store, STORE_GROUP, "g");
    assert_status(AIBOX_OK, store_label_create(store, STORE_PERMISSION, "1046", "q", "", NULL, NULL, &err));
    assert_status(AIBOX_GROUP_NAME, store_label_create(store, STORE_GROUP, NULL, "g", "", NULL, NULL, &err));
    assert_status(AIBOX_GROUP_NAME, store_label_create(store, STORE_GROUP, NULL, "", "", NULL, NULL, &err));
    assert_status(AIBOX_GROUP_NAME, store_label_create(store, STORE_GROUP, NULL, NULL, "", NULL, NULL, &err));
    assert_status(AIBOX_GROUP_NAME, store_label_create(store, STORE_GROUP, NULL, "a,b", "", NULL, NULL, &err));
    assert_status(AIBOX_GROUP_NAME,
                  store_label_create(store, STORE_GROUP, NULL, "default_group", "", NULL, NULL, &err));
    assert_status(AIBOX_GROUP_NAME, store_label_create(store, STORE_PERMISSION, NULL, "1046", "", NULL, NULL, &err));
    assert_status(AIBOX_GROUP_NAME, store_label_create(store, STORE_PERMISSION, "q", "r", "", NULL, NULL, &err));
    assert_status(AIBOX_GROUP_NAME, store_label_create(store, STORE_PERMISSION, NULL, "0", "", NULL, NULL, &err));
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_status(AIBOX_PARAM, store_label_create(store, STORE_GROUP, NULL, name, "", NULL, NULL, &err));
    assert_non_null(strstr(err.message, "group_name"));
    assert_status(AIBOX_PARAM, store_label_create(store, STORE_GROUP, NULL, "h", NULL, NULL, NULL, &err));
    assert_non_null(strstr(err.message, "description"));
    assert_status(AIBOX_PARAM, store_label_create(store, STORE_GROUP, NULL, "h", "", "[]", NULL, &err));
    name[STORE_MAX_NAME] = '\0';
    create(store, STORE_GROUP, name);
    create(store, STORE_PERMISSION, "g"); /* the kinds don't share names */
}

static void test_update(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_person person;
    struct store_label label;
    struct aibox_error err;
    const char *groups[] = {"g"}, *permissions[] = {"p"};

    create(store, STORE_GROUP, "g");
    create(store, STORE_GROUP, "h");
    create(store, STORE_PERMISSION, "p");
    struct store_person_change change = {.identity_id = "a",
                                         .info = "{\"name\":\"A\"}",
                                         .groups = groups,
                                         .n_groups = 1,
                                         .permissions = permissions,
                                         .n_permissions = 1,
                                         .permissions_set = true,
                                         .groups_replace = true};
    assert_status(AIBOX_OK, store_person_save(store, &change, NULL, NULL, &err));

    assert_status(AIBOX_OK, store_label_update(store, STORE_GROUP, "g", NULL, "d", "{\"x\":1}", &label, &err));
    assert_string_equal(label.description, "d");
    store_label_free(&label);
    assert_status(AIBOX_OK, store_label_update(store, STORE_GROUP, "g", "new", "e", NULL, &label, &err));
    assert_string_equal(label.id, "new");
    assert_string_equal(label.info, "{\"x\":1}");
    store_label_free(&label);
    assert_status(AIBOX_OK, store_label_update(store, STORE_PERMISSION, "p", "r", "", NULL, &label, &err));
    assert_int_equal(strlen(label.id), 36);
    store_label_free(&label);

    assert_status(AIBOX_OK, store_person_get(store, "a", &person, &err));
    assert_string_equal(person.group_names.items[0], "new");
    assert_string_equal(person.permission_names.items[0], "r");
    store_person_free(&person);

    assert_status(AIBOX_GROUP_NAME, store_label_update(store, STORE_GROUP, "new", "h", "", NULL, NULL, &err));
    assert_status(AIBOX_NOT_FOUND, store_label_update(store, STORE_GROUP, "g", NULL, "", NULL, NULL, &err));
    assert_status(AIBOX_GROUP_NAME, store_label_update(store, STORE_GROUP, "default_group", "x", "", NULL, NULL, &err));
    assert_status(AIBOX_OK, store_label_update(store, STORE_GROUP, "default_group", NULL, "all", NULL, NULL, &err));
    assert_status(AIBOX_PARAM, store_label_update(store, STORE_PERMISSION, "0", NULL, "all", NULL, NULL, &err));
}

static void test_list(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_label_list list;

    create(store, STORE_GROUP, "z");
    create(store, STORE_GROUP, "a");
    assert_status(AIBOX_OK, store_label_list(store, STORE_GROUP, 0, 0, &list, NULL));
    assert_int_equal(list.total, 3);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0].name, "default_group");
    assert_string_equal(list.items[1].name, "z");
    assert_string_equal(list.items[2].name, "a");
    store_label_list_free(&list);
    assert_status(AIBOX_OK, store_label_list(store, STORE_GROUP, 1, 1, &list, NULL));
    assert_int_equal(list.total, 3);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0].name, "z");
    store_label_list_free(&list);
    assert_status(AIBOX_OK, store_label_list(store, STORE_PERMISSION, 0, 0, &list, NULL)); /* "0" is not listed */
    assert_int_equal(list.total, 0);
    store_label_list_free(&list);
}

static void test_numbers_are_reused_and_limited(void **state)
{
    struct fixture *fixture = *state;
    struct aibox_error err;
    char name[32];

    for (unsigned i = 1; i < STORE_MAX_GROUPS; i++) {
        snprintf(name, sizeof name, "g%u", i);
        assert_int_equal(create(fixture->store, STORE_GROUP, name), i);
    }
    assert_status(AIBOX_PARAM, store_label_create(fixture->store, STORE_GROUP, NULL, "more", "", NULL, NULL, &err));
    assert_status(AIBOX_OK, store_label_delete(fixture->store, STORE_GROUP, "g7", false, &err));
    assert_int_equal(create(fixture->store, STORE_GROUP, "more"), 7);
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 1, NULL, &err));
    struct store_label_list list;
    assert_status(AIBOX_OK, store_label_list(fixture->store, STORE_GROUP, 998, 0, &list, NULL));
    assert_int_equal(list.total, 1000);
    assert_string_equal(list.items[1].name, "more"); /* created last */
    store_label_list_free(&list);
}

static void save_in(struct store *store, const char *id, const char *const *groups, size_t n)
{
    struct store_person_change change = {.mode = STORE_UPSERT,
                                         .identity_id = id,
                                         .info = "{\"name\":\"A\"}",
                                         .groups = groups,
                                         .n_groups = n,
                                         .groups_replace = true};
    assert_status(AIBOX_OK, store_person_save(store, &change, NULL, NULL, NULL));
}

static void expect_groups(struct store *store, const char *id, const char *expected)
{
    struct store_person person;
    char text[200] = "";
    size_t n = 0;

    assert_status(AIBOX_OK, store_person_get(store, id, &person, NULL));
    for (size_t i = 0; i < person.group_names.count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? "," : "", person.group_names.items[i]);
    assert_string_equal(text, expected);
    store_person_free(&person);
}

static void expect_count(struct store *store, const char *group, size_t expected)
{
    size_t count;

    assert_status(AIBOX_OK, store_group_member_count(store, group, &count, NULL));
    assert_int_equal(count, expected);
}

static void test_groups_of_a_person(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    const char *both[] = {"h", "g"}, *one[] = {"h"};

    create(store, STORE_GROUP, "g");
    create(store, STORE_GROUP, "h");
    save_in(store, "a", both, 2);
    expect_groups(store, "a", "g,h");
    save_in(store, "a", one, 1);
    expect_groups(store, "a", "h");
    save_in(store, "a", NULL, 0); /* for one who exists: nothing */
    expect_groups(store, "a", "h");
    struct store_person_change add = {.mode = STORE_UPDATE, .identity_id = "a", .groups = both, .n_groups = 2};
    assert_status(AIBOX_OK, store_person_save(store, &add, NULL, NULL, NULL));
    expect_groups(store, "a", "g,h");
    expect_count(store, "g", 1);
    expect_count(store, "default_group", 0);
}

static void test_permissions_of_a_person(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_person person;
    struct aibox_error err;
    const char *permissions[] = {"0", "2", "1046", "2"};
    struct store_person_change change = {.mode = STORE_UPSERT,
                                         .identity_id = "a",
                                         .info = "{\"name\":\"A\"}",
                                         .permissions = permissions,
                                         .n_permissions = 4,
                                         .permissions_set = true};

    assert_status(AIBOX_NOT_FOUND, store_person_save(store, &change, NULL, NULL, &err));
    assert_non_null(strstr(err.message, "2"));
    change.permissions_create = true;
    assert_status(AIBOX_OK, store_person_save(store, &change, &person, NULL, &err));
    assert_int_equal(person.permission_ids.count, 2); /* in the order given, once each, "0" only alone */
    assert_string_equal(person.permission_ids.items[0], "2");
    assert_string_equal(person.permission_names.items[1], "1046");
    assert_int_equal(person.permissions[0], 6);
    store_person_free(&person);

    change.permissions_set = false;
    assert_status(AIBOX_OK, store_person_save(store, &change, &person, NULL, &err));
    assert_int_equal(person.permission_ids.count, 2);
    store_person_free(&person);
    change.permissions_set = true;
    change.n_permissions = 0;
    assert_status(AIBOX_OK, store_person_save(store, &change, &person, NULL, &err));
    assert_int_equal(person.permission_ids.count, 1);
    assert_string_equal(person.permission_ids.items[0], "0");
    store_person_free(&person);
    fixture_check_invariants(*state);
}

static void test_members_all_or_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    struct store_text_list members;
    struct aibox_error err;
    const char *ids[] = {"b", "x1", "a", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11"};
    const char *known[] = {"b", "a", "b"};

    create(store, STORE_GROUP, "g");
    save_in(store, "a", NULL, 0);
    save_in(store, "b", NULL, 0);
    assert_status(AIBOX_ID_NOT_FOUND, store_group_members_change(store, "g", true, ids, 13, NULL, &err));
    assert_non_null(strstr(err.message, "x1, x2"));
    assert_non_null(strstr(err.message, "x10"));
    assert_null(strstr(err.message, "x11"));
    expect_count(store, "g", 0);
    expect_groups(store, "b", "default_group");
    assert_status(AIBOX_NOT_FOUND, store_group_members_change(store, "no", true, known, 1, NULL, &err));

    assert_status(AIBOX_OK, store_group_members_change(store, "g", true, known, 3, &members, &err));
    assert_int_equal(members.count, 2);
    assert_string_equal(members.items[0], "a");
    assert_string_equal(members.items[1], "b");
    store_text_list_free(&members);
    expect_count(store, "g", 2);
    expect_groups(store, "a", "default_group,g");

    assert_status(AIBOX_OK, store_group_members_change(store, "default_group", false, known, 3, &members, &err));
    assert_int_equal(members.count, 0);
    store_text_list_free(&members);
    assert_status(AIBOX_OK, store_group_members_change(store, "g", false, known, 1, &members, &err));
    assert_int_equal(members.count, 1);
    store_text_list_free(&members);
    expect_groups(store, "b", ""); /* out of the last group: without group */
    assert_status(AIBOX_OK, store_group_members_change(store, "g", false, known, 1, NULL, &err)); /* no error */
    assert_status(AIBOX_NOT_FOUND, store_group_member_count(store, "no", &(size_t){0}, &err));
    fixture_check_invariants(fixture);
}

static void test_delete_keeps_people(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    struct store_person person;
    struct aibox_error err;
    const char *g[] = {"g"}, *both[] = {"g", "h"}, *permission[] = {"p"};

    create(store, STORE_GROUP, "g");
    create(store, STORE_GROUP, "h");
    create(store, STORE_PERMISSION, "p");
    save_in(store, "a", g, 1);
    save_in(store, "b", both, 2);
    struct store_person_change change = {.mode = STORE_UPDATE,
                                         .identity_id = "a",
                                         .permissions = permission,
                                         .n_permissions = 1,
                                         .permissions_set = true};
    assert_status(AIBOX_OK, store_person_save(store, &change, NULL, NULL, &err));

    assert_status(AIBOX_OK, store_label_delete(store, STORE_GROUP, "g", false, &err));
    expect_groups(store, "a", "default_group");
    expect_groups(store, "b", "h");
    assert_status(AIBOX_OK, store_label_delete(store, STORE_PERMISSION, "p", false, &err));
    assert_status(AIBOX_OK, store_person_get(store, "a", &person, &err));
    assert_string_equal(person.permission_ids.items[0], "0");
    assert_int_equal(person.permissions[0], 1);
    store_person_free(&person);

    assert_status(AIBOX_NOT_FOUND, store_label_delete(store, STORE_GROUP, "g", false, &err));
    assert_status(AIBOX_GROUP_NAME, store_label_delete(store, STORE_GROUP, "default_group", false, &err));
    assert_status(AIBOX_PARAM, store_label_delete(store, STORE_PERMISSION, "0", false, &err));
    fixture_check_invariants(fixture);
}

static void test_delete_with_people(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    struct store_person person;
    struct aibox_error err;
    const char *ids[] = {"a", "b"};

    create(store, STORE_GROUP, "g");
    for (unsigned i = 0; i < 3; i++)
        assert_status(AIBOX_OK, save_person(store, STORE_CREATE, &"a\0b\0c"[2 * i], "A", i, NULL, &err));
    assert_status(AIBOX_OK, store_group_members_change(store, "g", true, ids, 2, NULL, &err));
    assert_status(AIBOX_OK, store_label_delete(store, STORE_GROUP, "g", true, &err));
    assert_int_equal(store_person_count(store), 1);
    expect_count(store, "default_group", 1);
    assert_status(AIBOX_ID_NOT_FOUND, store_person_get(store, "a", &person, &err));
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 1);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face"), 1);
    fixture_check_invariants(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create_and_get),
        TEST(test_wrong_names),
        TEST(test_update),
        TEST(test_list),
        TEST(test_numbers_are_reused_and_limited),
        TEST(test_groups_of_a_person),
        TEST(test_permissions_of_a_person),
        TEST(test_members_all_or_nothing),
        TEST(test_delete_keeps_people),
        TEST(test_delete_with_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
