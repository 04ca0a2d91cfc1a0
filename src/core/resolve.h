/*
 * Names to addresses within a time limit. getaddrinfo() can't be told to hurry and may block for half a minute: it runs
 * on a thread of its own, which is left behind when the time is up.
 */
#ifndef AIBOX_CORE_RESOLVE_H
#define AIBOX_CORE_RESOLVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/status.h"

#define RESOLVE_ADDRESSES_MAX 4

struct address {
    struct sockaddr_storage at; /* with port */
    socklen_t size;
};

struct address_list {
    size_t n;
    struct address of[RESOLVE_ADDRESSES_MAX];
};

struct lookup;

/* Zero-initialise. One thread at a time. At most one look-up is under way for each resolver. */
struct resolver {
    struct lookup *under_way;
};

/*
 * Addresses of `host` (IPv4, IPv6 or a name of at most 255 bytes), the preferred first, at least one. Waits until
 * `deadline_ms` (monotonic). A look-up that takes longer goes on, and the next call for the same name gets its result.
 * REMOTE_FAILED: unknown name, too slow, or a slow look-up of another name is still under way.
 */
enum aibox_status resolver_find(struct resolver *resolver, const char *host, int port, int64_t deadline_ms,
                                struct address_list *out, struct aibox_error *err);

/* Doesn't wait: a look-up under way ends by itself. */
void resolver_leave(struct resolver *resolver);

#endif
