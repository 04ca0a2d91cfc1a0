/* Clocks: monotonic for durations, realtime only for event stamps. */
#ifndef AIBOX_CORE_CLOCK_H
#define AIBOX_CORE_CLOCK_H

#include <stdint.h>
#include <time.h>

int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
int64_t clock_realtime_ms(void); /* Unix time */

/* Absolute CLOCK_MONOTONIC time `timeout_ms` from now, for pthread_cond_timedwait on condition
 * variables made by clock_cond_init(). */
struct timespec clock_deadline(int64_t timeout_ms);

#endif
