/* Archives, what is planned from them, and the journal; export and back. */
#include "check.h"

#include <fcntl.h>
#include <unistd.h>

#include "../store/fixture.h"
#include "flow/export.h"
#include "flow/import_archive.h"
#include "flow/import_plan.h"
#include "flow/import_results.h"
#include "zips.h"

static atomic_bool go_on; /* false: nobody stops */

/* ---- archives ------------------------------------------------------------------------------------------------ */

static struct buffer bytes;

static struct import_archive *open_bytes(void)
{
    struct import_archive *archive;
    struct aibox_error err = {0};

    if (import_archive_open_memory(bytes.data, bytes.size, &archive, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    return archive;
}

static struct import_archive *open_entries(const struct zips_entry *entries, size_t n)
{
    buffer_free(&bytes);
    buffer_init(&bytes, (size_t)256 << 20);
    zips_make(&bytes, entries, n);
    return open_bytes();
}

static void check_refused(const char *why)
{
    struct import_archive *archive;
    struct aibox_error err = {0};

    assert_int_equal(import_archive_open_memory(bytes.data, bytes.size, &archive, &err), AIBOX_PARAM);
    assert_null(archive);
    if (!strstr(err.message, why))
        fail_msg("'%s' instead of '%s'", err.message, why);
}

static void entries_are_read(void **state)
{
    static const struct zips_entry entries[] = {{.name = "a/b.jpg", .content = "picture"},
                                                {.name = "empty", .content = ""}};
    struct import_archive *archive = open_entries(entries, 2);
    uint8_t *content;
    size_t size;

    (void)state;
    assert_int_equal(import_archive_count(archive), 2);
    assert_string_equal(import_archive_name(archive, 0), "a/b.jpg");
    assert_int_equal(import_archive_read(archive, 0, 7, &content, &size, NULL), AIBOX_OK);
    assert_int_equal(size, 7);
    assert_memory_equal(content, "picture", 7);
    free(content);
    assert_int_equal(import_archive_read(archive, 1, 7, &content, &size, NULL), AIBOX_OK);
    assert_int_equal(size, 0);
    free(content);
    import_archive_close(archive);
}

static void names_in_gbk_are_converted(void **state)
{
    /* GBK of 小赵 and 研发; the second looks like UTF-8 and is not */
    static const struct zips_entry entries[] = {
        {.name = "\xd0\xa1\xd5\xd4-1-\xd1\xd0\xb7\xa2.jpg", .content = "x"},
        {.name = "\xc2\xac-2.jpg", .content = "x"},
        {.name = "sub\\\xd0\xa1.jpg", .content = "x"},
        {.name = "\xe5\xb0\x8f.jpg", .flags = ZIPS_UTF8, .content = "x"},
    };
    struct import_archive *archive = open_entries(entries, 4);

    (void)state;
    assert_string_equal(import_archive_name(archive, 0), "小赵-1-研发.jpg");
    assert_string_equal(import_archive_name(archive, 1), "卢-2.jpg");
    assert_string_equal(import_archive_name(archive, 2), "sub/小.jpg");
    assert_string_equal(import_archive_name(archive, 3), "小.jpg");
    import_archive_close(archive);
}

static void names_in_utf8_need_no_mark(void **state)
{
    static const struct zips_entry entries[] = {{.name = "小赵-1.jpg", .content = "x"},
                                                {.name = "卢.jpg", .content = "x"}};
    struct import_archive *archive = open_entries(entries, 2);

    (void)state;
    assert_string_equal(import_archive_name(archive, 0), "小赵-1.jpg");
    assert_string_equal(import_archive_name(archive, 1), "卢.jpg");
    import_archive_close(archive);
}

static void bad_archives_are_refused(void **state)
{
    static const struct {
        struct zips_entry entry;
        const char *why;
    } cases[] = {
        {{.name = "/etc/passwd", .content = "x"}, "absolute"},
        {{.name = "C:\\x.jpg", .content = "x"}, "absolute"},
        {{.name = "a/../../b.jpg", .content = "x"}, "'..'"},
        {{.name = "a\\..\\b.jpg", .content = "x"}, "'..'"},
        {{.name = "..", .content = "x"}, "'..'"},
        {{.name = "a.jpg", .flags = ZIPS_ENCRYPTED, .content = "xxxxxxxxxxxxxxxx"}, "encrypted"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_free(&bytes);
        buffer_init(&bytes, 65536);
        zips_make(&bytes, &cases[i].entry, 1);
        check_refused(cases[i].why);
    }
    buffer_clear(&bytes);
    check_refused("no ZIP archive");
    buffer_append_text(&bytes, "just some text that is long enough to be an archive");
    check_refused("no ZIP archive");
}

static void part_of_an_archive_is_none(void **state)
{
    static const struct zips_entry entry = {.name = "a.jpg", .content = "x"};

    (void)state;
    buffer_free(&bytes);
    buffer_init(&bytes, 65536);
    zips_make(&bytes, &entry, 1);
    bytes.size -= 10;
    check_refused("no ZIP archive");
}

static void claims_are_checked_before_memory_is_taken(void **state)
{
    (void)state;
    buffer_free(&bytes);
    buffer_init(&bytes, 65536);
    zips_claim(&bytes, 200001, 200001 * 46);
    check_refused("200000 files");
    buffer_clear(&bytes);
    zips_claim(&bytes, 1000, (uint64_t)1 << 40);
    check_refused("directory is too large");
}

static void bombs_are_harmless(void **state)
{
    static const struct zips_entry entries[] = {
        {.name = "honest.jpg", .zeros = (size_t)64 << 20},
        {.name = "lying.jpg", .zeros = (size_t)64 << 20, .announced = 1000},
        {.name = "boasting.jpg", .content = "x", .announced = 4000},
    };
    struct import_archive *archive = open_entries(entries, 3);
    struct aibox_error err;
    uint8_t *content;
    size_t size;

    (void)state;
    assert_in_range(bytes.size, 0, (size_t)1 << 20);
    assert_int_equal(import_archive_read(archive, 0, 5000, &content, &size, &err), AIBOX_IMAGE_TOO_LARGE);
    assert_null(content);
    assert_int_not_equal(import_archive_read(archive, 1, 5000, &content, &size, &err), AIBOX_OK);
    assert_null(content);
    assert_int_equal(import_archive_read(archive, 2, 5000, &content, &size, &err), AIBOX_PARAM);
    import_archive_close(archive);
}

/* ---- plans --------------------------------------------------------------------------------------------------- */

static void check_task(struct import_plan *plan, size_t item, const char *file, const char *id, const char *why)
{
    struct aibox_error err = {0};
    struct import_task task;
    enum aibox_status status = import_plan_task(plan, item, &task, &err);

    assert_string_equal(task.file, file);
    assert_string_equal(task.person.identity_id, id);
    if (!why && status != AIBOX_OK)
        fail_msg("%s: %s", file, err.message);
    if (why && (status == AIBOX_OK || !strstr(err.message, why)))
        fail_msg("%s: '%s' instead of '%s'", file, err.message, why);
    import_task_free(&task);
}

static struct import_plan *plan_of(struct import_archive *archive)
{
    struct import_plan *plan;
    struct aibox_error err = {0};

    if (import_plan_make(archive, &go_on, &plan, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    return plan;
}

static void photos_of_a_person_come_together_in_order(void **state)
{
    static const struct zips_entry entries[] = {
        {.name = "x/Bo-2-lab-#3.jpg", .content = "x"}, {.name = "Ann-1.jpg", .content = "x"},
        {.name = "Bo-2.jpg", .content = "x"},          {.name = "y/", .content = ""},
        {.name = "a--b.jpg", .content = "x"},          {.name = "y/Bo-2-lab-#2.png", .content = "x"},
        {.name = "Thumbs.db", .content = "x"},         {.name = "__MACOSX/Bo-2.jpg", .content = "x"},
        {.name = "c--d.jpg", .content = "x"},
    };
    struct import_archive *archive = open_entries(entries, sizeof entries / sizeof entries[0]);
    struct import_plan *plan = plan_of(archive);

    (void)state;
    assert_int_equal(import_plan_count(plan), 6);
    assert_int_equal(import_plan_ignored(plan), 2);
    check_task(plan, 0, "a--b.jpg", "", "no id");
    check_task(plan, 1, "c--d.jpg", "", "no id");
    check_task(plan, 2, "Ann-1.jpg", "1", NULL);
    check_task(plan, 3, "Bo-2.jpg", "2", NULL);
    check_task(plan, 4, "y/Bo-2-lab-#2.png", "2", NULL);
    check_task(plan, 5, "x/Bo-2-lab-#3.jpg", "2", NULL);
    assert_int_not_equal(import_plan_person(plan, 0), import_plan_person(plan, 1));
    assert_int_not_equal(import_plan_person(plan, 2), import_plan_person(plan, 3));
    assert_int_equal(import_plan_person(plan, 3), import_plan_person(plan, 5));
    import_plan_free(plan);
    import_archive_close(archive);
}

static void tables_say_who_is_on_the_photos(void **state)
{
    static const char table[] = "\xef\xbb\xbf编号;姓名;photo;type;部门;mobile;权限;info\r\n"
                                "7;\"Zhao; \"\"W\"\"\";a, b.jpg;2;lab;0123;door,gate;\r\n"
                                ";;;;;;;\r\n"
                                "\r\n"
                                "8;Li;p/1.jpg, 2.jpg;;;;;\"{\"\"ext_info\"\": {\"\"floor\"\": 3}}\"\r\n"
                                "9;No photo;;9;;;;\r\n"
                                "10;Missing;nowhere.jpg;;;;;\r\n"
                                "11;Twice;same.jpg;;;;;\r\n"
                                "\"12\"x;;\r\n"
                                ";Nobody;;;;;;\r\n"
                                "13;Bare;;1;;;;";
    static const struct zips_entry entries[] = {
        {.name = "in/people.csv", .content = table}, {.name = "in/a, b.jpg", .content = "x"},
        {.name = "in/p/1.jpg", .content = "x"},      {.name = "elsewhere/2.jpg", .content = "x"},
        {.name = "in/u/same.jpg", .content = "x"},   {.name = "in/v/same.jpg", .content = "x"},
    };
    struct import_archive *archive = open_entries(entries, sizeof entries / sizeof entries[0]);
    struct import_plan *plan = plan_of(archive);
    struct import_task task;

    (void)state;
    assert_int_equal(import_plan_count(plan), 9);
    assert_int_equal(import_plan_ignored(plan), 2);
    check_task(plan, 0, "people.csv:9", "", "line 9: text behind a closing quote");
    check_task(plan, 1, "people.csv:10", "", "identity_id: required");
    check_task(plan, 2, "nowhere.jpg", "10", "holds no photo 'nowhere.jpg'");
    check_task(plan, 3, "same.jpg", "11", "holds no photo");
    check_task(plan, 4, "people.csv:11", "13", NULL);
    assert_int_equal(import_plan_task(plan, 5, &task, NULL), AIBOX_OK);
    assert_string_equal(task.file, "a, b.jpg");
    assert_string_equal(json_string_value(json_object_get(task.person.info, "name")), "Zhao; \"W\"");
    assert_int_equal(json_integer_value(json_object_get(task.person.info, "type")), 2);
    assert_string_equal(json_string_value(json_object_get(task.person.more, "department")), "lab");
    assert_string_equal(json_string_value(json_object_get(task.person.more, "mobile")), "0123");
    assert_int_equal(task.person.permissions.count, 2);
    assert_string_equal(task.person.permissions.items[1], "gate");
    assert_true(task.has_entry);
    assert_string_equal(import_archive_name(archive, task.entry), "in/a, b.jpg");
    import_task_free(&task);
    check_task(plan, 6, "p/1.jpg", "8", NULL);
    assert_int_equal(import_plan_task(plan, 7, &task, NULL), AIBOX_OK);
    assert_string_equal(task.file, "2.jpg");
    assert_string_equal(import_archive_name(archive, task.entry), "elsewhere/2.jpg");
    assert_int_equal(json_integer_value(json_object_get(task.person.more, "floor")), 3);
    import_task_free(&task);
    check_task(plan, 8, "people.csv:6", "9", "type: a number from 1 to 5");
    import_plan_free(plan);
    import_archive_close(archive);
}

static void check_no_plan(const struct zips_entry *entries, size_t n, const char *why)
{
    struct import_archive *archive = open_entries(entries, n);
    struct import_plan *plan;
    struct aibox_error err = {0};

    assert_int_equal(import_plan_make(archive, &go_on, &plan, &err), AIBOX_PARAM);
    if (!strstr(err.message, why))
        fail_msg("'%s' instead of '%s'", err.message, why);
    import_archive_close(archive);
}

static void archives_without_work_are_refused(void **state)
{
    static const struct zips_entry no_photo = {.name = "readme.txt", .content = "x"};
    static const struct zips_entry no_id = {.name = "people.csv", .content = "name\nAnn\n"};
    static const struct zips_entry twice = {.name = "people.csv", .content = "id,identity_id\n1,2\n"};
    static const struct zips_entry utf16 = {.name = "people.csv", .content = "\xff\xfei"};
    static const struct zips_entry no_text = {.name = "people.csv", .content = "identity_id\n\xff\xff\n"};
    static const struct zips_entry empty = {.name = "people.csv", .content = ""};

    (void)state;
    check_no_plan(&no_photo, 1, "neither photos");
    check_no_plan(&no_id, 1, "no column 'identity_id'");
    check_no_plan(&twice, 1, "two columns");
    check_no_plan(&utf16, 1, "UTF-16");
    check_no_plan(&no_text, 1, "neither in UTF-8 nor in GBK");
    check_no_plan(&empty, 1, "empty");
}

/* ---- the journal --------------------------------------------------------------------------------------------- */

struct seen {
    size_t count;
    char text[2048];
};

static void see(void *ctx, const char *json)
{
    struct seen *seen = ctx;

    seen->count++;
    snprintf(seen->text, sizeof seen->text, "%s", json);
}

static void add(struct import_results *results, size_t item, enum import_outcome outcome, const char *message)
{
    struct import_result result = {.item = item,
                                   .outcome = outcome,
                                   .file = "a\nb.jpg",
                                   .identity_id = "1",
                                   .status = outcome == IMPORT_FAILED ? AIBOX_NO_FACE : AIBOX_OK,
                                   .message = message};

    assert_int_equal(import_results_add(results, &result, NULL), AIBOX_OK);
}

static struct import_results *open_journal(const char *path, size_t total)
{
    struct import_results *results;

    assert_int_equal(import_results_open(path, total, &results, NULL), AIBOX_OK);
    return results;
}

static void check_counts(struct import_results *results, size_t done, size_t failed)
{
    size_t got_done, got_failed;

    import_results_count(results, &got_done, &got_failed);
    assert_int_equal(got_done, done);
    assert_int_equal(got_failed, failed);
}

static void journal_survives(void **state)
{
    const struct fixture *fixture = *state;
    char path[300];
    struct seen seen = {0};
    size_t total;

    snprintf(path, sizeof path, "%s/results", fixture->path);
    struct import_results *results = open_journal(path, 4);
    add(results, 2, IMPORT_FAILED, "no face\n");
    add(results, 0, IMPORT_CREATED, "");
    add(results, 3, IMPORT_UNCHANGED, "");
    check_counts(results, 2, 1);
    assert_int_equal(import_results_sync(results, NULL), AIBOX_OK);
    import_results_close(results);

    /* A line that the power took. */
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "1 c {\"file\"", 11), 11);
    close(fd);
    results = open_journal(path, 4);
    check_counts(results, 2, 1);
    assert_true(import_results_pending(results, 1));
    assert_false(import_results_pending(results, 2));
    assert_int_equal(import_results_page(results, true, 0, 10, see, &seen, &total, NULL), AIBOX_OK);
    assert_int_equal(total, 1);
    assert_string_equal(seen.text,
                        "{\"file\":\"a\\nb.jpg\",\"identity_id\":\"1\",\"outcome\":\"failed\",\"code\":40004,"
                        "\"status\":\"NO_FACE\",\"message\":\"no face\\n\"}");
    assert_int_equal(import_results_page(results, false, 1, 1, see, &seen, &total, NULL), AIBOX_OK);
    assert_int_equal(total, 3);
    assert_int_equal(seen.count, 2);

    assert_int_equal(import_results_reopen_failed(results, NULL), AIBOX_OK);
    check_counts(results, 2, 0);
    assert_true(import_results_pending(results, 2));
    add(results, 1, IMPORT_CREATED, "");
    add(results, 2, IMPORT_UPDATED, "");
    import_results_close(results);
    results = open_journal(path, 4);
    check_counts(results, 4, 0);
    import_results_close(results);
    /* One that belongs to something else is not believed. */
    results = open_journal(path, 2);
    check_counts(results, 2, 0);
    import_results_close(results);
}

/* ---- export ---------------------------------------------------------------------------------------------------- */

static bool collect(void *ctx, const void *piece, size_t size)
{
    return buffer_append(ctx, piece, size);
}

static void add_person(struct store *store, const char *id, const char *info, const char *group, size_t n_faces)
{
    float feature[STORE_DIMENSION];
    struct store_new_face faces[STORE_MAX_FACES];
    char photos[STORE_MAX_FACES][64];

    for (size_t i = 0; i < n_faces; i++) {
        fill_feature(feature, 1);
        snprintf(photos[i], sizeof photos[i], "photo %zu of %s", i, id);
        faces[i] = (struct store_new_face){.feature = feature,
                                           .model_set = MODEL_SET,
                                           .norm = 1,
                                           .quality = 1,
                                           .photo = (const uint8_t *)photos[i],
                                           .photo_size = strlen(photos[i])};
    }
    struct store_person_change change = {.mode = STORE_CREATE,
                                         .identity_id = id,
                                         .info = info,
                                         .groups = &group,
                                         .n_groups = group ? 1 : 0,
                                         .faces_mode = STORE_FACES_ADD,
                                         .faces = faces,
                                         .n_faces = n_faces};
    struct aibox_error err = {0};
    if (store_person_save(store, &change, NULL, NULL, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
}

static struct import_archive *export_all(const struct fixture *fixture, const char *group)
{
    struct export_request request = {
        .store = fixture->store, .group = group, .folder = fixture->path, .write = collect, .ctx = &bytes};
    struct aibox_error err = {0};

    buffer_free(&bytes);
    buffer_init(&bytes, (size_t)64 << 20);
    if (export_people(&request, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    return open_bytes();
}

static void exports_are_read_back(void **state)
{
    static const char info[] =
        "{\"name\":\" Zhao, \\\"W\\\"\",\"type\":5,\"x\":[1.5,null],\"ext_info\":{\"department\":"
        "\"a/b\",\"n\":0.1}}";
    const struct fixture *fixture = *state;
    struct import_task task;
    uint8_t *content;
    size_t size;

    assert_int_equal(store_label_create(fixture->store, STORE_GROUP, NULL, "[a;b", "told", "{\"k\":1}", NULL, NULL),
                     AIBOX_OK);
    add_person(fixture->store, "-7/..", info, "[a;b", 3);
    add_person(fixture->store, "8", "{\"name\":\"no photo\"}", NULL, 0);
    struct import_archive *archive = export_all(fixture, NULL);
    struct import_plan *plan = plan_of(archive);
    assert_int_equal(import_plan_count(plan), 4);
    assert_int_equal(import_plan_ignored(plan), 0);
    for (size_t i = 0; i < 3; i++) {
        char photo[64];
        struct aibox_error err = {0};

        if (import_plan_task(plan, i, &task, &err) != AIBOX_OK)
            fail_msg("%s", err.message);
        assert_string_equal(task.person.identity_id, "-7/..");
        assert_string_equal(json_string_value(json_object_get(task.person.info, "name")), " Zhao, \"W\"");
        assert_true(json_real_value(json_array_get(json_object_get(task.person.info, "x"), 0)) == 1.5);
        assert_true(json_real_value(json_object_get(task.person.more, "n")) == 0.1);
        assert_int_equal(task.person.groups.count, 1);
        assert_string_equal(task.person.groups.items[0], "[a;b");
        assert_int_equal(task.person.permissions.count, 1);
        assert_string_equal(task.person.permissions.items[0], "0");
        assert_true(task.has_entry);
        snprintf(photo, sizeof photo, "photo %zu of -7/..", i);
        assert_int_equal(import_archive_read(archive, task.entry, 1000, &content, &size, NULL), AIBOX_OK);
        assert_int_equal(size, strlen(photo));
        assert_memory_equal(content, photo, size);
        free(content);
        import_task_free(&task);
    }
    check_task(plan, 3, "people.csv:3", "8", NULL);
    import_plan_free(plan);
    import_archive_close(archive);
}

static void exports_of_a_group_hold_its_members(void **state)
{
    const struct fixture *fixture = *state;

    assert_int_equal(store_label_create(fixture->store, STORE_GROUP, NULL, "g", "", NULL, NULL, NULL), AIBOX_OK);
    add_person(fixture->store, "1", "{\"name\":\"in\"}", "g", 1);
    add_person(fixture->store, "2", "{\"name\":\"out\"}", NULL, 1);
    struct import_archive *archive = export_all(fixture, "g");
    struct import_plan *plan = plan_of(archive);
    assert_int_equal(import_plan_count(plan), 1);
    check_task(plan, 0, "in-1--1.jpg", "1", NULL);
    import_plan_free(plan);
    import_archive_close(archive);
}

/* More than one page of people, one of whom goes while they are read. */
struct leaver {
    const struct fixture *fixture;
    size_t pieces;
};

static bool delete_on_the_way(void *ctx, const void *piece, size_t size)
{
    struct leaver *leaver = ctx;
    static const char *const ids[] = {"p0003", "p0004", "p0005"};

    if (++leaver->pieces == 300)
        assert_int_equal(store_people_delete(leaver->fixture->store, ids, 3, NULL, NULL), AIBOX_OK);
    return buffer_append(&bytes, piece, size);
}

static void everybody_is_exported_once(void **state)
{
    const struct fixture *fixture = *state;
    struct leaver leaver = {.fixture = fixture};
    struct export_request request = {
        .store = fixture->store, .folder = fixture->path, .write = delete_on_the_way, .ctx = &leaver};

    store_set_capacity(fixture->store, 1000);
    for (int i = 0; i < 250; i++) {
        char id[16];

        snprintf(id, sizeof id, "p%04d", i);
        add_person(fixture->store, id, "{\"name\":\"x\"}", NULL, 1);
    }
    buffer_free(&bytes);
    buffer_init(&bytes, (size_t)64 << 20);
    assert_int_equal(export_people(&request, NULL), AIBOX_OK);
    struct import_archive *archive = open_bytes();
    struct import_plan *plan = plan_of(archive);
    /* The three were written before they went. */
    assert_int_equal(import_plan_count(plan), 250);
    for (size_t i = 0; i < 250; i++) {
        char id[16];
        struct import_task task;

        snprintf(id, sizeof id, "p%04zu", i);
        assert_int_equal(import_plan_task(plan, i, &task, NULL), AIBOX_OK);
        assert_string_equal(task.person.identity_id, id);
        import_task_free(&task);
    }
    import_plan_free(plan);
    import_archive_close(archive);
}

static int free_bytes(void **state)
{
    (void)state;
    buffer_free(&bytes);
    return 0;
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_read),
        cmocka_unit_test(names_in_gbk_are_converted),
        cmocka_unit_test(names_in_utf8_need_no_mark),
        cmocka_unit_test(bad_archives_are_refused),
        cmocka_unit_test(part_of_an_archive_is_none),
        cmocka_unit_test(claims_are_checked_before_memory_is_taken),
        cmocka_unit_test(bombs_are_harmless),
        cmocka_unit_test(photos_of_a_person_come_together_in_order),
        cmocka_unit_test(tables_say_who_is_on_the_photos),
        cmocka_unit_test(archives_without_work_are_refused),
        WITH_STORE(journal_survives),
        WITH_STORE(exports_are_read_back),
        WITH_STORE(exports_of_a_group_hold_its_members),
        WITH_STORE(everybody_is_exported_once),
    };

    return cmocka_run_group_tests(tests, NULL, free_bytes);
}
