/* The file of a backup: what goes in comes out, and nothing else is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/archive.h"

#define PASSWORD "a long password"

struct place {
    char folder[64];
    char path[96];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    if (!place)
        return -1;
    snprintf(place->folder, sizeof place->folder, "/tmp/aibox-archive-XXXXXX");
    if (!mkdtemp(place->folder))
        return -1;
    snprintf(place->path, sizeof place->path, "%s/file", place->folder);
    *state = place;
    return 0;
}

static int drop_place(void **state)
{
    struct place *place = *state;

    (void)unlink(place->path);
    (void)rmdir(place->folder);
    free(place);
    return 0;
}

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 256);
}

static void write_archive(const struct place *place, const uint8_t *bytes, const size_t *sizes, size_t n)
{
    struct archive_out *archive;
    uint64_t size;
    struct stat info;

    assert_int_equal(archive_out_open(place->path, PASSWORD, &archive, NULL), AIBOX_OK);
    for (size_t i = 0; i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "member %zu", i);
        assert_int_equal(archive_out_member(archive, name, sizes[i], NULL), AIBOX_OK);
        /* In two pieces. */
        assert_int_equal(archive_out_write(archive, bytes, sizes[i] / 3, NULL), AIBOX_OK);
        assert_int_equal(archive_out_write(archive, bytes + sizes[i] / 3, sizes[i] - sizes[i] / 3, NULL), AIBOX_OK);
    }
    assert_int_equal(archive_out_finish(archive, &size, NULL), AIBOX_OK);
    archive_out_close(archive);
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(info.st_size, size);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void check_member(struct archive_in *archive, const uint8_t *bytes, size_t size, size_t piece)
{
    uint8_t *read = malloc(size + 1);
    size_t filled = 0, got = 1;

    assert_non_null(read);
    while (got > 0) {
        size_t room = size + 1 - filled;
        assert_int_equal(archive_in_read(archive, read + filled, room < piece ? room : piece, &got, NULL), AIBOX_OK);
        filled += got;
    }
    assert_int_equal(filled, size);
    assert_memory_equal(read, bytes, size);
    free(read);
}

static void test_what_goes_in_comes_out(void **state)
{
    const struct place *place = *state;
    /* Around the borders of frames: the first member's head takes 17 bytes. */
    static const size_t sets[][3] = {{0, 1, 2},
                                     {ARCHIVE_FRAME - 17, 0, 5},
                                     {ARCHIVE_FRAME - 18, 1, ARCHIVE_FRAME},
                                     {3 * ARCHIVE_FRAME + 1, ARCHIVE_FRAME - 1, 700000},
                                     {ARCHIVE_FRAME - 3 * 17 - 1, 0, 0}}; /* the end fills a frame */
    uint8_t *bytes = malloc(4 * ARCHIVE_FRAME);

    assert_non_null(bytes);
    fill(bytes, 4 * ARCHIVE_FRAME);
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        struct archive_in *archive;
        struct archive_member member;

        write_archive(place, bytes, sets[i], 3);
        assert_int_equal(archive_in_open(place->path, 0, PASSWORD, &archive, NULL), AIBOX_OK);
        for (size_t k = 0; k < 3; k++) {
            char name[32];
            snprintf(name, sizeof name, "member %zu", k);
            assert_int_equal(archive_in_next(archive, &member, NULL), AIBOX_OK);
            assert_string_equal(member.name, name);
            assert_int_equal(member.size, sets[i][k]);
            if (k != i % 3) /* one is skipped */
                check_member(archive, bytes, sets[i][k], k == 0 ? 1000 : 1 << 20);
        }
        assert_int_equal(archive_in_next(archive, &member, NULL), AIBOX_OK);
        assert_string_equal(member.name, "");
        archive_in_close(archive);
        assert_int_equal(unlink(place->path), 0);
    }
    free(bytes);
}

static enum aibox_status read_all(const char *path, const char *password)
{
    struct archive_in *archive = NULL;
    struct archive_member member = {.name = "x"};
    enum aibox_status status = archive_in_open(path, 0, password, &archive, NULL);

    while (status == AIBOX_OK && member.name[0])
        status = archive_in_next(archive, &member, NULL);
    archive_in_close(archive);
    return status;
}

static void test_changes_are_noticed(void **state)
{
    const struct place *place = *state;
    static const size_t sizes[] = {1000, ARCHIVE_FRAME + 5};
    uint8_t *bytes = malloc(2 * ARCHIVE_FRAME);
    struct stat info;

    assert_non_null(bytes);
    fill(bytes, 2 * ARCHIVE_FRAME);
    write_archive(place, bytes, sizes, 2);
    assert_int_equal(read_all(place->path, PASSWORD), AIBOX_OK);
    assert_int_equal(read_all(place->path, "another password"), AIBOX_PARAM);
    assert_int_equal(stat(place->path, &info), 0);
    int fd = open(place->path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    const off_t spots[] = {0, 7, 24, 41, 64, 100, ARCHIVE_HEAD + ARCHIVE_FRAME + 3, info.st_size - 1};
    for (size_t i = 0; i < sizeof spots / sizeof spots[0]; i++) {
        uint8_t byte, other;
        assert_int_equal(pread(fd, &byte, 1, spots[i]), 1);
        other = byte ^ 0x10;
        assert_int_equal(pwrite(fd, &other, 1, spots[i]), 1);
        assert_int_equal(read_all(place->path, PASSWORD), AIBOX_PARAM);
        assert_int_equal(pwrite(fd, &byte, 1, spots[i]), 1);
    }
    assert_int_equal(ftruncate(fd, info.st_size + 1), 0);
    assert_int_equal(read_all(place->path, PASSWORD), AIBOX_PARAM);
    assert_int_equal(ftruncate(fd, info.st_size), 0);
    assert_int_equal(read_all(place->path, PASSWORD), AIBOX_OK);
    /* Also where a whole frame ends. */
    const off_t ends[] = {info.st_size - 1, (off_t)(ARCHIVE_HEAD + ARCHIVE_FRAME + ARCHIVE_FRAME_EXTRA), 64, 63, 0};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        assert_int_equal(ftruncate(fd, ends[i]), 0);
        assert_int_equal(read_all(place->path, PASSWORD), AIBOX_PARAM);
    }
    close(fd);
    free(bytes);
}

static void test_a_head_that_asks_for_too_much_is_refused(void **state)
{
    const struct place *place = *state;
    static const size_t size = 10;
    static const uint8_t bytes[10];
    static const uint8_t much[8] = {0, 0, 0, 0, 0, 1};

    for (off_t at = 8; at <= 16; at += 8) {
        write_archive(place, bytes, &size, 1);
        int fd = open(place->path, O_RDWR | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, much, sizeof much, at), sizeof much);
        close(fd);
        assert_int_equal(read_all(place->path, PASSWORD), AIBOX_PARAM);
        assert_int_equal(unlink(place->path), 0);
    }
}

static void test_members_are_as_long_as_was_said(void **state)
{
    const struct place *place = *state;
    struct archive_out *archive;

    assert_int_equal(archive_out_open(place->path, PASSWORD, &archive, NULL), AIBOX_OK);
    assert_int_equal(archive_out_member(archive, "a", 3, NULL), AIBOX_OK);
    assert_int_equal(archive_out_write(archive, "abcd", 4, NULL), AIBOX_PROCESS_FAILED);
    assert_int_equal(archive_out_write(archive, "ab", 2, NULL), AIBOX_OK);
    assert_int_equal(archive_out_member(archive, "b", 3, NULL), AIBOX_PROCESS_FAILED);
    assert_int_equal(archive_out_finish(archive, NULL, NULL), AIBOX_PROCESS_FAILED);
    archive_out_close(archive);
    /* A file that is there is not written over. */
    assert_int_equal(archive_out_open(place->path, PASSWORD, &archive, NULL), AIBOX_PROCESS_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_goes_in_comes_out, make_place, drop_place),
        cmocka_unit_test_setup_teardown(test_changes_are_noticed, make_place, drop_place),
        cmocka_unit_test_setup_teardown(test_a_head_that_asks_for_too_much_is_refused, make_place, drop_place),
        cmocka_unit_test_setup_teardown(test_members_are_as_long_as_was_said, make_place, drop_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
