/* A rejected face pushes its likes away from the person, and nobody else. */
#include "../store/fixture.h"

#include <math.h>
#include <string.h>

#include "core/id.h"
#include "flow/apart.h"

/* A unit vector in the plane of the first two axes. */
static void at_angle(float degrees, float out[STORE_DIMENSION])
{
    memset(out, 0, STORE_DIMENSION * sizeof *out);
    out[0] = cosf(degrees * (float)M_PI / 180);
    out[1] = sinf(degrees * (float)M_PI / 180);
}

static int64_t person(struct store *store, const char *id)
{
    struct store_person saved;

    assert_status(AIBOX_OK, save_person(store, STORE_CREATE, id, id, 1, &saved, NULL));
    int64_t person_id = saved.person_id;
    store_person_free(&saved);
    return person_id;
}

static void reject(struct store *store, float degrees, const char *identity_id)
{
    float feature[STORE_DIMENSION];
    int64_t id;
    struct store_event event = {.timestamp_ms = 1,
                                .identity_id = "x",
                                .identity_name = "stranger",
                                .person_type = 4,
                                .reason = "stranger",
                                .mask = -1,
                                .feature = feature,
                                .model_set = MODEL_SET};

    at_angle(degrees, feature);
    id_ulid(event.event_id);
    assert_status(AIBOX_OK, store_event_add(store, &event, NULL));
    assert_status(AIBOX_OK, store_rejection_add(store, event.event_id, identity_id, &id, NULL));
}

static float cosine(float degrees)
{
    return cosf(degrees * (float)M_PI / 180);
}

/* The person is at 0°, a look-alike at 50° was rejected. */
static void test_pushes_apart(void **state)
{
    struct fixture *fixture = *state;
    struct apart *apart = apart_new();
    float probe[STORE_DIMENSION];
    int64_t a = person(fixture->store, "a"), b = person(fixture->store, "b");

    assert_true(apart_is_empty(apart));
    reject(fixture->store, 50, "a");
    assert_status(AIBOX_OK, apart_load(apart, fixture->store, MODEL_SET, NULL));
    assert_false(apart_is_empty(apart));
    at_angle(45, probe);
    assert_float_equal(apart_score(apart, probe, a, cosine(45)), 2 * cosine(45) - cosine(5), 2e-3F);
    assert_float_equal(apart_score(apart, probe, b, cosine(45)), cosine(45), 0);
    at_angle(20, probe); /* nearer to the person */
    assert_float_equal(apart_score(apart, probe, a, cosine(20)), cosine(20), 0);
    apart_free(apart);
}

static void test_puts_results_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct apart *apart = apart_new();
    float probe[STORE_DIMENSION];
    int64_t a = person(fixture->store, "a"), b = person(fixture->store, "b"), c = person(fixture->store, "c");
    struct gallery_result result = {.best = {{a, 0.6F}, {b, 0.5F}, {c, 0.4F}}, .count = 3};

    reject(fixture->store, 0, "a");
    assert_status(AIBOX_OK, apart_load(apart, fixture->store, MODEL_SET, NULL));
    at_angle(0, probe);
    apart_apply(apart, probe, &result);
    assert_int_equal(result.best[0].person_id, b);
    assert_int_equal(result.best[1].person_id, c);
    assert_int_equal(result.best[2].person_id, a);
    assert_float_equal(result.best[2].score, 0.2F, 2e-3F);
    apart_free(apart);
}

static void test_forgets(void **state)
{
    struct fixture *fixture = *state;
    struct apart *apart = apart_new();
    float probe[STORE_DIMENSION];
    int64_t a = person(fixture->store, "a"), b = person(fixture->store, "b");

    at_angle(50, probe);
    reject(fixture->store, 50, "a");
    reject(fixture->store, 60, "a");
    reject(fixture->store, 50, "b");
    assert_status(AIBOX_OK, apart_load(apart, fixture->store, MODEL_SET, NULL));
    apart_forget(apart, a);
    assert_float_equal(apart_score(apart, probe, a, 0.5F), 0.5F, 0);
    assert_true(apart_score(apart, probe, b, 0.5F) < 0.1F);
    apart_clear(apart);
    assert_true(apart_is_empty(apart));
    /* Forgetting before a load holds for earlier loads only. */
    assert_status(AIBOX_OK, apart_load(apart, fixture->store, MODEL_SET, NULL));
    assert_true(apart_score(apart, probe, a, 0.5F) < 0.1F);
    apart_free(apart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pushes_apart, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_puts_results_in_order, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_forgets, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
