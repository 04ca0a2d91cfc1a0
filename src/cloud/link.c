/*
 * The states of the link.
 *
 *   state        what happens                                       leaves to
 *   off          nothing: serial number or address are not set      logging_in   they are
 *   logging_in   the platform is asked                 log_in()     connecting   it answered
 *                                                                   waiting      it did not, or uselessly
 *   connecting   to the broker that it named           connect()    declaring    the broker let the box in
 *                                                                   waiting      it did not
 *   declaring    exchange, queue, binding       consumer_tend()     listening    messages come
 *                                                                   waiting      something is missing or refused
 *   listening    messages go into the inbox, acks back  stay()      paused       the inbox is full
 *                                                                   waiting      the connection is lost
 *   paused       the inbox is full; the connection stands           listening    there is room again
 *   waiting      for the next try: 1 s, doubling to 60 s            logging_in, connecting, declaring
 *
 *   From each state to off or logging_in when the settings change, at once.
 *
 * Timers
 *   login         10 s for the answer                                login.c
 *   broker        5 s to connect, 10 s for each call                 broker.c
 *   heartbeat     every 20 s; a broker silent for 40 s is lost       broker.c, by broker_read()
 *   retry         starts over once the link has listened for 10 s    retry.h
 *
 * Invariants
 *   1. After MOST_TRIES failures at the broker in a row, or when it refuses the user, the platform is asked again: what
 *      it said before may have changed.
 *   2. A message is acknowledged only when it is durable in the inbox, and none is executed here: this thread has time
 *      for heartbeats.
 *   3. Whoever needs the session holds it; the one in force is replaced when a login succeeds and taken away when the
 *      settings change, never because the broker is away.
 */
#include "cloud/link.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cloud/broker.h"
#include "cloud/consumer.h"
#include "cloud/retry.h"
#include "core/clock.h"
#include "core/log.h"
#include "flow/box_address.h"
#include "store/commands.h"

#define MOST_TRIES    5
#define STEADY_MS     10000 /* who has listened for so long begins anew with the waits */
#define TURN_EVENTS   64    /* taken in a row before other things get their turn */
#define TURN_MS       500
#define PAUSED_MS     100
#define MAX_DEV_SNO   64
#define MAX_LOGIN_URL 1024

enum link_state {
    LINK_OFF,
    LINK_LOGGING_IN,
    LINK_CONNECTING,
    LINK_DECLARING,
    LINK_LISTENING,
    LINK_PAUSED,
    LINK_WAITING
};

static const char *const state_names[] = {"off",       "logging_in", "connecting", "declaring",
                                          "listening", "paused",     "waiting"};

/* Of a queue, for others to see. */
struct queue_view {
    char name[LOGIN_MAX_NAME + 1];
    enum consumer_state state;
    char error[CONSUMER_REASON];
};

struct cloud_link {
    struct cloud_link_context context;
    pthread_t thread;
    int wake_fd;
    struct line line;
    struct resolver resolver; /* link's thread */
    atomic_bool stopping;
    atomic_bool interrupted; /* stopping, or the settings have changed: whatever is under way is to end */
    struct consumer_counters counters[STORE_INBOX_QUEUES];
    _Atomic uint64_t logins, login_failures, connections, connection_failures;
    struct retry retry; /* link's thread */

    pthread_mutex_t mu; /* guards what follows; leaf */
    enum link_state state;
    int64_t since_ms;    /* Unix ms */
    int64_t next_try_ms; /* Unix ms; 0: none is waited for */
    char error[512];     /* the last failure, "" before the first */
    int64_t error_ms;
    struct queue_view queues[STORE_INBOX_QUEUES];
};

/* ---- what others see -------------------------------------------------------------------------------------------- */

static void set_state(struct cloud_link *link, enum link_state state)
{
    pthread_mutex_lock(&link->mu);
    bool changed = link->state != state;
    if (changed) {
        link->state = state;
        link->since_ms = clock_realtime_ms();
        link->next_try_ms = 0;
    }
    pthread_mutex_unlock(&link->mu);
    if (changed)
        log_debug("cloud", "link state=%s", state_names[state]);
}

static void set_error(struct cloud_link *link, const char *what, const char *reason)
{
    pthread_mutex_lock(&link->mu);
    bool same = strcmp(link->error, reason) == 0 && link->state != LINK_LISTENING;
    (void)snprintf(link->error, sizeof link->error, "%s", reason);
    link->error_ms = clock_realtime_ms();
    pthread_mutex_unlock(&link->mu);
    if (!same)
        log_warn("cloud", "%s reason=\"%s\"", what, reason);
}

static void show_queue(struct cloud_link *link, const struct consumer *consumer)
{
    struct queue_view *view = &link->queues[consumer->queue];

    pthread_mutex_lock(&link->mu);
    (void)snprintf(view->name, sizeof view->name, "%s", consumer->name);
    view->state = consumer->state;
    memcpy(view->error, consumer->error, sizeof view->error);
    pthread_mutex_unlock(&link->mu);
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static void wake(struct cloud_link *link)
{
    uint64_t one = 1;

    atomic_store(&link->interrupted, true);
    while (write(link->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* Until woken; `wait_ms` < 0: without limit. */
static void sleep_for(struct cloud_link *link, int64_t wait_ms)
{
    int64_t until_ms = clock_monotonic_ms() + wait_ms;
    struct pollfd item = {.fd = link->wake_fd, .events = POLLIN};

    while (!atomic_load(&link->interrupted)) {
        int64_t left_ms = wait_ms < 0 ? -1 : until_ms - clock_monotonic_ms();
        if (wait_ms >= 0 && left_ms <= 0)
            break;
        (void)poll(&item, 1, (int)left_ms);
    }
}

static void wait_before_next_try(struct cloud_link *link)
{
    int64_t wait_ms = retry_next_ms(&link->retry);

    if (atomic_load(&link->interrupted))
        return;
    set_state(link, LINK_WAITING);
    pthread_mutex_lock(&link->mu);
    link->next_try_ms = clock_realtime_ms() + wait_ms;
    pthread_mutex_unlock(&link->mu);
    sleep_for(link, wait_ms);
}

/* ---- listening --------------------------------------------------------------------------------------------------- */

static bool tend(struct cloud_link *link, struct broker *broker, struct consumer consumers[STORE_INBOX_QUEUES])
{
    for (size_t i = 0; i < STORE_INBOX_QUEUES; i++) {
        enum consumer_state before = consumers[i].state;
        if (before == CONSUMER_CLOSED && i == STORE_INBOX_MAIN && clock_monotonic_ms() >= consumers[i].due_ms)
            set_state(link, LINK_DECLARING);
        enum broker_result result = consumer_tend(&consumers[i], broker);
        if (result != BROKER_OK)
            return false;
    }
    return true;
}

/* What the main queue is like is what the link is like. */
static void show_state(struct cloud_link *link, const struct consumer consumers[STORE_INBOX_QUEUES])
{
    static const enum link_state states[] = {LINK_WAITING, LINK_LISTENING, LINK_PAUSED};
    const struct consumer *main = &consumers[STORE_INBOX_MAIN];
    int64_t left_ms = main->due_ms - clock_monotonic_ms();

    for (size_t i = 0; i < STORE_INBOX_QUEUES; i++)
        show_queue(link, &consumers[i]);
    set_state(link, states[main->state]);
    pthread_mutex_lock(&link->mu);
    if (main->state == CONSUMER_CLOSED)
        link->next_try_ms = clock_realtime_ms() + (left_ms > 0 ? left_ms : 0);
    if (main->error[0] && strcmp(link->error, main->error) != 0) {
        (void)snprintf(link->error, sizeof link->error, "%s", main->error);
        link->error_ms = clock_realtime_ms();
    }
    pthread_mutex_unlock(&link->mu);
}

/* Takes what has come. False: the connection is lost. */
static bool hear(struct cloud_link *link, struct broker *broker, struct consumer consumers[STORE_INBOX_QUEUES])
{
    struct broker_event event;

    for (int i = 0; i < TURN_EVENTS; i++) {
        if (broker_read(broker, &event) != BROKER_OK)
            return false;
        if (event.kind == BROKER_NOTHING)
            break;
        if (event.channel < 1 || event.channel > STORE_INBOX_QUEUES)
            continue;
        struct consumer *consumer = &consumers[event.channel - 1];
        bool added = false;
        enum broker_result result = consumer_hear(consumer, broker, &event, &added);
        if (added)
            link->context.command_came(link->context.ctx, consumer->queue);
        if (result != BROKER_OK)
            return false;
    }
    return true;
}

/* Until the connection is lost, too much failed, or the thread is interrupted. True: it has listened for a while. */
static bool stay(struct cloud_link *link, struct broker *broker, struct consumer consumers[STORE_INBOX_QUEUES])
{
    int64_t listening_ms = 0; /* since when */
    struct consumer *main = &consumers[STORE_INBOX_MAIN];
    bool standing = true;

    while (standing && !atomic_load(&link->interrupted) && main->failures < MOST_TRIES) {
        standing = tend(link, broker, consumers) && hear(link, broker, consumers);
        show_state(link, consumers);
        if (main->state == CONSUMER_CLOSED)
            listening_ms = 0;
        else if (listening_ms == 0)
            listening_ms = clock_monotonic_ms();
        if (standing)
            broker_wait(broker, link->wake_fd, main->state == CONSUMER_CONSUMING ? TURN_MS : PAUSED_MS);
    }
    if (!atomic_load(&link->interrupted) && main->failures < MOST_TRIES)
        set_error(link, "the connection to the broker is lost", broker_reason(broker));
    return listening_ms != 0 && clock_monotonic_ms() - listening_ms >= STEADY_MS;
}

static struct consumer consumer_of(struct cloud_link *link, const struct cloud_session *session,
                                   enum store_inbox_queue queue)
{
    const struct login_broker *login = &session->login.broker;

    return (struct consumer){.queue = queue,
                             .channel = (int)queue + 1,
                             .name = queue == STORE_INBOX_MAIN ? login->queue : login->fiqa_queue,
                             .login = login,
                             .dev_sno = session->dev_sno,
                             .store = link->context.store,
                             .counters = &link->counters[queue]};
}

/* Connects once and listens. *tries: failures in a row. */
static void connect_and_listen(struct cloud_link *link, const struct cloud_session *session, int *tries)
{
    struct consumer consumers[STORE_INBOX_QUEUES] = {consumer_of(link, session, STORE_INBOX_MAIN),
                                                     consumer_of(link, session, STORE_INBOX_FIQA)};
    char name[MAX_DEV_SNO + 32];
    struct broker_options options = {.login = &session->login.broker,
                                     .vhost = session->login.broker.vhost,
                                     .name = name,
                                     .verify_tls = settings_bool(link->context.settings, "cloud.verify_tls"),
                                     .ca_file = getenv("SSL_CERT_FILE"),
                                     .max_body = STORE_MAX_COMMAND,
                                     .stop = &link->interrupted,
                                     .line = &link->line,
                                     .resolver = &link->resolver};
    struct broker *broker;
    struct aibox_error err = {0};
    bool refused;

    (void)snprintf(name, sizeof name, "aibox %s commands", session->dev_sno);
    set_state(link, LINK_CONNECTING);
    if (broker_open(&options, &broker, &refused, &err) != AIBOX_OK) {
        if (!atomic_load(&link->interrupted))
            set_error(link, "the broker can't be used", err.message);
        atomic_fetch_add(&link->connection_failures, 1);
        *tries = refused ? MOST_TRIES : *tries + 1;
        return;
    }
    atomic_fetch_add(&link->connections, 1);
    *tries = stay(link, broker, consumers) ? 0 : *tries + 1;
    if (*tries == 0)
        link->retry.wait_ms = 0;
    if (consumers[STORE_INBOX_MAIN].failures >= MOST_TRIES)
        *tries = MOST_TRIES;
    broker_close(broker);
    for (size_t i = 0; i < STORE_INBOX_QUEUES; i++) {
        consumer_lose(&consumers[i]);
        show_queue(link, &consumers[i]);
    }
}

/* ---- logging in -------------------------------------------------------------------------------------------------- */

static struct cloud_session *log_in(struct cloud_link *link, const char *dev_sno, const char *login_url)
{
    char hex_mac[BOX_MAC_SIZE];
    struct login login = {0};
    struct cloud_session *session = NULL;
    struct aibox_error err = {0};

    set_state(link, LINK_LOGGING_IN);
    enum aibox_status status = box_mac(link->context.store, hex_mac, &err);
    if (status == AIBOX_OK)
        status = login_ask(login_url, dev_sno, hex_mac, settings_bool(link->context.settings, "cloud.verify_tls"),
                           &link->interrupted, &login, &err);
    if (status == AIBOX_OK && !(session = session_new(dev_sno, login_url, &login)))
        status = error_set(&err, AIBOX_PROCESS_FAILED, "out of memory");
    login_free(&login);
    if (status == AIBOX_OK) {
        atomic_fetch_add(&link->logins, 1);
        log_info("cloud", "logged in to the platform broker=%s:%d queue=\"%s\"", session->login.broker.host,
                 session->login.broker.port, session->login.broker.queue);
    } else if (!atomic_load(&link->interrupted)) {
        error_prefix(&err, "login");
        set_error(link, "the platform can't be logged in to", err.message);
        atomic_fetch_add(&link->login_failures, 1);
    }
    return session;
}

static void put_into_force(struct cloud_link *link, struct cloud_session *session)
{
    session_set(link->context.sessions, session);
    link->context.session_changed(link->context.ctx);
}

/* Works with these settings until they change. */
static void serve(struct cloud_link *link, const char *dev_sno, const char *login_url)
{
    link->retry.wait_ms = 0;
    while (!atomic_load(&link->interrupted)) {
        struct cloud_session *session = log_in(link, dev_sno, login_url);
        if (session && !atomic_load(&link->interrupted))
            put_into_force(link, session);
        for (int tries = 0; session && tries < MOST_TRIES && !atomic_load(&link->interrupted);) {
            connect_and_listen(link, session, &tries);
            if (tries < MOST_TRIES)
                wait_before_next_try(link);
        }
        session_release(session);
        wait_before_next_try(link);
    }
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

static void *run(void *arg)
{
    struct cloud_link *link = arg;
    char dev_sno[MAX_DEV_SNO + 1], login_url[MAX_LOGIN_URL + 1];
    uint64_t wakes;

    pthread_setname_np(pthread_self(), "cloud-link");
    while (!atomic_load(&link->stopping)) {
        /* In this order: a change behind the first line interrupts what follows. */
        atomic_store(&link->interrupted, false);
        if (atomic_load(&link->stopping))
            break;
        while (read(link->wake_fd, &wakes, sizeof wakes) < 0 && errno == EINTR)
            ;
        settings_text(link->context.settings, "cloud.dev_sno", dev_sno, sizeof dev_sno);
        settings_text(link->context.settings, "cloud.login_url", login_url, sizeof login_url);
        if (dev_sno[0] && login_url[0]) {
            serve(link, dev_sno, login_url);
        } else {
            set_state(link, LINK_OFF);
            sleep_for(link, -1);
        }
        if (!atomic_load(&link->stopping))
            put_into_force(link, NULL);
    }
    set_state(link, LINK_OFF);
    resolver_leave(&link->resolver);
    return NULL;
}

enum aibox_status cloud_link_open(const struct cloud_link_context *context, struct cloud_link **out,
                                  struct aibox_error *err)
{
    struct cloud_link *link = calloc(1, sizeof *link);

    *out = NULL;
    if (!link)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    link->context = *context;
    link->since_ms = clock_realtime_ms();
    link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    line_init(&link->line);
    pthread_mutex_init(&link->mu, NULL);
    if (link->wake_fd < 0 || pthread_create(&link->thread, NULL, run, link) != 0) {
        if (link->wake_fd >= 0)
            close(link->wake_fd);
        pthread_mutex_destroy(&link->mu);
        line_end(&link->line);
        free(link);
        return error_set(err, AIBOX_PROCESS_FAILED, "no thread for the link to the platform");
    }
    *out = link;
    return AIBOX_OK;
}

void cloud_link_close(struct cloud_link *link)
{
    if (!link)
        return;
    atomic_store(&link->stopping, true);
    wake(link);
    line_join(&link->line, link->thread);
    close(link->wake_fd);
    pthread_mutex_destroy(&link->mu);
    line_end(&link->line);
    free(link);
}

void cloud_link_reconfigure(struct cloud_link *link)
{
    wake(link);
}

/* ---- figures ----------------------------------------------------------------------------------------------------- */

void cloud_link_figures(struct cloud_link *link, struct cloud_link_figures *out)
{
    pthread_mutex_lock(&link->mu);
    *out = (struct cloud_link_figures){.listening = link->state == LINK_LISTENING};
    pthread_mutex_unlock(&link->mu);
    out->logins = atomic_load(&link->logins);
    out->login_failures = atomic_load(&link->login_failures);
    out->connections = atomic_load(&link->connections);
    out->connection_failures = atomic_load(&link->connection_failures);
    for (size_t i = 0; i < STORE_INBOX_QUEUES; i++) {
        out->received += atomic_load(&link->counters[i].received);
        out->acked += atomic_load(&link->counters[i].acked);
        out->duplicates += atomic_load(&link->counters[i].duplicates);
        out->dead += atomic_load(&link->counters[i].dead);
    }
}

static void print_queue(const struct queue_view *view, struct json_out *out)
{
    static const char *const names[] = {"closed", "consuming", "paused"};

    json_out_object_begin(out);
    json_out_key_text(out, "name", view->name);
    json_out_key_text(out, "state", names[view->state]);
    json_out_key_text(out, "last_error", view->error);
    json_out_object_end(out);
}

void cloud_link_print(struct cloud_link *link, struct json_out *out)
{
    pthread_mutex_lock(&link->mu);
    json_out_key_text(out, "state", state_names[link->state]);
    json_out_key_int(out, "since", link->since_ms);
    json_out_key_text(out, "last_error", link->error);
    json_out_key_int(out, "last_error_at", link->error_ms);
    json_out_key_int(out, "next_try", link->next_try_ms);
    json_out_key(out, "queues");
    json_out_array_begin(out);
    for (size_t i = 0; i < STORE_INBOX_QUEUES; i++)
        if (link->queues[i].name[0])
            print_queue(&link->queues[i], out);
    json_out_array_end(out);
    pthread_mutex_unlock(&link->mu);
}
