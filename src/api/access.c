#include "api/access.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/credential.h"

#define ALLOW_TEXT 4096 /* more than the setting may hold */
#define ITEM_TEXT  64   /* the longest network, with room */

_Static_assert((int)API_VIEWER == (int)ACCOUNT_VIEWER && (int)API_OPERATOR == (int)ACCOUNT_OPERATOR &&
                   (int)API_ADMIN == (int)ACCOUNT_ADMIN,
               "the table's roles are those of accounts");

struct access {
    const struct settings *settings;
    struct accounts *accounts;
    struct terminals *terminals; /* NULL: none */
    bool open;                   /* access.mode, which counts from start to end */
    bool loopback;
    pthread_mutex_t mu;      /* guards what follows */
    char text[ALLOW_TEXT];   /* of access.legacy_allow, when it was last read */
    struct network *allowed; /* what it says */
    size_t allowed_count;
};

/* Copies the next item of a comma-separated list without the white space around it; false at the end. */
static bool next_item(const char **at, char item[ITEM_TEXT], bool *fits)
{
    const char *start = *at;
    size_t size;

    if (!start)
        return false;
    size = strcspn(start, ",");
    *at = start[size] ? start + size + 1 : NULL;
    while (size > 0 && start[0] == ' ') {
        start++;
        size--;
    }
    while (size > 0 && start[size - 1] == ' ')
        size--;
    *fits = size < ITEM_TEXT;
    size = *fits ? size : ITEM_TEXT - 1;
    memcpy(item, start, size);
    item[size] = '\0';
    return true;
}

/* Reads `text` into a new array. */
static enum aibox_status parse_allow(const char *text, struct network **out, size_t *count, struct aibox_error *err)
{
    const char *at = *text ? text : NULL;
    char item[ITEM_TEXT];
    size_t room = 1;
    bool fits;

    for (const char *comma = text; *comma; comma++)
        room += *comma == ',';
    *count = 0;
    *out = calloc(room, sizeof **out);
    if (!*out)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    while (next_item(&at, item, &fits)) {
        if (!fits || !network_parse(item, &(*out)[*count])) {
            free(*out);
            *out = NULL;
            return error_set(err, AIBOX_PARAM,
                             "access.legacy_allow: expected addresses and networks like 192.168.1.20, 10.0.0.0/8 "
                             "separated by commas, got \"%s\"",
                             item);
        }
        (*count)++;
    }
    return AIBOX_OK;
}

enum aibox_status access_check_allow(const char *text, struct aibox_error *err)
{
    struct network *networks;
    size_t count;
    enum aibox_status status = parse_allow(text, &networks, &count, err);

    if (status == AIBOX_OK)
        free(networks);
    return status;
}

static bool mode_is_open(const struct settings *settings)
{
    char mode[16];

    (void)settings_text(settings, "access.mode", mode, sizeof mode);
    return strcmp(mode, "open") == 0;
}

enum aibox_status access_open(const struct settings *settings, struct accounts *accounts, struct terminals *terminals,
                              bool loopback, struct access **out, struct aibox_error *err)
{
    struct access *access = calloc(1, sizeof *access);
    enum aibox_status status;

    *out = NULL;
    if (!access)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    access->settings = settings;
    access->accounts = accounts;
    access->terminals = terminals;
    access->loopback = loopback;
    access->open = mode_is_open(settings);
    if (access->open && !loopback) {
        free(access);
        return error_set(err, AIBOX_PARAM, "access.mode=open is for a loopback address only, such as 127.0.0.1");
    }
    (void)settings_text(settings, "access.legacy_allow", access->text, sizeof access->text);
    status = parse_allow(access->text, &access->allowed, &access->allowed_count, err);
    if (status != AIBOX_OK) {
        free(access);
        return status;
    }
    if (pthread_mutex_init(&access->mu, NULL) != 0) {
        free(access->allowed);
        free(access);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    *out = access;
    return AIBOX_OK;
}

void access_close(struct access *access)
{
    if (!access)
        return;
    (void)pthread_mutex_destroy(&access->mu);
    free(access->allowed);
    free(access);
}

/* Reads the setting again if it has changed. One that can't be read allows nobody. Lock held. */
static void refresh(struct access *access)
{
    char text[ALLOW_TEXT];

    (void)settings_text(access->settings, "access.legacy_allow", text, sizeof text);
    if (strcmp(text, access->text) == 0)
        return;
    free(access->allowed);
    access->allowed = NULL;
    access->allowed_count = 0;
    if (parse_allow(text, &access->allowed, &access->allowed_count, NULL) != AIBOX_OK)
        access->allowed_count = 0;
    memcpy(access->text, text, sizeof text);
}

static bool is_allowed(struct access *access, const struct address *address)
{
    bool allowed = false;

    pthread_mutex_lock(&access->mu);
    refresh(access);
    for (size_t i = 0; i < access->allowed_count && !allowed; i++)
        allowed = network_holds(&access->allowed[i], address);
    pthread_mutex_unlock(&access->mu);
    return allowed;
}

/* ---- foreign pages ------------------------------------------------------------------------------------------- */

/* A browser names the site whose page makes it call: Fetch Metadata in all current ones, Origin in the others. Another
 * port of the same host is another program, and foreign too. */
static bool is_foreign(const struct access_caller *caller)
{
    const char *authority;

    if (caller->fetch_site)
        return strcasecmp(caller->fetch_site, "same-origin") != 0 && strcasecmp(caller->fetch_site, "none") != 0;
    if (!caller->origin)
        return false;
    authority = strstr(caller->origin, "://");
    return !authority || !caller->host || strcasecmp(authority + 3, caller->host) != 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t end_size = strlen(end);

    return size >= end_size && strcasecmp(text + size - end_size, end) == 0;
}

/* Whether Host is a name that no foreign server of names answers for: an address, or a name of the local network.
 * Otherwise a page could have its own name point to this machine, and be of the same origin. */
static bool is_local_name(const char *host)
{
    char name[256];
    struct address address;
    size_t size;

    if (!host || !*host)
        return true;
    if (*host == '[') {
        host++;
        size = strcspn(host, "]");
    } else {
        size = strcspn(host, ":");
    }
    if (size >= sizeof name)
        return false;
    memcpy(name, host, size);
    name[size] = '\0';
    return address_parse(name, &address) || !strchr(name, '.') || ends_with(name, ".local") ||
           ends_with(name, ".localhost");
}

/* What the browser adds by itself, without the page's knowing it, counts from the box's own pages only. */
static bool is_ambient(enum access_way way)
{
    return way == ACCESS_OPEN || way == ACCESS_LEGACY || way == ACCESS_SESSION || way == ACCESS_PASSWORD;
}

/* ---- who it is ----------------------------------------------------------------------------------------------- */

static void grant_all(struct access_grant *grant, enum access_way way)
{
    grant->way = way;
    grant->identity.role = ACCOUNT_ADMIN;
}

static enum aibox_status find_by_password(struct access *access, const struct access_caller *caller,
                                          const struct credential *credential, bool may_wait,
                                          struct access_grant *grant, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    if (accounts_knows_password(access->accounts, credential->name, credential->password, &grant->identity)) {
        grant->way = ACCESS_PASSWORD;
    } else if (!may_wait) {
        grant->undecided = true;
    } else {
        status = accounts_check_password(access->accounts, &caller->address, credential->name, credential->password,
                                         &grant->identity, &grant->retry_after_s, err);
        if (status == AIBOX_OK)
            grant->way = ACCESS_PASSWORD;
    }
    return status;
}

static enum aibox_status find_by_header(struct access *access, const struct access_caller *caller, bool may_wait,
                                        struct access_grant *grant, struct aibox_error *err)
{
    struct credential credential;
    enum aibox_status status = AIBOX_OK;

    switch (credential_read(caller->authorization, &credential)) {
    case CREDENTIAL_BEARER:
        if (accounts_find_key(access->accounts, credential.token, credential.token_size, &grant->identity))
            grant->way = ACCESS_KEY;
        else if (access->terminals &&
                 terminals_find(access->terminals, credential.token, credential.token_size, grant->device_id))
            grant->way = ACCESS_TERMINAL;
        else
            status = error_set(err, AIBOX_UNAUTHORIZED, "the key is unknown, or its time is over");
        break;
    case CREDENTIAL_BASIC:
        status = find_by_password(access, caller, &credential, may_wait, grant, err);
        break;
    case CREDENTIAL_BAD:
        status = error_set(err, AIBOX_UNAUTHORIZED,
                           "Authorization: \"Bearer KEY\" or \"Basic …\" (name and password) is expected");
        break;
    case CREDENTIAL_NONE:
        break;
    }
    sodium_memzero(&credential, sizeof credential);
    return status;
}

/* With open access, too, a terminal is its device. */
static bool find_terminal(struct access *access, const struct access_caller *caller, struct access_grant *grant)
{
    struct credential credential;
    bool found = access->terminals && caller->authorization &&
                 credential_read(caller->authorization, &credential) == CREDENTIAL_BEARER &&
                 terminals_find(access->terminals, credential.token, credential.token_size, grant->device_id);

    if (found)
        grant->way = ACCESS_TERMINAL;
    return found;
}

static enum aibox_status find_caller(struct access *access, const struct access_caller *caller, bool may_wait,
                                     struct access_grant *grant, struct aibox_error *err)
{
    const char *token;
    size_t size;

    if (caller->local) {
        grant_all(grant, ACCESS_LOCAL);
        return AIBOX_OK;
    }
    if (access->open) {
        if (!find_terminal(access, caller, grant))
            grant_all(grant, ACCESS_OPEN);
        return AIBOX_OK;
    }
    if (!access->accounts)
        return AIBOX_OK;
    if (caller->authorization)
        return find_by_header(access, caller, may_wait, grant, err);
    token = credential_find_cookie(caller->cookie, ACCESS_COOKIE, &size);
    if (token && accounts_find_session(access->accounts, token, size, &grant->identity))
        grant->way = ACCESS_SESSION;
    return AIBOX_OK;
}

/* ---- what he may --------------------------------------------------------------------------------------------- */

static bool is_set_up(const struct access *access)
{
    return access->open || !access->accounts || accounts_set_up(access->accounts);
}

static enum aibox_status refuse_nobody(bool compatible, const struct access_caller *caller, struct aibox_error *err)
{
    size_t size;

    if (credential_find_cookie(caller->cookie, ACCESS_COOKIE, &size))
        return error_set(err, AIBOX_UNAUTHORIZED, "the session is over; log in again");
    if (compatible)
        return error_set(err, AIBOX_UNAUTHORIZED,
                         "this call needs a credential, or an address listed in access.legacy_allow");
    return error_set(err, AIBOX_UNAUTHORIZED, "this call needs a credential");
}

static enum aibox_status check_foreign(const struct access *access, const struct api_endpoint *endpoint,
                                       const struct access_caller *caller, const struct access_grant *grant,
                                       struct aibox_error *err)
{
    bool changes = strcmp(endpoint->method, "GET") != 0;

    if (endpoint->role == API_OPEN ? changes && is_foreign(caller) : is_ambient(grant->way) && is_foreign(caller))
        return error_set(err, AIBOX_FORBIDDEN, "a page of another site may not call the box without a key");
    if (access->open && !caller->local && endpoint->role != API_OPEN && !is_local_name(caller->host))
        return error_set(err, AIBOX_FORBIDDEN,
                         "Host: with open access the box is called by its address or a local name only");
    return AIBOX_OK;
}

/* What the table opens to all. A credential that is no good is none there. */
static enum aibox_status check_open(struct access *access, const struct api_endpoint *endpoint,
                                    const struct access_caller *caller, struct access_grant *grant,
                                    struct aibox_error *err)
{
    if (find_caller(access, caller, false, grant, NULL) != AIBOX_OK || grant->undecided)
        *grant = (struct access_grant){.address = caller->address, .secure = caller->secure};
    if (endpoint->when_set_up && !access->loopback && !is_set_up(access) && grant->way != ACCESS_LOCAL)
        return error_set(err, AIBOX_UNAUTHORIZED, "the box is not set up yet");
    return check_foreign(access, endpoint, caller, grant, err);
}

enum aibox_status access_check(struct access *access, const struct api_endpoint *endpoint,
                               const struct access_caller *caller, bool may_wait, struct access_grant *grant,
                               struct aibox_error *err)
{
    bool compatible = strncmp(endpoint->path, "/Sophon", strlen("/Sophon")) == 0;
    enum aibox_status status;

    *grant = (struct access_grant){.address = caller->address, .secure = caller->secure};
    if (endpoint->role == API_OPEN)
        return check_open(access, endpoint, caller, grant, err);
    if (!is_set_up(access) && !caller->local)
        return error_set(err, AIBOX_UNAUTHORIZED,
                         "the box is not set up yet: open the link that it printed at its start");
    status = find_caller(access, caller, may_wait, grant, err);
    if (status != AIBOX_OK || grant->undecided)
        return status;
    if (grant->way == ACCESS_NOBODY && compatible && is_allowed(access, &caller->address))
        grant_all(grant, ACCESS_LEGACY);
    if (grant->way == ACCESS_NOBODY)
        return refuse_nobody(compatible, caller, err);
    if (grant->way == ACCESS_TERMINAL)
        return endpoint->terminals
                   ? AIBOX_OK
                   : error_set(err, AIBOX_FORBIDDEN, "a terminal may have pictures recognised, and nothing else");
    if ((int)grant->identity.role < (int)endpoint->role)
        return error_set(err, AIBOX_FORBIDDEN, "this call needs the role %s, the credential gives %s",
                         account_role_name((enum account_role)endpoint->role), account_role_name(grant->identity.role));
    return check_foreign(access, endpoint, caller, grant, err);
}

bool access_still_valid(struct access *access, const struct access_grant *grant, enum api_role role)
{
    switch (grant->way) {
    case ACCESS_SESSION:
    case ACCESS_KEY:
    case ACCESS_PASSWORD:
        return accounts_still_valid(access->accounts, &grant->identity, (enum account_role)role);
    case ACCESS_LEGACY:
        return is_allowed(access, &grant->address);
    case ACCESS_OPEN:
    case ACCESS_LOCAL:
        return true;
    case ACCESS_TERMINAL: /* makes no calls that take long */
    case ACCESS_NOBODY:
        break;
    }
    return role == API_OPEN;
}

bool access_is_open_mode(const struct access *access)
{
    return access->open;
}

void access_print_who(const struct access_grant *grant, char *out, size_t size)
{
    static const char *const ways[] = {
        [ACCESS_NOBODY] = "",  [ACCESS_OPEN] = "open", [ACCESS_LOCAL] = "local", [ACCESS_LEGACY] = "legacy",
        [ACCESS_SESSION] = "", [ACCESS_KEY] = "key:",  [ACCESS_PASSWORD] = "",   [ACCESS_TERMINAL] = "terminal:"};

    (void)snprintf(out, size, "%s%s", ways[grant->way],
                   grant->way == ACCESS_TERMINAL ? grant->device_id : grant->identity.name);
}
