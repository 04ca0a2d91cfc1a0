/*
 * Who may call what. Everybody may call what the table opens to all. In open mode, which serves this machine alone,
 * there is nothing else to ask. In closed mode a caller is known by the Unix socket of the data folder (the box's own
 * user and root: administrators), by the cookie of a session, by an API key or by name and password; his role must
 * reach the endpoint's. The addresses of access.legacy_allow may use the compatible calls (/Sophon…), whose protocol
 * knows no credentials. Until there is an administrator nobody is let in but through the Unix socket.
 */
#ifndef AIBOX_API_ACCESS_H
#define AIBOX_API_ACCESS_H

#include <stdbool.h>

#include "access/accounts.h"
#include "access/terminals.h"
#include "api/endpoint.h"
#include "core/address.h"
#include "core/settings.h"
#include "core/status.h"

#define ACCESS_COOKIE "aibox_session"

struct access;

/* What is known of a caller before his arguments are read. Header values may be NULL. */
struct access_caller {
    struct address address;
    bool local;                /* came by the Unix socket, as the box's own user or root */
    bool secure;               /* over TLS */
    const char *host;          /* Host */
    const char *origin;        /* Origin */
    const char *fetch_site;    /* Sec-Fetch-Site */
    const char *authorization; /* Authorization */
    const char *cookie;        /* Cookie */
};

enum access_way {
    ACCESS_NOBODY,
    ACCESS_OPEN,
    ACCESS_LOCAL,
    ACCESS_LEGACY,
    ACCESS_SESSION,
    ACCESS_KEY,
    ACCESS_PASSWORD,
    ACCESS_TERMINAL
};

/* What a caller was found to be. */
struct access_grant {
    enum access_way way;
    struct account_identity identity;      /* `name` and the like: SESSION, KEY, PASSWORD; `role` always */
    char device_id[TERMINALS_DEVICE_SIZE]; /* TERMINAL: what it may act for */
    struct address address;
    bool secure;
    bool undecided; /* a password has to be checked first, see access_check */
    unsigned retry_after_s;
};

/* `loopback`: the server listens on an address of this machine only. `accounts` and `terminals` (NULL: there are
 * none) and `settings` must outlive it. PARAM when access.legacy_allow can't be read, or access.mode is open without
 * `loopback`. */
enum aibox_status access_open(const struct settings *settings, struct accounts *accounts, struct terminals *terminals,
                              bool loopback, struct access **out, struct aibox_error *err);
void access_close(struct access *access);

/*
 * OK and who it is; UNAUTHORIZED; FORBIDDEN: the role doesn't reach, or a page of another site made the caller's
 * browser call: an address or a cookie alone must not lend a foreign page its rights; TOO_MANY_REQUESTS after failed
 * log-ins (retry_after_s). Checking a password takes long: without `may_wait` one that is not known yet is OK and
 * undecided, and the caller asks again, on a thread that may wait, before he lets anything happen. Settings count as
 * they are now. Any thread.
 */
enum aibox_status access_check(struct access *access, const struct api_endpoint *endpoint,
                               const struct access_caller *caller, bool may_wait, struct access_grant *grant,
                               struct aibox_error *err);

/* Whether what was granted would be granted again: for answers that take long. */
bool access_still_valid(struct access *access, const struct access_grant *grant, enum api_role role);

bool access_is_open_mode(const struct access *access);

/* The caller for people: "admin", "key:gate 1", "local", "open", "legacy", "" (nobody). */
void access_print_who(const struct access_grant *grant, char *out, size_t size);

/* Checks a value of access.legacy_allow: addresses and CIDR networks, separated by commas. PARAM naming the one that is
 * wrong. */
enum aibox_status access_check_allow(const char *text, struct aibox_error *err);

#endif
