#include "api/drain.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"

#define MOST_SOCKETS 64
#define DRAIN_SIZE   65536

struct drained {
    int fd;
    int64_t deadline_ms;
    size_t bytes;
};

struct drain {
    size_t max_bytes;
    int64_t max_ms;
    pthread_mutex_t mu; /* guards what follows, up to the blank line */
    struct drained arrived[MOST_SOCKETS];
    size_t n_arrived;
    size_t n_held; /* arrived, and in the thread's hands */
    bool closing;

    int wake; /* eventfd: something arrived, or closing */
    pthread_t thread;
};

/* Reads what is there. False: nothing more is to come, or more than is worth waiting for. */
static bool read_away(const struct drain *drain, struct drained *drained)
{
    static _Thread_local char rubbish[DRAIN_SIZE];

    for (;;) {
        ssize_t got = recv(drained->fd, rubbish, sizeof rubbish, MSG_DONTWAIT);

        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        drained->bytes += (size_t)got;
        if (got == 0 || drained->bytes >= drain->max_bytes)
            return false;
    }
}

/* Takes in what has arrived; false when closing. */
static bool take_in(struct drain *drain, struct drained *held, size_t *count)
{
    uint64_t ignored;
    bool going_on;

    /* Only resets the counter; there is nothing to do about a failure. */
    (void)!read(drain->wake, &ignored, sizeof ignored);
    pthread_mutex_lock(&drain->mu);
    for (size_t i = 0; i < drain->n_arrived; i++)
        held[(*count)++] = drain->arrived[i];
    drain->n_arrived = 0;
    going_on = !drain->closing;
    pthread_mutex_unlock(&drain->mu);
    return going_on;
}

static void let_go(struct drain *drain, struct drained *held, size_t *count, size_t index)
{
    (void)close(held[index].fd);
    held[index] = held[--*count];
    pthread_mutex_lock(&drain->mu);
    drain->n_held--;
    pthread_mutex_unlock(&drain->mu);
}

/* Waits for bytes on the sockets, an arrival, or the first deadline. */
static void wait_for_something(const struct drain *drain, const struct drained *held, size_t count,
                               struct pollfd polled[MOST_SOCKETS + 1])
{
    int64_t now = clock_monotonic_ms();
    int64_t wait_ms = -1;

    polled[0] = (struct pollfd){.fd = drain->wake, .events = POLLIN};
    for (size_t i = 0; i < count; i++) {
        int64_t left = held[i].deadline_ms > now ? held[i].deadline_ms - now : 0;

        polled[i + 1] = (struct pollfd){.fd = held[i].fd, .events = POLLIN};
        if (wait_ms < 0 || left < wait_ms)
            wait_ms = left;
    }
    (void)poll(polled, (nfds_t)count + 1, (int)wait_ms);
}

static void *run(void *arg)
{
    struct drain *drain = arg;
    struct drained held[MOST_SOCKETS];
    struct pollfd polled[MOST_SOCKETS + 1];
    size_t count = 0;

    while (take_in(drain, held, &count)) {
        int64_t now;

        wait_for_something(drain, held, count, polled);
        now = clock_monotonic_ms();
        for (size_t i = count; i-- > 0;)
            if (held[i].deadline_ms <= now || (polled[i + 1].revents && !read_away(drain, &held[i])))
                let_go(drain, held, &count, i);
    }
    while (count > 0)
        let_go(drain, held, &count, count - 1);
    return NULL;
}

enum aibox_status drain_open(size_t max_bytes, int64_t max_ms, struct drain **out, struct aibox_error *err)
{
    struct drain *drain = calloc(1, sizeof *drain);

    *out = NULL;
    if (!drain)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    drain->max_bytes = max_bytes;
    drain->max_ms = max_ms;
    drain->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (drain->wake < 0)
        goto no_eventfd;
    if (pthread_mutex_init(&drain->mu, NULL) != 0)
        goto no_mutex;
    if (pthread_create(&drain->thread, NULL, run, drain) != 0)
        goto no_thread;
    *out = drain;
    return AIBOX_OK;

no_thread:
    (void)pthread_mutex_destroy(&drain->mu);
no_mutex:
    (void)close(drain->wake);
no_eventfd:
    free(drain);
    return error_set(err, AIBOX_PROCESS_FAILED, "the thread that drains connections can't be started");
}

static void wake(const struct drain *drain)
{
    const uint64_t one = 1;

    /* Fails only when the counter is full, and then the thread is awake already. */
    (void)!write(drain->wake, &one, sizeof one);
}

void drain_close(struct drain *drain)
{
    if (!drain)
        return;
    pthread_mutex_lock(&drain->mu);
    drain->closing = true;
    pthread_mutex_unlock(&drain->mu);
    wake(drain);
    (void)pthread_join(drain->thread, NULL);
    (void)pthread_mutex_destroy(&drain->mu);
    (void)close(drain->wake);
    free(drain);
}

void drain_take(struct drain *drain, int fd)
{
    bool taken;

    (void)shutdown(fd, SHUT_WR);
    pthread_mutex_lock(&drain->mu);
    taken = drain->n_held < MOST_SOCKETS && !drain->closing;
    if (taken) {
        drain->arrived[drain->n_arrived++] =
            (struct drained){.fd = fd, .deadline_ms = clock_monotonic_ms() + drain->max_ms};
        drain->n_held++;
    }
    pthread_mutex_unlock(&drain->mu);
    if (taken)
        wake(drain);
    else
        (void)close(fd);
}
