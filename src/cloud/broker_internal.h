/* The inside of a connection, for the broker's own files. */
#ifndef AIBOX_CLOUD_BROKER_INTERNAL_H
#define AIBOX_CLOUD_BROKER_INTERNAL_H

#include <amqp.h>

#include "cloud/broker.h"
#include "core/buffer.h"

/* A message that is coming in: method, header and body are frames of their own. */
struct broker_inbound {
    enum broker_event_kind kind; /* NOTHING: none is coming */
    bool has_header;
    uint64_t tag;
    bool redelivered, too_large;
    uint64_t announced, received; /* bytes of the body */
    char message_id[64];
    struct buffer body;
};

struct broker {
    amqp_connection_state_t connection;
    struct line *line;
    bool lost;
    int code;
    char reason[BROKER_REASON];
    size_t max_body;
    struct broker_inbound inbound[BROKER_CHANNELS + 1]; /* by channel */
    int last_channel;                                   /* whose body was handed out last; 0: none */
};

/* What the broker or the library says of a call; keeps the reason, and closes what the broker wants closed. */
enum broker_result broker_judge(struct broker *broker, int channel, amqp_rpc_reply_t reply);
enum broker_result broker_lose(struct broker *broker, int library_error);
/* The broker has closed the channel: confirms that. */
enum broker_result broker_channel_gone(struct broker *broker, int channel, int code, amqp_bytes_t text);
/* Printable text of what the broker says. */
void broker_set_reason(struct broker *broker, int code, amqp_bytes_t text);

#endif
