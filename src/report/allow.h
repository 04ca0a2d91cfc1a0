/* Which destinations the setting reports.allow lets reports go to. Any thread. */
#ifndef AIBOX_REPORT_ALLOW_H
#define AIBOX_REPORT_ALLOW_H

#include <stdbool.h>

#include "core/address.h"

#define ALLOW_MAX 2049 /* room for the setting, with NUL */

/* `list`: hosts, addresses and CIDR networks, separated by commas. Empty: every destination is allowed. */
bool allow_everything(const char *list);
/* `host` as it stands in a URL, an IPv6 address without its brackets: named in the list, in whatever case? */
bool allow_host(const char *list, const char *host);
/* In one of the list's networks? */
bool allow_address(const char *list, const struct address *address);

#endif
