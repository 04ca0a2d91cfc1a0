/*
 * multipart/form-data (RFC 2046 § 5.1, RFC 7578), read in one go from a body in memory:
 *
 *   preamble  --boundary CRLF headers CRLF CRLF value CRLF  --boundary … CRLF --boundary--  epilogue
 *
 * A delimiter stands at the start of a line and takes the line break before it along. A line break may be a LF alone.
 */
#include <string.h>
#include <strings.h>

#include "api/form.h"
#include "api/header_value.h"
#include "core/utf8.h"

struct body {
    char *text;
    size_t size;
    char dashed[2 + 70 + 1]; /* "--boundary" */
    size_t dashed_size;
};

/* A delimiter in the body. */
struct delimiter {
    size_t start; /* of the line break before it, or of itself */
    size_t end;   /* behind it and its line break */
    bool final;
};

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

/* What follows "--boundary" at `at`: "--", or blanks and a line break. */
static bool ends_delimiter(const struct body *body, size_t at, struct delimiter *delimiter)
{
    const char *text = body->text;

    delimiter->final = body->size - at >= 2 && text[at] == '-' && text[at + 1] == '-';
    if (delimiter->final) {
        delimiter->end = at + 2;
        return true;
    }
    while (at < body->size && is_blank(text[at]))
        at++;
    if (body->size - at >= 2 && text[at] == '\r')
        at++;
    delimiter->end = at + 1;
    return at < body->size && text[at] == '\n';
}

/* The next delimiter at or behind `from`, the start of a line. */
static bool find_delimiter(const struct body *body, size_t from, struct delimiter *delimiter)
{
    const char *text = body->text;
    size_t at = from;

    for (;;) {
        const char *found = memmem(text + at, body->size - at, body->dashed, body->dashed_size);

        if (!found)
            return false;
        at = (size_t)(found - text);
        if ((at == from || text[at - 1] == '\n') && ends_delimiter(body, at + body->dashed_size, delimiter)) {
            delimiter->start = at;
            if (delimiter->start > from)
                delimiter->start--;
            if (delimiter->start > from && text[delimiter->start - 1] == '\r')
                delimiter->start--;
            return true;
        }
        at++;
    }
}

/* Length of the line at `at` without its line break; `*next` is the start of the one after. False: no line break. */
static bool read_line(const struct body *body, size_t at, size_t *length, size_t *next)
{
    const char *end = memchr(body->text + at, '\n', body->size - at);

    if (!end)
        return false;
    *length = (size_t)(end - body->text) - at;
    *next = at + *length + 1;
    if (*length > 0 && body->text[at + *length - 1] == '\r')
        (*length)--;
    return true;
}

/* The value of header `name` if that is what the line holds, else NULL. */
static const char *value_of(const char *line, size_t length, const char *name, size_t *size)
{
    size_t name_size = strlen(name);
    size_t at = name_size;

    if (length < name_size || strncasecmp(line, name, name_size) != 0)
        return NULL;
    while (at < length && is_blank(line[at]))
        at++;
    if (at == length || line[at] != ':')
        return NULL;
    at++;
    while (at < length && is_blank(line[at]))
        at++;
    *size = length - at;
    return line + at;
}

static enum aibox_status read_disposition(struct arena *arena, const char *value, size_t size, struct form_part *part,
                                          struct aibox_error *err)
{
    char name[FORM_MAX_NAME + 1];
    char ignored[1];

    if (!header_value_is(value, size, "form-data"))
        return error_set(err, AIBOX_BAD_REQUEST, "a part's Content-Disposition is not form-data");
    switch (header_value_parameter(value, size, "name", name, sizeof name)) {
    case HEADER_PARAMETER_ABSENT:
        return error_set(err, AIBOX_BAD_REQUEST, "a part of the multipart body has no name");
    case HEADER_PARAMETER_TOO_LONG:
        return error_set(err, AIBOX_BAD_REQUEST, "a field's name is longer than %d bytes", FORM_MAX_NAME);
    case HEADER_PARAMETER_FOUND:
        break;
    }
    if (memchr(value, '\0', size))
        return error_set(err, AIBOX_BAD_REQUEST, "a part's headers hold a NUL byte");
    if (!utf8_valid(name, strlen(name)))
        return error_set(err, AIBOX_BAD_REQUEST, "a field's name is not valid UTF-8");
    part->name = arena_text(arena, name, strlen(name));
    if (!part->name)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (header_value_parameter(value, size, "filename", ignored, sizeof ignored) != HEADER_PARAMETER_ABSENT ||
        header_value_parameter(value, size, "filename*", ignored, sizeof ignored) != HEADER_PARAMETER_ABSENT)
        part->file = true;
    return AIBOX_OK;
}

static enum aibox_status read_header(struct arena *arena, const char *line, size_t length, struct form_part *part,
                                     struct aibox_error *err)
{
    size_t size;
    const char *value = value_of(line, length, "Content-Disposition", &size);

    if (value && part->name)
        return error_set(err, AIBOX_BAD_REQUEST, "a part has two Content-Disposition headers");
    if (value)
        return read_disposition(arena, value, size, part, err);
    value = value_of(line, length, "Content-Type", &size);
    if (value && size >= 6 && strncasecmp(value, "image/", 6) == 0)
        part->file = true;
    value = value_of(line, length, "Content-Transfer-Encoding", &size);
    if (value && !header_value_is(value, size, "binary") && !header_value_is(value, size, "8bit") &&
        !header_value_is(value, size, "7bit"))
        return error_set(err, AIBOX_BAD_REQUEST,
                         "a part's Content-Transfer-Encoding is not binary; 8bit, 7bit and binary are taken");
    return AIBOX_OK;
}

/* Reads a part's headers at `*at`, moves behind the empty line that ends them. */
static enum aibox_status read_headers(struct arena *arena, const struct body *body, size_t *at, struct form_part *part,
                                      struct aibox_error *err)
{
    size_t start = *at;

    for (;;) {
        size_t length;
        size_t next;
        enum aibox_status status;

        if (!read_line(body, *at, &length, &next))
            return error_set(err, AIBOX_BAD_REQUEST, "the multipart body ends within a part's headers");
        if (next - start > FORM_MAX_HEADER)
            return error_set(err, AIBOX_BAD_REQUEST, "a part's headers are longer than %d bytes", FORM_MAX_HEADER);
        if (length > 0) {
            status = read_header(arena, body->text + *at, length, part, err);
            if (status != AIBOX_OK)
                return status;
        }
        *at = next;
        if (length == 0)
            break;
    }
    if (!part->name)
        return error_set(err, AIBOX_BAD_REQUEST, "a part of the multipart body has no Content-Disposition");
    return AIBOX_OK;
}

/* One part behind a delimiter; `delimiter` becomes the one that ends it. */
static enum aibox_status read_part(struct arena *arena, const struct body *body, struct delimiter *delimiter,
                                   struct form_part *part, struct aibox_error *err)
{
    size_t at = delimiter->end;
    enum aibox_status status = read_headers(arena, body, &at, part, err);

    if (status != AIBOX_OK)
        return status;
    if (!find_delimiter(body, at, delimiter))
        return error_set(err, AIBOX_BAD_REQUEST, "the multipart body ends without its final boundary");
    part->value = body->text + at;
    part->size = delimiter->start - at;
    /* Here a line break stood, or the delimiter, which has been read. */
    body->text[delimiter->start] = '\0';
    if (part->file)
        return AIBOX_OK;
    if (memchr(part->value, '\0', part->size))
        return error_set(err, AIBOX_BAD_REQUEST, "the field %.64s holds a NUL byte", part->name);
    if (!utf8_valid(part->value, part->size))
        return error_set(err, AIBOX_BAD_REQUEST, "the field %.64s is not valid UTF-8", part->name);
    return AIBOX_OK;
}

/* Puts a new part at the end of the form's array, which grows by doubling. */
static struct form_part *add_part(struct arena *arena, struct form *form)
{
    /* At 0, 8, 16, 32 … the array is full. */
    if (form->count == 0 || (form->count >= 8 && (form->count & (form->count - 1)) == 0)) {
        struct form_part *parts = arena_array(arena, form->count ? form->count * 2 : 8, sizeof *parts);

        if (!parts)
            return NULL;
        if (form->count)
            memcpy(parts, form->parts, form->count * sizeof *parts);
        form->parts = parts;
    }
    return &form->parts[form->count++];
}

enum aibox_status form_parse_multipart(struct arena *arena, char *text, size_t size, const char *boundary,
                                       struct form *form, struct aibox_error *err)
{
    struct body body = {.text = text, .size = size};
    struct delimiter delimiter;
    size_t boundary_size = strlen(boundary);

    *form = (struct form){0};
    if (boundary_size < 1 || boundary_size > 70)
        return error_set(err, AIBOX_BAD_REQUEST, "the boundary must have 1 to 70 characters");
    memcpy(body.dashed, "--", 2);
    memcpy(body.dashed + 2, boundary, boundary_size);
    body.dashed_size = boundary_size + 2;

    if (!find_delimiter(&body, 0, &delimiter))
        return error_set(err, AIBOX_BAD_REQUEST, "the multipart body does not hold its boundary");
    while (!delimiter.final) {
        struct form_part *part;
        enum aibox_status status;

        if (form->count == FORM_MAX_PARTS)
            return error_set(err, AIBOX_BAD_REQUEST, "more than %d fields", FORM_MAX_PARTS);
        part = add_part(arena, form);
        if (!part)
            return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        status = read_part(arena, &body, &delimiter, part, err);
        if (status != AIBOX_OK)
            return status;
    }
    return AIBOX_OK;
}
