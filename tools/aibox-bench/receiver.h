/* A receiver of reports on loopback, with a thread of its own: it answers at once, or never. */
#ifndef AIBOX_BENCH_RECEIVER_H
#define AIBOX_BENCH_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct receiver;

/* `hangs`: it takes connections and requests, and answers none. PROCESS_FAILED. */
enum aibox_status receiver_open(bool hangs, struct receiver **out, struct aibox_error *err);
void receiver_close(struct receiver *receiver); /* NULL is allowed */
int receiver_port(const struct receiver *receiver);
/* Requests that came so far, whole. */
size_t receiver_count(struct receiver *receiver);
/* Waits at most `ms` for the n-th of them (counted from 1). True: *at_us is when its last byte was read, monotonic.
 * Only of the newest. */
bool receiver_wait(struct receiver *receiver, size_t n, int64_t ms, int64_t *at_us);

#endif
