/* The processes of the FTP server (proftpd). */
#ifndef AIBOX_INTAKE_FTP_PROCESS_H
#define AIBOX_INTAKE_FTP_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/status.h"
#include "intake/ftp_jail.h"

struct ftp_process {
    pid_t pid;    /* 0: none; also the number of its process group */
    int watch_fd; /* readable when it has ended */
    int said_fd;  /* what it and its children write to stderr; non-blocking */
    bool jailed;
};

/* Where the program is; NULL: not installed. Static text. */
const char *ftp_process_program(void);
/* Where the module `name` is; false: not installed. */
bool ftp_process_has_module(const char *name);

/*
 * Starts the server with `config`. `jail`: inside of it, with FTP_JAIL_SERVER "/" base name of `config`; NULL: without.
 * It dies with the calling thread, whatever ends that. PROCESS_FAILED: it could not be started; for a jail with
 * `*refused` set when the kernel doesn't permit one.
 */
enum aibox_status ftp_process_start(const char *program, const char *config, const struct ftp_jail *jail, bool *refused,
                                    struct ftp_process *out, struct aibox_error *err);

/* Ends the server and all its children, and forgets it. */
void ftp_process_stop(struct ftp_process *process);

/* Ends the connections for which `keep` does not say true. It gets the account's name, or something that is none while
 * nobody has logged in. */
void ftp_process_end_sessions(const struct ftp_process *process, bool (*keep)(void *ctx, const char *user), void *ctx);

#endif
