/*
 * HTTP: POST on any path goes to the receiver, GET to the page and its JSON. libmicrohttpd with a thread for each
 * connection, which may then simply wait, for a rehearsed delay or for ever.
 */
#ifndef AIBOX_RECEIVER_SERVER_H
#define AIBOX_RECEIVER_SERVER_H

#include "core/status.h"
#include "receiver.h"

struct server;

/* Starts it; signals the caller has blocked stay blocked in its threads. PARAM: `listen` is no address to listen on. */
enum aibox_status server_open(const char *listen, struct receiver *receiver, struct server **out,
                              struct aibox_error *err);

/* "0.0.0.0:9528", with the port that was really given. */
const char *server_address(const struct server *server);

/* Lets requests under way finish for up to `grace_ms`, those that only wait by intent excepted. NULL is allowed. */
void server_close(struct server *server, int64_t grace_ms);

#endif
