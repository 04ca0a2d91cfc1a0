/* The socket the server listens on. */
#ifndef AIBOX_API_LISTEN_H
#define AIBOX_API_LISTEN_H

#include <stdbool.h>

#include "core/status.h"

#define LISTEN_LOCAL "control.sock" /* in the data folder */

#define LISTEN_TEXT 64 /* room for "[address]:port" */

struct listening {
    int fd; /* owned by the caller */
    bool loopback;
    char address[LISTEN_TEXT]; /* with the port that was really given */
};

/* `text`: "127.0.0.1:5555", "[::1]:5555", "[::]:80" (IPv4, too); port 0 picks one. PARAM for what is not of that form,
 * not an address of this machine, or in use, in one sentence. */
enum aibox_status listen_open(const char *text, struct listening *out, struct aibox_error *err);

/* A Unix socket in the folder `dir`, mode 0600, in place of one that a box before has left: the folder is locked, so
 * there is no other box. */
enum aibox_status listen_local_open(const char *dir, int *fd, struct aibox_error *err);
/* Takes it out of the folder. */
void listen_local_remove(const char *dir);
/* Whether the caller at the other end runs as the user of this program, or as root. */
bool listen_peer_is_own(int fd);

#endif
