#include "metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 256

/* What follows `key` at the beginning of a line, or NULL. */
static const char *line_after(const char *text, const char *key)
{
    size_t length = strlen(key);
    while (text != NULL) {
        if (strncmp(text, key, length) == 0)
            return text + length;
        text = strchr(text, '\n');
        text = text == NULL ? NULL : text + 1;
    }
    return NULL;
}

static bool parse_number(const char *text, double *out)
{
    char *end = NULL;
    *out = strtod(text, &end);
    return end != text;
}

bool metrics_value(const char *text, const char *name, const char *labels, double *out)
{
    char key[KEY_MAX];
    int n =
        labels[0] == '\0' ? snprintf(key, sizeof key, "%s ", name) : snprintf(key, sizeof key, "%s{%s} ", name, labels);
    if (n < 0 || (size_t)n >= sizeof key)
        return false;
    const char *value = line_after(text, key);
    return value != NULL && parse_number(value, out);
}

bool metrics_quantile(const char *text, const char *name, const char *labels, double quantile, double *out)
{
    char key[KEY_MAX];
    double total, below = 0, lower = 0, count, limit;
    int n = snprintf(key, sizeof key, "%s_count", name);
    if (n < 0 || (size_t)n >= sizeof key || !metrics_value(text, key, labels, &total) || total <= 0)
        return false;
    n = snprintf(key, sizeof key, "%s_bucket{%s%sle=\"", name, labels, labels[0] == '\0' ? "" : ",");
    if (n < 0 || (size_t)n >= sizeof key)
        return false;
    double wanted = quantile * total;
    for (const char *at = text; (at = line_after(at, key)) != NULL;) {
        const char *value = strstr(at, "\"} ");
        if (!parse_number(at, &limit) || value == NULL || !parse_number(value + 3, &count))
            return false;
        if (count >= wanted) {
            *out =
                isinf(limit) || count <= below ? lower : lower + (limit - lower) * (wanted - below) / (count - below);
            return true;
        }
        below = count;
        lower = limit;
        at = strchr(at, '\n');
        if (at == NULL)
            return false;
        at++;
    }
    return false;
}

bool metrics_label(const char *text, const char *label, char *out, size_t size)
{
    char key[KEY_MAX];
    int n = snprintf(key, sizeof key, "%s=\"", label);
    const char *value = n < 0 || (size_t)n >= sizeof key ? NULL : strstr(text, key);
    if (value == NULL)
        return false;
    value += n;
    size_t length = strcspn(value, "\"\n");
    if (length >= size || value[length] != '"')
        return false;
    memcpy(out, value, length);
    out[length] = '\0';
    return true;
}
