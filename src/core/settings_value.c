#include "core/settings_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

/* Longest canonical text of a number, and longest text taken for one. */
#define NUMBER_MAX 64

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Steps over digits; NULL when there is none. */
static const char *skip_digits(const char *at)
{
    if (!is_digit(*at))
        return NULL;
    while (is_digit(*at))
        at++;
    return at;
}

/* The grammar is checked here, because strtod also takes white space, "inf", "nan" and hexadecimal. */
static bool looks_like_float(const char *text)
{
    const char *at = skip_digits(*text == '-' ? text + 1 : text);

    if (at && *at == '.')
        at = skip_digits(at + 1);
    if (at && (*at == 'e' || *at == 'E')) {
        at++;
        at = skip_digits(*at == '-' || *at == '+' ? at + 1 : at);
    }
    return at && *at == '\0';
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const words[2][4] = {{"false", "off", "no", "0"}, {"true", "on", "yes", "1"}};

    for (int value = 0; value < 2; value++) {
        for (int i = 0; i < 4; i++) {
            if (strcmp(text, words[value][i]) == 0) {
                *out = value;
                return true;
            }
        }
    }
    return false;
}

static bool parse_int(const struct settings_entry *entry, const char *text, int64_t *out)
{
    const char *end = skip_digits(*text == '-' ? text + 1 : text);

    /* Eighteen digits always fit; no setting comes near. */
    if (!end || *end || end - text > 18)
        return false;
    *out = strtoll(text, NULL, 10);
    return (double)*out >= entry->min && (double)*out <= entry->max;
}

/* The program never leaves the "C" locale, so that strtod and printf use the decimal point. */
static bool parse_float(const struct settings_entry *entry, const char *text, double *out)
{
    if (strlen(text) > NUMBER_MAX || !looks_like_float(text))
        return false;
    *out = strtod(text, NULL) + 0.0; /* -0 becomes 0 */
    return isfinite(*out) && *out >= entry->min && *out <= entry->max;
}

/* True when `text` is one of the words of "closed|open". */
static bool is_choice(const char *choices, const char *text)
{
    size_t size = strlen(text);

    if (!size || strchr(text, '|'))
        return false;
    for (const char *at = choices; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, text, size) == 0 && (at[size] == '|' || at[size] == '\0'))
            return true;
    }
    return false;
}

static bool is_plain_text(const char *text)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    return utf8_valid(text, strlen(text));
}

/* The shortest of the two usual precisions that reads back as the same number. */
static void print_float(double number, char out[NUMBER_MAX])
{
    (void)snprintf(out, NUMBER_MAX, "%.15g", number);
    if (strtod(out, NULL) < number || strtod(out, NULL) > number)
        (void)snprintf(out, NUMBER_MAX, "%.17g", number);
}

static enum aibox_status refuse(const struct settings_entry *entry, const char *text, struct aibox_error *err)
{
    const char *got = is_plain_text(text) ? text : "unprintable text";
    int shown = (int)utf8_prefix(got, strlen(got), 60);

    switch (entry->type) {
    case SETTINGS_BOOL:
        return error_set(err, AIBOX_PARAM, "%s takes true or false, got '%.*s'", entry->key, shown, got);
    case SETTINGS_INT:
        return error_set(err, AIBOX_PARAM, "%s takes a whole number from %.0f to %.0f, got '%.*s'", entry->key,
                         entry->min, entry->max, shown, got);
    case SETTINGS_FLOAT:
        return error_set(err, AIBOX_PARAM, "%s takes a number from %g to %g, got '%.*s'", entry->key, entry->min,
                         entry->max, shown, got);
    case SETTINGS_AUTO_FLOAT:
        return error_set(err, AIBOX_PARAM, "%s takes auto or a number from %g to %g, got '%.*s'", entry->key,
                         entry->min, entry->max, shown, got);
    case SETTINGS_CHOICE:
        return error_set(err, AIBOX_PARAM, "%s takes one of %s, got '%.*s'", entry->key, entry->choices, shown, got);
    case SETTINGS_TEXT:
        break;
    }
    /* A text may be a URL with a password in it: not repeated. */
    return error_set(err, AIBOX_PARAM, "%s takes UTF-8 text of at most %.0f bytes without control characters, got %zu",
                     entry->key, entry->max, strlen(text));
}

enum aibox_status settings_value_parse(const struct settings_entry *entry, const char *text, struct settings_value *out,
                                       struct aibox_error *err)
{
    struct settings_value value = {0};
    const char *canonical = text;
    char printed[NUMBER_MAX];
    bool fits = false;

    *out = value;
    switch (entry->type) {
    case SETTINGS_BOOL:
        fits = parse_bool(text, &value.flag);
        canonical = value.flag ? "true" : "false";
        break;
    case SETTINGS_INT:
        fits = parse_int(entry, text, &value.integer);
        (void)snprintf(printed, sizeof printed, "%lld", (long long)value.integer);
        canonical = printed;
        break;
    case SETTINGS_AUTO_FLOAT:
    case SETTINGS_FLOAT:
        if (entry->type == SETTINGS_AUTO_FLOAT && strcmp(text, "auto") == 0) {
            fits = true;
            value.number = NAN;
            break;
        }
        fits = parse_float(entry, text, &value.number);
        print_float(value.number, printed);
        canonical = printed;
        break;
    case SETTINGS_CHOICE:
        fits = is_choice(entry->choices, text);
        break;
    case SETTINGS_TEXT:
        fits = (double)strlen(text) <= entry->max && is_plain_text(text);
        break;
    }
    if (!fits)
        return refuse(entry, text, err);
    value.text = strdup(canonical);
    if (!value.text)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    *out = value;
    return AIBOX_OK;
}

void settings_value_free(struct settings_value *value)
{
    free(value->text);
    *value = (struct settings_value){0};
}
