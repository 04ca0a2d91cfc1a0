/* The socket the server listens on. */
#ifndef AIBOX_API_LISTEN_H
#define AIBOX_API_LISTEN_H

#include <stdbool.h>

#include "core/status.h"

#define LISTEN_TEXT 64 /* room for "[address]:port" */

struct listening {
    int fd; /* owned by the caller */
    bool loopback;
    char address[LISTEN_TEXT]; /* with the port that was really given */
};

/* `text`: "127.0.0.1:5555", "[::1]:5555", "[::]:80" (IPv4, too); port 0 picks one. PARAM for what is not of that form,
 * not an address of this machine, or in use, in one sentence. */
enum aibox_status listen_open(const char *text, struct listening *out, struct aibox_error *err);

#endif
