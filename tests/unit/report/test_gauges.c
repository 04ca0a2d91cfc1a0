/* The kernel's figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/gauges.h"

static void test_processor_time(void **state)
{
    struct gauges_cpu cpu;

    (void)state;
    assert_true(gauges_parse_cpu("cpu  10 20 30 400 50 6 7 8 99 99\ncpu0 1 1 1 1\n", &cpu));
    assert_int_equal(cpu.total, 531);
    assert_int_equal(cpu.busy, 81); /* without idle and iowait; guest time is in user time already */
    assert_true(gauges_parse_cpu("cpu  1 2 3 4\n", &cpu)); /* an old kernel */
    assert_int_equal(cpu.total, 10);
    assert_false(gauges_parse_cpu("cpu  1 2 3\n", &cpu));
    assert_false(gauges_parse_cpu("intr 5\n", &cpu));
    assert_false(gauges_parse_cpu("", &cpu));
}

static void test_memory(void **state)
{
    uint64_t total, available;

    (void)state;
    assert_true(gauges_parse_memory("MemTotal:  2048 kB\nMemFree: 1 kB\nMemAvailable:   512 kB\n", &total, &available));
    assert_int_equal(total, 2048);
    assert_int_equal(available, 512);
    assert_false(gauges_parse_memory("MemTotal: 2048 kB\n", &total, &available));
    assert_false(gauges_parse_memory("MemTotal: 0 kB\nMemAvailable: 0 kB\n", &total, &available));
}

static void test_serial_numbers(void **state)
{
    (void)state;
    assert_true(gauges_is_serial("PF3ABC01"));
    assert_true(gauges_is_serial("00000000a1b2"));
    assert_false(gauges_is_serial(""));
    assert_false(gauges_is_serial("0000-0000"));
    assert_false(gauges_is_serial("To Be Filled By O.E.M."));
    assert_false(gauges_is_serial("Default string"));
    assert_false(gauges_is_serial("123456789"));
}

static void test_this_machine(void **state)
{
    struct gauges_cpu since = {0};
    struct gauges gauges;

    (void)state;
    for (int i = 0; i < 2; i++) {
        gauges_read(&since, "/", &gauges);
        assert_true(gauges.cpu_percent >= 0 && gauges.cpu_percent <= 100);
        assert_true(gauges.memory_gb > 0 && gauges.memory_used > 0 && gauges.memory_used < 1);
        assert_true(gauges.disk_gb > 0 && gauges.disk_used >= 0 && gauges.disk_used <= 1);
        assert_true(gauges.temperature >= 0 && gauges.temperature < 200);
    }
    gauges_read(&since, "/no/such/folder", &gauges);
    assert_true(gauges.disk_gb == 0 && gauges.disk_used == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processor_time),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_serial_numbers),
        cmocka_unit_test(test_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
