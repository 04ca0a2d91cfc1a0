#include "api/lift.h"

#include <stdint.h>
#include <string.h>

#include "core/base64.h"

#define KEY_MAX 128 /* longer keys name no field */

/*
 * What the scan expects at the top level. It follows the text as the parser would as long as the text is JSON; once it
 * is not, the parser fails at that place or before, whatever the scan makes of the rest.
 *
 *   KEY --string--> COLON --':'--> VALUE --anything--> COMMA --','--> KEY
 */
enum expects { EXPECTS_NOTHING, EXPECTS_KEY, EXPECTS_COLON, EXPECTS_VALUE, EXPECTS_COMMA };

struct scan {
    struct arena *arena;
    const struct api_endpoint *endpoint;
    struct lift *lift;
    char *text;
    size_t size;
    size_t at;
    size_t kept;   /* text[0..kept) is the shortened text so far */
    size_t copied; /* text[0..copied) is dealt with: in the shortened text or lifted */
    unsigned depth;
    enum expects expects;
    const struct api_field *field; /* PICTURE field of the key just read, or NULL */
    char key[KEY_MAX];
};

/* The closing quote of the string that opens at `at`; `size` when there is none. */
static size_t string_end(const char *text, size_t size, size_t at)
{
    size_t from = at + 1;

    while (from < size) {
        const char *quote = memchr(text + from, '"', size - from);
        size_t end;
        size_t before;

        if (!quote)
            return size;
        end = before = (size_t)(quote - text);
        while (before > from && text[before - 1] == '\\')
            before--;
        if ((end - before) % 2 == 0)
            return end;
        from = end + 1;
    }
    return size;
}

static int hex_value(char digit)
{
    const char *digits = "0123456789abcdefABCDEF";
    const char *found = digit ? strchr(digits, digit) : NULL;

    if (!found)
        return -1;
    return (int)(found - digits) < 16 ? (int)(found - digits) : (int)(found - digits) - 6;
}

/* The character that the escape at text[*at] (behind the backslash) stands for; 0 unless it is ASCII and no NUL. */
static char read_escape(const char *text, size_t size, size_t *at)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char *simple = text[*at] ? strchr(from, text[*at]) : NULL;
    unsigned code = 0;

    if (simple) {
        (*at)++;
        return to[simple - from];
    }
    if (text[*at] != 'u' || size - *at < 5)
        return 0;
    for (size_t i = 1; i <= 4; i++) {
        int digit = hex_value(text[*at + i]);

        if (digit < 0)
            return 0;
        code = code * 16 + (unsigned)digit;
    }
    *at += 5;
    return code < 0x80 ? (char)code : 0;
}

/* Takes the escapes out of a string's inside; false for anything but valid JSON of ASCII characters. `out` has room for
 * `size` characters. */
static bool unescape(const char *text, size_t size, char *out, size_t *out_size)
{
    size_t at = 0;
    size_t written = 0;

    while (at < size) {
        const char *slash = memchr(text + at, '\\', size - at);
        size_t run = slash ? (size_t)(slash - text) - at : size - at;

        memmove(out + written, text + at, run);
        written += run;
        at += run;
        if (slash) {
            at++;
            if (at == size || !(out[written] = read_escape(text, size, &at)))
                return false;
            written++;
        }
    }
    *out_size = written;
    return true;
}

/* True when all characters may stand in a JSON string as they are, and are ASCII. */
static bool all_plain(const char *text, size_t size)
{
    unsigned char foreign = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];

        foreign |= (unsigned char)((byte < 0x20) | (byte & 0x80));
    }
    return !foreign;
}

static bool in_list(const char *list, const char *word)
{
    size_t size = strlen(word);

    while (list) {
        const char *bar = strchr(list, '|');
        size_t length = bar ? (size_t)(bar - list) : strlen(list);

        if (length == size && memcmp(list, word, size) == 0)
            return true;
        list = bar ? bar + 1 : NULL;
    }
    return false;
}

/* Remembers which PICTURE field the key text[start..end) names. */
static void read_key(struct scan *scan, size_t start, size_t end)
{
    size_t size;

    scan->field = NULL;
    if (end - start >= KEY_MAX || !all_plain(scan->text + start, end - start) ||
        !unescape(scan->text + start, end - start, scan->key, &size))
        return;
    scan->key[size] = '\0';
    for (size_t i = 0; i < scan->endpoint->n_fields; i++) {
        const struct api_field *field = &scan->endpoint->fields[i];

        if (field->type == API_PICTURE && (strcmp(field->name, scan->key) == 0 || in_list(field->alias, scan->key)))
            scan->field = field;
    }
}

/* Decodes the inside of a string; false: leave it to the parser. */
static bool decode(struct arena *arena, const char *text, size_t size, struct api_bytes *bytes, bool *out_of_memory)
{
    uint8_t *out = NULL;
    size_t decoded = 0;

    if (!all_plain(text, size))
        return false;
    if (memchr(text, '\\', size)) {
        out = arena_alloc(arena, base64_decoded_max(size) > size ? base64_decoded_max(size) : size);
        if (out && !unescape(text, size, (char *)out, &size))
            return false;
        text = (const char *)out;
    } else {
        out = arena_alloc(arena, base64_decoded_max(size));
    }
    *out_of_memory = !out;
    if (!out || !base64_decode(text, size, out, &decoded) || decoded == 0)
        return false;
    *bytes = (struct api_bytes){out, decoded};
    return true;
}

/* Moves the text up to `end` to the shortened text. */
static void keep_until(struct scan *scan, size_t end)
{
    memmove(scan->text + scan->kept, scan->text + scan->copied, end - scan->copied);
    scan->kept += end - scan->copied;
    scan->copied = end;
}

/* Replaces the string with the quotes text[start] and text[end] if it is a picture worth it. False: out of memory. */
static bool lift_string(struct scan *scan, size_t start, size_t end)
{
    struct lifted *lifted = &scan->lift->strings[scan->lift->count];
    bool out_of_memory = false;

    if (!scan->field || end - start - 1 < LIFT_MIN_SIZE || scan->lift->count == LIFT_MAX_STRINGS)
        return true;
    if (!decode(scan->arena, scan->text + start + 1, end - start - 1, &lifted->bytes, &out_of_memory))
        return !out_of_memory;
    lifted->key = arena_text(scan->arena, scan->key, strlen(scan->key));
    if (!lifted->key)
        return false;
    lifted->field = scan->field->name;
    keep_until(scan, start + 1);
    scan->copied = end;
    keep_until(scan, end + 1);
    lifted->at = scan->kept;
    lifted->removed = end - start - 1;
    scan->lift->count++;
    return true;
}

static bool scan_string(struct scan *scan, bool pictures)
{
    size_t start = scan->at;
    size_t end = string_end(scan->text, scan->size, start);
    bool going_on = true;

    scan->at = end < scan->size ? end + 1 : end;
    if (scan->depth != 1 || !pictures || end == scan->size)
        return true;
    switch (scan->expects) {
    case EXPECTS_KEY:
        read_key(scan, start + 1, end);
        scan->expects = EXPECTS_COLON;
        break;
    case EXPECTS_VALUE:
        going_on = lift_string(scan, start, end);
        scan->expects = EXPECTS_COMMA;
        break;
    default:
        /* No JSON: nothing more is lifted. */
        scan->expects = EXPECTS_NOTHING;
    }
    return going_on;
}

/* A character outside strings at the top level. */
static void scan_top(struct scan *scan, char character)
{
    switch (character) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        break;
    case ':':
        scan->expects = scan->expects == EXPECTS_COLON ? EXPECTS_VALUE : EXPECTS_NOTHING;
        break;
    case ',':
        scan->expects = scan->expects == EXPECTS_COMMA ? EXPECTS_KEY : EXPECTS_NOTHING;
        break;
    default: /* part of a number or word, or the bracket that closes a value */
        scan->expects =
            scan->expects == EXPECTS_VALUE || scan->expects == EXPECTS_COMMA ? EXPECTS_COMMA : EXPECTS_NOTHING;
    }
}

/* A character outside strings. False: too deep. */
static bool scan_outside(struct scan *scan, char character, bool *first)
{
    switch (character) {
    case '{':
    case '[':
        if (scan->depth == 0)
            scan->expects = character == '{' && *first ? EXPECTS_KEY : EXPECTS_NOTHING;
        *first = false;
        return ++scan->depth <= JSON_MAX_DEPTH;
    case '}':
    case ']':
        if (scan->depth > 0)
            scan->depth--;
        if (scan->depth == 1)
            scan_top(scan, character);
        return true;
    default:
        if (scan->depth == 1)
            scan_top(scan, character);
        return true;
    }
}

enum aibox_status json_lift(struct arena *arena, const struct api_endpoint *endpoint, bool pictures, char *text,
                            size_t *size, struct lift *lift, struct aibox_error *err)
{
    struct scan scan = {.arena = arena, .endpoint = endpoint, .lift = lift, .text = text, .size = *size};
    bool first = true;

    lift->count = 0;
    while (scan.at < scan.size) {
        if (text[scan.at] == '"') {
            if (!scan_string(&scan, pictures))
                return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        } else if (!scan_outside(&scan, text[scan.at++], &first)) {
            return error_set(err, AIBOX_BAD_REQUEST, "the JSON is nested deeper than %d levels", JSON_MAX_DEPTH);
        }
    }
    keep_until(&scan, scan.size);
    *size = scan.kept;
    return AIBOX_OK;
}

size_t lift_original_position(const struct lift *lift, size_t position)
{
    size_t original = position;

    for (size_t i = 0; i < lift->count; i++)
        if (position >= lift->strings[i].at)
            original += lift->strings[i].removed;
    return original;
}
