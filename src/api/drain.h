/*
 * Lingering close: an answer sent before the request was read to its end (413) would be lost if the connection were
 * closed at once, for the kernel answers the bytes that still come with a reset that overtakes it. What comes is thrown
 * away for a while, until the client has read the answer and stops.
 */
#ifndef AIBOX_API_DRAIN_H
#define AIBOX_API_DRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct drain;

/* Starts the thread that drains. Each connection is drained of at most `max_bytes` for at most `max_ms`. */
enum aibox_status drain_open(size_t max_bytes, int64_t max_ms, struct drain **out, struct aibox_error *err);
/* Closes what is left. NULL is allowed. */
void drain_close(struct drain *drain);

/* Takes over the socket `fd`, whose answer has been written, ends its sending side, and closes it in the end; at once
 * when there are too many already. Any thread; never waits. */
void drain_take(struct drain *drain, int fd);

#endif
