/* Values of settings: text checked against a row of the table. Private to the settings. */
#ifndef AIBOX_CORE_SETTINGS_VALUE_H
#define AIBOX_CORE_SETTINGS_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/settings.h"
#include "core/status.h"

struct settings_value {
    char *text; /* canonical form, owned; NULL: no value */
    /* The parsed value, by the row's type. */
    bool flag;
    int64_t integer;
    double number; /* FLOAT and AUTO_FLOAT; NAN for auto */
};

/* Fills `out` from `text`; PARAM (as settings_put) or PROCESS_FAILED (no memory), with `out` empty then. */
enum aibox_status settings_value_parse(const struct settings_entry *entry, const char *text, struct settings_value *out,
                                       struct aibox_error *err);
/* Frees and empties. */
void settings_value_free(struct settings_value *value);

#endif
