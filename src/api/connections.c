#include "api/connections.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/clock.h"

#define WATCH_MS 500
#define BUCKETS  256 /* of the table of addresses; a power of two */

/* Connections of one address, or of one /64. */
struct peer {
    struct peer *next;
    struct address address;
    size_t count;
};

struct connection {
    struct connection *next, *previous; /* guarded by connections.mu */
    struct peer *peer;                  /* NULL: not counted (loopback) */
    struct address address;
    int fd;
    bool local;
    _Atomic int64_t deadline_ms;
};

struct connections {
    pthread_mutex_t mu; /* guards the list, the peers, the counters and `closing` */
    pthread_cond_t wake;
    struct connection *first;
    struct peer *peers[BUCKETS];
    size_t per_address;
    size_t open;
    uint64_t ended;
    bool closing;
    pthread_t watcher;
};

/* What is counted together: an IPv4 address, or the /64 that one IPv6 subscriber has for himself. */
static struct address peer_key(const struct address *address)
{
    struct address key = *address;

    if (!address_is_v4(address))
        memset(key.bytes + 8, 0, 8);
    return key;
}

static struct peer **bucket_of(struct connections *connections, const struct address *key)
{
    uint32_t hash = 2166136261U; /* FNV-1a */

    for (size_t i = 0; i < sizeof key->bytes; i++)
        hash = (hash ^ key->bytes[i]) * 16777619U;
    return &connections->peers[hash % BUCKETS];
}

static struct peer *find_peer(struct connections *connections, const struct address *key)
{
    struct peer *peer = *bucket_of(connections, key);

    while (peer && !address_equal(&peer->address, key))
        peer = peer->next;
    return peer;
}

static struct peer *find_or_add_peer(struct connections *connections, const struct address *key)
{
    struct peer **bucket = bucket_of(connections, key);
    struct peer *peer = find_peer(connections, key);

    if (peer)
        return peer;
    peer = calloc(1, sizeof *peer);
    if (!peer)
        return NULL;
    peer->address = *key;
    peer->next = *bucket;
    *bucket = peer;
    return peer;
}

static void leave_peer(struct connections *connections, struct peer *peer)
{
    struct peer **link = bucket_of(connections, &peer->address);

    if (--peer->count > 0)
        return;
    while (*link != peer)
        link = &(*link)->next;
    *link = peer->next;
    free(peer);
}

/* Shuts down what is past its deadline. Lock held: until it is removed a connection's descriptor is its own. */
static void end_late_ones(struct connections *connections)
{
    int64_t now = clock_monotonic_ms();

    for (struct connection *each = connections->first; each; each = each->next) {
        if (now < atomic_load_explicit(&each->deadline_ms, memory_order_relaxed))
            continue;
        (void)shutdown(each->fd, SHUT_RDWR);
        connection_set_deadline(each, CONNECTION_NO_DEADLINE);
        connections->ended++;
    }
}

static void *watch(void *arg)
{
    struct connections *connections = arg;

    pthread_mutex_lock(&connections->mu);
    while (!connections->closing) {
        struct timespec until = clock_deadline(WATCH_MS);

        (void)pthread_cond_timedwait(&connections->wake, &connections->mu, &until);
        end_late_ones(connections);
    }
    pthread_mutex_unlock(&connections->mu);
    return NULL;
}

enum aibox_status connections_open(size_t per_address, struct connections **out, struct aibox_error *err)
{
    struct connections *connections = calloc(1, sizeof *connections);

    *out = NULL;
    if (!connections)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    connections->per_address = per_address;
    if (pthread_mutex_init(&connections->mu, NULL) != 0)
        goto no_mutex;
    if (!clock_cond_init(&connections->wake))
        goto no_cond;
    if (pthread_create(&connections->watcher, NULL, watch, connections) != 0)
        goto no_thread;
    *out = connections;
    return AIBOX_OK;

no_thread:
    (void)pthread_cond_destroy(&connections->wake);
no_cond:
    (void)pthread_mutex_destroy(&connections->mu);
no_mutex:
    free(connections);
    return error_set(err, AIBOX_PROCESS_FAILED, "the thread that watches connections can't be started");
}

void connections_close(struct connections *connections)
{
    if (!connections)
        return;
    pthread_mutex_lock(&connections->mu);
    connections->closing = true;
    (void)pthread_cond_signal(&connections->wake);
    pthread_mutex_unlock(&connections->mu);
    (void)pthread_join(connections->watcher, NULL);
    (void)pthread_cond_destroy(&connections->wake);
    (void)pthread_mutex_destroy(&connections->mu);
    free(connections);
}

bool connections_admit(struct connections *connections, const struct address *address)
{
    struct address key = peer_key(address);
    const struct peer *peer;
    bool admitted;

    if (address_is_loopback(address))
        return true;
    pthread_mutex_lock(&connections->mu);
    peer = find_peer(connections, &key);
    admitted = !peer || peer->count < connections->per_address;
    pthread_mutex_unlock(&connections->mu);
    return admitted;
}

struct connection *connections_add(struct connections *connections, int fd, const struct address *address, bool local,
                                   int64_t deadline_ms)
{
    struct connection *connection = calloc(1, sizeof *connection);
    struct address key = peer_key(address);

    if (!connection)
        return NULL;
    connection->address = *address;
    connection->fd = fd;
    connection->local = local;
    atomic_init(&connection->deadline_ms, deadline_ms);
    pthread_mutex_lock(&connections->mu);
    if (!address_is_loopback(address) && !local) {
        connection->peer = find_or_add_peer(connections, &key);
        if (connection->peer)
            connection->peer->count++;
    }
    connection->next = connections->first;
    if (connection->next)
        connection->next->previous = connection;
    connections->first = connection;
    connections->open++;
    pthread_mutex_unlock(&connections->mu);
    return connection;
}

void connections_remove(struct connections *connections, struct connection *connection)
{
    pthread_mutex_lock(&connections->mu);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        connections->first = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    if (connection->peer)
        leave_peer(connections, connection->peer);
    connections->open--;
    pthread_mutex_unlock(&connections->mu);
    free(connection);
}

void connection_set_deadline(struct connection *connection, int64_t deadline_ms)
{
    atomic_store_explicit(&connection->deadline_ms, deadline_ms, memory_order_relaxed);
}

const struct address *connection_address(const struct connection *connection)
{
    return &connection->address;
}

bool connection_is_local(const struct connection *connection)
{
    return connection->local;
}

void connections_count(struct connections *connections, size_t *open, uint64_t *ended)
{
    pthread_mutex_lock(&connections->mu);
    *open = connections->open;
    *ended = connections->ended;
    pthread_mutex_unlock(&connections->mu);
}
