#include "core/settings.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/settings_value.h"
#include "core/utf8.h"

#define SOURCES        (SETTINGS_SET + 1)
#define TYPE_BIT(type) (1U << (type))
#define ANY_TYPE       (~0U)

/* What is known of one key. */
struct slot {
    struct settings_value by_source[SOURCES]; /* DEFAULT's is always there */
    char *started_with;                       /* RESTART settings, after settings_freeze */
};

struct listener {
    settings_listener fn;
    void *ctx;
};

struct settings {
    pthread_mutex_t mu; /* guards all that follows; never held over a listener */
    struct slot *slots; /* one per row of the table, same order */
    struct listener listeners[SETTINGS_LISTENERS_MAX];
    size_t listener_count;
};

/* Readers hold a const pointer; the lock is not part of what they promise not to change. */
static void lock(const struct settings *settings)
{
    pthread_mutex_lock((pthread_mutex_t *)&settings->mu);
}

static void unlock(const struct settings *settings)
{
    pthread_mutex_unlock((pthread_mutex_t *)&settings->mu);
}

static int compare_key(const void *key, const void *entry)
{
    return strcmp(key, ((const struct settings_entry *)entry)->key);
}

const struct settings_entry *settings_find(const char *key)
{
    return bsearch(key, settings_table, settings_count, sizeof settings_table[0], compare_key);
}

static struct slot *slot_of(const struct settings *settings, const struct settings_entry *entry)
{
    return &settings->slots[entry - settings_table];
}

static enum settings_source winner_of(const struct slot *slot)
{
    enum settings_source source = SETTINGS_SET;

    while (source != SETTINGS_DEFAULT && !slot->by_source[source].text)
        source--;
    return source;
}

static const struct settings_value *value_of(const struct slot *slot)
{
    return &slot->by_source[winner_of(slot)];
}

enum aibox_status settings_open(struct settings **out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    struct settings *settings = calloc(1, sizeof *settings);

    *out = NULL;
    if (!settings || pthread_mutex_init(&settings->mu, NULL) != 0) {
        free(settings);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    settings->slots = calloc(settings_count, sizeof *settings->slots);
    if (!settings->slots) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        goto fail;
    }
    for (size_t i = 0; i < settings_count; i++) {
        const struct settings_entry *entry = &settings_table[i];

        status = settings_value_parse(entry, entry->default_text, &settings->slots[i].by_source[SETTINGS_DEFAULT], err);
        if (status != AIBOX_OK)
            goto fail;
    }
    *out = settings;
    return AIBOX_OK;

fail:
    settings_close(settings);
    return status;
}

void settings_close(struct settings *settings)
{
    if (!settings)
        return;
    for (size_t i = 0; settings->slots && i < settings_count; i++) {
        for (size_t source = 0; source < SOURCES; source++)
            settings_value_free(&settings->slots[i].by_source[source]);
        free(settings->slots[i].started_with);
    }
    free(settings->slots);
    pthread_mutex_destroy(&settings->mu);
    free(settings);
}

static void tell_listeners(struct settings *settings, const char *key)
{
    struct listener listeners[SETTINGS_LISTENERS_MAX];
    size_t count;

    lock(settings);
    count = settings->listener_count;
    memcpy(listeners, settings->listeners, sizeof listeners);
    unlock(settings);
    for (size_t i = 0; i < count; i++)
        listeners[i].fn(listeners[i].ctx, key);
}

/* Puts `value` (taken; empty: forget) in the place of what `source` holds. */
static void replace_value(struct settings *settings, enum settings_source source, const struct settings_entry *entry,
                          struct settings_value value)
{
    struct slot *slot = slot_of(settings, entry);
    struct settings_value old;
    const char *before;
    bool changed;

    assert(source > SETTINGS_DEFAULT && source < SOURCES);
    lock(settings);
    before = value_of(slot)->text;
    old = slot->by_source[source];
    slot->by_source[source] = value;
    changed = strcmp(before, value_of(slot)->text) != 0;
    unlock(settings);
    settings_value_free(&old);
    if (changed)
        tell_listeners(settings, entry->key);
}

static enum aibox_status parse(const char *key, const char *text, const struct settings_entry **entry,
                               struct settings_value *value, struct aibox_error *err)
{
    size_t size = strlen(key);

    *entry = settings_find(key);
    if (*entry)
        return settings_value_parse(*entry, text, value, err);
    if (!utf8_valid(key, size))
        return error_set(err, AIBOX_PARAM, "unknown setting");
    return error_set(err, AIBOX_PARAM, "unknown setting '%.*s'", (int)utf8_prefix(key, size, 60), key);
}

enum aibox_status settings_put(struct settings *settings, enum settings_source source, const char *key,
                               const char *text, struct aibox_error *err)
{
    const struct settings_entry *entry;
    struct settings_value value;
    enum aibox_status status = parse(key, text, &entry, &value, err);

    if (status == AIBOX_OK)
        replace_value(settings, source, entry, value);
    return status;
}

enum aibox_status settings_check(const char *key, const char *text, struct aibox_error *err)
{
    const struct settings_entry *entry;
    struct settings_value value;
    enum aibox_status status = parse(key, text, &entry, &value, err);

    if (status == AIBOX_OK)
        settings_value_free(&value);
    return status;
}

void settings_forget(struct settings *settings, enum settings_source source, const char *key)
{
    const struct settings_entry *entry = settings_find(key);

    if (entry)
        replace_value(settings, source, entry, (struct settings_value){0});
}

/*
 * The row that a reader asks for, of one of the types in the bit set `types`. A wrong question ends the
 * program in release builds too: a threshold read as 0 by mistake would open doors.
 */
static const struct settings_entry *row_for(const char *key, unsigned types)
{
    const struct settings_entry *entry = settings_find(key);

    if (!entry || !(types & TYPE_BIT(entry->type))) {
        log_error("core", "setting asked for by a wrong name or type setting=%s", key);
        abort();
    }
    return entry;
}

bool settings_bool(const struct settings *settings, const char *key)
{
    const struct settings_entry *entry = row_for(key, TYPE_BIT(SETTINGS_BOOL));
    bool flag;

    lock(settings);
    flag = value_of(slot_of(settings, entry))->flag;
    unlock(settings);
    return flag;
}

int64_t settings_int(const struct settings *settings, const char *key)
{
    const struct settings_entry *entry = row_for(key, TYPE_BIT(SETTINGS_INT));
    int64_t integer;

    lock(settings);
    integer = value_of(slot_of(settings, entry))->integer;
    unlock(settings);
    return integer;
}

double settings_float(const struct settings *settings, const char *key)
{
    const struct settings_entry *entry = row_for(key, TYPE_BIT(SETTINGS_FLOAT) | TYPE_BIT(SETTINGS_AUTO_FLOAT));
    double number;

    lock(settings);
    number = value_of(slot_of(settings, entry))->number;
    unlock(settings);
    return number;
}

size_t settings_text(const struct settings *settings, const char *key, char *out, size_t size)
{
    (void)row_for(key, TYPE_BIT(SETTINGS_TEXT) | TYPE_BIT(SETTINGS_CHOICE));
    return settings_print(settings, key, out, size, NULL);
}

size_t settings_print(const struct settings *settings, const char *key, char *out, size_t size,
                      enum settings_source *source)
{
    const struct settings_entry *entry = row_for(key, ANY_TYPE);
    enum settings_source winner;
    const char *text;
    size_t length;

    lock(settings);
    winner = winner_of(slot_of(settings, entry));
    text = slot_of(settings, entry)->by_source[winner].text;
    length = strlen(text);
    if (size > 0) {
        size_t kept = utf8_prefix(text, length, size - 1);

        memcpy(out, text, kept);
        out[kept] = '\0';
    }
    unlock(settings);
    if (source)
        *source = winner;
    return length;
}

void settings_freeze(struct settings *settings)
{
    lock(settings);
    for (size_t i = 0; i < settings_count; i++) {
        struct slot *slot = &settings->slots[i];

        if (!settings_table[i].restart)
            continue;
        free(slot->started_with);
        slot->started_with = strdup(value_of(slot)->text);
        /* Costs no more than the hint that a restart is due. */
        if (!slot->started_with)
            log_warn("core", "out of memory setting=%s", settings_table[i].key);
    }
    unlock(settings);
}

bool settings_needs_restart(const struct settings *settings, const char *key)
{
    const struct settings_entry *entry = row_for(key, ANY_TYPE);
    const struct slot *slot = slot_of(settings, entry);
    bool differs;

    lock(settings);
    differs = slot->started_with && strcmp(slot->started_with, value_of(slot)->text) != 0;
    unlock(settings);
    return differs;
}

void settings_listen(struct settings *settings, settings_listener fn, void *ctx)
{
    lock(settings);
    assert(settings->listener_count < SETTINGS_LISTENERS_MAX);
    settings->listeners[settings->listener_count++] = (struct listener){fn, ctx};
    unlock(settings);
}
