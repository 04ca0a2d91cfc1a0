#include "flow/box_address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/host_network.h"
#include "core/id.h"
#include "core/log.h"

#define DOCUMENT  "hex_mac" /* in the store: the address as a JSON text */
#define MAC_BYTES 6

static bool ethernet_address(const struct ifaddrs *entry, unsigned char mac[MAC_BYTES])
{
    static const unsigned char none[MAC_BYTES];
    struct sockaddr_ll link;
    if (entry->ifa_addr == NULL || entry->ifa_addr->sa_family != AF_PACKET)
        return false;
    memcpy(&link, entry->ifa_addr, sizeof link);
    if (link.sll_hatype != ARPHRD_ETHER || link.sll_halen != MAC_BYTES || memcmp(link.sll_addr, none, MAC_BYTES) == 0)
        return false;
    memcpy(mac, link.sll_addr, MAC_BYTES);
    return true;
}

static void find_mac(unsigned char mac[MAC_BYTES])
{
    struct host_route route = {.interface = ""};
    struct ifaddrs *interfaces = NULL;
    bool found = false;
    (void)host_routes_read(&route, 1);
    if (getifaddrs(&interfaces) != 0)
        interfaces = NULL;
    for (const struct ifaddrs *entry = interfaces; entry != NULL; entry = entry->ifa_next) {
        bool is_preferred = strcmp(entry->ifa_name, route.interface) == 0;
        if ((is_preferred || !found) && ethernet_address(entry, mac)) {
            found = true;
            if (is_preferred)
                break;
        }
    }
    if (interfaces != NULL)
        freeifaddrs(interfaces);
    if (!found) {
        id_random(mac, MAC_BYTES);
        mac[0] = (unsigned char)((mac[0] | 0x02) & 0xfe); /* locally administered, of one host */
        log_info("flow", "no network interface has an address of its own: a random one stands in");
    }
}

static bool read_kept(const char *json, char out[BOX_MAC_SIZE])
{
    size_t size = BOX_MAC_SIZE - 1;
    if (json == NULL || strlen(json) != size + 2 || strncmp(json, "\"0x", 3) != 0)
        return false;
    memcpy(out, json + 1, size);
    out[size] = '\0';
    return true;
}

enum aibox_status box_mac(struct store *store, char out[BOX_MAC_SIZE], struct aibox_error *err)
{
    unsigned char mac[MAC_BYTES];
    char json[BOX_MAC_SIZE + 2];
    char *kept;
    enum aibox_status status = store_document_get(store, DOCUMENT, &kept, err);
    if (status != AIBOX_OK)
        return status;
    bool known = read_kept(kept, out);
    free(kept);
    if (known)
        return AIBOX_OK;
    find_mac(mac);
    snprintf(out, BOX_MAC_SIZE, "0x%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    snprintf(json, sizeof json, "\"%s\"", out);
    return store_document_put(store, DOCUMENT, json, err);
}

void box_address_towards(const char *peer, char out[INET6_ADDRSTRLEN])
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    bool is_four = inet_pton(AF_INET, peer, &four.sin_addr) == 1;
    out[0] = '\0';
    if (!is_four && inet_pton(AF_INET6, peer, &six.sin6_addr) != 1)
        return;
    int fd = socket(is_four ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    /* Connecting a datagram socket only looks the route up. */
    if (is_four) {
        socklen_t size = sizeof four;
        if (connect(fd, (const struct sockaddr *)&four, size) == 0 &&
            getsockname(fd, (struct sockaddr *)&four, &size) == 0)
            (void)inet_ntop(AF_INET, &four.sin_addr, out, INET6_ADDRSTRLEN);
    } else {
        socklen_t size = sizeof six;
        if (connect(fd, (const struct sockaddr *)&six, size) == 0 &&
            getsockname(fd, (struct sockaddr *)&six, &size) == 0)
            (void)inet_ntop(AF_INET6, &six.sin6_addr, out, INET6_ADDRSTRLEN);
    }
    close(fd);
}
