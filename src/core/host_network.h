/* What this machine says of its network and its clock. Read only: it is the operating system that sets them. Any
 * thread.
 */
#ifndef AIBOX_CORE_HOST_NETWORK_H
#define AIBOX_CORE_HOST_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/address.h"

#define HOST_NAME_SIZE      256
#define HOST_INTERFACE_NAME 16
#define HOST_MAC_SIZE       18 /* "e0:a5:09:00:0a:01" with NUL */
#define HOST_INTERFACES     32
#define HOST_ADDRESSES      8 /* of an interface */
#define HOST_ROUTES         8
#define HOST_SERVERS        8
#define HOST_ZONE_SIZE      64

struct host_address {
    char text[ADDRESS_TEXT];
    unsigned bits; /* of the network it lies in, 24; of IPv6 up to 128 */
    bool v6;
    bool link_local; /* of use in the same network only, and with the name of an interface */
};

struct host_interface {
    char name[HOST_INTERFACE_NAME];
    char mac[HOST_MAC_SIZE]; /* "" without */
    bool up;                 /* switched on */
    bool running;            /* and connected */
    bool loopback;
    struct host_address addresses[HOST_ADDRESSES];
    size_t n_addresses;
};

/* A default route. */
struct host_route {
    char interface[HOST_INTERFACE_NAME];
    char gateway[ADDRESS_TEXT]; /* "": none, the other end of the line is all there is */
    unsigned long metric;
};

enum host_clock { HOST_CLOCK_UNKNOWN, HOST_CLOCK_FREE, HOST_CLOCK_SYNCHRONISED };

struct host_network {
    char host_name[HOST_NAME_SIZE];
    struct host_interface interfaces[HOST_INTERFACES]; /* further ones are left out, here as below */
    size_t n_interfaces;
    struct host_route routes[HOST_ROUTES]; /* IPv4 first, then by metric */
    size_t n_routes;
    char servers[HOST_SERVERS][ADDRESS_TEXT]; /* of names (DNS) */
    size_t n_servers;
    enum host_clock clock;
    char zone[HOST_ZONE_SIZE]; /* "Asia/Shanghai"; "" when it can't be told */
    int utc_offset_s;          /* now, east is positive */
};

/* What can't be read is left out. */
void host_network_read(struct host_network *out);

/* IPv4 default routes, by metric; how many, `most` at most. */
size_t host_routes_read(struct host_route *out, size_t most);

/* ---- the parts that read text, for tests: what is no such line is skipped ---------------------------------------- */

/* Adds the default routes of /proc/net/route to the n that are there; the new n. */
size_t host_routes_parse(const char *text, struct host_route *out, size_t n, size_t most);
/* Likewise those of /proc/net/ipv6_route. */
size_t host_routes6_parse(const char *text, struct host_route *out, size_t n, size_t most);
/* The name servers of a resolv.conf; how many. */
size_t host_servers_parse(const char *text, char out[][ADDRESS_TEXT], size_t most);

#endif
