/* How far a long job is, on stderr: a bar that redraws itself on a terminal, a line now and then elsewhere. */
#ifndef AIBOXCTL_PROGRESS_H
#define AIBOXCTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
    size_t total, done, failed;
    bool bar;         /* stderr is a terminal */
    int64_t start_ms; /* monotonic */
    int64_t shown_ms; /* when it was last drawn */
};

/* One thread at a time; the caller sees to it. */
void progress_start(struct progress *progress, size_t total);
void progress_step(struct progress *progress, bool failed);
/* "what: why" on a line of its own. */
void progress_tell(struct progress *progress, const char *what, const char *why);
void progress_end(struct progress *progress);
double progress_seconds(const struct progress *progress);

#endif
