#include "report/allow.h"

#include <string.h>
#include <strings.h>

#define MAX_ENTRY 256

/* Takes the next entry of the list into `out`, without white space around it. False: there is none. What is too long
 * to be an entry comes out empty. */
static bool next_entry(const char **list, char out[MAX_ENTRY])
{
    const char *from = *list + strspn(*list, ", \t");
    size_t size = strcspn(from, ",");

    *list = from + size;
    while (size > 0 && (from[size - 1] == ' ' || from[size - 1] == '\t'))
        size--;
    if (size == 0)
        return false;
    if (size >= MAX_ENTRY)
        size = 0;
    memcpy(out, from, size);
    out[size] = '\0';
    return true;
}

bool allow_everything(const char *list)
{
    return list[strspn(list, ", \t")] == '\0';
}

bool allow_host(const char *list, const char *host)
{
    char entry[MAX_ENTRY];

    while (next_entry(&list, entry))
        if (entry[0] && strcasecmp(entry, host) == 0)
            return true;
    return false;
}

bool allow_address(const char *list, const struct address *address)
{
    char entry[MAX_ENTRY];
    struct network network;

    while (next_entry(&list, entry))
        if (network_parse(entry, &network) && network_holds(&network, address))
            return true;
    return false;
}
