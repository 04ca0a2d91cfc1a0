/* What comes from the broker, frame by frame. Bodies are taken up to a limit, whatever their header announces. */
#include <poll.h>
#include <string.h>

#include "cloud/broker_internal.h"

/* The library's frames have room in a pool of the channel until they are let go. */
static void forget_frame(struct broker *broker, amqp_channel_t channel)
{
    amqp_maybe_release_buffers_on_channel(broker->connection, channel);
}

static void copy_text(char *out, size_t size, amqp_bytes_t text)
{
    size_t length = text.len < size - 1 ? text.len : size - 1;

    if (length > 0)
        memcpy(out, text.bytes, length);
    out[length] = '\0';
}

static void begin_content(struct broker *broker, int channel, enum broker_event_kind kind)
{
    struct broker_inbound *inbound = &broker->inbound[channel];

    inbound->kind = kind;
    inbound->has_header = inbound->too_large = false;
    inbound->announced = inbound->received = 0;
    inbound->message_id[0] = '\0';
    buffer_clear(&inbound->body);
}

/* The message is whole. */
static void hand_out(struct broker *broker, int channel, struct broker_event *out)
{
    struct broker_inbound *inbound = &broker->inbound[channel];

    *out = (struct broker_event){.kind = inbound->kind,
                                 .channel = channel,
                                 .tag = inbound->tag,
                                 .redelivered = inbound->redelivered,
                                 .too_large = inbound->too_large,
                                 .body = inbound->too_large ? NULL : inbound->body.data,
                                 .size = inbound->announced};
    memcpy(out->message_id, inbound->message_id, sizeof out->message_id);
    inbound->kind = BROKER_NOTHING;
    broker->last_channel = channel;
}

static void take_header(struct broker *broker, int channel, const amqp_frame_t *frame, struct broker_event *out)
{
    struct broker_inbound *inbound = &broker->inbound[channel];
    const amqp_basic_properties_t *properties = frame->payload.properties.decoded;

    if (inbound->kind == BROKER_NOTHING || inbound->has_header)
        return;
    inbound->has_header = true;
    inbound->announced = frame->payload.properties.body_size;
    inbound->too_large = inbound->announced > broker->max_body;
    if (properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG)
        copy_text(inbound->message_id, sizeof inbound->message_id, properties->message_id);
    if (inbound->announced == 0)
        hand_out(broker, channel, out);
}

static void take_body(struct broker *broker, int channel, amqp_bytes_t part, struct broker_event *out)
{
    struct broker_inbound *inbound = &broker->inbound[channel];

    if (inbound->kind == BROKER_NOTHING || !inbound->has_header)
        return;
    inbound->received += part.len;
    if (!inbound->too_large && inbound->kind == BROKER_DELIVERED &&
        !buffer_append(&inbound->body, part.bytes, part.len))
        inbound->too_large = true; /* also when memory is short: it can't be taken */
    if (inbound->received >= inbound->announced)
        hand_out(broker, channel, out);
}

static enum broker_result take_method(struct broker *broker, int channel, const amqp_method_t *method,
                                      struct broker_event *out)
{
    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD: {
        const amqp_basic_deliver_t *deliver = method->decoded;
        begin_content(broker, channel, BROKER_DELIVERED);
        broker->inbound[channel].tag = deliver->delivery_tag;
        broker->inbound[channel].redelivered = deliver->redelivered;
        return BROKER_OK;
    }
    case AMQP_BASIC_RETURN_METHOD: {
        const amqp_basic_return_t *returned = method->decoded;
        begin_content(broker, channel, BROKER_RETURNED);
        broker_set_reason(broker, returned->reply_code, returned->reply_text);
        return BROKER_OK;
    }
    case AMQP_BASIC_ACK_METHOD: {
        const amqp_basic_ack_t *ack = method->decoded;
        *out = (struct broker_event){
            .kind = BROKER_CONFIRMED, .channel = channel, .tag = ack->delivery_tag, .multiple = ack->multiple};
        return BROKER_OK;
    }
    case AMQP_BASIC_NACK_METHOD: {
        const amqp_basic_nack_t *nack = method->decoded;
        *out = (struct broker_event){.kind = BROKER_CONFIRMED,
                                     .channel = channel,
                                     .tag = nack->delivery_tag,
                                     .multiple = nack->multiple,
                                     .refused = true};
        return BROKER_OK;
    }
    case AMQP_BASIC_CANCEL_METHOD:
        *out = (struct broker_event){.kind = BROKER_CANCELLED, .channel = channel};
        return BROKER_OK;
    case AMQP_CHANNEL_CLOSE_METHOD: {
        const amqp_channel_close_t *closed = method->decoded;
        *out = (struct broker_event){.kind = BROKER_CHANNEL_CLOSED, .channel = channel};
        return broker_channel_gone(broker, channel, closed->reply_code, closed->reply_text) == BROKER_LOST ? BROKER_LOST
                                                                                                           : BROKER_OK;
    }
    case AMQP_CONNECTION_BLOCKED_METHOD: {
        const amqp_connection_blocked_t *blocked = method->decoded;
        *out = (struct broker_event){.kind = BROKER_BLOCKED};
        broker_set_reason(broker, 0, blocked->reason);
        return BROKER_OK;
    }
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        *out = (struct broker_event){.kind = BROKER_UNBLOCKED};
        return BROKER_OK;
    case AMQP_CONNECTION_CLOSE_METHOD:
        return broker_judge(broker, 0,
                            (amqp_rpc_reply_t){.reply_type = AMQP_RESPONSE_SERVER_EXCEPTION, .reply = *method});
    default:
        return BROKER_OK;
    }
}

enum broker_result broker_read(struct broker *broker, struct broker_event *out)
{
    struct timeval now = {0, 0};
    enum broker_result result = BROKER_OK;
    amqp_frame_t frame;

    *out = (struct broker_event){.kind = BROKER_NOTHING};
    if (broker->lost)
        return BROKER_LOST;
    if (broker->last_channel != 0) { /* a large body's memory is not kept for the next, likely small one */
        buffer_free(&broker->inbound[broker->last_channel].body);
        buffer_init(&broker->inbound[broker->last_channel].body, broker->max_body);
        broker->last_channel = 0;
    }
    while (result == BROKER_OK && out->kind == BROKER_NOTHING) {
        int failure = amqp_simple_wait_frame_noblock(broker->connection, &frame, &now);
        if (failure == AMQP_STATUS_TIMEOUT)
            break;
        if (failure != AMQP_STATUS_OK)
            return broker_lose(broker, failure);
        if (frame.channel > BROKER_CHANNELS)
            continue;
        if (frame.frame_type == AMQP_FRAME_METHOD)
            result = take_method(broker, frame.channel, &frame.payload.method, out);
        else if (frame.frame_type == AMQP_FRAME_HEADER)
            take_header(broker, frame.channel, &frame, out);
        else if (frame.frame_type == AMQP_FRAME_BODY)
            take_body(broker, frame.channel, frame.payload.body_fragment, out);
        forget_frame(broker, frame.channel);
    }
    return result;
}

void broker_wait(struct broker *broker, int wake_fd, int wait_ms)
{
    struct pollfd items[] = {{.fd = broker->lost ? -1 : amqp_get_sockfd(broker->connection), .events = POLLIN},
                             {.fd = wake_fd, .events = POLLIN}};

    if (!broker->lost && (amqp_frames_enqueued(broker->connection) || amqp_data_in_buffer(broker->connection)))
        return;
    (void)poll(items, 2, wait_ms);
}
