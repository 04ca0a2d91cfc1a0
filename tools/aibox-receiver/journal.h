/* A file of JSON lines that only grows. What was appended is on disk; what could not be appended whole is not there. */
#ifndef AIBOX_RECEIVER_JOURNAL_H
#define AIBOX_RECEIVER_JOURNAL_H

#include <stddef.h>

#include "core/status.h"

struct journal;

/*
 * Opens or creates `path`, readable by its owner only because the lines hold faces. A line that a power cut left
 * unfinished is ended, so that the next one stands alone. PARAM, with the reason: can't be opened, or another receiver
 * writes to it.
 */
enum aibox_status journal_open(const char *path, struct journal **out, struct aibox_error *err);
void journal_close(struct journal *journal); /* NULL is allowed */

/* Appends `size` bytes of whole lines, durable on return. PROCESS_FAILED: nothing was added, or, when
 * it is the disk that failed, it may not last. Any thread. */
enum aibox_status journal_append(struct journal *journal, const void *lines, size_t size, struct aibox_error *err);

#endif
