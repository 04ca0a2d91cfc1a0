#include "check.h"

#include "flow/photo_name.h"

static struct photo_name parse(const char *file_name)
{
    struct photo_name photo;
    struct aibox_error err = {0};
    if (photo_name_parse(file_name, &photo, &err) != AIBOX_OK)
        fail_msg("%s: %s", file_name, err.message);
    return photo;
}

static void test_all_parts(void **state)
{
    (void)state;
    struct photo_name photo = parse("小赵-10086-研发-2-A17-second floor.jpg");
    assert_string_equal(photo.name, "小赵");
    assert_string_equal(photo.id, "10086");
    assert_string_equal(photo.department, "研发");
    assert_int_equal(photo.type, 2);
    assert_string_equal(photo.card, "A17");
    assert_string_equal(photo.description, "second floor");
    assert_int_equal(photo.number, 1);
}

static void test_fewer_parts(void **state)
{
    (void)state;
    struct photo_name photo = parse("Ann Lee.JPEG");
    assert_string_equal(photo.name, "Ann Lee");
    assert_string_equal(photo.id, "Ann Lee");
    photo = parse("Ann Lee-7.png");
    assert_string_equal(photo.name, "Ann Lee");
    assert_string_equal(photo.id, "7");
    assert_int_equal(photo.type, 0);
    photo = parse("-7-lab.png");
    assert_string_equal(photo.name, "7");
    photo = parse("a-1-b--c.webp");
    assert_int_equal(photo.type, 0);
    assert_string_equal(photo.card, "c");
}

static void test_description_keeps_dashes(void **state)
{
    (void)state;
    assert_string_equal(parse("a-1-b-1-c-one-two-3.jpg").description, "one-two-3");
}

static void test_number(void **state)
{
    (void)state;
    struct photo_name photo = parse("a-1-#12.jpg");
    assert_string_equal(photo.id, "1");
    assert_int_equal(photo.number, 12);
    assert_string_equal(photo.department, "");
    assert_int_equal(parse("a-1-#0.jpg").number, 1);
    assert_string_equal(parse("a-1-#x.jpg").department, "#x");
}

static void test_percent(void **state)
{
    (void)state;
    assert_string_equal(parse("a%2Db-1.jpg").name, "a-b");
    assert_string_equal(parse("100%-1.jpg").name, "100%");
    assert_string_equal(parse("a%00b-1.jpg").name, "a%00b");
    assert_string_equal(parse("a%2.jpg").name, "a%2");
}

static void test_refused(void **state)
{
    static const char *const names[] = {"a--b.jpg",
                                        "a-1-b-9.jpg",
                                        "a-1-b-12.jpg",
                                        "a-\xff.jpg",
                                        ".jpg",
                                        "a-%80.jpg",
                                        "a-12345678901234567890123456789012345678901234567890123456789012345.jpg"};
    struct photo_name photo;
    struct aibox_error err;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        err.message[0] = '\0';
        if (photo_name_parse(names[i], &photo, &err) != AIBOX_PARAM || err.message[0] == '\0')
            fail_msg("%s was taken", names[i]);
    }
}

static void test_is_picture(void **state)
{
    (void)state;
    assert_true(photo_name_is_picture("a.jpg"));
    assert_true(photo_name_is_picture("a.b.JPEG"));
    assert_true(photo_name_is_picture("a.Png"));
    assert_true(photo_name_is_picture("a.webp"));
    assert_false(photo_name_is_picture("a.gif"));
    assert_false(photo_name_is_picture("jpg"));
    assert_false(photo_name_is_picture(".jpg"));
    assert_false(photo_name_is_picture(".a.jpg"));
    assert_false(photo_name_is_picture("a.jpg.part"));
}

static void check_round_trip(const struct photo_name *photo)
{
    char file_name[PHOTO_NAME_MAX];
    assert_true(photo_name_build(photo, ".jpg", file_name));
    if (strpbrk(file_name, "/\\:*?\"<>|") != NULL || file_name[0] == '.' || strlen(file_name) > 255)
        fail_msg("not a safe file name: %s", file_name);
    struct photo_name again = parse(file_name);
    assert_string_equal(again.name, photo->name);
    assert_string_equal(again.id, photo->id);
    assert_string_equal(again.department, photo->department);
    assert_string_equal(again.card, photo->card);
    assert_string_equal(again.description, photo->description);
    assert_int_equal(again.type, photo->type);
    assert_int_equal(again.number, photo->number);
}

static void test_round_trip(void **state)
{
    static const struct photo_name photos[] = {
        {.name = "小赵", .id = "10086", .type = 1, .number = 1},
        {.name = "小赵", .id = "10086", .department = "研发", .type = 5, .number = 3},
        {.name = "Jean-Luc", .id = "586f54e8-0000-4000-8000-000000000000", .type = 2, .number = 2},
        {.name = "../../etc/passwd", .id = "../x", .department = "a/b", .type = 1, .number = 1},
        {.name = ".hidden", .id = ".", .type = 1, .number = 1},
        {.name = " a;b,c ", .id = "1 ", .type = 1, .number = 1},
        {.name = "a%2Db", .id = "%", .type = 1, .number = 1},
        {.name = "a\nb\x1b[31m", .id = "1", .type = 1, .number = 1},
        {.name = "a", .id = "1", .card = "#2", .description = "#3", .number = 1},
        {.name = "a", .id = "#4", .number = 1},
        {.name = "a", .id = "1", .description = "what: <\"is\" | this*?>", .number = 9},
    };
    (void)state;
    for (size_t i = 0; i < sizeof photos / sizeof photos[0]; i++)
        check_round_trip(&photos[i]);
}

static void test_too_long_keeps_the_id(void **state)
{
    struct photo_name photo = {.type = 3, .number = 2};
    char file_name[PHOTO_NAME_MAX];
    (void)state;
    memset(photo.id, '-', 64); /* each takes three bytes */
    for (size_t i = 0; i < 252; i += 3)
        memcpy(photo.name + i, "字", 3);
    snprintf(photo.department, sizeof photo.department, "research");
    snprintf(photo.description, sizeof photo.description, "long");
    assert_false(photo_name_build(&photo, ".jpg", file_name));
    assert_in_range(strlen(file_name), 200, 255);
    struct photo_name again = parse(file_name);
    assert_string_equal(again.id, photo.id);
    assert_int_equal(again.type, 3);
    assert_int_equal(again.number, 2);
    assert_int_equal(strncmp(again.name, photo.name, strlen(again.name)), 0);
    assert_int_equal(strlen(again.name) % 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_parts),
        cmocka_unit_test(test_fewer_parts),
        cmocka_unit_test(test_description_keeps_dashes),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_percent),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_is_picture),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_too_long_keeps_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
