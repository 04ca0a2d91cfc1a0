#include "api/header_value.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

static size_t skip_blank(const char *value, size_t size, size_t at)
{
    while (at < size && is_blank(value[at]))
        at++;
    return at;
}

static bool equals(const char *text, size_t size, const char *token)
{
    return size == strlen(token) && strncasecmp(text, token, size) == 0;
}

bool header_value_is(const char *value, size_t size, const char *token)
{
    size_t start = skip_blank(value, size, 0);
    size_t end = start;

    while (end < size && value[end] != ';')
        end++;
    while (end > start && is_blank(value[end - 1]))
        end--;
    return equals(value + start, end - start, token);
}

/* Reads the parameter's value at `at` into `out` (NULL: only skipped). Returns where it ends. */
static size_t read_value(const char *value, size_t size, size_t at, char *out, size_t out_size, bool *fits)
{
    bool quoted = at < size && value[at] == '"';
    size_t written = 0;

    *fits = true;
    if (quoted)
        at++;
    while (at < size && (quoted ? value[at] != '"' : value[at] != ';')) {
        if (quoted && value[at] == '\\' && size - at > 1 && (value[at + 1] == '"' || value[at + 1] == '\\'))
            at++;
        if (out && written + 1 < out_size)
            out[written++] = value[at];
        else if (out)
            *fits = false;
        at++;
    }
    while (!quoted && written > 0 && is_blank(out[written - 1]))
        written--;
    if (out)
        out[written] = '\0';
    return at < size && quoted ? at + 1 : at;
}

enum header_parameter header_value_parameter(const char *value, size_t size, const char *name, char *out,
                                             size_t out_size)
{
    const char *semicolon = memchr(value, ';', size);
    size_t at = semicolon ? (size_t)(semicolon - value) : size;

    while (at < size) {
        size_t start;
        bool fits;
        bool found;

        if (value[at] != ';') { /* rubbish behind a quoted text */
            at++;
            continue;
        }
        start = at = skip_blank(value, size, at + 1);
        while (at < size && value[at] != '=' && value[at] != ';')
            at++;
        if (at == size || value[at] == ';')
            continue;
        found = equals(value + start, at - start, name);
        at = read_value(value, size, at + 1, found ? out : NULL, out_size, &fits);
        if (found)
            return fits ? HEADER_PARAMETER_FOUND : HEADER_PARAMETER_TOO_LONG;
    }
    return HEADER_PARAMETER_ABSENT;
}
