/* Folders that strangers made: opened without following a link, removed however deep. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "intake/ftp_tree.h"

struct place {
    char path[32];
    int fd;
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    memcpy(place->path, "/tmp/aibox-tree-XXXXXX", sizeof "/tmp/aibox-tree-XXXXXX");
    place->fd = mkdtemp(place->path) != NULL ? open(place->path, O_RDONLY | O_DIRECTORY) : -1;
    *state = place;
    return place->fd >= 0 ? 0 : -1;
}

static size_t clean(int fd);

static int teardown(void **state)
{
    struct place *place = *state;
    while (clean(place->fd) > 0)
        continue;
    close(place->fd);
    int status = rmdir(place->path);
    free(place);
    return status;
}

/* Removes what there is, once; how much there was. */
static size_t clean(int fd)
{
    DIR *dir = ftp_tree_list(fd);
    const struct dirent *entry;
    size_t n = 0;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        n++;
        if (!ftp_tree_remove(fd, entry->d_name, fd))
            (void)unlinkat(fd, entry->d_name, 0);
    }
    closedir(dir);
    return n;
}

static void make_file(int at, const char *name)
{
    int fd = openat(at, name, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void test_links_are_not_followed(void **state)
{
    struct place *place = *state;
    assert_int_equal(mkdirat(place->fd, "a", 0700), 0);
    assert_int_equal(mkdirat(place->fd, "a/b", 0700), 0);
    assert_int_equal(mkdirat(place->fd, "outside", 0700), 0);
    make_file(place->fd, "outside/kept");
    assert_int_equal(symlinkat("../outside", place->fd, "a/link"), 0);
    int fd = ftp_tree_open(place->fd, "a/b");
    assert_true(fd >= 0);
    close(fd);
    static const char *const wrong[] = {"a/link", "a/link/x", "..", "/etc", "a/../../etc", "outside/kept", "none"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(ftp_tree_open(place->fd, wrong[i]), -1);
    assert_true(ftp_tree_remove(place->fd, "a", place->fd));
    assert_int_equal(faccessat(place->fd, "outside/kept", F_OK, 0), 0);
    assert_int_not_equal(faccessat(place->fd, "a", F_OK, 0), 0);
}

static void test_deep_folders(void **state)
{
    struct place *place = *state;
    int fd = dup(place->fd);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(mkdirat(fd, "deep", 0700), 0);
        make_file(fd, "file");
        int below = openat(fd, "deep", O_RDONLY | O_DIRECTORY);
        assert_true(below >= 0);
        close(fd);
        fd = below;
    }
    close(fd);
    assert_true(ftp_tree_remove(place->fd, "deep", place->fd));
    assert_int_not_equal(faccessat(place->fd, "deep", F_OK, 0), 0);
    size_t rounds = 0;
    while (clean(place->fd) > 0)
        rounds++;
    assert_in_range(rounds, 1, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_links_are_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deep_folders, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
