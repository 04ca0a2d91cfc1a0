/*
 * The publisher.
 *
 *   state       what happens                                             leaves to
 *   idle        no login, or it names no upload queue: results wait      connecting  there is one
 *   connecting  to the broker, into uploadVHost          serve()         sending     the broker let the box in
 *                                                                        waiting     it did not
 *   sending     up to WINDOW results are on their way    send_some()     blocked     the broker says it takes nothing
 *                                                                        waiting     the connection is lost
 *   blocked     results stay in the outbox               hear()          sending     the broker takes messages again
 *   waiting     1 s, doubling to 60 s                                    connecting
 *
 *   From each state to idle or connecting when there is another session.
 *
 * Invariants
 *   1. A result leaves the outbox only when the broker has confirmed it, or when it is MOST_AGE_MS old; the latter is
 *      counted and said.
 *   2. The results of a lane are published in the order of the outbox. When one is returned (its queue is missing) or
 *      refused, no other of its lane is published until those under way have been answered; then the lane begins
 *      anew with the oldest one that is left, after a wait, and its queue is declared again before.
 *   3. What was confirmed is not published again on this connection, also while the store can't forget it: then nothing
 *      is published.
 */
#include "cloud/publisher.h"

#include <amqp.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cloud/broker.h"
#include "cloud/retry.h"
#include "core/clock.h"
#include "core/log.h"

#define CHANNEL     1
#define WINDOW      50 /* published and not confirmed */
#define LANES       2
#define MOST_AGE_MS (INT64_C(7) * 86400000)
#define TURN_MS     500
#define LOOK_MS     60000 /* between looks for results that are too old, while there is no broker */
#define MAX_REPLY   65536 /* bytes of what is returned; bodies are not wanted back */

enum publisher_state { PUBLISHER_IDLE, PUBLISHER_CONNECTING, PUBLISHER_SENDING, PUBLISHER_BLOCKED, PUBLISHER_WAITING };

static const char *const state_names[] = {"idle", "connecting", "sending", "blocked", "waiting"};

/* One lane of the outbox; publisher's thread only. */
struct lane_state {
    const char *lane;
    const char *queue; /* of the broker; "": there is none */
    int64_t last;      /* outbox_id of the last one published; 0: begin with the oldest */
    size_t under_way;  /* published and not answered */
    bool declared;     /* the queue is there */
    bool failed;       /* one was returned or refused: what is under way is waited for */
    bool said;         /* … and that was logged */
    int64_t due_ms;    /* monotonic; not before */
    struct retry retry;
};

/* A result under way. */
struct flight {
    uint64_t tag;
    int64_t outbox_id;
    struct lane_state *lane;
    bool returned;
};

struct publisher {
    struct settings *settings;
    struct store *store;
    struct session_slot *sessions;
    pthread_t thread;
    int wake_fd;
    struct line line;
    atomic_bool stopping;
    _Atomic uint64_t published, confirmed, returned, refused, expired;

    /* Publisher's thread only. */
    struct resolver resolver;
    struct retry retry;
    struct lane_state lanes[LANES];
    struct flight flights[WINDOW];
    size_t n_flights;
    uint64_t next_tag;
    int64_t done[WINDOW]; /* confirmed, to be taken out of the outbox */
    size_t n_done;
    bool blocked;

    pthread_mutex_t mu; /* guards what follows; leaf */
    enum publisher_state state;
    int64_t since_ms, next_try_ms;
    char error[512];
};

static void set_state(struct publisher *publisher, enum publisher_state state)
{
    pthread_mutex_lock(&publisher->mu);
    if (publisher->state != state) {
        publisher->state = state;
        publisher->since_ms = clock_realtime_ms();
        publisher->next_try_ms = 0;
    }
    pthread_mutex_unlock(&publisher->mu);
}

static void set_error(struct publisher *publisher, const char *reason)
{
    pthread_mutex_lock(&publisher->mu);
    bool same = strcmp(publisher->error, reason) == 0;
    (void)snprintf(publisher->error, sizeof publisher->error, "%s", reason);
    pthread_mutex_unlock(&publisher->mu);
    if (!same)
        log_warn("cloud", "results wait in the outbox reason=\"%s\"", reason);
}

static void clear_error(struct publisher *publisher)
{
    pthread_mutex_lock(&publisher->mu);
    bool was = publisher->error[0] != '\0';
    publisher->error[0] = '\0';
    pthread_mutex_unlock(&publisher->mu);
    if (was)
        log_info("cloud", "results are sent again");
}

void publisher_wake(struct publisher *publisher)
{
    uint64_t one = 1;

    while (write(publisher->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static void take_wakes(struct publisher *publisher)
{
    uint64_t wakes;

    while (read(publisher->wake_fd, &wakes, sizeof wakes) < 0 && errno == EINTR)
        ;
}

static bool in_force(struct publisher *publisher, const struct cloud_session *session)
{
    struct cloud_session *now = session_get(publisher->sessions);

    session_release(now);
    return now == session; /* this one is held: no other can have its address */
}

/* Until another session is in force, the stop, or the time is up. */
static void sleep_for(struct publisher *publisher, const struct cloud_session *session, int64_t wait_ms)
{
    int64_t until_ms = clock_monotonic_ms() + wait_ms;
    struct pollfd item = {.fd = publisher->wake_fd, .events = POLLIN};

    for (;;) {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        if (left_ms <= 0 || atomic_load(&publisher->stopping) || !in_force(publisher, session))
            break;
        if (poll(&item, 1, (int)left_ms) > 0)
            take_wakes(publisher);
    }
}

/* ---- the outbox ------------------------------------------------------------------------------------------------ */

/* Is it too old to be of use? Then it is gone afterwards. */
static bool expire(struct publisher *publisher, const struct lane_state *lane,
                   const struct store_outbox_message *message)
{
    if (clock_realtime_ms() - message->created_ms < MOST_AGE_MS)
        return false;
    if (store_outbox_done(publisher->store, message->outbox_id, NULL) == AIBOX_OK) {
        if (atomic_fetch_add(&publisher->expired, 1) == 0)
            log_warn("cloud", "results are dropped that could not be sent for 7 days lane=%s", lane->lane);
    }
    return true;
}

static void expire_all(struct publisher *publisher)
{
    for (size_t i = 0; i < LANES; i++) {
        struct store_outbox_message message;
        bool more = true;
        while (more && !atomic_load(&publisher->stopping)) {
            more = store_outbox_next(publisher->store, publisher->lanes[i].lane, &message, NULL) == AIBOX_OK &&
                   message.outbox_id != 0 && expire(publisher, &publisher->lanes[i], &message);
            store_outbox_message_free(&message);
        }
    }
}

/* Takes out what was confirmed. */
static void forget(struct publisher *publisher)
{
    struct aibox_error err = {0};

    if (publisher->n_done == 0)
        return;
    if (store_outbox_done_all(publisher->store, publisher->done, publisher->n_done, &err) == AIBOX_OK)
        publisher->n_done = 0;
    else
        set_error(publisher, err.message);
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static void fail_lane(struct publisher *publisher, struct lane_state *lane, const char *reason)
{
    if (!lane->failed && !lane->said)
        log_warn("cloud", "results can't be sent, and wait queue=\"%s\" reason=\"%s\"", lane->queue, reason);
    pthread_mutex_lock(&publisher->mu);
    (void)snprintf(publisher->error, sizeof publisher->error, "%s: %s", lane->queue, reason);
    pthread_mutex_unlock(&publisher->mu);
    lane->failed = lane->said = true;
}

/* Its queue is looked for, else made. */
static enum broker_result declare(struct publisher *publisher, struct broker *broker, struct lane_state *lane)
{
    enum broker_result result = broker_declare_queue(broker, CHANNEL, lane->queue, true, true);

    if (result == BROKER_CHANNEL_GONE && broker_code(broker) == AMQP_NOT_FOUND) {
        result = broker_channel_open(broker, CHANNEL);
        if (result == BROKER_OK)
            result = broker_declare_queue(broker, CHANNEL, lane->queue, false, true);
    }
    if (result == BROKER_CHANNEL_GONE)
        fail_lane(publisher, lane, broker_reason(broker));
    lane->declared = result == BROKER_OK;
    return result;
}

static bool is_ready(const struct lane_state *lane)
{
    return lane->queue[0] && !lane->failed && clock_monotonic_ms() >= lane->due_ms;
}

/* Opens the channel anew, which forgets confirms, so only while nothing is under way; and declares what is due. */
static enum broker_result open_channel(struct publisher *publisher, struct broker *broker)
{
    enum broker_result result = broker_channel_open(broker, CHANNEL);

    for (size_t i = 0; i < LANES && result == BROKER_OK; i++) {
        struct lane_state *lane = &publisher->lanes[i];
        if (!is_ready(lane) || lane->declared)
            continue;
        result = declare(publisher, broker, lane);
        if (result == BROKER_CHANNEL_GONE)
            result = broker_channel_open(broker, CHANNEL);
    }
    if (result == BROKER_OK)
        result = broker_confirm_select(broker, CHANNEL);
    publisher->next_tag = 1;
    return result;
}

/* Publishes the next one of the lane, if there is one: *sent. */
static enum broker_result send_one(struct publisher *publisher, struct broker *broker, const char *dev_sno,
                                   struct lane_state *lane, bool *sent)
{
    struct store_outbox_message message;
    char message_id[96];
    enum broker_result result = BROKER_OK;

    *sent = false;
    if (store_outbox_after(publisher->store, lane->lane, lane->last, &message, NULL) != AIBOX_OK ||
        message.outbox_id == 0)
        return BROKER_OK;
    if (!expire(publisher, lane, &message)) {
        (void)snprintf(message_id, sizeof message_id, "%s-%lld", dev_sno, (long long)message.outbox_id);
        result = broker_publish(broker, CHANNEL, lane->queue, message_id, message.payload, message.size);
        publisher->flights[publisher->n_flights++] =
            (struct flight){.tag = publisher->next_tag++, .outbox_id = message.outbox_id, .lane = lane};
        lane->under_way++;
        atomic_fetch_add(&publisher->published, 1);
    }
    lane->last = message.outbox_id;
    *sent = true;
    store_outbox_message_free(&message);
    return result;
}

static enum broker_result send_some(struct publisher *publisher, struct broker *broker, const char *dev_sno)
{
    enum broker_result result = BROKER_OK;
    bool any = true;

    while (any && result == BROKER_OK) {
        any = false;
        for (size_t i = 0; i < LANES && result == BROKER_OK; i++) {
            struct lane_state *lane = &publisher->lanes[i];
            bool sent = false;
            if (publisher->blocked || publisher->n_done > 0 || publisher->n_flights == WINDOW)
                return BROKER_OK;
            if (is_ready(lane) && lane->declared)
                result = send_one(publisher, broker, dev_sno, lane, &sent);
            any = any || sent;
        }
    }
    return result;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

/* A flight has ended; those behind it move up. */
static void land(struct publisher *publisher, size_t at, bool refused, const char *reason)
{
    struct flight flight = publisher->flights[at];

    memmove(&publisher->flights[at], &publisher->flights[at + 1],
            (--publisher->n_flights - at) * sizeof publisher->flights[0]);
    flight.lane->under_way--;
    if (flight.returned || refused) {
        atomic_fetch_add(flight.returned ? &publisher->returned : &publisher->refused, 1);
        fail_lane(publisher, flight.lane, reason);
        return;
    }
    atomic_fetch_add(&publisher->confirmed, 1);
    publisher->done[publisher->n_done++] = flight.outbox_id;
    if (!flight.lane->failed) {
        flight.lane->retry.wait_ms = 0;
        flight.lane->said = false;
        clear_error(publisher);
    }
}

static void confirm(struct publisher *publisher, const struct broker *broker, const struct broker_event *event)
{
    const char *reason = broker_reason(broker);

    for (size_t i = 0; i < publisher->n_flights;) {
        uint64_t tag = publisher->flights[i].tag;
        if (tag == event->tag || (event->multiple && tag < event->tag))
            land(publisher, i, event->refused,
                 publisher->flights[i].returned ? reason : "the broker could not take charge of it");
        else
            i++;
    }
}

/* The broker tells so before it confirms the message. */
static void note_returned(struct publisher *publisher, const char *message_id)
{
    const char *dash = strrchr(message_id, '-');
    long long outbox_id = dash ? strtoll(dash + 1, NULL, 10) : 0;

    for (size_t i = 0; i < publisher->n_flights; i++)
        if (publisher->flights[i].outbox_id == outbox_id)
            publisher->flights[i].returned = true;
}

static void forget_flights(struct publisher *publisher)
{
    publisher->n_flights = 0;
    for (size_t i = 0; i < LANES; i++)
        publisher->lanes[i].under_way = 0;
}

/* Takes what has come; *channel_gone: it has to be opened anew. */
static enum broker_result hear(struct publisher *publisher, struct broker *broker, bool *channel_gone)
{
    struct broker_event event;

    *channel_gone = false;
    for (;;) {
        enum broker_result result = broker_read(broker, &event);
        if (result != BROKER_OK || event.kind == BROKER_NOTHING)
            return result;
        if (event.kind == BROKER_CONFIRMED)
            confirm(publisher, broker, &event);
        else if (event.kind == BROKER_RETURNED)
            note_returned(publisher, event.message_id);
        else if (event.kind == BROKER_BLOCKED || event.kind == BROKER_UNBLOCKED) {
            publisher->blocked = event.kind == BROKER_BLOCKED;
            set_state(publisher, publisher->blocked ? PUBLISHER_BLOCKED : PUBLISHER_SENDING);
            log_info("cloud", "the broker %s results%s%s", publisher->blocked ? "takes no" : "takes",
                     publisher->blocked ? " reason=" : " again", publisher->blocked ? broker_reason(broker) : "");
        } else if (event.kind == BROKER_CHANNEL_CLOSED) {
            *channel_gone = true;
            return BROKER_OK;
        }
    }
}

/* Lanes that failed begin anew once nothing of theirs is under way. */
static void revive(struct publisher *publisher)
{
    for (size_t i = 0; i < LANES; i++) {
        struct lane_state *lane = &publisher->lanes[i];
        if (!lane->failed || lane->under_way > 0)
            continue;
        lane->failed = lane->declared = false;
        lane->last = 0;
        lane->due_ms = clock_monotonic_ms() + retry_next_ms(&lane->retry);
    }
}

/* ---- a connection ------------------------------------------------------------------------------------------------ */

/* A lane waits for its queue, and the channel can be opened anew for that. */
static bool must_declare(const struct publisher *publisher)
{
    for (size_t i = 0; i < LANES && publisher->n_flights == 0; i++)
        if (is_ready(&publisher->lanes[i]) && !publisher->lanes[i].declared)
            return true;
    return false;
}

/* While flights remain no channel is opened anew; so that they end, the other lane gets no new ones meanwhile. */
static bool holds_back(const struct publisher *publisher)
{
    for (size_t i = 0; i < LANES; i++)
        if (is_ready(&publisher->lanes[i]) && !publisher->lanes[i].declared)
            return true;
    return false;
}

static enum broker_result turn(struct publisher *publisher, struct broker *broker, const char *dev_sno)
{
    bool channel_gone = false;
    enum broker_result result = BROKER_OK;

    if (must_declare(publisher)) {
        result = broker_channel_close(broker, CHANNEL);
        if (result != BROKER_LOST)
            result = open_channel(publisher, broker);
    }
    if (result == BROKER_OK && !holds_back(publisher))
        result = send_some(publisher, broker, dev_sno);
    if (result == BROKER_OK)
        result = hear(publisher, broker, &channel_gone);
    forget(publisher);
    if (channel_gone || result == BROKER_CHANNEL_GONE) {
        set_error(publisher, broker_reason(broker));
        return BROKER_LOST; /* it should not happen: with the connection everything begins anew, after a wait */
    }
    revive(publisher);
    return result;
}

/* Until the connection is lost or another session is in force. */
static void serve(struct publisher *publisher, const struct cloud_session *session)
{
    char name[128];
    struct broker_options options = {.login = &session->login.broker,
                                     .vhost = session->login.broker.upload_vhost,
                                     .name = name,
                                     .verify_tls = settings_bool(publisher->settings, "cloud.verify_tls"),
                                     .ca_file = getenv("SSL_CERT_FILE"),
                                     .max_body = MAX_REPLY,
                                     .stop = &publisher->stopping,
                                     .line = &publisher->line,
                                     .resolver = &publisher->resolver};
    struct broker *broker;
    struct aibox_error err = {0};
    bool refused;

    (void)snprintf(name, sizeof name, "aibox %.64s results", session->dev_sno);
    set_state(publisher, PUBLISHER_CONNECTING);
    if (broker_open(&options, &broker, &refused, &err) != AIBOX_OK) {
        if (!atomic_load(&publisher->stopping))
            set_error(publisher, err.message);
        return;
    }
    publisher->blocked = false;
    enum broker_result result = open_channel(publisher, broker);
    set_state(publisher, PUBLISHER_SENDING);
    if (result == BROKER_OK) {
        publisher->retry.wait_ms = 0;
        if (!publisher->lanes[0].said && !publisher->lanes[1].said)
            clear_error(publisher);
    }
    while (result == BROKER_OK && !atomic_load(&publisher->stopping) && in_force(publisher, session)) {
        result = turn(publisher, broker, session->dev_sno);
        if (result != BROKER_OK)
            break;
        broker_wait(broker, publisher->wake_fd, TURN_MS);
        take_wakes(publisher);
    }
    if (result != BROKER_OK && !atomic_load(&publisher->stopping))
        set_error(publisher, broker_reason(broker));
    broker_close(broker);
}

/* Lanes begin with the oldest result, in the queues of this session. */
static void begin_lanes(struct publisher *publisher, const struct login_broker *login)
{
    const char *fiqa = login->fiqa_upload_queue[0] ? login->fiqa_upload_queue : login->upload_queue;

    forget_flights(publisher);
    publisher->lanes[0] = (struct lane_state){
        .lane = PUBLISHER_LANE_MAIN, .queue = login->upload_queue, .said = publisher->lanes[0].said};
    publisher->lanes[1] =
        (struct lane_state){.lane = PUBLISHER_LANE_FIQA, .queue = fiqa, .said = publisher->lanes[1].said};
}

static void *run(void *arg)
{
    static const struct login_broker nowhere;
    struct publisher *publisher = arg;

    pthread_setname_np(pthread_self(), "cloud-results");
    while (!atomic_load(&publisher->stopping)) {
        struct cloud_session *session = session_get(publisher->sessions);
        const struct login_broker *login = session ? &session->login.broker : &nowhere;
        begin_lanes(publisher, login);
        expire_all(publisher);
        if (session && (publisher->lanes[0].queue[0] || publisher->lanes[1].queue[0])) {
            serve(publisher, session);
            if (!atomic_load(&publisher->stopping) && in_force(publisher, session)) {
                int64_t wait_ms = retry_next_ms(&publisher->retry);
                set_state(publisher, PUBLISHER_WAITING);
                pthread_mutex_lock(&publisher->mu);
                publisher->next_try_ms = clock_realtime_ms() + wait_ms;
                pthread_mutex_unlock(&publisher->mu);
                sleep_for(publisher, session, wait_ms);
            }
        } else {
            set_state(publisher, PUBLISHER_IDLE);
            sleep_for(publisher, session, LOOK_MS);
        }
        session_release(session);
        forget(publisher);
    }
    resolver_leave(&publisher->resolver);
    return NULL;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void hear_outbox(void *ctx)
{
    publisher_wake(ctx);
}

enum aibox_status publisher_open(struct settings *settings, struct store *store, struct session_slot *sessions,
                                 struct publisher **out, struct aibox_error *err)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);

    *out = NULL;
    if (!publisher)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    publisher->settings = settings;
    publisher->store = store;
    publisher->sessions = sessions;
    publisher->since_ms = clock_realtime_ms();
    publisher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    line_init(&publisher->line);
    pthread_mutex_init(&publisher->mu, NULL);
    if (publisher->wake_fd < 0 || pthread_create(&publisher->thread, NULL, run, publisher) != 0) {
        if (publisher->wake_fd >= 0)
            close(publisher->wake_fd);
        pthread_mutex_destroy(&publisher->mu);
        line_end(&publisher->line);
        free(publisher);
        return error_set(err, AIBOX_PROCESS_FAILED, "no thread for results to the platform");
    }
    store_outbox_listen(store, hear_outbox, publisher);
    *out = publisher;
    return AIBOX_OK;
}

void publisher_close(struct publisher *publisher)
{
    if (!publisher)
        return;
    store_outbox_unlisten(publisher->store, hear_outbox, publisher);
    atomic_store(&publisher->stopping, true);
    publisher_wake(publisher);
    line_join(&publisher->line, publisher->thread);
    close(publisher->wake_fd);
    pthread_mutex_destroy(&publisher->mu);
    line_end(&publisher->line);
    free(publisher);
}

/* ---- figures ----------------------------------------------------------------------------------------------------- */

void publisher_figures(struct publisher *publisher, struct publisher_figures *out)
{
    pthread_mutex_lock(&publisher->mu);
    *out = (struct publisher_figures){.connected = publisher->state == PUBLISHER_SENDING ||
                                                   publisher->state == PUBLISHER_BLOCKED,
                                      .blocked = publisher->state == PUBLISHER_BLOCKED};
    pthread_mutex_unlock(&publisher->mu);
    out->published = atomic_load(&publisher->published);
    out->confirmed = atomic_load(&publisher->confirmed);
    out->returned = atomic_load(&publisher->returned);
    out->refused = atomic_load(&publisher->refused);
    out->expired = atomic_load(&publisher->expired);
}

void publisher_print(struct publisher *publisher, struct json_out *out)
{
    pthread_mutex_lock(&publisher->mu);
    json_out_object_begin(out);
    json_out_key_text(out, "state", state_names[publisher->state]);
    json_out_key_int(out, "since", publisher->since_ms);
    json_out_key_int(out, "next_try", publisher->next_try_ms);
    json_out_key_text(out, "last_error", publisher->error);
    json_out_object_end(out);
    pthread_mutex_unlock(&publisher->mu);
}
