/* What the FTP server is told, and which connections go on when accounts change. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "intake/ftp_accounts.h"
#include "intake/ftp_files.h"
#include "intake/ftp_shared.h"

static void test_passive_ports(void **state)
{
    static const char *const wrong[] = {"",
                                        "-",
                                        "2122-",
                                        "-2122",
                                        "0-5",
                                        "5-4",
                                        "1-65536",
                                        "1-2-3",
                                        " 1-2",
                                        "1 -2",
                                        "+1-2",
                                        "a",
                                        "99999999999999999999-99999999999999999999"};
    int first, last;
    (void)state;
    assert_true(ftp_passive_parse("2122-2221", &first, &last));
    assert_int_equal(first, 2122);
    assert_int_equal(last, 2221);
    assert_true(ftp_passive_parse("65535", &first, &last));
    assert_int_equal(first, 65535);
    assert_int_equal(last, 65535);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (ftp_passive_parse(wrong[i], &first, &last))
            fail_msg("'%s' is taken", wrong[i]);
}

static void test_public_address(void **state)
{
    (void)state;
    assert_true(ftp_public_address_valid(""));
    assert_true(ftp_public_address_valid("192.0.2.7"));
    assert_true(ftp_public_address_valid("box.example.org"));
    assert_false(ftp_public_address_valid("-x"));
    assert_false(ftp_public_address_valid("a b"));
    assert_false(ftp_public_address_valid("a\nUser root"));
}

static void test_config(void **state)
{
    const struct ftp_config config = {.port = 2121,
                                      .passive_first = 2122,
                                      .passive_last = 2221,
                                      .public_address = "192.0.2.7",
                                      .user = "u",
                                      .group = "g",
                                      .folder = "/server",
                                      .run_folder = "/run",
                                      .max_bytes = 5242880};
    static const char *const lines[] = {"\nPort 2121\n",
                                        "\nPassivePorts 2122 2221\n",
                                        "\nMasqueradeAddress 192.0.2.7\n",
                                        "\nUser u\n",
                                        "\nAuthUserFile /server/accounts\n",
                                        "\nPidFile /run/proftpd.pid\n",
                                        "\nMaxStoreFileSize 5242880 B\n",
                                        "\nInclude /server/shared.conf\n",
                                        "<Limit RETR APPE"};
    struct buffer out;
    (void)state;
    buffer_init(&out, 16384);
    ftp_config_print(&config, &out);
    assert_false(out.failed);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strstr((const char *)out.data, lines[i]) == NULL)
            fail_msg("no %s", lines[i]);
    buffer_free(&out);
}

static void set(struct ftp_accounts *accounts, const char *lines)
{
    struct buffer fresh;
    buffer_init(&fresh, 4096);
    buffer_append_text(&fresh, lines);
    assert_false(ftp_accounts_are(accounts, &fresh));
    ftp_accounts_change_take(accounts, &fresh);
    buffer_append_text(&fresh, "x");
    buffer_free(&fresh);
}

static void test_connections(void **state)
{
    struct ftp_accounts accounts;
    (void)state;
    ftp_accounts_init(&accounts);
    set(&accounts, "a:1:\nb:2:\n");
    assert_true(ftp_accounts_keep(&accounts, "a"));
    assert_true(ftp_accounts_keep(&accounts, ""));
    set(&accounts, "a:1:\nb:2:\nc:3:\n"); /* one more */
    assert_true(ftp_accounts_keep(&accounts, "a"));
    assert_true(ftp_accounts_keep(&accounts, "c"));
    assert_true(ftp_accounts_keep(&accounts, ""));
    set(&accounts, "a:9:\nb:2:\nc:3:\n"); /* another password */
    assert_false(ftp_accounts_keep(&accounts, "a"));
    assert_true(ftp_accounts_keep(&accounts, "b"));
    assert_false(ftp_accounts_keep(&accounts, ""));
    set(&accounts, "b:2:\nc:3:\n"); /* one less */
    assert_false(ftp_accounts_keep(&accounts, "a"));
    assert_true(ftp_accounts_keep(&accounts, "c"));
    assert_false(ftp_accounts_keep(&accounts, "(unknown)"));
    set(&accounts, "bb:2:\nc:3:\n"); /* a name that begins like another */
    assert_false(ftp_accounts_keep(&accounts, "b"));
    ftp_accounts_free(&accounts);
}

static void test_replacing(void **state)
{
    char path[] = "/tmp/aibox-ftp-XXXXXX", text[16] = "";
    struct buffer content;
    struct stat info;
    (void)state;
    assert_non_null(mkdtemp(path));
    int dir = open(path, O_RDONLY | O_DIRECTORY);
    buffer_init(&content, 8);
    buffer_append_text(&content, "first");
    assert_int_equal(ftp_file_replace(dir, "file", &content, NULL), AIBOX_OK);
    buffer_clear(&content);
    buffer_append_text(&content, "second");
    assert_int_equal(ftp_file_replace(dir, "file", &content, NULL), AIBOX_OK);
    int fd = openat(dir, "file", O_RDONLY);
    assert_int_equal(read(fd, text, sizeof text - 1), 6);
    assert_string_equal(text, "second");
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_not_equal(faccessat(dir, "file.new", F_OK, 0), 0);
    buffer_append_text(&content, "too much for it");
    assert_int_not_equal(ftp_file_replace(dir, "file", &content, NULL), AIBOX_OK);
    buffer_free(&content);
    close(fd);
    unlinkat(dir, "file", 0);
    close(dir);
    rmdir(path);
}

/* ---- one account for all cameras ---- */

static void read_shared(const char *user, const char *hash, const char *directory, struct ftp_shared *out)
{
    struct settings *settings;
    assert_int_equal(settings_open(&settings, NULL), AIBOX_OK);
    assert_int_equal(settings_put(settings, SETTINGS_SET, "intake.ftp.user", user, NULL), AIBOX_OK);
    assert_int_equal(settings_put(settings, SETTINGS_SET, "intake.ftp.password_hash", hash, NULL), AIBOX_OK);
    assert_int_equal(settings_put(settings, SETTINGS_SET, "intake.ftp.directory", directory, NULL), AIBOX_OK);
    ftp_shared_read(settings, out);
    settings_close(settings);
}

static void test_shared_settings(void **state)
{
    struct ftp_shared shared;
    (void)state;
    read_shared("linaro", "", "share", &shared);
    assert_false(shared.on);
    assert_null(shared.wrong);
    read_shared("linaro", "$6$salt$hash./", "", &shared);
    assert_true(shared.on);
    assert_null(shared.wrong);
    static const char *const wrong[][4] = {{"linaro", "secret", "share", "password_hash"},
                                           {"linaro", "$6$a:0:0", "share", "password_hash"},
                                           {"", "$6$a$b", "share", "ftp.user"},
                                           {"a b", "$6$a$b", "share", "ftp.user"},
                                           {"a:b", "$6$a$b", "share", "ftp.user"},
                                           {"linaro", "$6$a$b", "../x", "directory"},
                                           {"linaro", "$6$a$b", "a/b", "directory"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        read_shared(wrong[i][0], wrong[i][1], wrong[i][2], &shared);
        assert_non_null(shared.wrong);
        assert_non_null(strstr(shared.wrong, wrong[i][3]));
    }
}

static void test_shared_roots(void **state)
{
    const struct device cameras[] = {{.type = DEVICE_CAPTURE_CAMERA, .ftp_user = "camA", .ip = "10.0.0.1"},
                                     {.type = DEVICE_GATE_PAD, .ftp_user = "", .ip = "10.0.0.2"}};
    const struct device *items[] = {&cameras[0], &cameras[1]};
    const struct device_list list = {.items = items, .count = 2};
    struct ftp_shared shared;
    struct buffer out;
    (void)state;
    buffer_init(&out, 8192);
    read_shared("linaro", "", "share", &shared);
    ftp_shared_print(&shared, &list, "/cameras", &out);
    assert_string_equal((const char *)out.data, "DefaultRoot ~\n");
    buffer_clear(&out);
    read_shared("linaro", "$6$a$b", "share", &shared);
    ftp_shared_print(&shared, &list, "/cameras", &out);
    const char *text = (const char *)out.data, *others = strstr(text, "<Class others>");
    assert_non_null(strstr(text, "From 10.0.0.1\n"));
    assert_non_null(strstr(text, "DefaultRoot /cameras/camA\n"));
    assert_null(strstr(text, "10.0.0.2"));
    assert_non_null(others); /* behind all others: who is in none of them */
    assert_true(others > strstr(text, "<IfClass camA>"));
    assert_non_null(strstr(others, "DefaultRoot ~\n"));
    assert_non_null(strstr(others, "DenyUser linaro\n"));
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passive_ports), cmocka_unit_test(test_public_address),
        cmocka_unit_test(test_config),        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_replacing),     cmocka_unit_test(test_shared_settings),
        cmocka_unit_test(test_shared_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
