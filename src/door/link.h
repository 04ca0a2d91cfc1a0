/* TCP connections to relay boards, all within a deadline (monotonic ms). Private to the room; any thread. */
#ifndef AIBOX_DOOR_LINK_H
#define AIBOX_DOOR_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "core/resolve.h"
#include "core/status.h"

#define LINK_NO_ANSWER "no answer within 3 s"

/* Milliseconds left, at least 0. */
int64_t link_left_ms(int64_t deadline_ms);

/* Fills `err` with REMOTE_FAILED and what the errno `number` means for a relay ("connection refused"). */
enum aibox_status link_failed(struct aibox_error *err, int number);

/* Tries the addresses one after the other, each with its share of the time. `*fd`: non-blocking, the caller closes it.
 * REMOTE_FAILED with the last address's reason. */
enum aibox_status link_connect(const struct address_list *addresses, int64_t deadline_ms, int *fd,
                               struct aibox_error *err);

enum aibox_status link_send(int fd, const void *bytes, size_t size, int64_t deadline_ms, struct aibox_error *err);

/* Waits for one byte at least. */
enum aibox_status link_wait_reply(int fd, int64_t deadline_ms, struct aibox_error *err);

/*
 * Closes. Waits up to 200 ms for what the board may say before: closing with bytes unread, or having them arrive later,
 * makes the kernel send a reset, on which small boards throw away what they haven't read yet. fd -1 is allowed.
 */
void link_close_gently(int fd);

#endif
