#include "flow/csv.h"

#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "flow/gbk.h"

/* ---- what kind of text it is ---------------------------------------------------------------------------- */

/* The separator that the first record has most of. */
static char find_separator(const char *text, size_t size)
{
    static const char separators[] = {',', ';', '\t'};
    size_t counts[3] = {0}, best = 0;
    bool quoted = false;
    for (size_t i = 0; i < size && (quoted || (text[i] != '\n' && text[i] != '\r')); i++) {
        quoted ^= text[i] == '"';
        for (size_t k = 0; k < 3; k++)
            counts[k] += !quoted && text[i] == separators[k];
    }
    for (size_t k = 1; k < 3; k++)
        if (counts[k] > counts[best])
            best = k;
    return separators[best];
}

enum aibox_status csv_begin(struct csv_reader *reader, const char *text, size_t size, struct aibox_error *err)
{
    *reader = (struct csv_reader){.text = text, .size = size, .line = 1};
    if (size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return error_set(err, AIBOX_PARAM, "the table is in UTF-16; it should be saved as CSV in UTF-8");
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        reader->at = 3;
    if (!utf8_valid(text, size)) {
        /* Its bytes can't be taken for a separator, a quote or a line end: those behind the first are 0x30 and above.
         */
        if (!gbk_valid(text, size))
            return error_set(err, AIBOX_PARAM, "the table is neither in UTF-8 nor in GBK");
        reader->gbk = true;
    }
    reader->separator = find_separator(text + reader->at, size - reader->at);
    return AIBOX_OK;
}

/* ---- reading -------------------------------------------------------------------------------------------- */

void csv_record_init(struct csv_record *record)
{
    *record = (struct csv_record){0};
    buffer_init(&record->text, CSV_MAX_RECORD);
}

void csv_record_free(struct csv_record *record)
{
    buffer_free(&record->text);
}

static bool at_line_end(const struct csv_reader *reader)
{
    return reader->at == reader->size || reader->text[reader->at] == '\n' || reader->text[reader->at] == '\r';
}

/* Moves behind a line end, if there is one. */
static void skip_line_end(struct csv_reader *reader)
{
    if (reader->at == reader->size)
        return;
    if (reader->text[reader->at] == '\r' && reader->at + 1 < reader->size && reader->text[reader->at + 1] == '\n')
        reader->at++;
    reader->at++;
    reader->line++;
}

static enum csv_step broken(struct csv_reader *reader, const struct csv_record *record, const char *why,
                            struct aibox_error *err)
{
    while (!at_line_end(reader))
        reader->at++;
    skip_line_end(reader);
    error_set(err, AIBOX_PARAM, "line %zu: %s", record->line, why);
    return CSV_BROKEN;
}

/* Appends the field behind an opening quote. NULL, or what is wrong with it. */
static const char *read_quoted(struct csv_reader *reader, struct buffer *out)
{
    for (;;) {
        const char *from = reader->text + reader->at;
        const char *quote = memchr(from, '"', reader->size - reader->at);
        size_t size = quote ? (size_t)(quote - from) : reader->size - reader->at;
        for (size_t i = 0; i < size; i++)
            reader->line += from[i] == '\n';
        buffer_append(out, from, size);
        reader->at += size + (quote != NULL);
        if (!quote)
            return "a quote is not closed";
        if (reader->at == reader->size || reader->text[reader->at] != '"')
            break;
        buffer_append(out, "\"", 1);
        reader->at++;
    }
    if (!at_line_end(reader) && reader->text[reader->at] != reader->separator)
        return "text behind a closing quote";
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Appends the field at the reader's place and a NUL. NULL, or what is wrong with it. */
static const char *read_field(struct csv_reader *reader, struct buffer *out)
{
    const char *wrong = NULL;
    size_t start = out->size;
    if (reader->at < reader->size && reader->text[reader->at] == '"') {
        reader->at++;
        wrong = read_quoted(reader, out);
    } else {
        size_t from = reader->at;
        while (!at_line_end(reader) && reader->text[reader->at] != reader->separator)
            reader->at++;
        size_t to = reader->at;
        while (from < to && is_blank(reader->text[from]))
            from++;
        while (to > from && is_blank(reader->text[to - 1]))
            to--;
        buffer_append(out, reader->text + from, to - from);
    }
    if (wrong == NULL && out->size > start && memchr(out->data + start, '\0', out->size - start) != NULL)
        wrong = "a NUL byte";
    buffer_append(out, "", 1);
    return wrong;
}

/* Turns the field that begins at `start` and ends with NUL into UTF-8. */
static bool convert(struct buffer *text, size_t start)
{
    size_t size;
    char *converted = gbk_to_utf8((const char *)text->data + start, text->size - start, &size);
    if (converted == NULL)
        return false;
    text->size = start;
    bool fits = buffer_append(text, converted, size);
    free(converted);
    return fits;
}

enum csv_step csv_next(struct csv_reader *reader, struct csv_record *record, struct aibox_error *err)
{
    while (reader->at < reader->size && at_line_end(reader))
        skip_line_end(reader);
    record->at = reader->at;
    record->line = reader->line;
    record->count = 0;
    buffer_clear(&record->text);
    if (reader->at == reader->size)
        return CSV_END;
    for (;;) {
        size_t start = record->text.size;
        if (record->count == CSV_MAX_CELLS)
            return broken(reader, record, "too many columns", err);
        const char *wrong = read_field(reader, &record->text);
        if (wrong != NULL)
            return broken(reader, record, wrong, err);
        if (record->text.failed || (reader->gbk && !convert(&record->text, start)))
            return broken(reader, record, "it is too long, or not in the table's encoding", err);
        record->starts[record->count++] = start;
        if (at_line_end(reader))
            break;
        reader->at++; /* the separator */
    }
    skip_line_end(reader);
    for (size_t i = 0; i < record->count; i++)
        record->cells[i] = (const char *)record->text.data + record->starts[i];
    return CSV_RECORD;
}
