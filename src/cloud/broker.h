/*
 * One connection to a broker, over AMQP 0-9-1 (librabbitmq). A connection belongs to one thread, which calls
 * broker_read() at least once a second: heartbeats are sent and watched there. Only the line is for others.
 */
#ifndef AIBOX_CLOUD_BROKER_H
#define AIBOX_CLOUD_BROKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cloud/login.h"
#include "core/resolve.h"

#define BROKER_CHANNELS    2  /* channels 1 and 2 are used */
#define BROKER_HEARTBEAT_S 20 /* a broker that is silent for twice as long is lost */
#define BROKER_REASON      256

struct broker;

/* By which another thread gets a connection's thread out of a call that waits for the broker. */
struct line {
    pthread_mutex_t mu;
    int fd;   /* guarded by mu; -1: no connection */
    bool cut; /* guarded by mu: no connection may come about any more */
};
void line_init(struct line *line);
void line_end(struct line *line);
void line_cut(struct line *line);
/* Waits for the end of the thread that was told to end; after a second it gets no more from the broker. */
void line_join(struct line *line, pthread_t thread);

struct broker_options {
    const struct login_broker *login;
    const char *vhost;
    const char *name; /* by which the broker's operator sees the connection */
    bool verify_tls;
    size_t max_body;         /* bytes of a message; larger ones are told of without their body */
    const char *ca_file;     /* authorities that are trusted; NULL: those of the system */
    const atomic_bool *stop; /* true: nothing new is tried */
    struct line *line;
    struct resolver *resolver;
};

/* Connects and logs in; waits some seconds at most. *refused: the broker is there, but not for this user. */
enum aibox_status broker_open(const struct broker_options *options, struct broker **out, bool *refused,
                              struct aibox_error *err);
/* Says good-bye if the connection still stands. NULL is allowed. */
void broker_close(struct broker *broker);

/* How a call went. Of the last two broker_reason() tells more. */
enum broker_result {
    BROKER_OK,
    BROKER_CHANNEL_GONE, /* the broker has closed the channel; it may be opened again */
    BROKER_LOST          /* there is no connection any more */
};
const char *broker_reason(const struct broker *broker);
int broker_code(const struct broker *broker); /* AMQP's reply code: 404 not found, 403, 406 …; 0: none */

enum broker_result broker_channel_open(struct broker *broker, int channel);
/* Whatever was not acknowledged goes back into its queue. */
enum broker_result broker_channel_close(struct broker *broker, int channel);
/* `passive`: only looked for, CHANNEL_GONE with code 404 when it is not there. */
enum broker_result broker_declare_queue(struct broker *broker, int channel, const char *name, bool passive,
                                        bool durable);
enum broker_result broker_declare_exchange(struct broker *broker, int channel, const struct login_exchange *exchange,
                                           bool passive);
enum broker_result broker_bind(struct broker *broker, int channel, const char *queue, const char *exchange,
                               const char *routing_key);
/* From now on at most `prefetch` messages come that are not acknowledged. */
enum broker_result broker_consume(struct broker *broker, int channel, const char *queue, uint16_t prefetch);
enum broker_result broker_ack(struct broker *broker, int channel, uint64_t tag);
/* Each message that is published on the channel is confirmed, the first with tag 1. */
enum broker_result broker_confirm_select(struct broker *broker, int channel);
/* To the queue, persistent; returned when there is no such queue. */
enum broker_result broker_publish(struct broker *broker, int channel, const char *queue, const char *message_id,
                                  const void *body, size_t size);

enum broker_event_kind {
    BROKER_NOTHING,
    BROKER_DELIVERED,
    BROKER_RETURNED,
    BROKER_CONFIRMED,
    BROKER_CANCELLED,      /* the broker consumes no longer for us: the queue is gone */
    BROKER_CHANNEL_CLOSED, /* see broker_reason() */
    BROKER_BLOCKED,        /* the broker takes no messages for now; see broker_reason() */
    BROKER_UNBLOCKED
};

struct broker_event {
    enum broker_event_kind kind;
    int channel;
    /* DELIVERED */
    uint64_t tag; /* also CONFIRMED */
    bool redelivered;
    bool too_large;      /* the body was skipped */
    const uint8_t *body; /* valid until the next call; NULL when empty */
    size_t size;         /* as announced */
    /* RETURNED */
    char message_id[64];
    /* CONFIRMED */
    bool multiple; /* this and all earlier ones */
    bool refused;  /* the broker could not take charge of them */
};

/* The next thing that has come, without waiting; NOTHING: there is nothing. OK or LOST. */
enum broker_result broker_read(struct broker *broker, struct broker_event *out);
/* Waits until something has come, `wake_fd` is readable (-1: none), or for `wait_ms`. */
void broker_wait(struct broker *broker, int wake_fd, int wait_ms);

#endif
