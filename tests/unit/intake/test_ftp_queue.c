/* The queue of uploaded pictures: turns, bounds, what may be looked at at once, and what a camera says of a picture. */
#include "../store/fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "flow/devices.h"
#include "intake/ftp_queue.h"

struct box {
    struct fixture *files;
    struct settings *settings;
    struct devices *devices;
    struct ftp_queue *queue;
    char users[2][FTP_USER_MAX];
    char device_ids[2][64];
    _Atomic size_t dropped;
    char last_dropped[64];
};

static void on_dropped(void *ctx, const struct ftp_picture *picture)
{
    struct box *box = ctx;
    (void)atomic_fetch_add(&box->dropped, 1);
    snprintf(box->last_dropped, sizeof box->last_dropped, "%s", picture->stem);
}

static void follow(struct box *box)
{
    struct device_list list;
    assert_int_equal(devices_list(box->devices, &list, NULL), AIBOX_OK);
    assert_int_equal(ftp_queue_set_devices(box->queue, &list, NULL), AIBOX_OK);
    device_list_free(&list);
}

static int setup(void **state)
{
    static const char *const keys[] = {"10.0.0.1", "10.0.0.2"};
    const struct ftp_queue_limits limits = {
        .account_pictures = 4, .account_bytes = 1000, .total_bytes = 1500, .at_once = 2};
    struct box *box = calloc(1, sizeof *box);
    void *files;
    if (box == NULL || fixture_setup(&files) != 0)
        return -1;
    box->files = files;
    assert_int_equal(settings_open(&box->settings, NULL), AIBOX_OK);
    assert_int_equal(devices_open(box->settings, box->files->store, &box->devices, NULL), AIBOX_OK);
    assert_int_equal(ftp_queue_open(&limits, on_dropped, box, &box->queue, NULL), AIBOX_OK);
    for (size_t i = 0; i < 2; i++) {
        struct device_saved_list saved;
        json_t *dict = json_pack("{s:s, s:s}", "device_key", keys[i], "ep_type", "1");
        assert_int_equal(devices_create(box->devices, dict, "list", &saved, NULL), AIBOX_OK);
        snprintf(box->users[i], sizeof box->users[i], "%s", saved.items[0].device->ftp_user);
        snprintf(box->device_ids[i], sizeof box->device_ids[i], "%s", saved.items[0].device->device_id);
        device_saved_list_free(&saved);
        json_decref(dict);
    }
    follow(box);
    *state = box;
    return 0;
}

static int teardown(void **state)
{
    struct box *box = *state;
    void *files = box->files;
    ftp_queue_stop(box->queue);
    ftp_queue_close(box->queue);
    devices_close(box->devices);
    settings_close(box->settings);
    free(box);
    return fixture_teardown(&files);
}

static bool put(struct box *box, const char *user, const char *stem, size_t size)
{
    struct ftp_picture *picture = calloc(1, sizeof *picture);
    assert_non_null(picture);
    id_ulid(picture->id);
    snprintf(picture->user, sizeof picture->user, "%s", user);
    picture->stem = strdup(stem);
    picture->size = size;
    picture->arrived_ms = clock_monotonic_ms();
    picture->uploaded_ms = clock_realtime_ms();
    return ftp_queue_put(box->queue, picture);
}

/* The next one is this one; it is decided on and finished. */
static void expect(struct box *box, const char *stem)
{
    struct ftp_picture *picture = ftp_queue_take(box->queue);
    assert_non_null(picture);
    assert_string_equal(picture->stem, stem);
    ftp_queue_decided(box->queue);
    ftp_queue_finish(box->queue, picture, "");
}

static void test_turns(void **state)
{
    struct box *box = *state;
    assert_false(put(box, "nobody", "x", 1));
    for (int i = 0; i < 3; i++)
        assert_true(put(box, box->users[0], (const char *const[]){"a0", "a1", "a2"}[i], 10));
    assert_true(put(box, box->users[1], "b0", 10));
    static const char *const order[] = {"a0", "b0", "a1", "a2"};
    for (size_t i = 0; i < 4; i++)
        expect(box, order[i]);
    assert_int_equal(box->dropped, 0);
}

static void test_bounds(void **state)
{
    struct box *box = *state;
    struct ftp_queue_state queue;
    static const char *const stems[] = {"0", "1", "2", "3", "4", "5"};
    for (size_t i = 0; i < 6; i++)
        put(box, box->users[0], stems[i], 10);
    assert_int_equal(box->dropped, 2); /* the oldest two */
    assert_string_equal(box->last_dropped, "1");
    put(box, box->users[0], "large", 980);
    ftp_queue_state(box->queue, box->users[0], &queue);
    assert_int_equal(queue.pictures, 3);
    assert_int_equal(queue.bytes, 1000);
    put(box, box->users[1], "other", 600); /* of all together 1500: the account with the most gives way */
    ftp_queue_state(box->queue, NULL, &queue);
    assert_int_equal(queue.bytes, 600);
    expect(box, "other");
    ftp_queue_state(box->queue, NULL, &queue);
    assert_int_equal(queue.pictures, 0);
    assert_int_equal(queue.bytes, 0);
}

static void test_accounts_go(void **state)
{
    struct box *box = *state;
    struct ftp_queue_state queue;
    put(box, box->users[0], "a", 1);
    put(box, box->users[1], "b", 1);
    struct ftp_picture *taken = ftp_queue_take(box->queue);
    assert_string_equal(taken->stem, "a");
    assert_int_equal(
        devices_delete(box->devices, (const char *const[]){box->device_ids[0], box->device_ids[1]}, 2, NULL, NULL),
        AIBOX_OK);
    follow(box);
    assert_int_equal(box->dropped, 1);
    assert_null(ftp_queue_device(box->queue, box->users[0]));
    assert_string_equal(taken->device->ip, "10.0.0.1"); /* who is at it goes on */
    ftp_queue_decided(box->queue);
    assert_null(ftp_queue_sidecar(box->queue, taken));
    ftp_queue_finish(box->queue, taken, "");
    ftp_queue_state(box->queue, NULL, &queue);
    assert_int_equal(queue.pictures, 0);
}

static void test_last_error(void **state)
{
    struct box *box = *state;
    struct ftp_queue_state queue;
    static const char *const errors[] = {"unreadable", NULL, ""}, *const shown[] = {"unreadable", "unreadable", ""};
    for (size_t i = 0; i < 3; i++) {
        put(box, box->users[0], "a", 1);
        struct ftp_picture *picture = ftp_queue_take(box->queue);
        ftp_queue_decided(box->queue);
        ftp_queue_finish(box->queue, picture, errors[i]);
        ftp_queue_state(box->queue, box->users[0], &queue);
        assert_string_equal(queue.last_error, shown[i]);
    }
    assert_true(queue.last_ms > 0);
}

static void test_sidecars(void **state)
{
    struct box *box = *state;
    char *text = strdup("{\"early\":1}");
    assert_false(ftp_queue_attach(box->queue, box->users[0], "a", text)); /* nobody waits for it */
    put(box, box->users[0], "a", 1);
    put(box, box->users[0], "b", 1);
    assert_false(ftp_queue_attach(box->queue, box->users[1], "a", text));
    assert_true(ftp_queue_attach(box->queue, box->users[0], "a", text)); /* while it waits */
    struct ftp_picture *a = ftp_queue_take(box->queue), *b = ftp_queue_take(box->queue);
    assert_string_equal(ftp_queue_sidecar(box->queue, a), "{\"early\":1}");
    assert_true(ftp_queue_attach(box->queue, box->users[0], "b", strdup("{}"))); /* while it is looked at */
    assert_string_equal(ftp_queue_sidecar(box->queue, b), "{}");
    text = strdup("{}");
    assert_false(ftp_queue_attach(box->queue, box->users[0], "b", text)); /* it has one */
    free(text);
    for (int i = 0; i < 2; i++)
        ftp_queue_decided(box->queue);
    ftp_queue_finish(box->queue, a, "");
    ftp_queue_finish(box->queue, b, "");
}

/* A camera that has said nothing of three pictures is not waited for any more, until it says something. */
static void test_silent_camera(void **state)
{
    static const int64_t hour_ms = 3600000; /* who waited for this one would wait for so long */
    struct box *box = *state;
    for (int i = 0; i < 4; i++) {
        put(box, box->users[0], "a", 1);
        struct ftp_picture *picture = ftp_queue_take(box->queue);
        picture->arrived_ms += i < 3 ? -2 * hour_ms : hour_ms;
        ftp_queue_decided(box->queue);
        assert_null(ftp_queue_sidecar(box->queue, picture));
        ftp_queue_finish(box->queue, picture, "");
    }
}

struct work {
    struct box *box;
    _Atomic int busy, most;
    _Atomic size_t done;
};

static void *taker(void *arg)
{
    struct work *work = arg;
    struct ftp_picture *picture;
    while ((picture = ftp_queue_take(work->box->queue)) != NULL) {
        int busy = atomic_fetch_add(&work->busy, 1) + 1, most = atomic_load(&work->most);
        while (busy > most && !atomic_compare_exchange_weak(&work->most, &most, busy))
            continue;
        (void)ftp_queue_pause(work->box->queue, 1);
        (void)atomic_fetch_sub(&work->busy, 1);
        ftp_queue_decided(work->box->queue);
        ftp_queue_finish(work->box->queue, picture, "");
        (void)atomic_fetch_add(&work->done, 1);
    }
    return NULL;
}

static void test_takers(void **state)
{
    struct box *box = *state;
    struct work work = {.box = box};
    pthread_t threads[6];
    size_t sent = 0;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, taker, &work), 0);
    for (int i = 0; i < 200; i++)
        sent += put(box, box->users[i % 2], "a", 1);
    struct ftp_queue_state queue;
    do {
        (void)ftp_queue_pause(box->queue, 1);
        ftp_queue_state(box->queue, NULL, &queue);
    } while (queue.pictures > 0 || atomic_load(&work.done) + atomic_load(&box->dropped) < sent);
    ftp_queue_stop(box->queue);
    for (size_t i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&work.done) + atomic_load(&box->dropped), sent);
    assert_in_range(atomic_load(&work.most), 1, 2); /* at_once */
    assert_null(ftp_queue_take(box->queue));
    assert_false(ftp_queue_pause(box->queue, 10000));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_turns),    TEST(test_bounds),        TEST(test_accounts_go), TEST(test_last_error),
        TEST(test_sidecars), TEST(test_silent_camera), TEST(test_takers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
