/*
 * add_users_plus. The thread that executes the command leads: it asks the platform for people, a batch at a time, and
 * hands them to workers, who download and enrol, so that the next batch is asked for and photos come in while others
 * are looked at. An item's life:
 *
 *   WAITING ──recall()──────────────────────────────► DONE     an earlier run stored what became of it
 *      ├──────settle()──────────────────────────────► DONE     the platform doesn't tell of the person
 *      └──────hand_over()──► UNDER_WAY ──work()─────► DONE
 *                                └─────────work()───► WAITING  the box stops: the next run goes on with it
 *
 * Two items of one person are never under way side by side; the later one of the list has the last word.
 * What became of an item is stored under its place in the list, before the result is: with the person if it is
 * enrolled.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/people_ask.h"
#include "cloud/person.h"
#include "core/clock.h"
#include "core/pool.h"
#include "store/commands.h"

#define WORKERS   12 /* downloads at a time, and people at a time who wait for a vision worker */
#define MAX_AHEAD 64 /* people handed over whom no worker has taken up yet */

enum item_state { ITEM_WAITING, ITEM_UNDER_WAY, ITEM_DONE };

struct people;

struct item {
    struct people *people;
    const char *id;        /* borrowed from the command; "" when it has none */
    json_t *person;        /* owned; NULL: not known yet */
    size_t twin;           /* 1 + the place of the item before it with the same id; 0: none */
    enum item_state state; /* guarded by people->mu while workers are at it */
    struct person_outcome outcome;
};

struct people {
    struct command *command;
    struct person_defaults defaults;
    struct person_downloads downloads;
    struct item *items;
    size_t n;
    struct people_ask *ask, *features; /* `path` and `get_features_url`; NULL without */
    struct pool *pool;
    pthread_mutex_t mu;
    pthread_cond_t changed;
};

/* Where is asked; owned, NULL without. */
struct people_urls {
    char *people;   /* NULL: they came with the command */
    char *features; /* NULL: as above */
};

static bool is_stopping(const struct people *people)
{
    return atomic_load(people->command->ctx->stop);
}

static void part_of(const struct people *people, const struct item *item, char out[24])
{
    (void)snprintf(out, 24, "%zu", (size_t)(item - people->items));
}

/* ---- outcomes ---------------------------------------------------------------------------------------------- */

/* Who watches the box sees people who could not be enrolled at once, not only with the result. */
static void publish(const struct people *people, const struct item *item)
{
    struct feed *feed = people->command->ctx->feed;
    struct json_out out;

    if (feed == NULL || !feed_is_watched(feed))
        return;
    json_out_init(&out, FEED_MAX_MESSAGE);
    json_out_object_begin(&out);
    json_out_key_text(&out, "method", people->command->method);
    json_out_key_text(&out, "messageId", people->command->message_id);
    json_out_key_text(&out, "userid", item->id);
    json_out_key_text(&out, "username", item->outcome.name != NULL ? item->outcome.name : "");
    json_out_key_int(&out, "code", item->outcome.code);
    json_out_key_text(&out, "message", item->outcome.message != NULL ? item->outcome.message : "");
    json_out_key_int(&out, "timestamp", clock_realtime_ms());
    json_out_object_end(&out);
    if (json_out_complete(&out))
        feed_publish(feed, FEED_COMMAND, (const char *)out.buffer.data);
    json_out_free(&out);
}

/* A success is stored already, with the person. A failure that can't be stored is tried again by a second run. */
static void note_outcome(const struct people *people, const struct item *item)
{
    const struct command_context *ctx = people->command->ctx;
    char part[24];

    if (item->outcome.code == 0) {
        atomic_fetch_add(&ctx->counters->people_added, 1);
        return;
    }
    atomic_fetch_add(&ctx->counters->people_failed, 1);
    part_of(people, item, part);
    char *text = person_outcome_print(&item->outcome);
    struct store_progress progress = {
        .inbox_id = people->command->stored->inbox_id, .part = part, .outcome = text != NULL ? text : ""};
    if (text != NULL)
        (void)store_inbox_progress_put(ctx->store, &progress, NULL);
    free(text);
    publish(people, item);
}

/* What an earlier run of the command has stored. */
static enum aibox_status recall(struct people *people, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < people->n && status == AIBOX_OK; i++) {
        struct item *item = &people->items[i];
        char part[24], *text;
        part_of(people, item, part);
        status =
            store_inbox_progress_get(people->command->ctx->store, people->command->stored->inbox_id, part, &text, err);
        if (text != NULL && person_outcome_read(text, &item->outcome))
            item->state = ITEM_DONE;
        free(text);
    }
    return status;
}

/* An item of which no more can be learnt. */
static void settle(struct people *people, struct item *item, enum aibox_status status, const char *message)
{
    person_outcome_set(&item->outcome, status, message);
    note_outcome(people, item);
    item->state = ITEM_DONE;
}

/* ---- workers ----------------------------------------------------------------------------------------------- */

static void *open_worker(void *ctx, size_t index)
{
    struct fetcher *fetcher;

    (void)ctx;
    (void)index;
    return fetcher_open(&fetcher, NULL) == AIBOX_OK ? fetcher : NULL;
}

static void close_worker(void *ctx, void *worker)
{
    (void)ctx;
    fetcher_close(worker);
}

static void work(void *worker, void *arg)
{
    struct item *item = arg;
    struct people *people = item->people;
    bool known = false;
    char part[24];

    if (!is_stopping(people)) {
        part_of(people, item, part);
        known = person_enrol(&people->downloads, worker, &people->defaults, people->command->stored->inbox_id, part,
                             item->person, &item->outcome);
    }
    if (known)
        note_outcome(people, item);
    json_decref(item->person); /* its photo may be large */
    item->person = NULL;
    pthread_mutex_lock(&people->mu);
    item->state = known ? ITEM_DONE : ITEM_WAITING;
    (void)pthread_cond_signal(&people->changed);
    pthread_mutex_unlock(&people->mu);
}

static enum aibox_status hand_over(struct people *people, struct item *item, struct aibox_error *err)
{
    pthread_mutex_lock(&people->mu);
    while (item->twin > 0 && people->items[item->twin - 1].state == ITEM_UNDER_WAY)
        (void)pthread_cond_wait(&people->changed, &people->mu);
    item->state = ITEM_UNDER_WAY;
    pthread_mutex_unlock(&people->mu);
    enum aibox_status status = pool_submit(people->pool, POOL_BULK, -1, work, item, err);
    if (status != AIBOX_OK)
        item->state = ITEM_WAITING;
    return status;
}

/* ---- leading ----------------------------------------------------------------------------------------------- */

/* Whether the person is to be enrolled from a feature that did not come along. */
static bool lacks_feature(const struct people *people, const json_t *person)
{
    const json_t *import = json_object_get(person, "import_mode");
    const json_t *feature = json_object_get(person, "feature");

    return (json_is_boolean(import) ? json_is_true(import) : people->defaults.import) &&
           (feature == NULL || json_is_null(feature));
}

/* Features that did not come along, asked for as people are; those of whom there are none are settled. */
static enum aibox_status add_features(struct people *people, struct item *const *batch, size_t n,
                                      struct aibox_error *err)
{
    struct aibox_error reason = {0};
    json_t *ids = json_array(), *found = NULL;
    enum aibox_status status = AIBOX_OK, asked = AIBOX_OK;

    for (size_t i = 0; i < n; i++)
        if (batch[i]->state == ITEM_WAITING && lacks_feature(people, batch[i]->person))
            (void)json_array_append_new(ids, json_string(batch[i]->id));
    if (json_array_size(ids) > 0)
        asked = people_ask(people->features, ids, &found, &reason);
    for (size_t i = 0; i < n && json_array_size(ids) > 0 && status == AIBOX_OK && !is_stopping(people); i++) {
        json_t *feature = json_object_get(json_object_get(found, batch[i]->id), "feature");
        if (batch[i]->state != ITEM_WAITING || !lacks_feature(people, batch[i]->person))
            continue;
        if (asked != AIBOX_OK)
            settle(people, batch[i], asked, reason.message);
        else if (feature == NULL)
            settle(people, batch[i], AIBOX_REMOTE_DATA, "the platform's answer does not have this person's feature");
        else if (json_object_set(batch[i]->person, "feature", feature) != 0)
            status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    json_decref(found);
    json_decref(ids);
    return status;
}

/* The next items that are not done: at most PEOPLE_ASK_MOST. */
static size_t next_batch(struct people *people, size_t *at, struct item *batch[PEOPLE_ASK_MOST])
{
    size_t n = 0;

    for (; *at < people->n && n < PEOPLE_ASK_MOST; ++*at)
        if (people->items[*at].state == ITEM_WAITING)
            batch[n++] = &people->items[*at];
    return n;
}

/* The platform tells of these people, or they are settled. */
static enum aibox_status fetch_batch(struct people *people, struct item *const *batch, size_t n,
                                     struct aibox_error *err)
{
    struct aibox_error reason = {0};
    json_t *ids = json_array(), *found = NULL;
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(ids, json_string(batch[i]->id));
    enum aibox_status asked = people_ask(people->ask, ids, &found, &reason);
    for (size_t i = 0; i < n && status == AIBOX_OK && !is_stopping(people); i++) {
        json_t *person = json_object_get(found, batch[i]->id);
        if (asked != AIBOX_OK)
            settle(people, batch[i], asked, reason.message);
        else if (person == NULL)
            settle(people, batch[i], AIBOX_REMOTE_DATA, "the platform's answer does not tell of this person");
        /* Workers change their objects, and an id may be listed twice. */
        else if ((batch[i]->person = batch[i]->twin > 0 ? json_deep_copy(person) : json_incref(person)) == NULL)
            status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    json_decref(found);
    json_decref(ids);
    return status;
}

static enum aibox_status do_batch(struct people *people, struct item *const *batch, size_t n, struct aibox_error *err)
{
    enum aibox_status status = people->ask != NULL ? fetch_batch(people, batch, n, err) : AIBOX_OK;

    if (status == AIBOX_OK && people->features != NULL && !is_stopping(people))
        status = add_features(people, batch, n, err);
    for (size_t i = 0; i < n && status == AIBOX_OK && !is_stopping(people); i++)
        if (batch[i]->state == ITEM_WAITING)
            status = hand_over(people, batch[i], err);
    return status;
}

static enum aibox_status do_batches(struct people *people, struct aibox_error *err)
{
    struct item *batch[PEOPLE_ASK_MOST];
    size_t at = 0, n = 1;
    enum aibox_status status = AIBOX_OK;

    while (status == AIBOX_OK && n > 0 && !is_stopping(people)) {
        n = next_batch(people, &at, batch);
        if (n > 0)
            status = do_batch(people, batch, n, err);
    }
    return status;
}

/* Everything, and waits for the end of what is under way. */
static enum aibox_status do_people(struct people *people, const struct people_urls *urls, struct aibox_error *err)
{
    struct pool_options options = {.name = "people",
                                   .threads = people->n < WORKERS ? people->n : WORKERS,
                                   .queue_max = {[POOL_BULK] = MAX_AHEAD},
                                   .worker_open = open_worker,
                                   .worker_close = close_worker};
    enum aibox_status status = recall(people, err);

    if (status == AIBOX_OK && urls->people != NULL)
        status = people_ask_open(people->command->ctx, urls->people, &people->ask, err);
    if (status == AIBOX_OK && urls->features != NULL)
        status = people_ask_open(people->command->ctx, urls->features, &people->features, err);
    if (status == AIBOX_OK && people->n > 0)
        status = pool_open(&options, &people->pool, err);
    if (status == AIBOX_OK)
        status = do_batches(people, err);
    pool_close(people->pool);
    people_ask_close(people->features);
    people_ask_close(people->ask);
    return status;
}

/* ---- arguments --------------------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    const struct item *const *x = a, *const *y = b;
    int order = strcmp((*x)->id, (*y)->id);

    return order != 0 ? order : (*x > *y) - (*x < *y);
}

static enum aibox_status find_twins(struct people *people, struct aibox_error *err)
{
    struct item **sorted = calloc(people->n + 1, sizeof *sorted);

    if (sorted == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    for (size_t i = 0; i < people->n; i++)
        sorted[i] = &people->items[i];
    qsort(sorted, people->n, sizeof *sorted, compare_ids);
    for (size_t i = 1; i < people->n; i++)
        if (strcmp(sorted[i - 1]->id, sorted[i]->id) == 0)
            sorted[i]->twin = 1 + (size_t)(sorted[i - 1] - people->items);
    free(sorted);
    return AIBOX_OK;
}

static enum aibox_status list_inline(struct people *people, json_t *list, struct aibox_error *err)
{
    for (size_t i = 0; i < people->n; i++) {
        struct item *item = &people->items[i];
        json_t *person = json_array_get(list, i);
        const char *id = NULL;
        if (!json_is_object(person))
            return error_set(err, AIBOX_COMMAND_PARAM, "user_info_list[%zu]: an object is expected", i);
        enum aibox_status status = argument_id(person, "identity_id", "identity_id", &id, err);
        if (status != AIBOX_OK) {
            error_prefix(err, "user_info_list[%zu]", i);
            return status;
        }
        item->id = id != NULL ? id : "";
        item->person = json_incref(person);
    }
    return AIBOX_OK;
}

static enum aibox_status list_ids(struct people *people, json_t *list, struct aibox_error *err)
{
    enum aibox_status status = argument_ids(list, "userid_list", err);

    for (size_t i = 0; i < people->n && status == AIBOX_OK; i++)
        people->items[i].id = json_string_value(json_array_get(list, i));
    return status;
}

/* *url stays NULL when extend_params has no such key. */
static enum aibox_status read_url(const struct command *command, const char *key, const char *field, char **url,
                                  struct aibox_error *err)
{
    json_t *params;
    const char *path = NULL;
    enum aibox_status status = argument_object(command->body, "extend_params", "extend_params", &params, err);

    if (status == AIBOX_OK)
        status = argument_text(params, key, field, &path, err);
    if (status == AIBOX_OK && path != NULL && path[0] != '\0')
        status = address_compose(&command->ctx->platform, ADDRESS_PLATFORM, field, path, url, err);
    return status;
}

static enum aibox_status read_arguments(struct people *people, struct people_urls *urls, struct aibox_error *err)
{
    struct command *command = people->command;
    json_t *ids = NULL, *persons = NULL;
    bool given;
    enum aibox_status status =
        argument_list(command->body, "userid_list", "userid_list", COMMAND_MAX_PEOPLE, &ids, err);

    if (status == AIBOX_OK)
        status = argument_list(command->body, "user_info_list", "user_info_list", COMMAND_MAX_PEOPLE, &persons, err);
    if (status == AIBOX_OK && (ids == NULL) == (persons == NULL))
        status = error_set(err, AIBOX_COMMAND_PARAM, "userid_list: either it or user_info_list is required");
    if (status == AIBOX_OK)
        status = argument_level(command->body, "fiqa_level", "fiqa_level", &people->defaults.has_level,
                                &people->defaults.level, err);
    if (status == AIBOX_OK)
        status = argument_bool(command->body, "import_mode", "import_mode", &given, &people->defaults.import, err);
    if (status == AIBOX_OK && ids != NULL)
        status = read_url(command, "path", "extend_params.path", &urls->people, err);
    if (status == AIBOX_OK && ids != NULL && urls->people == NULL)
        status = error_set(err, AIBOX_COMMAND_PARAM, "extend_params.path: required with userid_list");
    if (status == AIBOX_OK)
        status = read_url(command, "get_features_url", "extend_params.get_features_url", &urls->features, err);
    if (status != AIBOX_OK)
        return status;
    people->n = json_array_size(ids != NULL ? ids : persons);
    people->items = calloc(people->n + 1, sizeof *people->items);
    if (people->items == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    for (size_t i = 0; i < people->n; i++)
        people->items[i].people = people;
    status = ids != NULL ? list_ids(people, ids, err) : list_inline(people, persons, err);
    return status == AIBOX_OK ? find_twins(people, err) : status;
}

/* ---- the result -------------------------------------------------------------------------------------------- */

static void write_users(struct json_out *out, const struct people *people, bool brief)
{
    bool as_text = settings_bool(people->command->ctx->settings, "cloud.person_code_as_string");

    json_out_object_begin(out);
    for (int failed = 0; failed <= 1; failed++) {
        json_out_key(out, failed ? "failed_users" : "success_users");
        json_out_array_begin(out);
        for (size_t i = 0; i < people->n; i++)
            if ((people->items[i].outcome.code != 0) == failed)
                person_outcome_write(out, people->items[i].id, &people->items[i].outcome, as_text, brief);
        json_out_array_end(out);
    }
    json_out_object_end(out);
}

static void compose(const struct people *people, struct command_result *result)
{
    size_t failed = 0;

    for (size_t i = people->n; i-- > 0;) {
        if (people->items[i].outcome.code == 0)
            continue;
        failed++;
        result->code = people->items[i].outcome.code; /* in the end that of the first */
    }
    if (failed < people->n)
        result->code = 0;
    write_users(&result->result, people, false);
    if (result->result.buffer.failed || result->result.buffer.size + 4096 > COMMAND_MAX_RESULT) {
        json_out_free(&result->result);
        json_out_init(&result->result, COMMAND_MAX_RESULT);
        write_users(&result->result, people, true);
    }
    (void)snprintf(result->message, sizeof result->message, "add_users_plus done: %zu added, %zu failed",
                   people->n - failed, failed);
}

/* ---- the whole --------------------------------------------------------------------------------------------- */

static void people_free(struct people *people)
{
    for (size_t i = 0; i < people->n; i++) {
        json_decref(people->items[i].person);
        person_outcome_free(&people->items[i].outcome);
    }
    free(people->items);
}

static bool all_done(const struct people *people)
{
    for (size_t i = 0; i < people->n; i++)
        if (people->items[i].state != ITEM_DONE)
            return false;
    return true;
}

enum aibox_status command_add_users(struct command *command, struct command_result *result, struct aibox_error *err)
{
    struct people people = {.command = command, .downloads.ctx = command->ctx};
    struct people_urls urls = {0};

    if (pthread_mutex_init(&people.mu, NULL) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    if (pthread_cond_init(&people.changed, NULL) != 0) {
        (void)pthread_mutex_destroy(&people.mu);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    enum aibox_status status = read_arguments(&people, &urls, err);
    if (status == AIBOX_OK)
        status = do_people(&people, &urls, err);
    if (status == AIBOX_OK && !all_done(&people))
        command->stopped = true;
    else if (status == AIBOX_OK)
        compose(&people, result);
    people_free(&people);
    free(urls.people);
    free(urls.features);
    (void)pthread_cond_destroy(&people.changed);
    (void)pthread_mutex_destroy(&people.mu);
    return status;
}
