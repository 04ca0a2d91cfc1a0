#include "door/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"

#define PARTING_MS 200

int64_t link_left_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_monotonic_ms();

    return left > 0 ? left : 0;
}

enum aibox_status link_failed(struct aibox_error *err, int number)
{
    const char *text = strerrordesc_np(number);

    switch (number) {
    case ETIMEDOUT:
    case EAGAIN:
    case EINPROGRESS:
        text = LINK_NO_ANSWER;
        break;
    case ECONNREFUSED:
        text = "connection refused";
        break;
    case ECONNRESET:
    case EPIPE:
        text = "connection closed by the relay";
        break;
    case EHOSTUNREACH:
    case ENETUNREACH:
        text = "no route to the host";
        break;
    case EMFILE:
    case ENFILE:
        text = "too many open files";
        break;
    default:
        break;
    }
    return error_set(err, AIBOX_REMOTE_FAILED, "%s", text ? text : "connection failed");
}

/* 0 when one of `events` (or an error that the next call will report) is there, else ETIMEDOUT. */
static int wait_until(int fd, short events, int64_t deadline_ms)
{
    struct pollfd wanted = {.fd = fd, .events = events};

    for (;;) {
        int ready = poll(&wanted, 1, (int)link_left_ms(deadline_ms));

        if (ready > 0)
            return 0;
        if (ready == 0)
            return ETIMEDOUT;
        if (errno != EINTR)
            return errno;
    }
}

/* An errno, or 0 with `*out` connected. */
static int connect_one(const struct address *address, int64_t deadline_ms, int *out)
{
    int on = 1;
    int failure = 0;
    socklen_t size = sizeof failure;
    int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    /* An order is one small packet. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *)&address->at, address->size) != 0) {
        failure = errno;
        if (failure == EINPROGRESS || failure == EINTR)
            failure = wait_until(fd, POLLOUT, deadline_ms);
        if (failure == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
            failure = errno;
    }
    if (failure != 0)
        close(fd);
    else
        *out = fd;
    return failure;
}

enum aibox_status link_connect(const struct address_list *addresses, int64_t deadline_ms, int *fd,
                               struct aibox_error *err)
{
    int failure = EHOSTUNREACH;

    *fd = -1;
    for (size_t i = 0; i < addresses->n; i++) {
        int64_t share_ms = link_left_ms(deadline_ms) / (int64_t)(addresses->n - i);

        failure = connect_one(&addresses->of[i], clock_monotonic_ms() + share_ms, fd);
        if (failure == 0)
            return AIBOX_OK;
    }
    return link_failed(err, failure);
}

enum aibox_status link_send(int fd, const void *bytes, size_t size, int64_t deadline_ms, struct aibox_error *err)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

        if (sent >= 0) {
            at += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN) {
            int failure = wait_until(fd, POLLOUT, deadline_ms);

            if (failure != 0)
                return link_failed(err, failure);
        } else if (errno != EINTR) {
            return link_failed(err, errno);
        }
    }
    return AIBOX_OK;
}

enum aibox_status link_wait_reply(int fd, int64_t deadline_ms, struct aibox_error *err)
{
    for (;;) {
        char byte;
        ssize_t got;
        int failure = wait_until(fd, POLLIN, deadline_ms);

        if (failure != 0)
            return link_failed(err, failure);
        got = recv(fd, &byte, 1, 0);
        if (got > 0)
            return AIBOX_OK;
        if (got == 0)
            return error_set(err, AIBOX_REMOTE_FAILED, "connection closed by the relay without a reply");
        if (errno != EINTR && errno != EAGAIN)
            return link_failed(err, errno);
    }
}

void link_close_gently(int fd)
{
    char bytes[512];
    ssize_t got = -1;

    if (fd < 0)
        return;
    if (wait_until(fd, POLLIN, clock_monotonic_ms() + PARTING_MS) == 0)
        got = recv(fd, bytes, sizeof bytes, 0);
    (void)got; /* whatever it says: the order has been sent */
    close(fd);
}
