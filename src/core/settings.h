/*
 * Settings: one typed table (settings_table.h) behind the config file, `--set`, REST, console and docs.
 *
 * Which value wins: --set, then stored, then file, then default. A change by REST becomes visible to
 * readers at once and is handed to the listeners; settings marked RESTART take effect at next start.
 * All functions: any thread.
 */
#ifndef AIBOX_CORE_SETTINGS_H
#define AIBOX_CORE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum settings_type { SETTINGS_BOOL, SETTINGS_INT, SETTINGS_FLOAT, SETTINGS_TEXT, SETTINGS_CHOICE, SETTINGS_AUTO_FLOAT };
enum settings_source { SETTINGS_DEFAULT, SETTINGS_FILE, SETTINGS_STORED, SETTINGS_SET };

/* One row of the table. */
struct settings_entry {
    const char *key;         /* dotted, "recognition.threshold" */
    enum settings_type type; /* AUTO_FLOAT: the word "auto" or a float */
    const char *default_text;
    double min, max;     /* INT, FLOAT, AUTO_FLOAT; for TEXT max = most bytes */
    const char *choices; /* CHOICE: "closed|open" */
    bool restart;        /* takes effect at next start */
    const char *help;    /* one sentence, with unit */
};

struct settings;

extern const struct settings_entry settings_table[];
extern const size_t settings_count;

/* NULL for an unknown key. */
const struct settings_entry *settings_find(const char *key);

enum aibox_status settings_open(struct settings **out, struct aibox_error *err);
void settings_close(struct settings *settings);

/* Checks `text` against the row and keeps it under `source`. PARAM (naming the key, what it takes and
 * what it got) for an unknown key, wrong type or range; nothing changed then. */
enum aibox_status settings_put(struct settings *settings, enum settings_source source, const char *key,
                               const char *text, struct aibox_error *err);
/* Only checks. */
enum aibox_status settings_check(const char *key, const char *text, struct aibox_error *err);
/* Forgets the value of that source (DEFAULT can't be forgotten). */
void settings_forget(struct settings *settings, enum settings_source source, const char *key);

/* Config file: `key = value` lines, `#` comments, at most 64 KiB. The message names line and key. */
enum aibox_status settings_load_file(struct settings *settings, const char *path, struct aibox_error *err);

/* The winning value. Asking for a key that is not in the table, or by the wrong type, is a bug (assert). */
bool settings_bool(const struct settings *settings, const char *key);
int64_t settings_int(const struct settings *settings, const char *key);
double settings_float(const struct settings *settings, const char *key); /* AUTO_FLOAT: NAN for auto */
/* Copies at most `size` bytes with NUL. Returns the full length. */
size_t settings_text(const struct settings *settings, const char *key, char *out, size_t size);
/* Text form of any type, and the source it came from. */
size_t settings_print(const struct settings *settings, const char *key, char *out, size_t size,
                      enum settings_source *source);
/* True when a stored value of a RESTART setting differs from the one the box started with.
 * Start-up ends with settings_freeze(). */
void settings_freeze(struct settings *settings);
bool settings_needs_restart(const struct settings *settings, const char *key);

/* Called after each change of a winning value, on the changing thread, without locks held. At most 16. */
typedef void (*settings_listener)(void *ctx, const char *key);
void settings_listen(struct settings *settings, settings_listener fn, void *ctx);

#endif
