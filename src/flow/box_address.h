/* Addresses of the box itself. Any thread. */
#ifndef AIBOX_FLOW_BOX_ADDRESS_H
#define AIBOX_FLOW_BOX_ADDRESS_H

#include <netinet/in.h>

#include "core/status.h"
#include "store/store.h"

#define BOX_MAC_SIZE 15 /* "0x" and 12 hex digits with NUL */

/*
 * The box's hardware address, "0x" and 12 lower-case hex digits: that of the interface of the default route, else of
 * any Ethernet interface, else a random one. Once chosen it is kept in the store and never changes.
 */
enum aibox_status box_mac(struct store *store, char out[BOX_MAC_SIZE], struct aibox_error *err);

/* The box's address as seen by `peer` (an IP address): that of the interface that the route to it takes. "" without
 * one. Nothing is sent. */
void box_address_towards(const char *peer, char out[INET6_ADDRSTRLEN]);

#endif
