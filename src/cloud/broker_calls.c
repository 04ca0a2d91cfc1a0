/* What a channel is asked for. */
#include <string.h>

#include "cloud/broker_internal.h"

#define MAX_ARGUMENTS 32

static enum broker_result last_reply(struct broker *broker, int channel)
{
    return broker_judge(broker, channel, amqp_get_rpc_reply(broker->connection));
}

static enum broker_result sent(struct broker *broker, int failure)
{
    return failure == AMQP_STATUS_OK ? BROKER_OK : broker_lose(broker, failure);
}

enum broker_result broker_channel_open(struct broker *broker, int channel)
{
    if (broker->lost)
        return BROKER_LOST;
    broker->inbound[channel].kind = BROKER_NOTHING;
    (void)amqp_channel_open(broker->connection, (amqp_channel_t)channel);
    return last_reply(broker, channel);
}

enum broker_result broker_channel_close(struct broker *broker, int channel)
{
    if (broker->lost)
        return BROKER_LOST;
    enum broker_result result = broker_judge(
        broker, channel, amqp_channel_close(broker->connection, (amqp_channel_t)channel, AMQP_REPLY_SUCCESS));
    broker->inbound[channel].kind = BROKER_NOTHING;
    return result;
}

enum broker_result broker_declare_queue(struct broker *broker, int channel, const char *name, bool passive,
                                        bool durable)
{
    if (broker->lost)
        return BROKER_LOST;
    (void)amqp_queue_declare(broker->connection, (amqp_channel_t)channel, amqp_cstring_bytes(name), passive, durable, 0,
                             0, amqp_empty_table);
    return last_reply(broker, channel);
}

/* The arguments as AMQP writes them; they point into the JSON. */
static amqp_table_t table_of(json_t *arguments, amqp_table_entry_t entries[MAX_ARGUMENTS])
{
    amqp_table_t table = {.entries = entries};
    const char *key;
    json_t *value;

    json_object_foreach(arguments, key, value)
    {
        if (table.num_entries == MAX_ARGUMENTS)
            break;
        amqp_table_entry_t *entry = &entries[table.num_entries++];
        entry->key = amqp_cstring_bytes(key);
        if (json_is_string(value)) {
            entry->value.kind = AMQP_FIELD_KIND_UTF8;
            entry->value.value.bytes =
                (amqp_bytes_t){.len = json_string_length(value), .bytes = (void *)json_string_value(value)};
        } else if (json_is_integer(value)) {
            entry->value.kind = AMQP_FIELD_KIND_I64;
            entry->value.value.i64 = json_integer_value(value);
        } else {
            entry->value.kind = AMQP_FIELD_KIND_BOOLEAN;
            entry->value.value.boolean = json_is_true(value);
        }
    }
    return table;
}

enum broker_result broker_declare_exchange(struct broker *broker, int channel, const struct login_exchange *exchange,
                                           bool passive)
{
    amqp_table_entry_t entries[MAX_ARGUMENTS] = {0};

    if (broker->lost)
        return BROKER_LOST;
    (void)amqp_exchange_declare(broker->connection, (amqp_channel_t)channel, amqp_cstring_bytes(exchange->name),
                                amqp_cstring_bytes(exchange->type), passive, exchange->durable, exchange->auto_delete,
                                0, table_of(exchange->arguments, entries));
    return last_reply(broker, channel);
}

enum broker_result broker_bind(struct broker *broker, int channel, const char *queue, const char *exchange,
                               const char *routing_key)
{
    if (broker->lost)
        return BROKER_LOST;
    (void)amqp_queue_bind(broker->connection, (amqp_channel_t)channel, amqp_cstring_bytes(queue),
                          amqp_cstring_bytes(exchange), amqp_cstring_bytes(routing_key), amqp_empty_table);
    return last_reply(broker, channel);
}

enum broker_result broker_consume(struct broker *broker, int channel, const char *queue, uint16_t prefetch)
{
    if (broker->lost)
        return BROKER_LOST;
    (void)amqp_basic_qos(broker->connection, (amqp_channel_t)channel, 0, prefetch, 0);
    enum broker_result result = last_reply(broker, channel);
    if (result != BROKER_OK)
        return result;
    (void)amqp_basic_consume(broker->connection, (amqp_channel_t)channel, amqp_cstring_bytes(queue), amqp_empty_bytes,
                             0, 0, 0, amqp_empty_table);
    return last_reply(broker, channel);
}

enum broker_result broker_ack(struct broker *broker, int channel, uint64_t tag)
{
    if (broker->lost)
        return BROKER_LOST;
    return sent(broker, amqp_basic_ack(broker->connection, (amqp_channel_t)channel, tag, 0));
}

enum broker_result broker_confirm_select(struct broker *broker, int channel)
{
    if (broker->lost)
        return BROKER_LOST;
    (void)amqp_confirm_select(broker->connection, (amqp_channel_t)channel);
    return last_reply(broker, channel);
}

enum broker_result broker_publish(struct broker *broker, int channel, const char *queue, const char *message_id,
                                  const void *body, size_t size)
{
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                                                    AMQP_BASIC_MESSAGE_ID_FLAG,
                                          .content_type = amqp_cstring_bytes("application/json"),
                                          .delivery_mode = AMQP_DELIVERY_PERSISTENT,
                                          .message_id = amqp_cstring_bytes(message_id)};

    if (broker->lost)
        return BROKER_LOST;
    return sent(broker, amqp_basic_publish(broker->connection, (amqp_channel_t)channel, amqp_empty_bytes,
                                           amqp_cstring_bytes(queue), 1, 0, &properties,
                                           (amqp_bytes_t){.len = size, .bytes = (void *)body}));
}
