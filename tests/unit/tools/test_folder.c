#include "check.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"

static char root[] = "/tmp/aibox-folder-XXXXXX";

static void put(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void put_folder(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static int drop(const char *path, const struct stat *what, int flag, struct FTW *walk)
{
    (void)what;
    (void)flag;
    (void)walk;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(root, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_folder(void **state)
{
    struct folder folder;
    struct photo_name photo;
    (void)state;
    put("bob-2-lab.jpg");
    put("bob-2-lab-#2.PNG");
    put("bob-2-lab-#10.jpg");
    put("ann.webp");
    put("bad-1-x-9.jpg");
    put("notes.txt");
    put("people.csv");
    put(".hidden.jpg");
    put_folder("Al-Tikriti");
    put("Al-Tikriti/b.jpg");
    put("Al-Tikriti/a.jpg");
    put_folder("Al-Tikriti/deeper");
    put("Al-Tikriti/deeper/c.jpg");
    put_folder(".git");
    put(".git/d.jpg");
    assert_int_equal(folder_read(root, &folder, NULL), AIBOX_OK);
    assert_int_equal(folder.n_pictures, 6);
    assert_int_equal(folder.n_people, 3);
    assert_int_equal(folder.n_ignored, 1);
    assert_int_equal(folder.n_faults, 1);
    assert_non_null(strstr(folder.faults[0].path, "bad-1-x-9.jpg"));
    assert_string_equal(folder.pictures[0].id, "2");
    assert_int_equal(folder.pictures[0].number, 1);
    assert_int_equal(folder.pictures[1].number, 2);
    assert_int_equal(folder.pictures[2].number, 10);
    assert_int_equal(folder_next_person(&folder, 0), 3);
    folder_name_of(&folder.pictures[0], &photo);
    assert_string_equal(photo.department, "lab");
    assert_string_equal(folder.pictures[3].id, "Al-Tikriti");
    assert_non_null(strstr(folder.pictures[3].path, "/a.jpg"));
    folder_name_of(&folder.pictures[3], &photo);
    assert_string_equal(photo.name, "Al-Tikriti");
    assert_string_equal(photo.id, "Al-Tikriti");
    assert_int_equal(folder_next_person(&folder, 3), 5);
    assert_string_equal(folder.pictures[5].id, "ann");
    folder_free(&folder);
}

static void test_missing_folder(void **state)
{
    struct folder folder;
    struct aibox_error err;
    (void)state;
    assert_int_equal(folder_read("/nonexistent/folder", &folder, &err), AIBOX_NOT_FOUND);
    folder_free(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_folder, set_up, tear_down),
                                       cmocka_unit_test(test_missing_folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
