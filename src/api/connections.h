/*
 * What the server knows of its open connections: how many an address has, and until when each must have got on with
 * what it is doing. The library closes connections that are silent; one that trickles a byte now and then is ours to
 * end.
 */
#ifndef AIBOX_API_CONNECTIONS_H
#define AIBOX_API_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/address.h"
#include "core/status.h"

#define CONNECTION_NO_DEADLINE INT64_MAX

struct connections;
struct connection;

/* Starts the thread that watches the deadlines. `per_address`: connections one address may have; loopback may have any
 * number, IPv6 addresses count by their /64. */
enum aibox_status connections_open(size_t per_address, struct connections **out, struct aibox_error *err);
/* All connections must have been removed. NULL is allowed. */
void connections_close(struct connections *connections);

/* Whether one more from there may come. Any thread. */
bool connections_admit(struct connections *connections, const struct address *address);
/* `fd` must stay open until connections_remove. `local`: a Unix socket, with a caller who may do everything. NULL when
 * memory runs out. `deadline_ms` on clock_monotonic_ms(). */
struct connection *connections_add(struct connections *connections, int fd, const struct address *address, bool local,
                                   int64_t deadline_ms);
void connections_remove(struct connections *connections, struct connection *connection);

/* Past its deadline a connection is shut down (not closed: its owner notices). Any thread. */
void connection_set_deadline(struct connection *connection, int64_t deadline_ms);
const struct address *connection_address(const struct connection *connection);
bool connection_is_local(const struct connection *connection);

/* Open now, and ended for being slow. */
void connections_count(struct connections *connections, size_t *open, uint64_t *ended);

#endif
