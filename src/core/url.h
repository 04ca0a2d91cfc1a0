/* Web addresses. */
#ifndef AIBOX_CORE_URL_H
#define AIBOX_CORE_URL_H

#include <stddef.h>

#include "core/status.h"

#define URL_MAX 1024 /* bytes */

/*
 * PARAM naming `field` unless `url` (UTF-8) is an http:// or https:// URL with a host, without fragment, of at most
 * URL_MAX bytes. User and password are allowed; so the message doesn't repeat what came. Any thread.
 */
enum aibox_status url_check(const char *field, const char *url, struct aibox_error *err);

/* `url` as it may be shown: user and password as "***". `out` is cut at `size`. Any thread. */
void url_show(const char *url, char *out, size_t size);

#endif
