#include "cloud/consumer.h"

#include <amqp.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "store/commands.h"

#define RESUME_BELOW (STORE_INBOX_MAX / 4 * 3) /* commands in the inbox */
#define LOOK_MS      500                       /* between looks whether there is room again */

/* ---- setting up ---------------------------------------------------------------------------------------------- */

/* A passive declaration that found nothing has cost the channel: a new one. */
static enum broker_result reopen_after_404(struct broker *broker, int channel, enum broker_result result, bool *missing)
{
    *missing = result == BROKER_CHANNEL_GONE && broker_code(broker) == AMQP_NOT_FOUND;
    return *missing ? broker_channel_open(broker, channel) : result;
}

static enum broker_result set_up_exchange(struct consumer *consumer, struct broker *broker)
{
    const struct login_exchange *exchange = &consumer->login->exchange;
    bool missing = false;
    enum broker_result result = broker_declare_exchange(broker, consumer->channel, exchange, true);

    if (exchange->passive)
        return result;
    result = reopen_after_404(broker, consumer->channel, result, &missing);
    if (result == BROKER_OK && missing)
        result = broker_declare_exchange(broker, consumer->channel, exchange, false);
    return result;
}

static enum broker_result set_up_queue(struct consumer *consumer, struct broker *broker, bool may_be_made, bool durable)
{
    bool missing = false;
    enum broker_result result = broker_declare_queue(broker, consumer->channel, consumer->name, true, durable);

    if (!may_be_made)
        return result;
    result = reopen_after_404(broker, consumer->channel, result, &missing);
    if (result == BROKER_OK && missing)
        result = broker_declare_queue(broker, consumer->channel, consumer->name, false, durable);
    return result;
}

static enum broker_result bind_queue(struct consumer *consumer, struct broker *broker)
{
    const struct login_broker *login = consumer->login;
    const char *exchange = login->exchange.name;
    char by_number[LOGIN_MAX_NAME + 1];
    const char *key = login->exchange.routing_key[0] ? login->exchange.routing_key : login->routing_key;

    if (!key[0]) {
        (void)snprintf(by_number, sizeof by_number, "routing.dev.%s", consumer->dev_sno);
        key = by_number;
    }
    enum broker_result result = broker_bind(broker, consumer->channel, consumer->name, exchange, key);
    if (result == BROKER_OK && strcmp(key, consumer->name) != 0)
        result = broker_bind(broker, consumer->channel, consumer->name, exchange, consumer->name);
    return result;
}

static enum broker_result declare(struct consumer *consumer, struct broker *broker)
{
    const struct login_broker *login = consumer->login;
    bool main = consumer->queue == STORE_INBOX_MAIN;
    bool make = !main || !login->only_look_for_queue;
    bool with_exchange = main && make && login->exchange.name[0];
    enum broker_result result = broker_channel_open(broker, consumer->channel);

    if (result == BROKER_OK && with_exchange)
        result = set_up_exchange(consumer, broker);
    if (result == BROKER_OK)
        result = set_up_queue(consumer, broker, make, !main || !with_exchange || login->exchange.durable);
    if (result == BROKER_OK && with_exchange)
        result = bind_queue(consumer, broker);
    if (result == BROKER_OK)
        result = broker_consume(broker, consumer->channel, consumer->name, CONSUMER_PREFETCH);
    return result;
}

/* ---- states --------------------------------------------------------------------------------------------------- */

static void close_for(struct consumer *consumer, const char *reason)
{
    if (!consumer->error[0] || consumer->state == CONSUMER_CONSUMING)
        log_warn("cloud", "no messages come from the broker's queue queue=\"%s\" reason=\"%s\"", consumer->name,
                 reason);
    (void)snprintf(consumer->error, sizeof consumer->error, "%s", reason);
    consumer->state = CONSUMER_CLOSED;
    consumer->put_back = false;
    consumer->failures++;
    consumer->due_ms = clock_monotonic_ms() + retry_next_ms(&consumer->retry);
}

static enum broker_result set_up(struct consumer *consumer, struct broker *broker)
{
    bool resumed = consumer->state == CONSUMER_PAUSED;
    char reason[sizeof consumer->error];
    enum broker_result result = declare(consumer, broker);

    if (result == BROKER_CHANNEL_GONE) {
        (void)snprintf(reason, sizeof reason, "%.*s", (int)sizeof reason - 1, broker_reason(broker));
        close_for(consumer, reason);
        return BROKER_OK;
    }
    if (result != BROKER_OK)
        return result;
    if (!resumed || consumer->error[0])
        log_info("cloud", "messages are taken from the broker's queue queue=\"%s\"", consumer->name);
    consumer->state = CONSUMER_CONSUMING;
    consumer->error[0] = '\0';
    consumer->failures = 0;
    if (!resumed)
        consumer->retry.wait_ms = 0;
    return BROKER_OK;
}

/* What has come and is not in the inbox goes back into the queue, to its place. */
static enum broker_result pause_for(struct consumer *consumer, struct broker *broker, const char *reason)
{
    enum broker_result result = broker_channel_close(broker, consumer->channel);

    if (!consumer->error[0])
        log_warn("cloud", "commands wait at the broker queue=\"%s\" reason=\"%s\"", consumer->name, reason);
    (void)snprintf(consumer->error, sizeof consumer->error, "%s", reason);
    consumer->state = CONSUMER_PAUSED;
    consumer->put_back = true;
    consumer->due_ms = clock_monotonic_ms() + retry_next_ms(&consumer->retry);
    return result == BROKER_LOST ? result : BROKER_OK;
}

/* Is it worth while to go on? */
static bool has_room(struct consumer *consumer)
{
    size_t count = 0;
    int64_t oldest_ms;

    return store_inbox_count(consumer->store, consumer->queue, &count, &oldest_ms, NULL) == AIBOX_OK &&
           count < RESUME_BELOW;
}

enum broker_result consumer_tend(struct consumer *consumer, struct broker *broker)
{
    if (!consumer->name[0] || consumer->state == CONSUMER_CONSUMING || clock_monotonic_ms() < consumer->due_ms)
        return BROKER_OK;
    if (consumer->state == CONSUMER_PAUSED && !has_room(consumer)) {
        consumer->due_ms = clock_monotonic_ms() + LOOK_MS;
        return BROKER_OK;
    }
    return set_up(consumer, broker);
}

void consumer_lose(struct consumer *consumer)
{
    consumer->state = CONSUMER_CLOSED;
    consumer->put_back = false;
}

/* ---- messages -------------------------------------------------------------------------------------------------- */

void command_message_id(const void *body, size_t size, char out[STORE_MAX_MESSAGE_ID + 1])
{
    static const char *const keys[] = {"messageId", "messageKey"};
    json_t *root = body ? json_loadb(body, size, 0, NULL) : NULL;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !out[0]; i++) {
        const json_t *value = json_object_get(root, keys[i]);
        if (json_is_string(value) && json_string_length(value) <= STORE_MAX_MESSAGE_ID)
            memcpy(out, json_string_value(value), json_string_length(value) + 1);
    }
    json_decref(root);
}

static enum aibox_status keep_too_large(struct consumer *consumer, const struct broker_event *event,
                                        struct aibox_error *err)
{
    char reason[128];
    struct store_dead_command dead = {.method = "", .message_id = "", .reason = reason, .excerpt = ""};

    (void)snprintf(reason, sizeof reason, "the message has %zu bytes, %zu are the most that a command may have",
                   event->size, STORE_MAX_COMMAND);
    log_warn("cloud", "a message is left aside queue=\"%s\" reason=\"%s\"", consumer->name, reason);
    enum aibox_status status = store_dead_command_add(consumer->store, &dead, err);
    if (status == AIBOX_OK)
        atomic_fetch_add(&consumer->counters->dead, 1);
    return status;
}

/* Durable when it returns OK. */
static enum aibox_status keep(struct consumer *consumer, const struct broker_event *event, bool *added,
                              struct aibox_error *err)
{
    char message_id[STORE_MAX_MESSAGE_ID + 1];
    enum store_inbox_outcome outcome;

    if (event->too_large)
        return keep_too_large(consumer, event, err);
    command_message_id(event->body, event->size, message_id);
    struct store_command command = {.queue = consumer->queue,
                                    .message_id = message_id,
                                    .redelivered = event->redelivered && !consumer->put_back,
                                    .body = event->body,
                                    .size = event->size};
    enum aibox_status status = store_inbox_add(consumer->store, &command, &outcome, err);
    if (status != AIBOX_OK)
        return status;
    if (outcome == STORE_INBOX_NEW)
        *added = true;
    else
        atomic_fetch_add(&consumer->counters->duplicates, 1);
    return AIBOX_OK;
}

static enum broker_result take(struct consumer *consumer, struct broker *broker, const struct broker_event *event,
                               bool *added)
{
    struct aibox_error err = {0};

    if (!event->redelivered)
        consumer->put_back = false; /* behind those that were put back there are others */
    atomic_fetch_add(&consumer->counters->received, 1);
    if (keep(consumer, event, added, &err) != AIBOX_OK)
        return pause_for(consumer, broker, err.message);
    consumer->retry.wait_ms = 0;
    consumer->error[0] = '\0';
    enum broker_result result = broker_ack(broker, consumer->channel, event->tag);
    if (result == BROKER_OK)
        atomic_fetch_add(&consumer->counters->acked, 1);
    return result;
}

enum broker_result consumer_hear(struct consumer *consumer, struct broker *broker, const struct broker_event *event,
                                 bool *added)
{
    char reason[sizeof consumer->error];

    if (consumer->state != CONSUMER_CONSUMING)
        return BROKER_OK; /* it was on its way when the channel was closed, and is in the queue again */
    switch (event->kind) {
    case BROKER_DELIVERED:
        return take(consumer, broker, event, added);
    case BROKER_CANCELLED:
        if (broker_channel_close(broker, consumer->channel) == BROKER_LOST)
            return BROKER_LOST;
        close_for(consumer, "the broker has deleted the queue");
        return BROKER_OK;
    case BROKER_CHANNEL_CLOSED:
        (void)snprintf(reason, sizeof reason, "%.*s", (int)sizeof reason - 1, broker_reason(broker));
        close_for(consumer, reason);
        return BROKER_OK;
    default:
        return BROKER_OK;
    }
}
