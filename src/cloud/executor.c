/*
 * States of a thread: asleep (nothing to do, not logged in, or the gallery is still being loaded) → executing → asleep
 * or the next one. A command leaves the inbox with its result, in one transaction; whatever ends the box before that
 * lets the next start execute it again (command.h).
 */
#include "cloud/executor.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "store/commands.h"

#define LOOK_MS  1000 /* how often is looked for what nobody told of: the login, the gallery */
#define LATER_MS 1000 /* until a command is tried again that could not be finished */

struct lane {
    struct executor *executor;
    enum store_inbox_queue queue;
    pthread_t thread;
    bool started;
    bool woken;         /* guarded by executor->mu */
    int64_t running_ms; /* guarded by executor->mu; since when a command is under way, monotonic; 0: none is */
};

struct executor {
    struct executor_context context;
    struct command_counters counters;
    atomic_bool stop;
    pthread_mutex_t mu;
    pthread_cond_t wake;
    struct lane lanes[STORE_INBOX_QUEUES];
};

/* Until it is woken, at most `ms`. */
static void sleep_until_woken(struct lane *lane, int64_t ms)
{
    struct executor *executor = lane->executor;
    struct timespec deadline = clock_deadline(ms);

    pthread_mutex_lock(&executor->mu);
    while (!lane->woken && !atomic_load(&executor->stop) &&
           pthread_cond_timedwait(&executor->wake, &executor->mu, &deadline) == 0)
        ;
    lane->woken = false;
    pthread_mutex_unlock(&executor->mu);
}

static void pause_for(struct executor *executor, int64_t ms)
{
    struct timespec deadline = clock_deadline(ms);

    pthread_mutex_lock(&executor->mu);
    while (!atomic_load(&executor->stop) && pthread_cond_timedwait(&executor->wake, &executor->mu, &deadline) == 0)
        ;
    pthread_mutex_unlock(&executor->mu);
}

static void set_running(struct lane *lane, int64_t since_ms)
{
    pthread_mutex_lock(&lane->executor->mu);
    lane->running_ms = since_ms;
    pthread_mutex_unlock(&lane->executor->mu);
}

static enum command_end execute(struct lane *lane, const struct executor_platform *platform,
                                const struct store_command *command)
{
    struct executor *executor = lane->executor;
    const struct executor_context *from = &executor->context;
    struct command_context context = {.settings = from->settings,
                                      .store = from->store,
                                      .flow = from->flow,
                                      .feed = from->feed,
                                      .jobs = from->jobs,
                                      .reports = from->reports,
                                      .platform = platform->platform,
                                      .verify_tls = platform->verify_tls,
                                      .result_queue = platform->result_queue,
                                      .fiqa_result_queue = platform->fiqa_result_queue,
                                      .stop = &executor->stop,
                                      .counters = &executor->counters};

    set_running(lane, clock_monotonic_ms());
    enum command_end end = command_run(&context, command);
    set_running(lane, 0);
    return end;
}

/* The oldest command of the queue. False: there was nothing that could be done. */
static bool execute_next(struct lane *lane)
{
    struct executor *executor = lane->executor;
    const struct executor_context *context = &executor->context;
    struct executor_platform platform = {0};
    struct store_command command;
    struct aibox_error err;
    enum command_end end = COMMAND_LATER;

    if (!flow_ready(context->flow) || !context->take(context->ctx, &platform))
        return false;
    enum aibox_status status = store_inbox_next(context->store, lane->queue, &command, &err);
    bool found = status == AIBOX_OK && command.inbox_id != 0;
    if (status != AIBOX_OK)
        log_warn("cloud", "the inbox can't be read reason=\"%s\"", err.message);
    if (found)
        end = execute(lane, &platform, &command);
    store_command_free(&command);
    context->give_back(context->ctx, &platform);
    if (found && end == COMMAND_LATER)
        pause_for(executor, LATER_MS);
    return found;
}

static void *run(void *arg)
{
    struct lane *lane = arg;

    while (!atomic_load(&lane->executor->stop))
        if (!execute_next(lane))
            sleep_until_woken(lane, LOOK_MS);
    return NULL;
}

enum aibox_status executor_open(const struct executor_context *context, struct executor **out, struct aibox_error *err)
{
    struct executor *executor = calloc(1, sizeof *executor);

    *out = NULL;
    if (executor == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (!clock_cond_init(&executor->wake)) {
        free(executor);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    pthread_mutex_init(&executor->mu, NULL);
    executor->context = *context;
    for (int i = 0; i < STORE_INBOX_QUEUES; i++) {
        struct lane *lane = &executor->lanes[i];
        lane->executor = executor;
        lane->queue = (enum store_inbox_queue)i;
        lane->started = pthread_create(&lane->thread, NULL, run, lane) == 0;
        if (!lane->started) {
            executor_close(executor);
            return error_set(err, AIBOX_PROCESS_FAILED, "out of threads");
        }
    }
    *out = executor;
    return AIBOX_OK;
}

void executor_wake(struct executor *executor, enum store_inbox_queue queue)
{
    pthread_mutex_lock(&executor->mu);
    executor->lanes[queue].woken = true;
    (void)pthread_cond_broadcast(&executor->wake);
    pthread_mutex_unlock(&executor->mu);
}

void executor_close(struct executor *executor)
{
    if (executor == NULL)
        return;
    pthread_mutex_lock(&executor->mu);
    atomic_store(&executor->stop, true);
    (void)pthread_cond_broadcast(&executor->wake);
    pthread_mutex_unlock(&executor->mu);
    for (int i = 0; i < STORE_INBOX_QUEUES; i++)
        if (executor->lanes[i].started)
            (void)pthread_join(executor->lanes[i].thread, NULL);
    (void)pthread_cond_destroy(&executor->wake);
    (void)pthread_mutex_destroy(&executor->mu);
    free(executor);
}

/* ---- figures ----------------------------------------------------------------------------------------------- */

static const char *const queue_names[STORE_INBOX_QUEUES] = {"main", "fiqa"};

static int64_t running_for_ms(struct lane *lane)
{
    pthread_mutex_lock(&lane->executor->mu);
    int64_t since = lane->running_ms;
    pthread_mutex_unlock(&lane->executor->mu);
    return since != 0 ? clock_monotonic_ms() - since : 0;
}

static size_t waiting(struct lane *lane)
{
    size_t count = 0;
    int64_t oldest_ms;

    (void)store_inbox_count(lane->executor->context.store, lane->queue, &count, &oldest_ms, NULL);
    return count;
}

void executor_print(struct executor *executor, struct json_out *out)
{
    const struct command_counters *counters = &executor->counters;

    json_out_key_int(out, "executed", (int64_t)atomic_load(&counters->executed));
    json_out_key_int(out, "refused", (int64_t)atomic_load(&counters->refused));
    json_out_key_int(out, "failed", (int64_t)atomic_load(&counters->failed));
    json_out_key_int(out, "people_added", (int64_t)atomic_load(&counters->people_added));
    json_out_key_int(out, "people_failed", (int64_t)atomic_load(&counters->people_failed));
    json_out_key_int(out, "results_lost", (int64_t)atomic_load(&counters->results_lost));
    json_out_key(out, "queues");
    json_out_object_begin(out);
    for (int i = 0; i < STORE_INBOX_QUEUES; i++) {
        json_out_key(out, queue_names[i]);
        json_out_object_begin(out);
        json_out_key_int(out, "waiting", (int64_t)waiting(&executor->lanes[i])); /* the one under way included */
        json_out_key_int(out, "running_ms", running_for_ms(&executor->lanes[i]));
        json_out_object_end(out);
    }
    json_out_object_end(out);
}

static void print_counter(struct buffer *out, const char *name, const char *help, uint64_t value)
{
    buffer_appendf(out, "# HELP %s %s\n# TYPE %s counter\n%s %llu\n", name, help, name, name,
                   (unsigned long long)value);
}

void executor_metrics(struct executor *executor, struct buffer *out)
{
    const struct command_counters *counters = &executor->counters;

    print_counter(out, "aibox_commands_executed_total", "Commands of the platform that were executed.",
                  atomic_load(&counters->executed));
    print_counter(out, "aibox_commands_refused_total", "Commands whose arguments were wrong.",
                  atomic_load(&counters->refused));
    print_counter(out, "aibox_commands_failed_total", "Commands that failed as a whole.",
                  atomic_load(&counters->failed));
    print_counter(out, "aibox_command_people_added_total", "People enrolled by commands.",
                  atomic_load(&counters->people_added));
    print_counter(out, "aibox_command_people_failed_total", "People whom a command could not enrol.",
                  atomic_load(&counters->people_failed));
    print_counter(out, "aibox_command_results_lost_total", "Results for which there was no room.",
                  atomic_load(&counters->results_lost));
    buffer_append_text(out, "# HELP aibox_commands_waiting Commands in the inbox.\n"
                            "# TYPE aibox_commands_waiting gauge\n");
    for (int i = 0; i < STORE_INBOX_QUEUES; i++)
        buffer_appendf(out, "aibox_commands_waiting{queue=\"%s\"} %zu\n", queue_names[i], waiting(&executor->lanes[i]));
}
