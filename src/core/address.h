/* IP addresses and networks: IPv4 ones are kept as IPv4-mapped IPv6 (RFC 4291 § 2.5.5.2), so that one comparison serves
 * both. Any thread. */
#ifndef AIBOX_CORE_ADDRESS_H
#define AIBOX_CORE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDRESS_TEXT 46 /* room for any address as text, with NUL */

struct address {
    uint8_t bytes[16];
};

struct network {
    struct address address;
    unsigned bits; /* of 128 that count */
};

/* "192.168.1.5", "::1"; nothing else. */
bool address_parse(const char *text, struct address *out);
/* All zeros for a family that is not IP. */
struct address address_of(const struct sockaddr *sockaddr);
bool address_equal(const struct address *a, const struct address *b);
bool address_is_v4(const struct address *address);
bool address_is_loopback(const struct address *address); /* 127.0.0.0/8, ::1 */
void address_print(const struct address *address, char out[ADDRESS_TEXT]);

/* An address, or "10.0.0.0/8": decimal length, no bit of the address behind it set. */
bool network_parse(const char *text, struct network *out);
bool network_holds(const struct network *network, const struct address *address);

#endif
