#include "core/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define V4_BITS 96 /* of the prefix ::ffff:0:0 */

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool address_parse(const char *text, struct address *out)
{
    if (inet_pton(AF_INET, text, out->bytes + 12) == 1) {
        memcpy(out->bytes, v4_prefix, sizeof v4_prefix);
        return true;
    }
    return inet_pton(AF_INET6, text, out->bytes) == 1;
}

struct address address_of(const struct sockaddr *sockaddr)
{
    struct address address = {{0}};

    if (sockaddr->sa_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, sockaddr, sizeof v4);
        memcpy(address.bytes, v4_prefix, sizeof v4_prefix);
        memcpy(address.bytes + 12, &v4.sin_addr, 4);
    } else if (sockaddr->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, sockaddr, sizeof v6);
        memcpy(address.bytes, &v6.sin6_addr, 16);
    }
    return address;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_is_v4(const struct address *address)
{
    return memcmp(address->bytes, v4_prefix, sizeof v4_prefix) == 0;
}

bool address_is_loopback(const struct address *address)
{
    static const struct address v6_loopback = {.bytes = {[15] = 1}};

    return address_is_v4(address) ? address->bytes[12] == 127 : address_equal(address, &v6_loopback);
}

void address_print(const struct address *address, char out[ADDRESS_TEXT])
{
    bool v4 = address_is_v4(address);

    if (!inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? 12 : 0), out, ADDRESS_TEXT))
        out[0] = '\0';
}

/* One to three decimal digits, at most `most`. */
static bool parse_length(const char *text, unsigned most, unsigned *out)
{
    size_t digits = strspn(text, "0123456789");

    *out = 0;
    for (size_t i = 0; i < digits && i < 4; i++)
        *out = *out * 10 + (unsigned)(text[i] - '0');
    return digits >= 1 && digits <= 3 && !text[digits] && *out <= most;
}

static bool bit_of(const struct address *address, unsigned bit)
{
    return address->bytes[bit / 8] >> (7 - bit % 8) & 1;
}

bool network_parse(const char *text, struct network *out)
{
    const char *slash = strchr(text, '/');
    size_t size = slash ? (size_t)(slash - text) : strlen(text);
    char address[ADDRESS_TEXT];
    unsigned first;

    if (size >= sizeof address)
        return false;
    memcpy(address, text, size);
    address[size] = '\0';
    if (!address_parse(address, &out->address))
        return false;
    /* Dotted text counts its bits from the dots' start. */
    first = strchr(address, ':') ? 0 : V4_BITS;
    out->bits = 128;
    if (slash && !parse_length(slash + 1, 128 - first, &out->bits))
        return false;
    if (slash)
        out->bits += first;
    for (unsigned bit = out->bits; bit < 128; bit++)
        if (bit_of(&out->address, bit))
            return false;
    return true;
}

bool network_holds(const struct network *network, const struct address *address)
{
    unsigned whole = network->bits / 8;
    unsigned rest = network->bits % 8;

    if (memcmp(network->address.bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || (network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}
