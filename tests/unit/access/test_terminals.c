/* Browser terminals: codes are good once, for a while, and can't be guessed; tokens survive a restart. */
#include <string.h>
#include <unistd.h>

#include "../store/fixture.h"
#include "access/terminals.h"

static struct terminals *open_terminals(struct fixture *fixture)
{
    struct terminals *terminals;

    assert_status(AIBOX_OK, terminals_open(fixture->store, &terminals, NULL));
    return terminals;
}

static void pair(struct terminals *terminals, const char *device, char token[TERMINALS_TOKEN_SIZE])
{
    char code[TERMINALS_CODE_SIZE], device_id[TERMINALS_DEVICE_SIZE], other[TERMINALS_TOKEN_SIZE];

    assert_status(AIBOX_OK, terminals_make_code(terminals, device, code, NULL));
    assert_int_equal(strlen(code), TERMINALS_CODE_SIZE - 1);
    assert_status(AIBOX_OK, terminals_pair(terminals, code, token, device_id, NULL));
    assert_string_equal(device_id, device);
    assert_status(AIBOX_UNAUTHORIZED, terminals_pair(terminals, code, other, device_id, NULL)); /* once */
}

static bool finds(struct terminals *terminals, const char *token, const char *device)
{
    char device_id[TERMINALS_DEVICE_SIZE];

    return terminals_find(terminals, token, strlen(token), device_id) && strcmp(device_id, device) == 0;
}

static void test_a_code_becomes_a_token(void **state)
{
    struct fixture *fixture = *state;
    struct terminals *terminals = open_terminals(fixture);
    char gate[TERMINALS_TOKEN_SIZE], again[TERMINALS_TOKEN_SIZE], door[TERMINALS_TOKEN_SIZE];
    char code[TERMINALS_CODE_SIZE], device_id[TERMINALS_DEVICE_SIZE];

    assert_status(AIBOX_OK, terminals_make_code(terminals, "gate", code, NULL));
    assert_status(AIBOX_OK, terminals_pair(terminals, code, gate, device_id, NULL));
    assert_status(AIBOX_OK, terminals_make_code(terminals, "gate", code, NULL));
    assert_status(AIBOX_OK, terminals_pair(terminals, code, again, device_id, NULL));
    assert_status(AIBOX_OK, terminals_make_code(terminals, "门", code, NULL));
    assert_status(AIBOX_OK, terminals_pair(terminals, code, door, device_id, NULL));
    assert_true(strncmp(gate, TERMINALS_TOKEN_PREFIX, strlen(TERMINALS_TOKEN_PREFIX)) == 0);
    assert_string_not_equal(gate, again);
    assert_int_equal(terminals_count(terminals, "gate"), 2);
    assert_true(finds(terminals, gate, "gate") && finds(terminals, again, "gate") && finds(terminals, door, "门"));
    assert_false(finds(terminals, "pad_", "gate"));
    gate[10] ^= 1;
    assert_false(finds(terminals, gate, "gate"));
    gate[10] ^= 1;

    terminals_close(terminals);
    fixture_reopen(fixture);
    terminals = open_terminals(fixture);
    assert_true(finds(terminals, gate, "gate") && finds(terminals, door, "门"));
    assert_int_equal(fixture_files_with(fixture, gate, strlen(gate)), 0); /* only its hash is kept */

    assert_status(AIBOX_OK, terminals_make_code(terminals, "gate", code, NULL));
    assert_status(AIBOX_OK, terminals_forget(terminals, "gate", NULL));
    assert_status(AIBOX_UNAUTHORIZED, terminals_pair(terminals, code, gate, device_id, NULL));
    assert_false(finds(terminals, again, "gate"));
    assert_true(finds(terminals, door, "门"));
    terminals_close(terminals);
}

static void test_codes_cannot_be_guessed(void **state)
{
    struct fixture *fixture = *state;
    struct terminals *terminals = open_terminals(fixture);
    char code[TERMINALS_CODE_SIZE], token[TERMINALS_TOKEN_SIZE], device_id[TERMINALS_DEVICE_SIZE];
    static const char *const wrong[] = {"", "1", "123456789", "abcdefgh", "0000000", "-1234567"};

    assert_status(AIBOX_OK, terminals_make_code(terminals, "gate", code, NULL));
    for (size_t i = 0; i < TERMINALS_WRONG_CODES; i++)
        assert_status(AIBOX_UNAUTHORIZED,
                      terminals_pair(terminals, wrong[i % (sizeof wrong / sizeof wrong[0])], token, device_id, NULL));
    assert_status(AIBOX_UNAUTHORIZED, terminals_pair(terminals, code, token, device_id, NULL));
    pair(terminals, "gate", token); /* a new code is good */
    terminals_close(terminals);
}

static void test_numbers_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct terminals *terminals = open_terminals(fixture);
    char first_code[TERMINALS_CODE_SIZE], code[TERMINALS_CODE_SIZE], device_id[TERMINALS_DEVICE_SIZE];
    char first[TERMINALS_TOKEN_SIZE], token[TERMINALS_TOKEN_SIZE], longest[TERMINALS_DEVICE_SIZE + 1];

    assert_status(AIBOX_OK, terminals_make_code(terminals, "gate", first_code, NULL));
    usleep(2000);
    for (size_t i = 0; i < TERMINALS_MAX_CODES; i++)
        assert_status(AIBOX_OK, terminals_make_code(terminals, "door", code, NULL));
    assert_status(AIBOX_UNAUTHORIZED, terminals_pair(terminals, first_code, token, device_id, NULL));
    assert_status(AIBOX_OK, terminals_pair(terminals, code, first, device_id, NULL));
    for (size_t i = 0; i < TERMINALS_MAX; i++) {
        assert_status(AIBOX_OK, terminals_make_code(terminals, "gate", code, NULL));
        assert_status(AIBOX_OK, terminals_pair(terminals, code, token, device_id, NULL));
    }
    assert_int_equal(terminals_count(terminals, "gate"), TERMINALS_MAX);
    assert_false(finds(terminals, first, "door"));
    memset(longest, 'x', sizeof longest);
    longest[TERMINALS_DEVICE_SIZE] = '\0';
    assert_status(AIBOX_PARAM, terminals_make_code(terminals, longest, code, NULL));
    terminals_close(terminals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_code_becomes_a_token, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_codes_cannot_be_guessed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_numbers_are_bounded, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
