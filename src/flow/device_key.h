/*
 * What a device is known by: the address of a PAD or FTP camera, the URL of a stream. Credentials in a URL are the
 * password before the host, and what follows password=, passwd=, pass= or pwd= in path or query, as some cameras want
 * it. Pure functions; results are malloc'd, NULL: out of memory.
 */
#ifndef AIBOX_FLOW_DEVICE_KEY_H
#define AIBOX_FLOW_DEVICE_KEY_H

#include <netinet/in.h>
#include <stdbool.h>

#include "core/status.h"

#define DEVICE_SECRET_SHOWN "***"
#define DEVICE_URL_MAX      1024 /* bytes */

/* An address as inet_ntop() prints it, IPv4 in IPv6 as IPv4. False: not the address of one host. */
bool device_address(const char *text, char out[INET6_ADDRSTRLEN]);

/* Address or host name. */
bool device_host_valid(const char *text);

/* PARAM (without a word of the URL) unless `url` is rtsp://[user[:password]@]host[:port][/path][?query], or the same
 * with rtsps, http or https. */
enum aibox_status device_url_check(const char *url, struct aibox_error *err);

/* For URLs that have been checked. */
char *device_url_shown(const char *url);  /* passwords replaced by *** */
char *device_url_public(const char *url); /* without user and password; other passwords replaced by *** */
char *device_url_host(const char *url);   /* an address as device_address() gives it, a name in lower case */

/*
 * A URL from a client that may have come from device_url_shown(): *** where a password stood is replaced by that of
 * `stored` (NULL: there is none), as long as user, host and port are the same; else PARAM.
 */
enum aibox_status device_url_restore(const char *given, const char *stored, char **out, struct aibox_error *err);

#endif
