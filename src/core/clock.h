/* Clocks: monotonic for durations, realtime only for event stamps. Any thread. */
#ifndef AIBOX_CORE_CLOCK_H
#define AIBOX_CORE_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
int64_t clock_realtime_ms(void); /* Unix time */

/* Absolute CLOCK_MONOTONIC time `timeout_ms` from now (<= 0: now), for pthread_cond_timedwait on
 * condition variables made by clock_cond_init(). */
struct timespec clock_deadline(int64_t timeout_ms);

/* Initialises a condition variable whose timed waits are counted on CLOCK_MONOTONIC. The caller
 * ends it with pthread_cond_destroy(). False: out of resources, nothing to destroy. */
bool clock_cond_init(pthread_cond_t *cond);

#endif
