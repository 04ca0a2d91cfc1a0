/*
 * Takes the messages of one queue off the broker, on a channel of its own: each is durable in the inbox before it is
 * acknowledged, and nothing is executed here. Belongs to the link's thread.
 *
 * States
 *   closed     the channel is not open; set up when its time has come   consumer_tend(), set_up()
 *   consuming  messages come                                            consumer_hear()
 *   paused     the inbox is full or can't be written: the channel was   pause_for(), consumer_tend()
 *              closed, what had come unread is in the queue again
 *
 *   closed → consuming   set_up(): exchange, queue and binding are there, the broker delivers
 *   closed → closed      it refused something: said once, tried again after a growing time
 *   consuming → paused   store_inbox_add() had no room
 *   paused → consuming   there is room again
 *   consuming → closed   the broker closed the channel or deleted the queue
 */
#ifndef AIBOX_CLOUD_CONSUMER_H
#define AIBOX_CLOUD_CONSUMER_H

#include "cloud/broker.h"
#include "cloud/retry.h"
#include "store/commands.h"
#include "store/store.h"

#define CONSUMER_PREFETCH 16 /* messages on their way to the box that are not in the inbox yet */
#define CONSUMER_REASON   512

/* Since the start. */
struct consumer_counters {
    _Atomic uint64_t received;   /* messages */
    _Atomic uint64_t acked;      /* of them, acknowledged */
    _Atomic uint64_t duplicates; /* of them, known already */
    _Atomic uint64_t dead;       /* of them, too large to be looked at */
};

enum consumer_state { CONSUMER_CLOSED, CONSUMER_CONSUMING, CONSUMER_PAUSED };

struct consumer {
    enum store_inbox_queue queue;
    int channel;
    const char *name;                 /* of the broker's queue; "": there is none */
    const struct login_broker *login; /* what is to be declared and bound */
    const char *dev_sno;
    struct store *store;
    struct consumer_counters *counters;

    enum consumer_state state;
    struct retry retry;
    int64_t due_ms;              /* monotonic; when closed or paused: the next try */
    int failures;                /* to set it up, in a row */
    bool put_back;               /* what is delivered again now was put back by this consumer, unread */
    char error[CONSUMER_REASON]; /* of the last failure, "" while consuming */
};

/* Sets up or resumes what is due. */
enum broker_result consumer_tend(struct consumer *consumer, struct broker *broker);
/* A delivery, or the end of its channel. *added: a command is new in the inbox. */
enum broker_result consumer_hear(struct consumer *consumer, struct broker *broker, const struct broker_event *event,
                                 bool *added);
/* The connection is gone, and with it the channel. */
void consumer_lose(struct consumer *consumer);

/* The message id of a command's text: `messageId`, else `messageKey`; "" when it has none, or is no JSON. Cut never:
 * one of more than STORE_MAX_MESSAGE_ID bytes counts as none. */
void command_message_id(const void *body, size_t size, char out[STORE_MAX_MESSAGE_ID + 1]);

#endif
