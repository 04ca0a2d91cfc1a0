#include "receiver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "core/buffer.h"
#include "core/clock.h"

#define CHUNK        65536
#define MOST_CLIENTS 16
#define MOST_REQUEST ((size_t)32 << 20)

struct client {
    int socket;
    struct buffer in;
};

struct receiver {
    bool hangs;
    int listener, stop, port;
    struct client clients[MOST_CLIENTS]; /* the thread's own */
    size_t n;
    pthread_t thread;
    pthread_mutex_t mu; /* guards what follows */
    pthread_cond_t came;
    size_t count;
    int64_t at_us; /* of the newest */
};

static void take_client(struct receiver *receiver)
{
    int socket = accept(receiver->listener, NULL, NULL);

    if (socket < 0)
        return;
    if (receiver->n == MOST_CLIENTS) {
        close(socket);
        return;
    }
    struct client *client = &receiver->clients[receiver->n++];
    client->socket = socket;
    buffer_init(&client->in, MOST_REQUEST);
}

static void drop_client(struct receiver *receiver, size_t i)
{
    close(receiver->clients[i].socket);
    buffer_free(&receiver->clients[i].in);
    receiver->clients[i] = receiver->clients[--receiver->n];
}

/* A whole request is counted and, by one who does, answered. */
static bool take_request(struct receiver *receiver, struct client *client)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    size_t head, total;
    int http;

    if (!answer_head((const char *)client->in.data, client->in.size, &http, &head, &total) || client->in.size < total)
        return true;
    int64_t now_us = clock_monotonic_us();
    buffer_clear(&client->in);
    if (!receiver->hangs && send(client->socket, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
        return false;
    pthread_mutex_lock(&receiver->mu);
    receiver->count++;
    receiver->at_us = now_us;
    pthread_cond_signal(&receiver->came);
    pthread_mutex_unlock(&receiver->mu);
    return true;
}

static bool take_bytes(struct receiver *receiver, struct client *client)
{
    char chunk[CHUNK];
    ssize_t n = recv(client->socket, chunk, sizeof chunk, 0);

    return n > 0 && buffer_append(&client->in, chunk, (size_t)n) && take_request(receiver, client);
}

static void *run(void *arg)
{
    struct receiver *receiver = arg;
    struct pollfd fds[MOST_CLIENTS + 2];

    for (;;) {
        size_t n = receiver->n;
        fds[0] = (struct pollfd){.fd = receiver->stop, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = receiver->listener, .events = POLLIN};
        for (size_t i = 0; i < n; i++)
            fds[i + 2] = (struct pollfd){.fd = receiver->clients[i].socket, .events = POLLIN};
        if (poll(fds, (nfds_t)n + 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[0].revents)
            return NULL;
        for (size_t i = n; i-- > 0;) /* backwards: a dropped one's place is taken by the last */
            if (fds[i + 2].revents && !take_bytes(receiver, &receiver->clients[i]))
                drop_client(receiver, i);
        if (fds[1].revents)
            take_client(receiver);
    }
}

enum aibox_status receiver_open(bool hangs, struct receiver **out, struct aibox_error *err)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    if (!receiver)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    receiver->hangs = hangs;
    receiver->stop = eventfd(0, EFD_CLOEXEC);
    receiver->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_mutex_init(&receiver->mu, NULL);
    if (receiver->stop < 0 || receiver->listener < 0 ||
        bind(receiver->listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(receiver->listener, MOST_CLIENTS) != 0 ||
        getsockname(receiver->listener, (struct sockaddr *)&address, &size) != 0 || !clock_cond_init(&receiver->came))
        goto no_socket;
    receiver->port = ntohs(address.sin_port);
    if (pthread_create(&receiver->thread, NULL, run, receiver) != 0)
        goto no_thread;
    *out = receiver;
    return AIBOX_OK;

no_thread:
    pthread_cond_destroy(&receiver->came);
no_socket:
    pthread_mutex_destroy(&receiver->mu);
    if (receiver->listener >= 0)
        close(receiver->listener);
    if (receiver->stop >= 0)
        close(receiver->stop);
    free(receiver);
    return error_set(err, AIBOX_PROCESS_FAILED, "can't receive reports: %s", strerror(errno));
}

void receiver_close(struct receiver *receiver)
{
    if (!receiver)
        return;
    (void)eventfd_write(receiver->stop, 1);
    pthread_join(receiver->thread, NULL);
    while (receiver->n > 0)
        drop_client(receiver, receiver->n - 1);
    pthread_cond_destroy(&receiver->came);
    pthread_mutex_destroy(&receiver->mu);
    close(receiver->listener);
    close(receiver->stop);
    free(receiver);
}

int receiver_port(const struct receiver *receiver)
{
    return receiver->port;
}

size_t receiver_count(struct receiver *receiver)
{
    pthread_mutex_lock(&receiver->mu);
    size_t count = receiver->count;
    pthread_mutex_unlock(&receiver->mu);
    return count;
}

bool receiver_wait(struct receiver *receiver, size_t n, int64_t ms, int64_t *at_us)
{
    struct timespec until = clock_deadline(ms);
    int late = 0;

    pthread_mutex_lock(&receiver->mu);
    while (receiver->count < n && late == 0)
        late = pthread_cond_timedwait(&receiver->came, &receiver->mu, &until);
    bool came = receiver->count >= n;
    *at_us = receiver->at_us;
    pthread_mutex_unlock(&receiver->mu);
    return came;
}
