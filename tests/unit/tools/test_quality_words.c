#include "check.h"

#include "quality_words.h"

static void check(const char *json, const char *wanted)
{
    char words[256];
    json_t *quality = json_loads(json, 0, NULL);
    quality_words(quality, words, sizeof words);
    json_decref(quality);
    assert_string_equal(words, wanted);
}

static void test_good(void **state)
{
    (void)state;
    check("{\"score\": 0.71, \"info\": {\"face_size\": 143, \"clarity\": 2.9, \"brightness\": 0.97, \"mask\": -1,"
          " \"headpose\": {\"yaw_angle\": -12, \"pitch_angle\": 4, \"roll_angle\": 1},"
          " \"occlusion\": [true, true, true], \"partial\": false}}",
          "good (0.71): face of 143 px");
}

static void test_everything_wrong(void **state)
{
    (void)state;
    check(
        "{\"score\": 0.05, \"info\": {\"face_size\": 41, \"clarity\": 1.1, \"brightness\": 0.2, \"mask\": 0.9,"
        " \"headpose\": {\"yaw_angle\": -48, \"pitch_angle\": 20, \"roll_angle\": 1},"
        " \"occlusion\": [true, true, false], \"partial\": true}}",
        "poor (0.05): face of 41 px, small; turned sideways by 48°; not sharp; too dark or too bright; cut off by the "
        "picture's edge; mouth covered; wearing a mask");
}

static void test_nothing(void **state)
{
    (void)state;
    check("{}", "not judged");
    check("[]", "not judged");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_everything_wrong),
                                       cmocka_unit_test(test_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
