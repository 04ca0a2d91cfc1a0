#include "core/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"

#define HOST_SIZE 256

/* Shared by the thread that looks up and the resolver; who lets go last frees it. */
struct lookup {
    char host[HOST_SIZE]; /* never changes */
    pthread_mutex_t mu;
    pthread_cond_t changed;
    /* Guarded by mu. */
    int holders;
    bool ended;
    int failure; /* of getaddrinfo */
    struct address_list found;
};

static struct lookup *lookup_new(const char *host)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);

    if (!lookup)
        return NULL;
    (void)snprintf(lookup->host, sizeof lookup->host, "%s", host);
    lookup->holders = 2;
    if (pthread_mutex_init(&lookup->mu, NULL) != 0)
        goto fail;
    if (!clock_cond_init(&lookup->changed))
        goto fail_mutex;
    return lookup;

fail_mutex:
    pthread_mutex_destroy(&lookup->mu);
fail:
    free(lookup);
    return NULL;
}

static void lookup_free(struct lookup *lookup)
{
    pthread_cond_destroy(&lookup->changed);
    pthread_mutex_destroy(&lookup->mu);
    free(lookup);
}

static void lookup_let_go(struct lookup *lookup)
{
    bool last;

    pthread_mutex_lock(&lookup->mu);
    last = --lookup->holders == 0;
    pthread_mutex_unlock(&lookup->mu);
    if (last)
        lookup_free(lookup);
}

/* Result of getaddrinfo; without port. */
static int look_up(const char *host, int flags, struct address_list *out)
{
    struct addrinfo hints = {.ai_flags = flags, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int failure = getaddrinfo(host, NULL, &hints, &list);

    *out = (struct address_list){0};
    if (failure != 0)
        return failure;
    for (const struct addrinfo *item = list; item && out->n < RESOLVE_ADDRESSES_MAX; item = item->ai_next) {
        struct address *address = &out->of[out->n];

        if (item->ai_family != AF_INET && item->ai_family != AF_INET6)
            continue;
        memcpy(&address->at, item->ai_addr, item->ai_addrlen);
        address->size = item->ai_addrlen;
        out->n++;
    }
    freeaddrinfo(list);
    return out->n > 0 ? 0 : EAI_NONAME;
}

static void *lookup_main(void *arg)
{
    struct lookup *lookup = arg;
    struct address_list found;
    int failure;

    (void)pthread_setname_np(pthread_self(), "lookup");
    failure = look_up(lookup->host, 0, &found);
    pthread_mutex_lock(&lookup->mu);
    lookup->found = found;
    lookup->failure = failure;
    lookup->ended = true;
    pthread_cond_signal(&lookup->changed);
    pthread_mutex_unlock(&lookup->mu);
    lookup_let_go(lookup);
    return NULL;
}

/* NULL: out of memory or threads. */
static struct lookup *lookup_start(const char *host)
{
    struct lookup *lookup = lookup_new(host);
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    int failure;

    if (!lookup)
        return NULL;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failure = pthread_create(&thread, NULL, lookup_main, lookup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        lookup_free(lookup);
        return NULL;
    }
    pthread_detach(thread);
    return lookup;
}

/* Waits for the end; false: not within the time. */
static bool lookup_wait(struct lookup *lookup, int64_t deadline_ms, int *failure, struct address_list *out)
{
    struct timespec deadline = clock_deadline(deadline_ms - clock_monotonic_ms());
    bool ended;
    int result = 0;

    pthread_mutex_lock(&lookup->mu);
    while (!lookup->ended && result == 0)
        result = pthread_cond_timedwait(&lookup->changed, &lookup->mu, &deadline);
    ended = lookup->ended;
    *failure = lookup->failure;
    *out = lookup->found;
    pthread_mutex_unlock(&lookup->mu);
    return ended;
}

static void set_ports(struct address_list *list, int port)
{
    for (size_t i = 0; i < list->n; i++) {
        struct sockaddr_storage *at = &list->of[i].at;

        if (at->ss_family == AF_INET)
            ((struct sockaddr_in *)at)->sin_port = htons((uint16_t)port);
        else
            ((struct sockaddr_in6 *)at)->sin6_port = htons((uint16_t)port);
    }
}

enum aibox_status resolver_find(struct resolver *resolver, const char *host, int port, int64_t deadline_ms,
                                struct address_list *out, struct aibox_error *err)
{
    int failure = 0;

    if (look_up(host, AI_NUMERICHOST, out) == 0) {
        set_ports(out, port);
        return AIBOX_OK;
    }
    if (resolver->under_way && strcasecmp(resolver->under_way->host, host) != 0) {
        /* The one that is left behind may have ended since. */
        if (!lookup_wait(resolver->under_way, 0, &failure, out))
            return error_set(err, AIBOX_REMOTE_FAILED, "another name is still being looked up");
        resolver_leave(resolver);
    }
    if (!resolver->under_way)
        resolver->under_way = lookup_start(host);
    if (!resolver->under_way)
        return error_set(err, AIBOX_REMOTE_FAILED, "out of memory or threads");
    if (!lookup_wait(resolver->under_way, deadline_ms, &failure, out))
        return error_set(err, AIBOX_REMOTE_FAILED, "no answer from the name server within the time");
    resolver_leave(resolver);
    if (failure == EAI_NONAME)
        return error_set(err, AIBOX_REMOTE_FAILED, "unknown host name");
    if (failure != 0)
        return error_set(err, AIBOX_REMOTE_FAILED, "host name not found: %s", gai_strerror(failure));
    set_ports(out, port);
    return AIBOX_OK;
}

void resolver_leave(struct resolver *resolver)
{
    if (resolver->under_way)
        lookup_let_go(resolver->under_way);
    resolver->under_way = NULL;
}
