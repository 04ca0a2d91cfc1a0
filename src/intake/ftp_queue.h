/*
 * The pictures that have come by FTP and wait to be looked at, by account; and who may have one looked at now.
 *
 * A picture is on its way (ftp_queue_put), is taken by one of several threads (ftp_queue_take), which decides on it
 * (ftp_queue_decided), may wait for what the camera says of it (ftp_queue_sidecar), and is done with it
 * (ftp_queue_finish). The accounts take turns. An account that sends faster than its pictures can be looked at keeps
 * its newest ones; the others are dropped. At most `at_once` pictures are between taken and decided, so that somebody
 * at a door finds a worker.
 *
 * All functions: any thread.
 */
#ifndef AIBOX_INTAKE_FTP_QUEUE_H
#define AIBOX_INTAKE_FTP_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/id.h"
#include "core/status.h"
#include "flow/devices.h"

#define FTP_USER_MAX 32

struct ftp_picture {
    char id[ID_ULID_SIZE];
    char user[FTP_USER_MAX];
    char *stem; /* owned: its path in the account's folder, without extension */
    size_t size;
    int64_t arrived_ms;  /* monotonic */
    int64_t uploaded_ms; /* Unix time */
    /* The queue's. */
    const struct device *device; /* owned */
    char *sidecar;               /* owned; JSON object, or NULL */
    struct ftp_picture *next;
};

struct ftp_queue_limits {
    size_t account_pictures, account_bytes; /* that wait, of one account */
    size_t total_bytes;
    size_t at_once; /* taken and not yet decided */
};

struct ftp_queue;

/* `dropped`: called without locks for each picture that is not looked at, before it is freed. */
enum aibox_status ftp_queue_open(const struct ftp_queue_limits *limits,
                                 void (*dropped)(void *ctx, const struct ftp_picture *picture), void *ctx,
                                 struct ftp_queue **out, struct aibox_error *err);
/* Nobody is given a picture any more, and nobody waits. */
void ftp_queue_stop(struct ftp_queue *queue);
/* After all pictures are finished. Those that wait are freed, not dropped. NULL is allowed. */
void ftp_queue_close(struct ftp_queue *queue);

/* The accounts are those of the capture cameras among `devices`; pictures of others are dropped. */
enum aibox_status ftp_queue_set_devices(struct ftp_queue *queue, const struct device_list *devices,
                                        struct aibox_error *err);
/* The camera of an account, to be released; NULL: there is no such account. */
const struct device *ftp_queue_device(struct ftp_queue *queue, const char *user);

/* Takes the picture (malloc). False: there is no such account; it is freed. */
bool ftp_queue_put(struct ftp_queue *queue, struct ftp_picture *picture);
/* Gives what was said of the picture `stem` (takes `sidecar`). False: no such picture waits for it, nothing is taken.
 */
bool ftp_queue_attach(struct ftp_queue *queue, const char *user, const char *stem, char *sidecar);

/* Waits for a picture that may be looked at. NULL: stopped. It is the caller's until ftp_queue_finish(). */
struct ftp_picture *ftp_queue_take(struct ftp_queue *queue);
/* Once for each picture taken, at the latest before it is finished. */
void ftp_queue_decided(struct ftp_queue *queue);
/* What the camera said of it, NULL for nothing; waits up to a second after its arrival where the camera is one that
 * says something, or where that isn't known yet. Valid until it is finished. */
const char *ftp_queue_sidecar(struct ftp_queue *queue, struct ftp_picture *picture);
/* It is dealt with. `error`: what was wrong with it, "" for nothing; NULL: it was never looked at. */
void ftp_queue_finish(struct ftp_queue *queue, struct ftp_picture *picture, const char *error);
/* Waits `ms`. False: stopped. */
bool ftp_queue_pause(struct ftp_queue *queue, int64_t ms);

struct ftp_queue_state {
    size_t pictures, bytes; /* that wait */
    int64_t last_ms;        /* when the last one came, Unix time; 0: never */
    char last_error[128];   /* of an account: what was wrong with its last picture; "": nothing */
};
/* `user` NULL: all accounts. */
void ftp_queue_state(struct ftp_queue *queue, const char *user, struct ftp_queue_state *out);

#endif
