#include "api/access.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALLOW_TEXT 4096 /* more than the setting may hold */
#define ITEM_TEXT  64   /* the longest network, with room */

struct access {
    const struct settings *settings;
    bool open;               /* access.mode, which counts from start to end */
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

enum aibox_status access_open(const struct settings *settings, bool loopback, struct access **out,
                              struct aibox_error *err)
{
    struct access *access = calloc(1, sizeof *access);
    enum aibox_status status;

    *out = NULL;
    if (!access)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    access->settings = settings;
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

/* A browser names the site whose page makes it call: Fetch Metadata in all current ones, Origin in the others. */
static bool is_cross_site(const struct access_caller *caller)
{
    const char *authority;

    if (caller->fetch_site)
        return strcasecmp(caller->fetch_site, "cross-site") == 0;
    if (!caller->origin)
        return false;
    authority = strstr(caller->origin, "://");
    return !authority || !caller->host || strcasecmp(authority + 3, caller->host) != 0;
}

enum aibox_status access_check(struct access *access, const struct api_endpoint *endpoint,
                               const struct access_caller *caller, struct aibox_error *err)
{
    bool compatible = strncmp(endpoint->path, "/Sophon", strlen("/Sophon")) == 0;

    if (endpoint->role == API_OPEN)
        return AIBOX_OK;
    if (!access->open && !(compatible && is_allowed(access, &caller->address)))
        return error_set(err, AIBOX_UNAUTHORIZED,
                         compatible ? "this call needs a credential, or an address listed in access.legacy_allow"
                                    : "this call needs a credential");
    if (is_cross_site(caller))
        return error_set(err, AIBOX_FORBIDDEN, "a page of another site may not call the box without a credential");
    return AIBOX_OK;
}
