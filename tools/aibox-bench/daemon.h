/* An aiboxd of our own: started on a data folder and a free port, watched, ended. */
#ifndef AIBOX_BENCH_DAEMON_H
#define AIBOX_BENCH_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/status.h"

struct daemon {
    pid_t pid; /* 0: none runs */
    char host[64];
    int port;
    double ready_ms; /* from exec to the line that says it is ready */
};

/* Starts `program` with room for `capacity` people and waits until it says that it is ready. PROCESS_FAILED. */
enum aibox_status daemon_start(const char *program, const char *models, const char *data, size_t capacity,
                               struct daemon *out, struct aibox_error *err);
/* SIGTERM, and waits for its end. */
void daemon_stop(struct daemon *daemon);

/* Resident memory in MiB; NAN when it can't be read. */
double daemon_resident_mib(const struct daemon *daemon);
/* Waits until it has used next to no processor time for a while (work begun at start is done); at most a minute. */
void daemon_wait_idle(const struct daemon *daemon);

#endif
