#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "core/clock.h"

#define CHUNK 65536

/* A connection is either waiting for the rest of an answer, or has just sent the next request. */
struct client {
    struct connection connection;
    size_t total; /* of the answer; 0: its head has not been read */
    int http;
};

struct load {
    const struct buffer *request;
    struct client clients[LOAD_MAX_CONNECTIONS];
    size_t n_clients;
    int epoll;
    struct load_result *result;
};

/* A request is small: it fits into the socket's buffer, which is empty whenever an answer is complete. */
static bool send_request(const struct load *load, struct client *client)
{
    client->total = 0;
    buffer_clear(&client->connection.in);
    return send(client->connection.socket, load->request->data, load->request->size, MSG_NOSIGNAL) ==
           (ssize_t)load->request->size;
}

static bool take_bytes(struct load *load, struct client *client)
{
    char chunk[CHUNK];
    struct buffer *in = &client->connection.in;
    size_t head;
    ssize_t n = recv(client->connection.socket, chunk, sizeof chunk, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0 || !buffer_append(in, chunk, (size_t)n))
        return false;
    if (client->total == 0) {
        if (!answer_head((const char *)in->data, in->size, &client->http, &head, &client->total))
            return true;
        if (client->total == 0)
            return false;
    }
    if (in->size < client->total)
        return true;
    load->result->answers++;
    load->result->failures += client->http == 200 ? 0 : 1;
    return send_request(load, client);
}

static bool open_clients(struct load *load, const struct daemon *daemon, size_t n, struct aibox_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct client *client = &load->clients[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        if (connection_open(daemon, &client->connection, err) != AIBOX_OK)
            return false;
        load->n_clients++;
        if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->connection.socket, &event) != 0 ||
            !send_request(load, client))
            return false;
    }
    return true;
}

static bool turn(struct load *load, int64_t end_us)
{
    struct epoll_event events[LOAD_MAX_CONNECTIONS];
    while (clock_monotonic_us() < end_us) {
        int n = epoll_wait(load->epoll, events, LOAD_MAX_CONNECTIONS, 100);
        if (n < 0)
            return false;
        for (int i = 0; i < n; i++)
            if (!take_bytes(load, events[i].data.ptr))
                return false;
    }
    return true;
}

enum aibox_status load_run(const struct daemon *daemon, const struct buffer *request, size_t connections,
                           double seconds, struct load_result *out, struct aibox_error *err)
{
    struct load load = {.request = request, .epoll = epoll_create1(EPOLL_CLOEXEC), .result = out};
    *out = (struct load_result){0};
    enum aibox_status status = error_set(err, AIBOX_PROCESS_FAILED, "the box closed a connection");
    if (load.epoll >= 0 && connections <= LOAD_MAX_CONNECTIONS && open_clients(&load, daemon, connections, err)) {
        int64_t start = clock_monotonic_us();
        if (turn(&load, start + (int64_t)(seconds * 1e6)))
            status = AIBOX_OK;
        out->per_second = (double)(out->answers - out->failures) / ((double)(clock_monotonic_us() - start) / 1e6);
    }
    for (size_t i = 0; i < load.n_clients; i++)
        connection_close(&load.clients[i].connection);
    if (load.epoll >= 0)
        close(load.epoll);
    return status;
}
