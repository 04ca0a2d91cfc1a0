#include "door/door.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "door/lane.h"
#include "door/link.h"

#define PORT_MODBUS 502

const char *const door_mode_names[] = {[DOOR_OPEN] = "opendoor", [DOOR_CLOSE] = "closedoor", [DOOR_ALARM] = "alarm"};
const char *const door_driver_names[] = {[DOOR_MODBUS] = "modbus", [DOOR_HTTP] = "http", [DOOR_TCP] = "tcp"};

enum aibox_status door_open(struct settings *settings, struct door **out, struct aibox_error *err)
{
    struct door *door = calloc(1, sizeof *door);

    *out = NULL;
    if (!door)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    door->settings = settings;
    door->idle_ms = LANE_IDLE_MS;
    if (pthread_mutex_init(&door->mu, NULL) != 0) {
        free(door);
        return error_set(err, AIBOX_PROCESS_FAILED, "no mutex to be had");
    }
    *out = door;
    return AIBOX_OK;
}

/* The host goes into URLs and orders as it is: nothing that could mean something else there. */
static bool is_host(const char *host)
{
    size_t size = strlen(host);

    return size > 0 && size == strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:%");
}

static enum aibox_status check(const struct door_command *command, struct aibox_error *err)
{
    if (!is_host(command->host))
        return error_set(err, AIBOX_PARAM, "not an address or name of a relay");
    if (command->port < 1 || command->port > 65535)
        return error_set(err, AIBOX_PARAM, "port %d is not in 1..65535", command->port);
    if (command->channels < 1 || command->channels > DOOR_MAX_CHANNELS)
        return error_set(err, AIBOX_PARAM, "a relay board has 1..%d channels, not %d", DOOR_MAX_CHANNELS,
                         command->channels);
    if (command->logic_port < 0 || command->logic_port > command->channels)
        return error_set(err, AIBOX_PARAM, "there is no channel %d of %d", command->logic_port, command->channels);
    if (command->mode == DOOR_OPEN && (command->duration_s < 1 || command->duration_s > DOOR_HOLD_SECONDS))
        return error_set(err, AIBOX_PARAM, "a door is opened for 1..%d seconds, not %d", DOOR_HOLD_SECONDS,
                         command->duration_s);
    return AIBOX_OK;
}

/* Checks and queues. With the mutex held. */
static enum aibox_status submit(struct door *door, const struct job *job, struct aibox_error *err)
{
    enum aibox_status status = check(&job->command, err);

    if (status == AIBOX_OK)
        status = lane_enqueue(door, job, err);
    if (status != AIBOX_OK)
        door->refused++;
    return status;
}

static struct batch *batch_new(void)
{
    struct batch *batch = calloc(1, sizeof *batch);

    if (batch && !clock_cond_init(&batch->ended)) {
        free(batch);
        batch = NULL;
    }
    return batch;
}

/* Waits for the end of all, or the deadline. With the mutex held; `batch` is gone afterwards. */
static void batch_wait(struct door *door, struct batch *batch, int64_t deadline_ms, size_t n,
                       struct door_result *results)
{
    struct timespec deadline = clock_deadline(deadline_ms - clock_monotonic_ms());
    int result = 0;

    while (batch->pending > 0 && result == 0)
        result = pthread_cond_timedwait(&batch->ended, &door->mu, &deadline);
    memcpy(results, batch->results, n * sizeof *results);
    if (batch->pending > 0) {
        batch->left = true;
        return;
    }
    pthread_cond_destroy(&batch->ended);
    free(batch);
}

void door_drive(struct door *door, const struct door_command *commands, size_t n, struct door_result *results)
{
    int64_t deadline_ms = clock_monotonic_ms() + DOOR_TIMEOUT_MS;
    struct batch *batch;

    assert(n <= DOOR_MAX_BATCH);
    if (n == 0)
        return;
    batch = batch_new();
    for (size_t i = 0; !batch && i < n; i++)
        door_result_fail(&results[i], "out of memory");
    if (!batch)
        return;
    pthread_mutex_lock(&door->mu);
    for (size_t i = 0; i < n; i++) {
        struct job job = {.command = commands[i], .deadline_ms = deadline_ms, .batch = batch, .index = i};
        struct aibox_error err = {0};

        /* What stays when nobody says otherwise in time. */
        door_result_fail(&batch->results[i], LINK_NO_ANSWER);
        if (submit(door, &job, &err) == AIBOX_OK)
            batch->pending++;
        else
            door_result_fail(&batch->results[i], err.message);
    }
    batch_wait(door, batch, deadline_ms, n, results);
    pthread_mutex_unlock(&door->mu);
    lanes_reap(door);
}

bool door_send(struct door *door, const struct door_command *command)
{
    struct job job = {.command = *command, .deadline_ms = clock_monotonic_ms() + DOOR_TIMEOUT_MS};
    struct aibox_error err = {0};
    enum aibox_status status;

    pthread_mutex_lock(&door->mu);
    status = submit(door, &job, &err);
    pthread_mutex_unlock(&door->mu);
    lanes_reap(door);
    /* A full lane belongs to a relay that was found unavailable, which has been said. */
    if (status != AIBOX_OK && status != AIBOX_TOO_MANY_REQUESTS)
        log_warn("door", "command refused host=%s port=%d reason=\"%s\"", command->host, command->port, err.message);
    return status == AIBOX_OK;
}

enum door_driver door_default_driver(const struct door *door, int port)
{
    char name[16];
    int driver = DOOR_MODBUS;

    if (port == PORT_MODBUS)
        return DOOR_MODBUS;
    (void)settings_text(door->settings, "door.relay_default", name, sizeof name);
    while (driver < DOOR_TCP && strcmp(name, door_driver_names[driver]) != 0)
        driver++;
    return (enum door_driver)driver;
}

void door_metrics(struct door *door, struct buffer *out)
{
    pthread_mutex_lock(&door->mu);
    buffer_appendf(
        out,
        "# HELP aibox_door_commands_total Commands to relays by outcome; refused: never tried, the relay's "
        "queue being full or the command wrong.\n"
        "# TYPE aibox_door_commands_total counter\n"
        "aibox_door_commands_total{outcome=\"done\"} %llu\n"
        "aibox_door_commands_total{outcome=\"failed\"} %llu\n"
        "aibox_door_commands_total{outcome=\"refused\"} %llu\n"
        "# HELP aibox_door_switch_off_failures_total Attempts of the box to switch off a relay at the end of "
        "its time that failed.\n"
        "# TYPE aibox_door_switch_off_failures_total counter\n"
        "aibox_door_switch_off_failures_total %llu\n"
        "# HELP aibox_door_relays Relays in use lately.\n# TYPE aibox_door_relays gauge\n"
        "aibox_door_relays %zu\n"
        "# HELP aibox_door_relays_unavailable Those of them whose last command failed.\n"
        "# TYPE aibox_door_relays_unavailable gauge\naibox_door_relays_unavailable %zu\n",
        (unsigned long long)door->done, (unsigned long long)door->failed, (unsigned long long)door->refused,
        (unsigned long long)door->switch_off_failures, door->lane_count, lanes_unavailable(door));
    pthread_mutex_unlock(&door->mu);
}

void door_close(struct door *door)
{
    if (!door)
        return;
    lanes_close(door);
    pthread_mutex_destroy(&door->mu);
    free(door);
}
