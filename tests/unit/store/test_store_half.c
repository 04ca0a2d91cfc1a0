/* Half precision: known values, rounding, and every one of the 65,536 there and back. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "fixture.h"
#include "store/internal.h"

static void test_known_values(void **state)
{
    /* IEEE 754-2008 binary16: 1 sign, 5 exponent, 10 mantissa bits. */
    static const struct {
        float value;
        uint16_t half;
    } known[] = {
        {0.0F, 0x0000},
        {-0.0F, 0x8000},
        {1.0F, 0x3c00},
        {-2.0F, 0xc000},
        {65504.0F, 0x7bff},
        {70000.0F, 0x7bff},
        {-1e30F, 0xfbff},
        {0x1p-14F, 0x0400},
        {0x1p-24F, 0x0001},
        {0x1p-25F, 0x0000},
        {0x1.8p-25F, 0x0001},
        {0x1.ff8p-15F, 0x03ff},
        {1.0F + 0x1p-11F, 0x3c00},
        {1.0F + 0x1.8p-10F, 0x3c02},
        {1.0F / 3, 0x3555},
    };
    uint16_t half;

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        half_from_float(&known[i].value, &half, 1);
        assert_int_equal(half, known[i].half);
    }
}

static void test_there_and_back(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 65536; i++) {
        uint16_t half = (uint16_t)i, again;
        float value;
        half_to_float(&half, &value, 1);
        if ((i & 0x7c00) == 0x7c00) {
            assert_true((i & 0x3ff) ? isnan(value) != 0 : isinf(value) != 0);
            continue;
        }
        int exponent = (int)(i >> 10 & 31);
        double expected = ldexp((double)(i & 0x3ff) + (exponent ? 1024 : 0), (exponent ? exponent : 1) - 25);
        assert_true((double)value == (i & 0x8000 ? -expected : expected));
        half_from_float(&value, &again, 1);
        assert_int_equal(again, half);
    }
}

static void test_uuid_text(void **state)
{
    uint8_t bytes[UUID_BYTES];
    char text[37];

    (void)state;
    assert_true(uuid_parse("01234567-89AB-cdef-0123-456789abcdef", bytes));
    uuid_print(bytes, text);
    assert_string_equal(text, "01234567-89ab-cdef-0123-456789abcdef");
    assert_false(uuid_parse("0123456789ab-cdef-0123-456789abcdef-", bytes));
    assert_false(uuid_parse("01234567-89ab-cdef-0123-456789abcdef0", bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_uuid_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
