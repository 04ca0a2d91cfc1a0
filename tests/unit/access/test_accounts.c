/* Accounts, sessions and keys over a real store. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../store/fixture.h"
#include "access/accounts.h"
#include "core/clock.h"

#define PASSWORD "correct horse battery"

struct house {
    struct fixture *fixture;
    struct settings *settings;
    struct accounts *accounts;
};

static struct house house;
static const struct address here = {{0}};

static void open_accounts(void)
{
    assert_status(AIBOX_OK, accounts_open(house.settings, house.fixture->store, &house.accounts, NULL));
}

static int set_up(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    house.fixture = *state;
    assert_status(AIBOX_OK, settings_open(&house.settings, NULL));
    open_accounts();
    return 0;
}

static int tear_down(void **state)
{
    accounts_close(house.accounts);
    settings_close(house.settings);
    return fixture_teardown(state);
}

static void restart(void)
{
    accounts_close(house.accounts);
    fixture_reopen(house.fixture);
    open_accounts();
}

static void make_admin(void)
{
    char token[ACCOUNTS_TOKEN_SIZE];
    unsigned wait_s;

    assert_true(accounts_make_setup_token(house.accounts, token));
    assert_status(AIBOX_OK, accounts_begin(house.accounts, &here, token, "root", PASSWORD, &wait_s, NULL));
}

static void test_setup_token(void **state)
{
    char first[ACCOUNTS_TOKEN_SIZE], second[ACCOUNTS_TOKEN_SIZE];
    unsigned wait_s;

    (void)state;
    assert_status(AIBOX_UNAUTHORIZED, accounts_begin(house.accounts, &here, "", "root", PASSWORD, &wait_s, NULL));
    assert_true(accounts_make_setup_token(house.accounts, first));
    assert_true(accounts_make_setup_token(house.accounts, second));
    assert_status(AIBOX_UNAUTHORIZED, accounts_begin(house.accounts, &here, first, "root", PASSWORD, &wait_s, NULL));
    assert_status(AIBOX_PARAM, accounts_begin(house.accounts, &here, second, "root", "short", &wait_s, NULL));
    assert_false(accounts_set_up(house.accounts));
    assert_status(AIBOX_OK, accounts_begin(house.accounts, &here, second, "root", PASSWORD, &wait_s, NULL));
    assert_true(accounts_set_up(house.accounts));
    assert_false(accounts_make_setup_token(house.accounts, first));
    assert_status(AIBOX_FORBIDDEN, accounts_begin(house.accounts, &here, second, "x", PASSWORD, &wait_s, NULL));
}

static void test_sessions(void **state)
{
    struct account_identity who;
    char token[ACCOUNTS_TOKEN_SIZE];

    (void)state;
    make_admin();
    assert_status(AIBOX_OK, accounts_open_session(house.accounts, "root", token, NULL));
    assert_true(accounts_find_session(house.accounts, token, strlen(token), &who));
    assert_string_equal(who.name, "root");
    assert_int_equal(who.role, ACCOUNT_ADMIN);
    assert_false(accounts_find_session(house.accounts, token, strlen(token) - 1, &who));
    assert_false(accounts_find_key(house.accounts, token, strlen(token), &who));
    restart();
    assert_true(accounts_find_session(house.accounts, token, strlen(token), &who));
    assert_true(accounts_still_valid(house.accounts, &who, ACCOUNT_ADMIN));
    assert_status(AIBOX_OK, accounts_change(house.accounts, "root", ACCOUNT_NOBODY, PASSWORD "!", who.hash, NULL));
    assert_true(accounts_still_valid(house.accounts, &who, ACCOUNT_ADMIN));
    assert_status(AIBOX_OK, accounts_change(house.accounts, "root", ACCOUNT_NOBODY, PASSWORD, NULL, NULL));
    assert_false(accounts_still_valid(house.accounts, &who, ACCOUNT_VIEWER));
    assert_false(accounts_find_session(house.accounts, token, strlen(token), &who));
}

/* Sessions that nobody used for long, or that are old, are over, and leave the store. */
static void test_sessions_end(void **state)
{
    struct account_identity who;
    char token[ACCOUNTS_TOKEN_SIZE];

    (void)state;
    make_admin();
    assert_status(AIBOX_OK, accounts_open_session(house.accounts, "root", token, NULL));
    accounts_close(house.accounts);
    fixture_exec(house.fixture, "main", "UPDATE credential SET used_ms = used_ms - 480 * 60000 + 5000");
    open_accounts();
    assert_true(accounts_find_session(house.accounts, token, strlen(token), &who));
    accounts_close(house.accounts);
    assert_int_equal(fixture_query(house.fixture, "main", "SELECT used_ms - created_ms < 60000 FROM credential"), 1);
    fixture_exec(house.fixture, "main", "UPDATE credential SET used_ms = used_ms - 480 * 60000");
    open_accounts();
    assert_false(accounts_find_session(house.accounts, token, strlen(token), &who));
    accounts_close(house.accounts);
    assert_int_equal(fixture_query(house.fixture, "main", "SELECT count(*) FROM credential"), 0);
    open_accounts();
    assert_status(AIBOX_OK, accounts_open_session(house.accounts, "root", token, NULL));
    accounts_close(house.accounts);
    assert_int_equal(
        fixture_query(house.fixture, "main", "SELECT expires_ms - created_ms = 7 * 86400000 FROM credential"), 1);
    fixture_exec(house.fixture, "main", "UPDATE credential SET expires_ms = created_ms");
    open_accounts();
    assert_false(accounts_find_session(house.accounts, token, strlen(token), &who));
}

/* The oldest session of an account goes for a new one. */
static void test_sessions_bounded(void **state)
{
    struct account_identity who;
    char first[ACCOUNTS_TOKEN_SIZE], token[ACCOUNTS_TOKEN_SIZE];

    (void)state;
    make_admin();
    assert_status(AIBOX_OK, accounts_open_session(house.accounts, "root", first, NULL));
    accounts_close(house.accounts);
    fixture_exec(house.fixture, "main", "UPDATE credential SET used_ms = used_ms - 60000");
    open_accounts();
    for (int i = 0; i < 32; i++)
        assert_status(AIBOX_OK, accounts_open_session(house.accounts, "root", token, NULL));
    assert_true(accounts_find_session(house.accounts, token, strlen(token), &who));
    assert_false(accounts_find_session(house.accounts, first, strlen(first), &who));
    assert_int_equal(fixture_query(house.fixture, "main", "SELECT count(*) FROM credential"), 32);
}

static void test_passwords(void **state)
{
    struct account_identity who;
    unsigned wait_s;

    (void)state;
    make_admin();
    assert_false(accounts_knows_password(house.accounts, "root", PASSWORD, &who));
    assert_status(AIBOX_UNAUTHORIZED,
                  accounts_check_password(house.accounts, &here, "root", "wrong", &who, &wait_s, NULL));
    assert_status(AIBOX_UNAUTHORIZED,
                  accounts_check_password(house.accounts, &here, "nobody", PASSWORD, &who, &wait_s, NULL));
    assert_status(AIBOX_OK, accounts_check_password(house.accounts, &here, "root", PASSWORD, &who, &wait_s, NULL));
    assert_true(accounts_knows_password(house.accounts, "root", PASSWORD, &who));
    assert_false(accounts_knows_password(house.accounts, "root", "wrong", &who));
    assert_status(AIBOX_OK, accounts_add(house.accounts, "other", ACCOUNT_VIEWER, "\xc3\xa4\xc3\xb6 ten more!", NULL));
    assert_false(accounts_knows_password(house.accounts, "root", PASSWORD, &who));
    /* 12 characters are asked for, not 12 bytes */
    assert_status(AIBOX_PARAM,
                  accounts_add(house.accounts, "third", ACCOUNT_VIEWER, "\xc3\xa4\xc3\xb6 ten more", NULL));
    restart();
    assert_status(AIBOX_OK, accounts_check_password(house.accounts, &here, "root", PASSWORD, &who, &wait_s, NULL));
}

static void test_names(void **state)
{
    static const char *const bad[] = {
        "", " a", "a ", "a:b", "a\nb", "\xff", "12345678901234567890123456789012345678901234567890123456789012345"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_status(AIBOX_PARAM, accounts_add(house.accounts, bad[i], ACCOUNT_VIEWER, PASSWORD, NULL));
    assert_status(AIBOX_OK, accounts_add(house.accounts, "门卫 1", ACCOUNT_VIEWER, PASSWORD, NULL));
    assert_status(AIBOX_GROUP_NAME, accounts_add(house.accounts, "门卫 1", ACCOUNT_ADMIN, PASSWORD, NULL));
}

/* However administrators are taken away at the same time: one stays. */
static void *demote(void *name)
{
    (void)accounts_change(house.accounts, name, ACCOUNT_VIEWER, NULL, NULL, NULL);
    (void)accounts_remove(house.accounts, name, NULL);
    return NULL;
}

static void test_last_admin(void **state)
{
    static char first[] = "root", second[] = "second";
    pthread_t threads[2];

    (void)state;
    make_admin();
    assert_status(AIBOX_PARAM, accounts_remove(house.accounts, "root", NULL));
    assert_status(AIBOX_OK, accounts_add(house.accounts, "second", ACCOUNT_ADMIN, PASSWORD, NULL));
    assert_int_equal(pthread_create(&threads[0], NULL, demote, first), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, demote, second), 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    assert_true(accounts_set_up(house.accounts));
    assert_int_equal(fixture_query(house.fixture, "main", "SELECT count(*) FROM account WHERE role = 3"), 1);
}

static void test_keys(void **state)
{
    struct account_key_view *keys;
    struct account_identity who;
    char key[ACCOUNTS_TOKEN_SIZE], second[ACCOUNTS_TOKEN_SIZE];
    size_t n;

    (void)state;
    assert_status(AIBOX_OK, accounts_add_key(house.accounts, "gate", ACCOUNT_OPERATOR, 0, key, NULL));
    assert_status(AIBOX_GROUP_NAME, accounts_add_key(house.accounts, "gate", ACCOUNT_VIEWER, 0, second, NULL));
    assert_status(AIBOX_PARAM, accounts_add_key(house.accounts, "x", ACCOUNT_NOBODY, 0, second, NULL));
    assert_status(AIBOX_PARAM, accounts_add_key(house.accounts, "x", ACCOUNT_VIEWER, 1000, second, NULL));
    assert_status(AIBOX_OK, accounts_add_key(house.accounts, "late", ACCOUNT_VIEWER, clock_realtime_ms() + 3600000,
                                             second, NULL));
    restart();
    assert_true(accounts_find_key(house.accounts, key, strlen(key), &who));
    assert_int_equal(who.role, ACCOUNT_OPERATOR);
    assert_false(who.is_account);
    assert_true(accounts_find_key(house.accounts, second, strlen(second), &who));
    accounts_close(house.accounts);
    fixture_exec(house.fixture, "main", "UPDATE credential SET expires_ms = 1 WHERE name = 'late'");
    open_accounts();
    assert_false(accounts_find_key(house.accounts, second, strlen(second), &who));
    assert_status(AIBOX_OK, accounts_list_keys(house.accounts, &keys, &n, NULL));
    assert_int_equal(n, 2); /* a key that is over is shown until somebody removes it */
    assert_string_equal(keys[0].name, "gate");
    assert_true(keys[0].used_ms > 0);
    free(keys);
    assert_status(AIBOX_OK, accounts_remove_key(house.accounts, "gate", NULL));
    assert_false(accounts_find_key(house.accounts, key, strlen(key), &who));
    assert_int_equal(fixture_files_with(house.fixture, key, strlen(key)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_setup_token, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sessions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sessions_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sessions_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_passwords, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_last_admin, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
