#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "inbox.h"
#include "journal.h"
#include "options.h"
#include "rehearsal.h"
#include "seen.h"

/* ---- which events came before ------------------------------------------------------------------------- */

static struct seen_delivery delivery_of(const char *key, const char *content)
{
    struct seen_delivery delivery;
    id_sha256_hex(key, strlen(key), delivery.key);
    id_sha256_hex(content, strlen(content), delivery.content);
    return delivery;
}

static enum seen_verdict note(struct seen *seen, const char *key, const char *content, bool kept)
{
    struct seen_delivery delivery = delivery_of(key, content);
    return seen_note(seen, &delivery, kept);
}

static void check_counts(struct seen *seen, uint64_t distinct, uint64_t duplicates, uint64_t different)
{
    struct seen_counts counts;
    seen_count(seen, &counts);
    assert_int_equal(counts.distinct, distinct);
    assert_int_equal(counts.duplicates, duplicates);
    assert_int_equal(counts.different, different);
}

static void test_verdicts(void **state)
{
    struct seen *seen = NULL;
    (void)state;
    assert_int_equal(seen_open(4, &seen, NULL), AIBOX_OK);
    assert_int_equal(note(seen, "a", "1", false), SEEN_NEW);
    check_counts(seen, 0, 0, 0);
    assert_int_equal(note(seen, "a", "1", true), SEEN_RETRY);
    check_counts(seen, 1, 0, 0);
    assert_int_equal(note(seen, "a", "1", true), SEEN_DUPLICATE);
    assert_int_equal(note(seen, "a", "2", true), SEEN_DIFFERENT);
    assert_int_equal(note(seen, "a", "2", false), SEEN_DIFFERENT); /* from the first one, not the last */
    check_counts(seen, 1, 2, 2);
    assert_int_equal(note(seen, "b", "1", true), SEEN_NEW);
    check_counts(seen, 2, 2, 2);
    seen_close(seen);
}

static void test_what_could_not_be_stored_is_taken_back(void **state)
{
    struct seen *seen = NULL;
    struct seen_delivery delivery = delivery_of("a", "1");
    (void)state;
    assert_int_equal(seen_open(4, &seen, NULL), AIBOX_OK);
    assert_int_equal(seen_note(seen, &delivery, true), SEEN_NEW);
    seen_take_back(seen, &delivery);
    check_counts(seen, 0, 0, 0);
    assert_int_equal(seen_note(seen, &delivery, true), SEEN_RETRY);
    check_counts(seen, 1, 0, 0);
    seen_close(seen);
}

static void test_the_oldest_events_are_forgotten(void **state)
{
    enum { MOST = 50, ALL = 1000 };
    struct seen *seen = NULL;
    struct seen_counts counts;
    char key[16];
    (void)state;
    assert_int_equal(seen_open(MOST, &seen, NULL), AIBOX_OK);
    for (int i = 0; i < ALL; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(note(seen, key, "1", true), SEEN_NEW);
    }
    for (int i = ALL - MOST; i < ALL; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(note(seen, key, "1", true), SEEN_DUPLICATE);
    }
    assert_int_equal(note(seen, "0", "1", true), SEEN_NEW);
    seen_count(seen, &counts);
    assert_int_equal(counts.forgotten, ALL - MOST + 1);
    seen_close(seen);
}

/* ---- the file --------------------------------------------------------------------------------------------- */

struct folder {
    char path[64];
    char file[96];
};

static int make_folder(void **state)
{
    static struct folder folder;
    snprintf(folder.path, sizeof folder.path, "/tmp/aibox-receiver-XXXXXX");
    if (mkdtemp(folder.path) == NULL)
        return -1;
    snprintf(folder.file, sizeof folder.file, "%s/out.jsonl", folder.path);
    *state = &folder;
    return 0;
}

static int remove_folder(void **state)
{
    const struct folder *folder = *state;
    unlink(folder->file);
    return rmdir(folder->path);
}

static void check_content(const char *path, const char *wanted)
{
    char text[256] = {0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(size, strlen(wanted));
    fclose(file);
    assert_string_equal(text, wanted);
}

static void test_lines_are_added_to_those_there(void **state)
{
    const struct folder *folder = *state;
    struct journal *journal = NULL;
    struct stat stat_of;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(journal_open(folder->file, &journal, NULL), AIBOX_OK);
        assert_int_equal(journal_append(journal, "a\nb\n", 4, NULL), AIBOX_OK);
        journal_close(journal);
    }
    check_content(folder->file, "a\nb\na\nb\n");
    assert_int_equal(stat(folder->file, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 0777, 0600);
}

static void test_a_torn_line_stands_alone(void **state)
{
    const struct folder *folder = *state;
    struct journal *journal = NULL;
    FILE *file = fopen(folder->file, "w");
    assert_non_null(file);
    fputs("a\nb", file);
    fclose(file);
    assert_int_equal(journal_open(folder->file, &journal, NULL), AIBOX_OK);
    assert_int_equal(journal_append(journal, "c\n", 2, NULL), AIBOX_OK);
    journal_close(journal);
    check_content(folder->file, "a\nb\nc\n");
}

static void test_one_writer_only(void **state)
{
    const struct folder *folder = *state;
    struct journal *first = NULL, *second = NULL;
    struct aibox_error err = {0};
    assert_int_equal(journal_open(folder->file, &first, NULL), AIBOX_OK);
    assert_int_equal(journal_open(folder->file, &second, &err), AIBOX_PARAM);
    assert_non_null(strstr(err.message, "another receiver"));
    journal_close(first);
    assert_int_equal(journal_open(folder->path, &second, &err), AIBOX_PARAM);
}

static void test_a_full_disk_is_said(void **state)
{
    struct journal *journal = NULL;
    struct aibox_error err = {0};
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_int_equal(journal_open("/dev/full", &journal, NULL), AIBOX_OK);
    assert_int_equal(journal_append(journal, "a\n", 2, &err), AIBOX_PROCESS_FAILED);
    assert_non_null(strstr(err.message, "space"));
    journal_close(journal);
}

/* ---- the last messages ------------------------------------------------------------------------------------ */

static void put(struct inbox *inbox, enum message_kind kind, size_t picture_size)
{
    struct inbox_entry entry = {.kind = kind, .head = strdup("{\"h\":1}"), .body = strdup("{\"b\":2}")};
    if (picture_size > 0) {
        entry.pictures.count = 1;
        entry.pictures.list[0] = (struct picture){"spot_pic", "image/jpeg", calloc(1, picture_size), picture_size};
        assert_non_null(entry.pictures.list[0].bytes);
    }
    inbox_put_take(inbox, &entry);
}

static void check_list(struct inbox *inbox, struct inbox_query query, const char *wanted)
{
    struct json_out out;
    json_out_init(&out, 4096);
    json_out_object_begin(&out);
    inbox_write(inbox, &query, &out);
    json_out_object_end(&out);
    assert_true(json_out_complete(&out));
    assert_string_equal((const char *)out.buffer.data, wanted);
    json_out_free(&out);
}

static void test_the_last_are_kept(void **state)
{
    struct inbox *inbox = NULL;
    (void)state;
    assert_int_equal(inbox_open(2, &inbox, NULL), AIBOX_OK);
    for (int i = 0; i < 5; i++)
        put(inbox, i % 2 ? MESSAGE_STATUS : MESSAGE_REALTIME, 0);
    check_list(inbox, (struct inbox_query){.any_kind = true, .limit = 9, .bodies = true},
               "{\"received\":[{\"seq\":4,\"h\":1,\"pictures\":[],\"body\":{\"b\":2}},"
               "{\"seq\":5,\"h\":1,\"pictures\":[],\"body\":{\"b\":2}}],\"newest\":5,\"cut\":false}");
    check_list(inbox, (struct inbox_query){.any_kind = true, .limit = 1},
               "{\"received\":[{\"seq\":5,\"h\":1,\"pictures\":[]}],\"newest\":5,\"cut\":false}");
    check_list(inbox, (struct inbox_query){.kind = MESSAGE_STATUS, .limit = 1},
               "{\"received\":[{\"seq\":4,\"h\":1,\"pictures\":[]}],\"newest\":5,\"cut\":false}");
    check_list(inbox, (struct inbox_query){.any_kind = true, .limit = 9, .after = 5},
               "{\"received\":[],\"newest\":5,\"cut\":false}");
    inbox_close(inbox);
}

static void test_pictures_are_bounded_in_bytes(void **state)
{
    struct inbox *inbox = NULL;
    const char *type = NULL;
    size_t size = 0;
    uint8_t *bytes;
    (void)state;
    assert_int_equal(inbox_open(10, &inbox, NULL), AIBOX_OK);
    for (int i = 0; i < 5; i++)
        put(inbox, MESSAGE_REALTIME, INBOX_BYTES / 4);
    bytes = inbox_picture(inbox, 5, 0, &size, &type);
    assert_non_null(bytes);
    assert_int_equal(size, INBOX_BYTES / 4);
    assert_string_equal(type, "image/jpeg");
    free(bytes);
    assert_null(inbox_picture(inbox, 1, 0, &size, &type));
    assert_null(inbox_picture(inbox, 5, 1, &size, &type));
    inbox_close(inbox);
}

/* ---- rehearsals and options -------------------------------------------------------------------------------- */

static void test_a_seed_repeats_a_run(void **state)
{
    const struct rehearsal_options options = {.fail_rate = 0.3, .drop_rate = 0.1, .seed = 7};
    struct rehearsal first, second;
    int failed = 0, dropped = 0;
    (void)state;
    assert_true(rehearsal_open(&first, &options));
    assert_true(rehearsal_open(&second, &options));
    for (int i = 0; i < 10000; i++) {
        enum rehearsal_act act = rehearsal_next(&first);
        assert_int_equal(rehearsal_next(&second), act);
        failed += act == REHEARSAL_FAIL;
        dropped += act == REHEARSAL_DROP;
    }
    /* 0.9 × 0.3 and 0.1 of 10,000, ten standard deviations around */
    assert_in_range(failed, 2250, 3150);
    assert_in_range(dropped, 700, 1300);
    rehearsal_close(&first);
    rehearsal_close(&second);
}

static enum aibox_status read_options(const char *line, struct options *out, struct aibox_error *err)
{
    static char copy[256];
    char *argv[24] = {"aibox-receiver"};
    int argc = 1;
    char *rest = copy;
    snprintf(copy, sizeof copy, "%s", line);
    while (rest != NULL && *rest != '\0' && argc < 23)
        argv[argc++] = strsep(&rest, " ");
    return options_read(argc, argv, out, err);
}

static void test_options(void **state)
{
    struct options options;
    (void)state;
    assert_int_equal(read_options("", &options, NULL), AIBOX_OK);
    assert_string_equal(options.listen, "0.0.0.0:9528");
    assert_string_equal(options.receiver.out, "received.jsonl");
    assert_int_equal(options.receiver.last, 100);
    assert_int_equal(read_options("--listen [::1]:1 --no-store --last 7 --fail-rate 0.25 --drop-rate 1 --status 503 "
                                  "--delay-ms 20 --hang --seed 42",
                                  &options, NULL),
                     AIBOX_OK);
    assert_string_equal(options.listen, "[::1]:1");
    assert_null(options.receiver.out);
    assert_int_equal(options.receiver.last, 7);
    assert_true(options.receiver.rehearsal.fail_rate == 0.25 && options.receiver.rehearsal.drop_rate == 1);
    assert_int_equal(options.receiver.rehearsal.status, 503);
    assert_int_equal(options.receiver.rehearsal.delay_ms, 20);
    assert_true(options.receiver.rehearsal.hang);
    assert_int_equal(options.receiver.rehearsal.seed, 42);
}

static void test_wrong_options_are_named(void **state)
{
    static const char *const lines[] = {
        "--fail-rate 1.5", "--fail-rate nan", "--fail-rate x", "--drop-rate -1", "--status 199", "--status 600",
        "--status 20x",    "--delay-ms -1",   "--last 0",      "--seed",         "--nothing",    "--last 1 extra",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct options options;
        struct aibox_error err = {0};
        char name[32];
        if (read_options(lines[i], &options, &err) != AIBOX_PARAM)
            fail_msg("%s was taken", lines[i]);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(lines[i], " "), lines[i]);
        if (strstr(err.message, strstr(lines[i], "extra") ? "extra" : name) == NULL)
            fail_msg("%s: \"%s\" does not name it", lines[i], err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_what_could_not_be_stored_is_taken_back),
        cmocka_unit_test(test_the_oldest_events_are_forgotten),
        cmocka_unit_test_setup_teardown(test_lines_are_added_to_those_there, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_a_torn_line_stands_alone, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_one_writer_only, make_folder, remove_folder),
        cmocka_unit_test(test_a_full_disk_is_said),
        cmocka_unit_test(test_the_last_are_kept),
        cmocka_unit_test(test_pictures_are_bounded_in_bytes),
        cmocka_unit_test(test_a_seed_repeats_a_run),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_wrong_options_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
