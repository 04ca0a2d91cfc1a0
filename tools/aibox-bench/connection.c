#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 65536

enum aibox_status connection_open(const struct daemon *daemon, struct connection *out, struct aibox_error *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)daemon->port)};
    int one = 1;
    buffer_init(&out->in, CONNECTION_ANSWER_MAX);
    out->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (out->socket < 0 || inet_pton(AF_INET, daemon->host, &address.sin_addr) != 1 ||
        connect(out->socket, (const struct sockaddr *)&address, sizeof address) != 0) {
        error_set(err, AIBOX_PROCESS_FAILED, "can't connect to the box: %s", strerror(errno));
        connection_close(out);
        return AIBOX_PROCESS_FAILED;
    }
    setsockopt(out->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return AIBOX_OK;
}

void connection_close(struct connection *connection)
{
    if (connection->socket >= 0)
        close(connection->socket);
    connection->socket = -1;
    buffer_free(&connection->in);
}

void request_build(struct buffer *request, const struct daemon *daemon, const char *method, const char *path,
                   const char *body)
{
    buffer_clear(request);
    buffer_appendf(request, "%s %s HTTP/1.1\r\nHost: %s:%d\r\n", method, path, daemon->host, daemon->port);
    if (body[0] != '\0')
        buffer_appendf(request, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    buffer_append_text(request, "\r\n");
    buffer_append_text(request, body);
}

bool answer_head(const char *bytes, size_t size, int *http, size_t *head, size_t *total)
{
    static const char field[] = "\r\nContent-Length:";
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    *head = (size_t)(end - bytes) + 4;
    *total = 0;
    *http = size > 12 ? (int)strtol(bytes + 9, NULL, 10) : 0;
    for (const char *at = bytes; at < end; at++) {
        if (*at == '\r' && strncasecmp(at, field, sizeof field - 1) == 0) {
            *total = *head + strtoul(at + sizeof field - 1, NULL, 10);
            break;
        }
    }
    return true;
}

static bool send_all(int socket, const struct buffer *request)
{
    for (size_t sent = 0; sent < request->size;) {
        ssize_t n = send(socket, request->data + sent, request->size - sent, MSG_NOSIGNAL);
        if (n < 0)
            return false;
        sent += (size_t)n;
    }
    return true;
}

static bool read_answer(struct connection *connection, struct answer *answer)
{
    size_t head = 0, total = 0;
    buffer_clear(&connection->in);
    while (total == 0 || connection->in.size < total) {
        char chunk[CHUNK];
        ssize_t n = recv(connection->socket, chunk, sizeof chunk, 0);
        if (n <= 0 || !buffer_append(&connection->in, chunk, (size_t)n))
            return false;
        if (total == 0 &&
            answer_head((const char *)connection->in.data, connection->in.size, &answer->http, &head, &total) &&
            total == 0)
            return false;
    }
    answer->body = (const char *)connection->in.data + head;
    answer->size = total - head;
    return true;
}

enum aibox_status connection_call(struct connection *connection, const struct buffer *request, struct answer *answer,
                                  struct aibox_error *err)
{
    if (!send_all(connection->socket, request) || !read_answer(connection, answer))
        return error_set(err, AIBOX_PROCESS_FAILED, "the box closed the connection");
    return AIBOX_OK;
}
