#include "core/clock.h"

#define MS_PER_S  INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)

/* A hundred years: keeps seconds far from overflow when a caller means "for ever". */
#define LONGEST_WAIT_MS (INT64_C(100) * 366 * 86400 * MS_PER_S)

static struct timespec now_of(clockid_t clock)
{
    struct timespec now = {0};

    /* Fails only for a clock the kernel doesn't have; Linux has always had these two. */
    (void)clock_gettime(clock, &now);
    return now;
}

int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_us() / 1000;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now = now_of(CLOCK_MONOTONIC);

    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_realtime_ms(void)
{
    struct timespec now = now_of(CLOCK_REALTIME);

    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

struct timespec clock_deadline(int64_t timeout_ms)
{
    struct timespec at = now_of(CLOCK_MONOTONIC);

    if (timeout_ms <= 0)
        return at;
    if (timeout_ms > LONGEST_WAIT_MS)
        timeout_ms = LONGEST_WAIT_MS;
    at.tv_sec += (time_t)(timeout_ms / MS_PER_S);
    at.tv_nsec += (long)(timeout_ms % MS_PER_S * NS_PER_MS);
    if (at.tv_nsec >= MS_PER_S * NS_PER_MS) {
        at.tv_nsec -= (long)(MS_PER_S * NS_PER_MS);
        at.tv_sec++;
    }
    return at;
}

bool clock_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    bool done;

    if (pthread_condattr_init(&attributes) != 0)
        return false;
    done = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(cond, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return done;
}
