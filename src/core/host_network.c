#include "core/host_network.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/route.h>
#include <netpacket/packet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define MOST_TEXT   65536 /* bytes of a file that are looked at */
#define MAC_BYTES   6
#define HEX_ADDRESS 32 /* digits of an IPv6 address in /proc/net/ipv6_route */

_Static_assert(HOST_INTERFACE_NAME == IF_NAMESIZE, "an interface's name");

/* "" when it can't be read. NULL without memory; the caller frees it. */
static char *read_file(const char *path)
{
    char *text = calloc(1, MOST_TEXT + 1);
    FILE *file = text ? fopen(path, "re") : NULL;

    if (file) {
        size_t size = fread(text, 1, MOST_TEXT, file);
        text[size] = '\0';
        (void)fclose(file);
    }
    return text;
}

/* Takes the next line out of *text; false at the end. What is longer than `line` is cut. */
static bool next_line(const char **text, char *line, size_t size)
{
    size_t length = strcspn(*text, "\n");

    if (**text == '\0')
        return false;
    (void)snprintf(line, size, "%.*s", (int)(length < size ? length : size - 1), *text);
    *text += length + ((*text)[length] == '\n' ? 1 : 0);
    return true;
}

/* Takes the next word out of *text into `word`; false: there is none, or it is too long. */
static bool next_word(const char **text, char *word, size_t size)
{
    *text += strspn(*text, " \t\r");
    size_t length = strcspn(*text, " \t\r");
    if (length == 0 || length >= size)
        return false;
    memcpy(word, *text, length);
    word[length] = '\0';
    *text += length;
    return true;
}

static bool next_number(const char **text, int base, unsigned long *out)
{
    char word[24], *end;

    if (!next_word(text, word, sizeof word) || word[0] == '-' || word[0] == '+')
        return false;
    *out = strtoul(word, &end, base);
    return *end == '\0';
}

/* ---- routes ---------------------------------------------------------------------------------------------------- */

/* Into its place by metric behind the first `from`; what finds no room is left out. */
static size_t add_route(const struct host_route *route, struct host_route *out, size_t from, size_t n, size_t most)
{
    size_t at = from;

    while (at < n && out[at].metric <= route->metric)
        at++;
    if (at == most)
        return n;
    if (n == most)
        n--;
    memmove(&out[at + 1], &out[at], (n - at) * sizeof out[0]);
    out[at] = *route;
    return n + 1;
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses as the machine's own words, in hex. */
static bool parse_route(const char *line, struct host_route *out)
{
    static const int bases[] = {16, 16, 16, 10, 10, 10, 16};
    unsigned long fields[sizeof bases / sizeof bases[0]];

    *out = (struct host_route){0};
    if (!next_word(&line, out->interface, sizeof out->interface))
        return false;
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++)
        if (!next_number(&line, bases[i], &fields[i]))
            return false;
    if (fields[0] != 0 || fields[6] != 0 || !(fields[2] & RTF_UP) || (fields[2] & RTF_REJECT) || fields[1] > UINT32_MAX)
        return false;
    struct in_addr gateway = {.s_addr = (in_addr_t)fields[1]};
    if (gateway.s_addr != 0)
        (void)inet_ntop(AF_INET, &gateway, out->gateway, sizeof out->gateway);
    out->metric = fields[5];
    return true;
}

size_t host_routes_parse(const char *text, struct host_route *out, size_t n, size_t most)
{
    struct host_route route;
    char line[256];
    size_t from = n;

    while (next_line(&text, line, sizeof line))
        if (parse_route(line, &route))
            n = add_route(&route, out, from, n, most);
    return n;
}

static bool parse_hex_address(const char *hex, struct in6_addr *out)
{
    for (size_t i = 0; i < sizeof out->s6_addr; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        char *end;
        unsigned long byte = strtoul(pair, &end, 16);
        if (end != pair + 2 || pair[0] == '-' || pair[0] == '+' || pair[0] == ' ')
            return false;
        out->s6_addr[i] = (uint8_t)byte;
    }
    return true;
}

/* Destination Length Source Length NextHop Metric RefCnt Use Flags Iface, all in hex. */
static bool parse_route6(const char *line, struct host_route *out)
{
    char destination[HEX_ADDRESS + 1], source[HEX_ADDRESS + 1], hop[HEX_ADDRESS + 1];
    unsigned long length, source_length, users, uses, flags;
    struct in6_addr address;

    *out = (struct host_route){0};
    if (!next_word(&line, destination, sizeof destination) || !next_number(&line, 16, &length) ||
        !next_word(&line, source, sizeof source) || !next_number(&line, 16, &source_length) ||
        !next_word(&line, hop, sizeof hop) || !next_number(&line, 16, &out->metric) ||
        !next_number(&line, 16, &users) || !next_number(&line, 16, &uses) || !next_number(&line, 16, &flags) ||
        !next_word(&line, out->interface, sizeof out->interface))
        return false;
    if (length != 0 || source_length != 0 || !(flags & RTF_UP) || (flags & RTF_REJECT) || strlen(hop) != HEX_ADDRESS ||
        !parse_hex_address(hop, &address))
        return false;
    if (!IN6_IS_ADDR_UNSPECIFIED(&address))
        (void)inet_ntop(AF_INET6, &address, out->gateway, sizeof out->gateway);
    return true;
}

size_t host_routes6_parse(const char *text, struct host_route *out, size_t n, size_t most)
{
    struct host_route route;
    char line[256];
    size_t from = n;

    while (next_line(&text, line, sizeof line))
        if (parse_route6(line, &route))
            n = add_route(&route, out, from, n, most);
    return n;
}

static size_t read_routes(const char *path, size_t (*parse)(const char *, struct host_route *, size_t, size_t),
                          struct host_route *out, size_t n, size_t most)
{
    char *text = read_file(path);

    if (text)
        n = parse(text, out, n, most);
    free(text);
    return n;
}

size_t host_routes_read(struct host_route *out, size_t most)
{
    return read_routes("/proc/net/route", host_routes_parse, out, 0, most);
}

/* ---- name servers ---------------------------------------------------------------------------------------------- */

size_t host_servers_parse(const char *text, char out[][ADDRESS_TEXT], size_t most)
{
    char line[256], word[ADDRESS_TEXT + HOST_INTERFACE_NAME];
    struct address address;
    size_t n = 0;

    while (n < most && next_line(&text, line, sizeof line)) {
        const char *rest = line;
        if (!next_word(&rest, word, sizeof word) || strcmp(word, "nameserver") != 0 ||
            !next_word(&rest, word, sizeof word))
            continue;
        word[strcspn(word, "%")] = '\0'; /* the name of an interface follows */
        if (address_parse(word, &address))
            address_print(&address, out[n++]);
    }
    return n;
}

static size_t read_servers(const char *path, char out[][ADDRESS_TEXT], size_t most)
{
    char *text = read_file(path);
    size_t n = text ? host_servers_parse(text, out, most) : 0;

    free(text);
    return n;
}

/* Where a service of this machine stands in for them, those that it asks. */
static void find_servers(struct host_network *out)
{
    char behind[HOST_SERVERS][ADDRESS_TEXT];

    out->n_servers = read_servers("/etc/resolv.conf", out->servers, HOST_SERVERS);
    if (out->n_servers == 0 || strncmp(out->servers[0], "127.", 4) != 0)
        return;
    size_t n = read_servers("/run/systemd/resolve/resolv.conf", behind, HOST_SERVERS);
    if (n == 0)
        return;
    memcpy(out->servers, behind, sizeof behind);
    out->n_servers = n;
}

/* ---- interfaces ------------------------------------------------------------------------------------------------ */

static struct host_interface *interface_named(struct host_network *out, const char *name)
{
    for (size_t i = 0; i < out->n_interfaces; i++)
        if (strcmp(out->interfaces[i].name, name) == 0)
            return &out->interfaces[i];
    if (out->n_interfaces == HOST_INTERFACES)
        return NULL;
    struct host_interface *interface = &out->interfaces[out->n_interfaces++];
    (void)snprintf(interface->name, sizeof interface->name, "%s", name);
    return interface;
}

static void take_mac(struct host_interface *interface, const struct sockaddr *sockaddr)
{
    static const unsigned char none[MAC_BYTES];
    struct sockaddr_ll link;

    memcpy(&link, sockaddr, sizeof link);
    const unsigned char *at = link.sll_addr;
    if (link.sll_halen == MAC_BYTES && memcmp(at, none, MAC_BYTES) != 0)
        (void)snprintf(interface->mac, sizeof interface->mac, "%02x:%02x:%02x:%02x:%02x:%02x", at[0], at[1], at[2],
                       at[3], at[4], at[5]);
}

static unsigned count_bits(const struct sockaddr *netmask)
{
    unsigned bits = 0;

    if (!netmask)
        return 0;
    struct address mask = address_of(netmask);
    for (size_t i = netmask->sa_family == AF_INET ? 12 : 0; i < sizeof mask.bytes; i++)
        for (unsigned byte = mask.bytes[i]; byte != 0; byte &= byte - 1)
            bits++;
    return bits;
}

static void take_address(struct host_interface *interface, const struct ifaddrs *entry)
{
    if (interface->n_addresses == HOST_ADDRESSES)
        return;
    struct host_address *address = &interface->addresses[interface->n_addresses++];
    struct address bytes = address_of(entry->ifa_addr);
    address_print(&bytes, address->text);
    address->bits = count_bits(entry->ifa_netmask);
    address->v6 = entry->ifa_addr->sa_family == AF_INET6;
    address->link_local = address->v6 && bytes.bytes[0] == 0xfe && (bytes.bytes[1] & 0xc0) == 0x80;
}

static void find_interfaces(struct host_network *out)
{
    struct ifaddrs *entries = NULL;

    if (getifaddrs(&entries) != 0)
        return;
    for (const struct ifaddrs *entry = entries; entry; entry = entry->ifa_next) {
        struct host_interface *interface = interface_named(out, entry->ifa_name);
        if (!interface)
            continue;
        interface->up = entry->ifa_flags & IFF_UP;
        interface->running = entry->ifa_flags & IFF_RUNNING;
        interface->loopback = entry->ifa_flags & IFF_LOOPBACK;
        if (entry->ifa_addr && entry->ifa_addr->sa_family == AF_PACKET)
            take_mac(interface, entry->ifa_addr);
        else if (entry->ifa_addr && (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6))
            take_address(interface, entry);
    }
    freeifaddrs(entries);
}

/* ---- clock ------------------------------------------------------------------------------------------------------ */

/* A confined service may not ask the kernel; then what the usual time service leaves behind has to do. */
static enum host_clock find_clock(void)
{
    struct timex clock = {0};
    int state = adjtimex(&clock);

    if (state >= 0)
        return state == TIME_ERROR || (clock.status & STA_UNSYNC) ? HOST_CLOCK_FREE : HOST_CLOCK_SYNCHRONISED;
    return access("/run/systemd/timesync/synchronized", F_OK) == 0 ? HOST_CLOCK_SYNCHRONISED : HOST_CLOCK_UNKNOWN;
}

static void find_zone(struct host_network *out)
{
    static const char folder[] = "/zoneinfo/";
    char target[256];
    time_t now = time(NULL);
    struct tm local;
    ssize_t size = readlink("/etc/localtime", target, sizeof target - 1);

    if (localtime_r(&now, &local))
        out->utc_offset_s = (int)local.tm_gmtoff;
    if (size <= 0)
        return;
    target[size] = '\0';
    const char *at = strstr(target, folder);
    if (at && strlen(at) - strlen(folder) < sizeof out->zone)
        (void)snprintf(out->zone, sizeof out->zone, "%s", at + strlen(folder));
}

void host_network_read(struct host_network *out)
{
    *out = (struct host_network){.clock = find_clock()};
    if (gethostname(out->host_name, sizeof out->host_name - 1) != 0)
        out->host_name[0] = '\0';
    find_interfaces(out);
    out->n_routes = host_routes_read(out->routes, HOST_ROUTES);
    out->n_routes = read_routes("/proc/net/ipv6_route", host_routes6_parse, out->routes, out->n_routes, HOST_ROUTES);
    find_servers(out);
    find_zone(out);
}
