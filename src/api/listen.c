#include "api/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/address.h"

#define BACKLOG 512

/* Cuts "address:port" or "[address]:port" in two. */
static bool split(const char *text, char host[ADDRESS_TEXT], unsigned *port)
{
    const char *colon = strrchr(text, ':');
    const char *start = text;
    const char *end = colon;
    size_t digits;

    if (!colon)
        return false;
    if (*start == '[') {
        start++;
        end--;
        if (*end != ']')
            return false;
    } else if (memchr(text, ':', (size_t)(colon - text))) {
        return false; /* where the port of a bare IPv6 address begins can't be told */
    }
    digits = strspn(colon + 1, "0123456789");
    if (end < start || (size_t)(end - start) >= ADDRESS_TEXT || digits < 1 || digits > 5 || colon[1 + digits])
        return false;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    *port = (unsigned)strtoul(colon + 1, NULL, 10);
    return *port <= 65535;
}

/* Where to bind: returns the size of *out. */
static socklen_t socket_address(const struct address *address, unsigned port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (address_is_v4(address)) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

        memcpy(&v4.sin_addr, address->bytes + 12, 4);
        memcpy(out, &v4, sizeof v4);
        return sizeof v4;
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

    memcpy(&v6.sin6_addr, address->bytes, 16);
    memcpy(out, &v6, sizeof v6);
    return sizeof v6;
}

static enum aibox_status say_why(const char *text, int reason, struct aibox_error *err)
{
    switch (reason) {
    case EADDRINUSE:
        return error_set(err, AIBOX_PARAM, "%.60s is in use by another program", text);
    case EADDRNOTAVAIL:
        return error_set(err, AIBOX_PARAM, "%.60s: this machine has no such address", text);
    case EACCES:
        return error_set(err, AIBOX_PARAM, "%.60s: ports below 1024 need a right that this program was not given",
                         text);
    default:
        return error_set(err, AIBOX_PARAM, "%.60s can't be listened on: %s", text, strerror(reason));
    }
}

/* The port that the socket was given. */
static unsigned port_of(int fd)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    (void)getsockname(fd, (struct sockaddr *)&bound, &size);
    memcpy(&v4, &bound, sizeof v4);
    memcpy(&v6, &bound, sizeof v6);
    return ntohs(bound.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

static bool bind_and_listen(int fd, const struct sockaddr_storage *where, socklen_t size)
{
    const int on = 1;
    const int off = 0;

    /* Without it a restart would have to wait for the connections of the run before to be forgotten. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return false;
    if (where->ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0)
        return false;
    return bind(fd, (const struct sockaddr *)where, size) == 0 && listen(fd, BACKLOG) == 0;
}

enum aibox_status listen_open(const char *text, struct listening *out, struct aibox_error *err)
{
    struct sockaddr_storage where;
    struct address address = {{0}};
    char host[ADDRESS_TEXT];
    unsigned port;
    socklen_t size;

    out->fd = -1;
    if (!split(text, host, &port) || !address_parse(host, &address))
        return error_set(err, AIBOX_PARAM,
                         "\"%.60s\" is not an address to listen on: expected one like 127.0.0.1:5555 or [::1]:5555",
                         text);
    size = socket_address(&address, port, &where);
    out->fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (out->fd < 0)
        return say_why(text, errno, err);
    if (!bind_and_listen(out->fd, &where, size)) {
        int reason = errno;

        (void)close(out->fd);
        out->fd = -1;
        return say_why(text, reason, err);
    }
    out->loopback = address_is_loopback(&address);
    (void)snprintf(out->address, sizeof out->address, address_is_v4(&address) ? "%s:%u" : "[%s]:%u", host,
                   port_of(out->fd));
    return AIBOX_OK;
}

/* ---- the Unix socket -------------------------------------------------------------------------------------------- */

/* An address has room for 107 characters, a data folder's name may be longer: the folder is named by its descriptor. */
static enum aibox_status bind_in_folder(int fd, int folder, struct aibox_error *err)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};

    (void)snprintf(where.sun_path, sizeof where.sun_path, "/proc/self/fd/%d/%s", folder, LISTEN_LOCAL);
    if (unlinkat(folder, LISTEN_LOCAL, 0) != 0 && errno != ENOENT)
        return error_set(err, AIBOX_PROCESS_FAILED, "%s can't be replaced: %s", LISTEN_LOCAL, strerror(errno));
    if (bind(fd, (const struct sockaddr *)&where, sizeof where) != 0 || fchmodat(folder, LISTEN_LOCAL, 0600, 0) != 0 ||
        listen(fd, BACKLOG) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "%s can't be listened on: %s", LISTEN_LOCAL, strerror(errno));
    return AIBOX_OK;
}

enum aibox_status listen_local_open(const char *dir, int *fd, struct aibox_error *err)
{
    int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    enum aibox_status status;

    *fd = -1;
    if (folder < 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder can't be opened: %s", strerror(errno));
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    status = *fd >= 0 ? bind_in_folder(*fd, folder, err)
                      : error_set(err, AIBOX_PROCESS_FAILED, "no Unix socket: %s", strerror(errno));
    (void)close(folder);
    if (status != AIBOX_OK && *fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
    return status;
}

void listen_local_remove(const char *dir)
{
    int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return;
    (void)unlinkat(folder, LISTEN_LOCAL, 0);
    (void)close(folder);
}

bool listen_peer_is_own(int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer)
        return false;
    return peer.uid == 0 || peer.uid == geteuid();
}
