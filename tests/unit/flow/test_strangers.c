/* Faces of strangers in memory: one face, one number, also when its pictures come at the same moment. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../store/fixture.h"
#include "core/clock.h"
#include "core/id.h"
#include "flow/strangers.h"
#include "store/strangers.h"

#define THRESHOLD 0.5F
#define THREADS   8
#define ROUNDS    12

struct memory {
    struct fixture *fixture;
    struct strangers *strangers;
};

static bool on_stranger(void *ctx, int64_t stranger_id, const float *feature)
{
    return strangers_follow(ctx, stranger_id, feature);
}

static void set_rules(struct fixture *fixture, size_t keep)
{
    struct store_stranger_rules rules = {.keep = keep, .days = 30};

    store_set_strangers(fixture->store, &rules);
}

static void open_memory(struct memory *memory, struct fixture *fixture)
{
    memory->fixture = fixture;
    set_rules(fixture, 1000);
    assert_status(AIBOX_OK, strangers_open(MODEL_SET, &memory->strangers, NULL));
    struct store_listener listener = {.ctx = memory->strangers, .model_set = MODEL_SET, .stranger = on_stranger};
    assert_status(AIBOX_OK, store_listen(fixture->store, &listener, NULL));
    assert_status(AIBOX_OK, strangers_load(memory->strangers, fixture->store, NULL));
    assert_status(AIBOX_OK, strangers_take_over(memory->strangers, NULL));
}

static void close_memory(struct memory *memory)
{
    store_unlisten(memory->fixture->store, memory->strangers);
    strangers_close(memory->strangers);
}

/* The face `seed` with a little noise: scores with another of its kind are far above the threshold, with any other face
 * far below. */
static void make_face(float face[STORE_DIMENSION], unsigned seed, unsigned noise)
{
    float other[STORE_DIMENSION];

    fill_feature(face, seed);
    fill_feature(other, 100000 + noise);
    for (size_t i = 0; i < STORE_DIMENSION; i++)
        face[i] += 0.3F * other[i];
}

static enum aibox_status add_event(struct store *store, const float *face, const struct store_stranger_mark *mark,
                                   struct store_stranger_mark *out)
{
    struct store_event event = {.timestamp_ms = clock_realtime_ms(),
                                .identity_id = "x",
                                .identity_name = "stranger",
                                .person_type = 4,
                                .reason = "stranger",
                                .mask = -1,
                                .feature = face,
                                .model_set = MODEL_SET,
                                .stranger = *mark};

    id_ulid(event.event_id);
    enum aibox_status status = store_event_add(store, &event, NULL);
    *out = event.stranger;
    return status;
}

static struct store_stranger_mark see(struct memory *memory, unsigned seed, unsigned noise)
{
    float face[STORE_DIMENSION];
    struct strangers_claim claim;
    struct store_stranger_mark mark = {0};

    make_face(face, seed, noise);
    bool claimed = strangers_claim(memory->strangers, face, THRESHOLD, &claim, &mark);
    enum aibox_status status = add_event(memory->fixture->store, face, &mark, &mark);
    if (claimed)
        strangers_settle(memory->strangers, &claim);
    if (!claimed || status != AIBOX_OK)
        mark.stranger_id = -1;
    return mark;
}

static void test_a_face_is_known_again(void **state)
{
    struct memory memory;
    struct gallery_match found[4];
    float face[STORE_DIMENSION];

    open_memory(&memory, *state);
    struct store_stranger_mark first = see(&memory, 1, 1), second = see(&memory, 2, 2), again = see(&memory, 1, 3);
    assert_int_equal(first.visit, 1);
    assert_int_not_equal(second.stranger_id, first.stranger_id);
    assert_int_equal(again.stranger_id, first.stranger_id);
    assert_int_equal(again.visit, 2);
    close_memory(&memory);
    fixture_reopen(*state);
    open_memory(&memory, *state);
    assert_int_equal(strangers_count(memory.strangers), 2);
    make_face(face, 2, 9);
    assert_int_equal(strangers_search(memory.strangers, face, THRESHOLD, 4, found), 1);
    assert_int_equal(found[0].person_id, second.stranger_id);
    assert_int_equal(strangers_search(memory.strangers, face, 1.5F, 4, found), 0);
    assert_int_equal(see(&memory, 1, 4).visit, 3);
    close_memory(&memory);
}

static void test_who_is_forgotten_is_new(void **state)
{
    struct fixture *fixture = *state;
    struct memory memory;

    open_memory(&memory, fixture);
    int64_t first = see(&memory, 1, 1).stranger_id;
    assert_status(AIBOX_OK, store_stranger_delete(fixture->store, first, NULL));
    assert_int_equal(strangers_count(memory.strangers), 0);
    struct store_stranger_mark again = see(&memory, 1, 2);
    assert_true(again.stranger_id > first);
    assert_int_equal(again.visit, 1);
    set_rules(fixture, 1); /* the next makes room for itself */
    (void)see(&memory, 2, 1);
    assert_int_equal(strangers_count(memory.strangers), 1);
    assert_status(AIBOX_OK, store_wipe(fixture->store, false, true, NULL));
    assert_int_equal(strangers_count(memory.strangers), 0);
    close_memory(&memory);
}

static void test_another_model_set_is_never_compared(void **state)
{
    struct fixture *fixture = *state;
    struct memory memory;
    struct strangers *other = NULL;
    struct strangers_claim claim;
    struct store_stranger_mark mark = {0};
    float face[STORE_DIMENSION];

    open_memory(&memory, fixture);
    int64_t first = see(&memory, 1, 1).stranger_id;
    make_face(face, 1, 2);
    assert_status(AIBOX_OK, strangers_open("other", &other, NULL));
    assert_false(strangers_claim(other, face, THRESHOLD, &claim, &mark)); /* nothing is loaded */
    struct store_listener listener = {.ctx = other, .model_set = "other", .stranger = on_stranger};
    assert_status(AIBOX_OK, store_listen(fixture->store, &listener, NULL));
    assert_status(AIBOX_OK, strangers_load(other, fixture->store, NULL));
    (void)see(&memory, 2, 1);
    assert_int_equal(strangers_count(memory.strangers), 2);
    assert_int_equal(strangers_count(other), 0);
    assert_true(strangers_claim(other, face, THRESHOLD, &claim, &mark));
    assert_true(mark.stranger_id > first);
    strangers_settle(other, &claim);
    /* The other set comes into force. */
    assert_status(AIBOX_OK, strangers_take_over(other, NULL));
    assert_int_equal(strangers_count(memory.strangers), 0);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM stranger"), 0);
    memset(face, 0, sizeof face);
    assert_false(strangers_claim(other, face, THRESHOLD, &claim, &mark));
    store_unlisten(fixture->store, other);
    strangers_close(other);
    close_memory(&memory);
}

/* While an event is on its way its face counts; when it could not be stored, the number is nobody's. */
static void test_claims_are_compared_with(void **state)
{
    struct memory memory;
    struct strangers_claim first, second, third;
    struct store_stranger_mark marks[3];
    float faces[3][STORE_DIMENSION];

    open_memory(&memory, *state);
    for (unsigned i = 0; i < 3; i++)
        make_face(faces[i], i == 2 ? 8 : 7, i);
    assert_true(strangers_claim(memory.strangers, faces[0], THRESHOLD, &first, &marks[0]));
    assert_true(strangers_claim(memory.strangers, faces[1], THRESHOLD, &second, &marks[1]));
    assert_true(strangers_claim(memory.strangers, faces[2], THRESHOLD, &third, &marks[2]));
    assert_int_equal(marks[1].stranger_id, marks[0].stranger_id);
    assert_true(marks[1].may_be_new);
    assert_int_not_equal(marks[2].stranger_id, marks[0].stranger_id);
    strangers_settle(memory.strangers, &first); /* its event was not stored */
    assert_status(AIBOX_OK, add_event(memory.fixture->store, faces[1], &marks[1], &marks[1]));
    strangers_settle(memory.strangers, &second);
    strangers_settle(memory.strangers, &third);
    assert_int_equal(marks[1].visit, 1);
    assert_int_equal(see(&memory, 7, 5).stranger_id, marks[0].stranger_id);
    assert_int_equal(strangers_count(memory.strangers), 1);
    close_memory(&memory);
}

struct passers {
    struct memory *memory;
    unsigned number;
    atomic_uint *failures;
};

/* Everybody meets everybody, in another order. */
static void *pass_by(void *arg)
{
    struct passers *passers = arg;

    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned seed = (round + passers->number / 2) % ROUNDS;
        if (see(passers->memory, seed, passers->number * ROUNDS + round).stranger_id <= 0)
            atomic_fetch_add(passers->failures, 1);
    }
    return NULL;
}

static void test_one_number_when_many_come_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct memory memory;
    struct passers passers[THREADS];
    pthread_t threads[THREADS];
    atomic_uint failures = 0;

    open_memory(&memory, fixture);
    for (unsigned i = 0; i < THREADS; i++) {
        passers[i] = (struct passers){&memory, i, &failures};
        assert_int_equal(pthread_create(&threads[i], NULL, pass_by, &passers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failures, 0);
    assert_int_equal(strangers_count(memory.strangers), ROUNDS);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM stranger"), ROUNDS);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM stranger WHERE visits = 8"), ROUNDS);
    assert_int_equal(fixture_query(fixture, "main", "SELECT count(*) FROM stranger_event"), THREADS * ROUNDS);
    close_memory(&memory);
}

/* Gallery and store are the same in the end, whatever is forgotten meanwhile. */
static void test_forgetting_beside_seeing(void **state)
{
    struct fixture *fixture = *state;
    struct memory memory;
    struct passers passers[THREADS];
    pthread_t threads[THREADS];
    atomic_uint failures = 0;

    open_memory(&memory, fixture);
    for (unsigned i = 0; i < THREADS; i++) {
        passers[i] = (struct passers){&memory, i, &failures};
        assert_int_equal(pthread_create(&threads[i], NULL, pass_by, &passers[i]), 0);
    }
    for (int i = 0; i < 20; i++)
        assert_status(AIBOX_OK, store_strangers_delete_all(fixture->store, NULL, NULL));
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failures, 0);
    assert_int_equal(strangers_count(memory.strangers),
                     fixture_query(fixture, "main", "SELECT count(*) FROM stranger"));
    assert_int_equal(strangers_count(memory.strangers),
                     fixture_query(fixture, "main", "SELECT value FROM counter WHERE name = 'strangers'"));
    close_memory(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_face_is_known_again, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_who_is_forgotten_is_new, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_another_model_set_is_never_compared, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_claims_are_compared_with, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_one_number_when_many_come_at_once, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_forgetting_beside_seeing, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
