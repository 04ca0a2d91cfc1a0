/*
 * Who may call what. Everybody may call what the table opens to all; in open mode, which serves this machine alone,
 * there is nothing else to ask. In closed mode the addresses of access.legacy_allow may use the compatible calls
 * (/Sophon…), whose protocol knows no credentials; everything else needs one.
 */
#ifndef AIBOX_API_ACCESS_H
#define AIBOX_API_ACCESS_H

#include <stdbool.h>

#include "api/endpoint.h"
#include "core/address.h"
#include "core/settings.h"
#include "core/status.h"

struct access;

/* What is known of a caller before his arguments are read. Header values may be NULL. */
struct access_caller {
    struct address address;
    const char *host;       /* Host */
    const char *origin;     /* Origin */
    const char *fetch_site; /* Sec-Fetch-Site */
};

/* `loopback`: the server listens on an address of this machine only. `settings` must outlive it. PARAM when
 * access.legacy_allow can't be read, or access.mode is open without `loopback`. */
enum aibox_status access_open(const struct settings *settings, bool loopback, struct access **out,
                              struct aibox_error *err);
void access_close(struct access *access);

/*
 * OK, UNAUTHORIZED, or FORBIDDEN for a call that a page of another site made the caller's browser send: where no
 * credential is asked for, the address alone must not lend a foreign page its rights. Settings count as they are now.
 * Any thread.
 */
enum aibox_status access_check(struct access *access, const struct api_endpoint *endpoint,
                               const struct access_caller *caller, struct aibox_error *err);

/* Checks a value of access.legacy_allow: addresses and CIDR networks, separated by commas. PARAM naming the one that is
 * wrong. */
enum aibox_status access_check_allow(const char *text, struct aibox_error *err);

#endif
