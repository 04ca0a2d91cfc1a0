/*
 * Settings: one typed table behind the config file, `--set`, REST, console and docs.
 *
 * Which value wins: --set, then stored, then file, then default. A change becomes visible to readers at
 * once and is handed to the listeners. Who owns a setting marked `restart` reads it once, at start;
 * everybody else reads when he needs the value, or listens.
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
    const char *key; /* dotted, "recognition.threshold" */
    /* What a value's text looks like. BOOL: true|on|yes|1, false|off|no|0. INT: decimal. FLOAT: decimal,
     * with or without exponent. AUTO_FLOAT: the word "auto" or a float. CHOICE: one of `choices`, spelt
     * exactly so. TEXT: UTF-8 without control characters. No white space around any of them. */
    enum settings_type type;
    const char *default_text;
    double min, max;     /* INT, FLOAT, AUTO_FLOAT: range, both ends allowed; TEXT: max = most bytes */
    const char *choices; /* CHOICE: "closed|open" */
    bool restart;        /* takes effect at next start */
    const char *help;    /* one sentence, with unit */
};

struct settings;

/* Sorted by key. */
extern const struct settings_entry settings_table[];
extern const size_t settings_count;

/* NULL for an unknown key. */
const struct settings_entry *settings_find(const char *key);

/* All settings at their defaults. */
enum aibox_status settings_open(struct settings **out, struct aibox_error *err);
/* NULL is allowed. */
void settings_close(struct settings *settings);

/* Checks `text` against the row and keeps it under `source` (not DEFAULT). PARAM (naming the key, what
 * it takes and what it got) for an unknown key, wrong type or range; nothing changed then. */
enum aibox_status settings_put(struct settings *settings, enum settings_source source, const char *key,
                               const char *text, struct aibox_error *err);
/* Only checks. */
enum aibox_status settings_check(const char *key, const char *text, struct aibox_error *err);
/* Forgets the value of that source (not DEFAULT). No-op for an unknown key. */
void settings_forget(struct settings *settings, enum settings_source source, const char *key);

#define SETTINGS_FILE_MAX 65536

/*
 * Config file: UTF-8, at most SETTINGS_FILE_MAX bytes, one `key = value` a line; a '#' at the start
 * of a line or after white space begins a comment; blank lines and white space around key and value don't count.
 * PARAM for a bad line, an unknown key, a key given twice or a value out of range: the message names
 * line and key, and nothing is changed. Otherwise the file's values replace those of the file loaded
 * before. settings_load_file: NOT_FOUND when there is no such file, PROCESS_FAILED when it can't be read.
 */
enum aibox_status settings_load_file(struct settings *settings, const char *path, struct aibox_error *err);
/* The same for a file's content: `size` bytes, no NUL needed. */
enum aibox_status settings_load_text(struct settings *settings, const char *text, size_t size, struct aibox_error *err);

/* The winning value. Asking for a key that is not in the table, or by the wrong type, is a bug and ends
 * the program. */
bool settings_bool(const struct settings *settings, const char *key);
int64_t settings_int(const struct settings *settings, const char *key);
double settings_float(const struct settings *settings, const char *key); /* AUTO_FLOAT: NAN for auto */
/* TEXT and CHOICE: copies at most `size` bytes with NUL, cut at a whole character. Returns the full length. */
size_t settings_text(const struct settings *settings, const char *key, char *out, size_t size);
/* Text form of any type (canonical: "true", "12", "0.5", "auto"), as settings_text does, and the source
 * it came from (`source` may be NULL). */
size_t settings_print(const struct settings *settings, const char *key, char *out, size_t size,
                      enum settings_source *source);
/* Remembers the values the box starts with: start-up ends with this. */
void settings_freeze(struct settings *settings);
/* True when the winning value of a RESTART setting differs from the one the box started with. False
 * before settings_freeze. */
bool settings_needs_restart(const struct settings *settings, const char *key);

#define SETTINGS_LISTENERS_MAX 16

/* Called after each change of a winning value, on the changing thread, without locks held: `fn` reads the
 * value by itself. For the life of `settings`; more than SETTINGS_LISTENERS_MAX is a bug (assert). */
typedef void (*settings_listener)(void *ctx, const char *key);
void settings_listen(struct settings *settings, settings_listener fn, void *ctx);

#endif
