/* The manifest of the age and gender network: everything it says is checked. (What the network computes:
 * test_nn_models.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "vision/nn/age_gender.h"

static const unsigned char weights[4096];

/* What reading says about it. */
static struct aibox_error refusal(const char *manifest, size_t weights_size)
{
    struct aibox_error err = {0};
    struct nn_model *model = NULL;

    assert_int_equal(age_gender_read(manifest, strlen(manifest), weights, weights_size, &model, &err),
                     AIBOX_PROCESS_FAILED);
    assert_null(model);
    assert_int_equal(err.status, AIBOX_PROCESS_FAILED);
    return err;
}

#define ENTRY(shape, more)                                                                                             \
    "[{\"paths\":[\"a.bin\"],\"weights\":[{\"name\":\"entry_flow/conv_in/filters\",\"shape\":" shape                   \
    ",\"dtype\":\"float32\"" more "}]}]"
#define BYTES(type) ",\"quantization\":{\"dtype\":\"" type "\",\"scale\":0.5,\"min\":-1}"

static void test_not_a_manifest(void **state)
{
    static const char *const texts[] = {"",
                                        "[",
                                        "{}",
                                        "7",
                                        "[7]",
                                        "[{}]",
                                        "[{\"weights\":{}}]",
                                        "[{\"weights\":[7]}]",
                                        "[{\"weights\":[],\"paths\":[\"a\",\"b\"]}]",
                                        "[{\"weights\":[{\"name\":\"a\"}]}]",
                                        "[{\"weights\":[{\"dtype\":\"float32\",\"shape\":[1]}]}]"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refusal(texts[i], 4);
}

static void test_wrong_shapes(void **state)
{
    static const char *const shapes[] = {ENTRY("[]", ""),
                                         ENTRY("[1,1,1,1,1]", ""),
                                         ENTRY("[0]", ""),
                                         ENTRY("[-1]", ""),
                                         ENTRY("[1.5]", ""),
                                         ENTRY("[\"1\"]", ""),
                                         ENTRY("[5000]", ""),
                                         ENTRY("7", ""),
                                         ENTRY("[1]", BYTES("int4")),
                                         ENTRY("[1]", BYTES("")),
                                         ENTRY("[4096,4096,4096,4096]", BYTES("uint8"))};

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        assert_non_null(strstr(refusal(shapes[i], 4096).message, "entry_flow/conv_in/filters"));
}

static void test_sizes_of_the_file(void **state)
{
    (void)state;
    assert_non_null(strstr(refusal(ENTRY("[3,3,3,32]", ""), 3455).message, "too short"));
    assert_non_null(strstr(refusal(ENTRY("[3,3,3,32]", ""), 3457).message, "longer"));
    assert_non_null(strstr(refusal(ENTRY("[3,3,3,32]", BYTES("uint8")), 863).message, "too short"));
    assert_non_null(strstr(refusal(ENTRY("[3,3,3,32]", BYTES("uint16")), 1727).message, "too short"));
    /* now it is what it says it is: the next one is missing */
    assert_non_null(strstr(refusal(ENTRY("[3,3,3,32]", ""), 3456).message, "entry_flow/conv_in/bias"));
    assert_non_null(strstr(refusal(ENTRY("[3,3,3,32]", BYTES("uint16")), 1728).message, "entry_flow/conv_in/bias"));
    /* a known tensor of a shape that does not fit */
    assert_non_null(strstr(refusal(ENTRY("[3,3,32,3]", BYTES("uint8")), 864).message, "another shape"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_a_manifest),
        cmocka_unit_test(test_wrong_shapes),
        cmocka_unit_test(test_sizes_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
