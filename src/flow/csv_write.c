#include <stdbool.h>
#include <string.h>

#include "flow/csv.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool needs_quotes(const char *field)
{
    return strpbrk(field, ",\"\r\n") != NULL || is_blank(field[0]) ||
           (field[0] != '\0' && is_blank(field[strlen(field) - 1]));
}

static void add_field(struct buffer *out, const char *field)
{
    if (!needs_quotes(field)) {
        buffer_append_text(out, field);
        return;
    }
    buffer_append_text(out, "\"");
    for (; *field != '\0'; field++)
        buffer_append(out, *field == '"' ? "\"\"" : field, *field == '"' ? 2 : 1);
    buffer_append_text(out, "\"");
}

void csv_add_line(struct buffer *out, const char *const *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buffer_append_text(out, ",");
        if (fields[i] != NULL)
            add_field(out, fields[i]);
    }
    buffer_append_text(out, "\n");
}
