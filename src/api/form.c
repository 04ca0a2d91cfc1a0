#include "api/form.h"

#include <string.h>

#include "api/percent.h"
#include "core/utf8.h"

static size_t count_pairs(const char *text, size_t size)
{
    size_t count = 1;

    for (size_t at = 0; at < size; at++)
        count += text[at] == '&';
    return count;
}

/* Decodes one side of a pair into the arena's text at `out`. */
static enum aibox_status decode_side(const char *text, size_t size, char *out, size_t *out_size,
                                     struct aibox_error *err)
{
    ptrdiff_t decoded = percent_decode(text, size, true, out);

    if (decoded < 0)
        return error_set(err, AIBOX_BAD_REQUEST, "a %% in the form is not followed by two hexadecimal digits");
    if (memchr(out, '\0', (size_t)decoded))
        return error_set(err, AIBOX_BAD_REQUEST, "the form holds a NUL byte");
    if (!utf8_valid(out, (size_t)decoded))
        return error_set(err, AIBOX_BAD_REQUEST, "the form is not valid UTF-8");
    *out_size = (size_t)decoded;
    return AIBOX_OK;
}

/* One "name=value"; `*out` has room for its text and two NULs, and is moved behind them. */
static enum aibox_status parse_pair(const char *pair, size_t size, char **out, struct form_part *part,
                                    struct aibox_error *err)
{
    const char *equals = memchr(pair, '=', size);
    size_t name_size = equals ? (size_t)(equals - pair) : size;
    enum aibox_status status = decode_side(pair, name_size, *out, &part->size, err);

    if (status != AIBOX_OK)
        return status;
    if (part->size > FORM_MAX_NAME)
        return error_set(err, AIBOX_BAD_REQUEST, "a field's name is longer than %d bytes", FORM_MAX_NAME);
    part->name = *out;
    *out += part->size + 1;
    part->raw = equals ? equals + 1 : pair + size;
    part->raw_size = (size_t)(pair + size - part->raw);
    status = decode_side(part->raw, part->raw_size, *out, &part->size, err);
    if (status != AIBOX_OK)
        return status;
    part->value = *out;
    *out += part->size + 1;
    return AIBOX_OK;
}

enum aibox_status form_parse_urlencoded(struct arena *arena, const char *text, size_t size, struct form *form,
                                        struct aibox_error *err)
{
    size_t pairs = count_pairs(text, size);
    size_t at = 0;
    char *out;

    *form = (struct form){0};
    if (pairs > FORM_MAX_PARTS)
        return error_set(err, AIBOX_BAD_REQUEST, "more than %d fields", FORM_MAX_PARTS);
    form->parts = arena_array(arena, pairs, sizeof *form->parts);
    out = arena_alloc(arena, size + 2 * pairs);
    if (!form->parts || !out)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    while (at < size) {
        const char *end = memchr(text + at, '&', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;

        if (length) { /* "a=b&&c=d" is harmless */
            enum aibox_status status = parse_pair(text + at, length, &out, &form->parts[form->count], err);

            if (status != AIBOX_OK)
                return status;
            form->count++;
        }
        at += length + 1;
    }
    return AIBOX_OK;
}
