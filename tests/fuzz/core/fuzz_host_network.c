/* Routes and name servers, whatever the files hold: never more than there is room for, and only what may be shown. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/host_network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Independent of NDEBUG. */
static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_routes(const struct host_route *routes, size_t n, size_t from)
{
    for (size_t i = 0; i < n; i++) {
        struct address address;
        check(routes[i].interface[0] != '\0' &&
              strnlen(routes[i].interface, HOST_INTERFACE_NAME) < HOST_INTERFACE_NAME);
        check(routes[i].gateway[0] == '\0' || address_parse(routes[i].gateway, &address));
        check(i == 0 || i == from || routes[i - 1].metric <= routes[i].metric);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host_route routes[HOST_ROUTES];
    char servers[HOST_SERVERS][ADDRESS_TEXT];
    struct address address;
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    size_t four = host_routes_parse(text, routes, 0, HOST_ROUTES);
    check(four <= HOST_ROUTES);
    check_routes(routes, four, 0);
    size_t all = host_routes6_parse(text, routes, four, HOST_ROUTES);
    check(all >= four && all <= HOST_ROUTES);
    check_routes(routes, all, four);
    size_t n = host_servers_parse(text, servers, HOST_SERVERS);
    check(n <= HOST_SERVERS);
    for (size_t i = 0; i < n; i++)
        check(address_parse(servers[i], &address));
    free(text);
    return 0;
}
