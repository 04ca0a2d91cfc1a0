/* People: saving in every mode, faces, info, failures that leave no trace, lookups and lists. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

static void test_new_person_gets_defaults(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_person person;
    struct aibox_error err;
    bool created = false;
    struct store_person_change change = {
        .mode = STORE_CREATE, .identity_id = "1", .info = "{\"name\":\"\xe5\xbc\xa0\xe4\xb8\x89\"}"};

    assert_status(AIBOX_OK, store_person_save(store, &change, &person, &created, &err));
    assert_true(created);
    assert_string_equal(person.identity_id, "1");
    assert_string_equal(person.name, "\xe5\xbc\xa0\xe4\xb8\x89");
    assert_int_equal(person.type, 1);
    assert_int_equal(person.group_names.count, 1);
    assert_string_equal(person.group_names.items[0], STORE_DEFAULT_GROUP);
    assert_int_equal(person.permission_ids.count, 1);
    assert_string_equal(person.permission_ids.items[0], STORE_EVERYBODY);
    assert_int_equal(person.permissions[0], 1);
    assert_int_equal(person.n_faces, 0);
    assert_string_equal(person.info, "{\"name\":\"\xe5\xbc\xa0\xe4\xb8\x89\",\"type\":1}");
    assert_int_equal(store_person_count(store), 1);
    store_person_free(&person);

    change.info = NULL;
    change.identity_id = "2";
    assert_status(AIBOX_PARAM, store_person_save(store, &change, NULL, &created, &err));
    assert_non_null(strstr(err.message, "name"));
    assert_false(created);
    fixture_check_invariants(*state);
}

static void test_modes(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_person person;
    struct aibox_error err;

    assert_status(AIBOX_ID_NOT_FOUND, save_person(store, STORE_UPDATE, "a", "Ann", 1, NULL, &err));
    assert_non_null(strstr(err.message, "a"));
    assert_status(AIBOX_OK, save_person(store, STORE_CREATE, "a", "Ann", 1, NULL, &err));
    assert_status(AIBOX_IDENTITY_EXISTS, save_person(store, STORE_CREATE, "a", "Bob", 2, NULL, &err));
    assert_status(AIBOX_OK, save_person(store, STORE_UPDATE, "a", "Bob", 2, &person, &err));
    int64_t id = person.person_id;
    assert_string_equal(person.name, "Bob");
    assert_int_equal(person.n_faces, 2);
    store_person_free(&person);

    bool created = true;
    struct store_person_change change = {.mode = STORE_UPSERT, .identity_id = "a"};
    assert_status(AIBOX_OK, store_person_save(store, &change, &person, &created, &err));
    assert_false(created);
    assert_string_equal(person.name, "Bob");
    assert_int_equal(person.person_id, id);
    store_person_free(&person);
    assert_status(AIBOX_OK, save_person(store, STORE_UPSERT, "b", "Carl", 3, NULL, &err));
    assert_int_equal(store_person_count(store), 2);
    fixture_check_invariants(*state);
}

static void test_info_is_merged_and_stripped(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_person person;
    struct aibox_error err;
    struct store_person_change change = {
        .mode = STORE_UPSERT,
        .identity_id = "a",
        .info = "{\"name\":\"Ann\",\"type\":5,\"user_id\":\"x\",\"face_ids\":[],\"image_id\":1,\"image_ids\":[],"
                "\"group_ids\":[],\"permission_names\":[],\"permission_ids\":[\"7\"],\"ext_info\":{\"floor\":1}}"};

    assert_status(AIBOX_OK, store_person_save(store, &change, &person, NULL, &err));
    assert_string_equal(person.info, "{\"name\":\"Ann\",\"type\":5,\"ext_info\":{\"floor\":1}}");
    store_person_free(&person);

    change.info = "{\"ext_info\":null,\"more\":\"x\"}";
    assert_status(AIBOX_OK, store_person_save(store, &change, &person, NULL, &err));
    assert_string_equal(person.info, "{\"name\":\"Ann\",\"type\":5,\"ext_info\":null,\"more\":\"x\"}");
    store_person_free(&person);

    change.replace_info = true;
    change.info = "{\"name\":\"Eve\"}";
    assert_status(AIBOX_OK, store_person_save(store, &change, &person, NULL, &err));
    assert_string_equal(person.info, "{\"name\":\"Eve\",\"type\":5}");
    store_person_free(&person);
}

static void test_numbers_stay_as_they_are(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_person person;
    const char *infos[] = {
        "{\"name\":\"A\",\"type\":1,\"x\":0.1,\"y\":[1,-2.5,{\"z\":120.6}]}",
        "{\"name\":\"A\",\"type\":1,\"x\":0.30000000000000004}",
        "{\"name\":\"A\",\"type\":1,\"x\":9007199254740993}",
    };

    for (size_t i = 0; i < sizeof infos / sizeof infos[0]; i++) {
        struct store_person_change change = {
            .mode = STORE_UPSERT, .identity_id = "a", .info = infos[i], .replace_info = true};
        assert_status(AIBOX_OK, store_person_save(store, &change, &person, NULL, NULL));
        assert_string_equal(person.info, infos[i]);
        store_person_free(&person);
    }
}

static void test_wrong_arguments_name_the_field(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct aibox_error err;
    char *big = malloc(STORE_MAX_INFO + 40);
    char name[400];
    struct {
        const char *identity_id, *info, *field;
    } wrong[] = {
        {"", "{\"name\":\"A\"}", "identity_id"},
        {NULL, "{\"name\":\"A\"}", "identity_id"},
        {"12345678901234567890123456789012345678901234567890123456789012345", "{\"name\":\"A\"}", "identity_id"},
        {"a", "[]", "info"},
        {"a", "{\"name\":", "info"},
        {"a", "{\"name\":\"A\",\"name\":\"B\"}", "info"},
        {"a", "{\"name\":\"A\\u0000B\"}", "info"},
        {"a", "{\"name\":1}", "name"},
        {"a", "{\"name\":\"A\",\"type\":6}", "type"},
        {"a", "{\"name\":\"A\",\"type\":\"1\"}", "type"},
        {"a", name, "name"},
        {"a", big, "info"},
    };

    assert_non_null(big);
    snprintf(name, sizeof name, "{\"name\":\"%0257d\"}", 1);
    snprintf(big, STORE_MAX_INFO + 40, "{\"name\":\"A\",\"x\":\"%0*d\"}", STORE_MAX_INFO, 1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct store_person_change change = {
            .mode = STORE_CREATE, .identity_id = wrong[i].identity_id, .info = wrong[i].info};
        assert_status(AIBOX_PARAM, store_person_save(store, &change, NULL, NULL, &err));
        assert_non_null(strstr(err.message, wrong[i].field));
    }
    free(big);
    assert_int_equal(store_person_count(store), 0);
}

static void test_faces_add_up_to_five(void **state)
{
    struct fixture *fixture = *state;
    struct store_person person;
    struct aibox_error err;
    char first[37] = "", image[37] = "";
    uint8_t *bytes;
    size_t size;

    for (unsigned i = 1; i <= 7; i++) {
        assert_status(AIBOX_OK, save_person(fixture->store, STORE_UPSERT, "a", "Ann", i, &person, &err));
        assert_int_equal(person.n_faces, i < 5 ? i : 5);
        if (i == 2)
            memcpy(image, person.faces[1].image_id, sizeof image);
        if (i == 3)
            memcpy(first, person.faces[2].face_id, sizeof first);
        if (i == 7)
            assert_string_equal(person.faces[0].face_id, first); /* 1 and 2 are gone, 3 is the oldest */
        store_person_free(&person);
    }
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face"), 5);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM image"), 5);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 5);
    assert_status(AIBOX_ID_NOT_FOUND, store_picture_get(fixture->store, image, &bytes, &size, &err));

    struct store_person_change change = {.mode = STORE_UPDATE, .identity_id = "a", .faces_mode = STORE_FACES_REPLACE};
    assert_status(AIBOX_OK, store_person_save(fixture->store, &change, &person, NULL, &err));
    assert_int_equal(person.n_faces, 0);
    store_person_free(&person);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 0);
    fixture_check_invariants(fixture);
}

static void test_face_is_kept_as_given(void **state)
{
    struct fixture *fixture = *state;
    struct store_person person, again;
    uint8_t *bytes;
    size_t size;

    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "Ann", 7, &person, NULL));
    assert_true(person.faces[0].norm == 10.0F);
    assert_true(person.faces[0].quality == 0.5F);
    assert_int_equal(strlen(person.faces[0].face_id), 36);
    assert_status(AIBOX_OK, store_picture_get(fixture->store, person.faces[0].image_id, &bytes, &size, NULL));
    assert_int_equal(size, strlen("photo of a, 7"));
    assert_memory_equal(bytes, "photo of a, 7", size);
    free(bytes);

    fixture_reopen(fixture);
    assert_status(AIBOX_OK, store_person_get_by_id(fixture->store, person.person_id, &again, NULL));
    assert_string_equal(again.faces[0].face_id, person.faces[0].face_id);
    assert_string_equal(again.faces[0].image_id, person.faces[0].image_id);
    assert_int_equal(again.faces[0].created_ms, person.faces[0].created_ms);
    store_person_free(&again);
    store_person_free(&person);
}

static void test_equal_photos_are_one_picture(void **state)
{
    struct fixture *fixture = *state;
    float feature[STORE_DIMENSION];
    struct store_person person;
    uint8_t *bytes;
    size_t size;

    fill_feature(feature, 1);
    struct store_new_face face = {
        .feature = feature, .model_set = MODEL_SET, .photo = (const uint8_t *)"same", .photo_size = 4};
    struct store_person_change change = {
        .mode = STORE_CREATE, .info = "{\"name\":\"A\"}", .faces_mode = STORE_FACES_ADD, .faces = &face, .n_faces = 1};
    change.identity_id = "a";
    assert_status(AIBOX_OK, store_person_save(fixture->store, &change, NULL, NULL, NULL));
    change.identity_id = "b";
    assert_status(AIBOX_OK, store_person_save(fixture->store, &change, &person, NULL, NULL));
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 1);
    const char *ids[] = {"a"};
    assert_status(AIBOX_OK, store_people_delete(fixture->store, ids, 1, NULL, NULL));
    assert_status(AIBOX_OK, store_picture_get(fixture->store, person.faces[0].image_id, &bytes, &size, NULL));
    free(bytes);
    ids[0] = "b";
    assert_status(AIBOX_OK, store_people_delete(fixture->store, ids, 1, NULL, NULL));
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 0);
    store_person_free(&person);
}

static void test_failure_leaves_no_trace(void **state)
{
    struct fixture *fixture = *state;
    float feature[STORE_DIMENSION];
    struct aibox_error err;
    const char *groups[] = {"default_group", "nowhere"};
    const char *permissions[] = {"new", "with,comma"};

    fill_feature(feature, 1);
    struct store_new_face face = {
        .feature = feature, .model_set = MODEL_SET, .photo = (const uint8_t *)"photo", .photo_size = 5};
    struct store_person_change change = {.mode = STORE_CREATE,
                                         .identity_id = "a",
                                         .info = "{\"name\":\"A\"}",
                                         .groups = groups,
                                         .n_groups = 2,
                                         .faces_mode = STORE_FACES_ADD,
                                         .faces = &face,
                                         .n_faces = 1};
    assert_status(AIBOX_NOT_FOUND, store_person_save(fixture->store, &change, NULL, NULL, &err));
    assert_non_null(strstr(err.message, "nowhere"));

    change.n_groups = 1;
    change.permissions = permissions;
    change.n_permissions = 2;
    change.permissions_set = true;
    assert_status(AIBOX_NOT_FOUND, store_person_save(fixture->store, &change, NULL, NULL, &err));
    assert_non_null(strstr(err.message, "new"));
    change.permissions_create = true;
    assert_status(AIBOX_GROUP_NAME, store_person_save(fixture->store, &change, NULL, NULL, &err));
    change.n_permissions = 1;

    feature[3] = 1.0F / 0.0F;
    assert_status(AIBOX_BAD_FEATURE, store_person_save(fixture->store, &change, NULL, NULL, &err));
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM person"), 0);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM label"), 2);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM image"), 0);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 0);

    feature[3] = 0;
    assert_status(AIBOX_OK, store_person_save(fixture->store, &change, NULL, NULL, &err));
    fixture_check_invariants(fixture);
}

static void test_capacity(void **state)
{
    struct fixture *fixture = *state;
    struct aibox_error err;

    fixture->capacity = 2;
    fixture_reopen(fixture);
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 1, NULL, &err));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "b", "B", 1, NULL, &err));
    assert_status(AIBOX_GALLERY_FULL, save_person(fixture->store, STORE_CREATE, "c", "C", 1, NULL, &err));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_UPSERT, "b", "B", 2, NULL, &err));
}

static void test_delete_is_all_or_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store_text_list groups;
    struct store_person person;
    struct aibox_error err;
    const char *ids[] = {"a", "x", "b", "y"};

    assert_status(AIBOX_OK, store_label_create(fixture->store, STORE_GROUP, NULL, "g", "", NULL, NULL, &err));
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 1, &person, &err));
    int64_t id = person.person_id;
    store_person_free(&person);
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "b", "B", 2, NULL, &err));
    assert_status(AIBOX_OK, store_group_members_change(fixture->store, "g", true, ids, 1, NULL, &err));
    assert_status(AIBOX_ID_NOT_FOUND, store_people_delete(fixture->store, ids, 4, &groups, &err));
    assert_non_null(strstr(err.message, "x, y"));
    assert_int_equal(store_person_count(fixture->store), 2);

    const char *known[] = {"b", "a", "b"};
    assert_status(AIBOX_OK, store_people_delete(fixture->store, known, 3, &groups, &err));
    assert_int_equal(groups.count, 2);
    assert_string_equal(groups.items[0], "default_group");
    assert_string_equal(groups.items[1], "g");
    store_text_list_free(&groups);
    assert_int_equal(store_person_count(fixture->store), 0);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM face"), 0);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM image"), 0);
    assert_int_equal(fixture_query(fixture, "pictures", "SELECT count(*) FROM picture"), 0);
    assert_status(AIBOX_ID_NOT_FOUND, store_person_get_by_id(fixture->store, id, &person, &err));
    assert_status(AIBOX_ID_NOT_FOUND, store_person_get(fixture->store, "a", &person, &err));

    fixture_reopen(fixture); /* ids are not used again, not even after a restart */
    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 1, &person, &err));
    assert_true(person.person_id > id + 1);
    store_person_free(&person);
    fixture_check_invariants(fixture);
}

static void expect_list(struct store *store, const struct store_person_query *query, size_t total, const char *ids)
{
    struct store_person_list list;
    char text[400] = "";
    size_t n = 0;

    assert_status(AIBOX_OK, store_person_list(store, query, &list, NULL));
    for (size_t i = 0; i < list.count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? " " : "", list.items[i].identity_id);
    assert_string_equal(text, ids);
    assert_int_equal(list.total, total);
    store_person_list_free(&list);
}

static void test_lists(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    struct store_person_list list;
    struct aibox_error err;
    const char *some[] = {"p3", "p1", "p4"};
    const char *permissions[] = {"1046"};

    for (int i = 5; i >= 1; i--) {
        char id[16], name[16];
        snprintf(id, sizeof id, "p%d", i);
        snprintf(name, sizeof name, "N%d%%", i / 2);
        assert_status(AIBOX_OK, save_person(store, STORE_CREATE, id, name, (unsigned)i, NULL, &err));
    }
    assert_status(AIBOX_OK, store_label_create(store, STORE_GROUP, NULL, "g", "", NULL, NULL, &err));
    assert_status(AIBOX_OK, store_group_members_change(store, "g", true, some, 3, NULL, &err));
    struct store_person_change change = {.mode = STORE_UPDATE,
                                         .identity_id = "p3",
                                         .info =
                                             "{\"type\":2,\"name\":\"_x\",\"ext_info\":{\"visit_card_number\":77123}}",
                                         .permissions = permissions,
                                         .n_permissions = 1,
                                         .permissions_set = true,
                                         .permissions_create = true};
    assert_status(AIBOX_OK, store_person_save(store, &change, NULL, NULL, &err));

    expect_list(store, &(struct store_person_query){.limit = 10}, 5, "p1 p2 p3 p4 p5");
    expect_list(store, &(struct store_person_query){.limit = 2, .skip = 1}, 5, "p2 p3");
    expect_list(store, &(struct store_person_query){.limit = 2, .skip = 9}, 5, "");
    expect_list(store, &(struct store_person_query){.limit = 2, .group = "g"}, 3, "p1 p3");
    expect_list(store, &(struct store_person_query){.limit = 2, .group = "g", .skip = 2}, 3, "p4");
    expect_list(store, &(struct store_person_query){.limit = 9, .name = "N2%"}, 2, "p4 p5");
    expect_list(store, &(struct store_person_query){.limit = 1, .name = "N2%", .group = "g"}, 1, "p4");
    expect_list(store, &(struct store_person_query){.limit = 9, .type = 2}, 1, "p3");
    expect_list(store, &(struct store_person_query){.limit = 9, .permission = "1046"}, 1, "p3");
    expect_list(store, &(struct store_person_query){.limit = 9, .permission = "0"}, 4, "p1 p2 p4 p5");
    expect_list(store, &(struct store_person_query){.limit = 9, .text = "%"}, 4, "p1 p2 p4 p5");
    expect_list(store, &(struct store_person_query){.limit = 9, .text = "_"}, 1, "p3");
    expect_list(store, &(struct store_person_query){.limit = 9, .text = "P4"}, 1, "p4");
    expect_list(store, &(struct store_person_query){.limit = 9, .text = "' OR 1"}, 0, "");
    /* a card is found as a whole, whether it came as a number or as text */
    expect_list(store, &(struct store_person_query){.limit = 9, .text = "77123"}, 1, "p3");
    expect_list(store, &(struct store_person_query){.limit = 9, .text = "7712"}, 0, "");
    change.info = "{\"ext_info\":{\"visit_card_number\":\"C-9\"}}";
    assert_status(AIBOX_OK, store_person_save(store, &change, NULL, NULL, &err));
    expect_list(store, &(struct store_person_query){.limit = 9, .text = "C-9"}, 1, "p3");
    expect_list(store, &(struct store_person_query){.limit = 9, .text = "77123"}, 0, "");
    assert_status(AIBOX_NOT_FOUND,
                  store_person_list(store, &(struct store_person_query){.limit = 9, .group = "no"}, &list, &err));
    assert_status(AIBOX_NOT_FOUND,
                  store_person_list(store, &(struct store_person_query){.limit = 9, .permission = "no"}, &list, &err));
    assert_status(AIBOX_PARAM, store_person_list(store, &(struct store_person_query){.limit = 0}, &list, &err));
    assert_status(AIBOX_PARAM, store_person_list(store, &(struct store_person_query){.limit = 1001}, &list, &err));
}

static bool count_one(void *ctx, const struct store_template *state)
{
    int64_t *sum = ctx;

    sum[0]++;
    sum[1] += (int64_t)state->n_faces;
    if (state->person_id == 1) {
        float feature[STORE_DIMENSION];
        fill_feature(feature, 2);
        assert_int_equal(state->n_faces, 2);
        assert_memory_equal(state->features + STORE_DIMENSION, feature, sizeof feature); /* newest last */
        assert_int_equal(state->groups[0], 1);
        assert_int_equal(state->permissions[0], 1);
    }
    return sum[0] < sum[2];
}

static void test_templates(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    int64_t sum[3] = {0, 0, 100};

    assert_status(AIBOX_OK, save_person(store, STORE_UPSERT, "a", "A", 1, NULL, NULL));
    assert_status(AIBOX_OK, save_person(store, STORE_UPSERT, "b", "B", 9, NULL, NULL));
    assert_status(AIBOX_OK, save_person(store, STORE_UPSERT, "a", "A", 2, NULL, NULL));
    struct store_person_change faceless = {.mode = STORE_CREATE, .identity_id = "c", .info = "{\"name\":\"C\"}"};
    assert_status(AIBOX_OK, store_person_save(store, &faceless, NULL, NULL, NULL));
    assert_status(AIBOX_OK, store_templates_scan(store, MODEL_SET, count_one, sum, NULL));
    assert_int_equal(sum[0], 2);
    assert_int_equal(sum[1], 3);
    sum[0] = sum[1] = 0;
    sum[2] = 1;
    assert_status(AIBOX_OK, store_templates_scan(store, MODEL_SET, count_one, sum, NULL));
    assert_int_equal(sum[0], 1);
    sum[0] = 0;
    assert_status(AIBOX_OK, store_templates_scan(store, "another", count_one, sum, NULL));
    assert_int_equal(sum[0], 0);
}

static void test_unknown_key_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct store_person person;
    struct aibox_error err;
    int64_t sum[3] = {0, 0, 100};
    uint8_t *bytes;
    size_t size;

    assert_status(AIBOX_OK, save_person(fixture->store, STORE_CREATE, "a", "A", 1, &person, NULL));
    fixture_exec(fixture, "main", "UPDATE face SET key_id = 3");
    fixture_exec(fixture, "pictures", "UPDATE picture SET key_id = 3");
    assert_status(AIBOX_PROCESS_FAILED, store_templates_scan(fixture->store, MODEL_SET, count_one, sum, &err));
    assert_non_null(strstr(err.message, "encrypted"));
    assert_status(AIBOX_PROCESS_FAILED,
                  store_picture_get(fixture->store, person.faces[0].image_id, &bytes, &size, &err));
    store_person_free(&person);
}

static void test_unknown_pictures(void **state)
{
    struct store *store = ((struct fixture *)*state)->store;
    const char *ids[] = {"", "x", "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-00000000000g"};
    uint8_t *bytes;
    size_t size;

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        assert_status(AIBOX_ID_NOT_FOUND, store_picture_get(store, ids[i], &bytes, &size, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_new_person_gets_defaults),
        TEST(test_modes),
        TEST(test_info_is_merged_and_stripped),
        TEST(test_numbers_stay_as_they_are),
        TEST(test_wrong_arguments_name_the_field),
        TEST(test_faces_add_up_to_five),
        TEST(test_face_is_kept_as_given),
        TEST(test_equal_photos_are_one_picture),
        TEST(test_failure_leaves_no_trace),
        TEST(test_capacity),
        TEST(test_delete_is_all_or_nothing),
        TEST(test_lists),
        TEST(test_templates),
        TEST(test_unknown_key_is_an_error),
        TEST(test_unknown_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
