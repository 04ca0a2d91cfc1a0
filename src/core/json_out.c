#include "core/json_out.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/utf8.h"

void json_out_init(struct json_out *out, size_t maximum)
{
    *out = (struct json_out){0};
    buffer_init(&out->buffer, maximum);
    out->first[0] = true;
}

void json_out_free(struct json_out *out)
{
    buffer_free(&out->buffer);
}

bool json_out_complete(const struct json_out *out)
{
    return !out->broken && !out->buffer.failed && out->depth == 0 && !out->after_key && out->buffer.size > 0;
}

static void put(struct json_out *out, const char *text, size_t size)
{
    (void)buffer_append(&out->buffer, text, size);
}

static void put_char(struct json_out *out, char character)
{
    struct buffer *buf = &out->buffer;

    /* The usual case by hand: most characters of a document are put one by one. */
    if (!buf->failed && buf->size + 1 < buf->capacity) {
        buf->data[buf->size++] = (uint8_t)character;
        buf->data[buf->size] = '\0';
    } else {
        put(out, &character, 1);
    }
}

/* Called before each value: puts the comma that separates it from the one before. */
static void begin_value(struct json_out *out)
{
    if (out->after_key) {
        out->after_key = false;
        return;
    }
    /* Neither a value without key in an object nor a second value at the top. */
    if (out->object[out->depth] || (out->depth == 0 && !out->first[0]))
        out->broken = true;
    if (!out->first[out->depth])
        put_char(out, ',');
    out->first[out->depth] = false;
}

static void open_level(struct json_out *out, bool object)
{
    begin_value(out);
    put_char(out, object ? '{' : '[');
    if (out->depth + 1 >= JSON_OUT_MAX_DEPTH) {
        out->broken = true;
        return;
    }
    out->depth++;
    out->first[out->depth] = true;
    out->object[out->depth] = object;
}

static void close_level(struct json_out *out, bool object)
{
    if (out->depth == 0 || out->object[out->depth] != object || out->after_key) {
        out->broken = true;
        return;
    }
    out->depth--;
    put_char(out, object ? '}' : ']');
}

void json_out_object_begin(struct json_out *out)
{
    open_level(out, true);
}

void json_out_object_end(struct json_out *out)
{
    close_level(out, true);
}

void json_out_array_begin(struct json_out *out)
{
    open_level(out, false);
}

void json_out_array_end(struct json_out *out)
{
    close_level(out, false);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

static void put_escape(struct json_out *out, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
    const char *shorts = "\"\"\\\\\bb\ff\nn\rr\tt";

    for (size_t i = 0; shorts[i]; i += 2)
        if ((unsigned char)shorts[i] == byte) {
            text[1] = shorts[i + 1];
            put(out, text, 2);
            return;
        }
    put(out, text, sizeof text);
}

/* Puts the character of several bytes at `text`, U+FFFD for a byte that begins none. Returns its length. */
static size_t put_wide(struct json_out *out, const char *text, size_t left)
{
    unsigned char lead = (unsigned char)text[0];
    size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

    if (size <= left && utf8_valid(text, size)) {
        put(out, text, size);
        return size;
    }
    put(out, "\xef\xbf\xbd", 3);
    return 1;
}

static void put_string(struct json_out *out, const char *text)
{
    size_t size = strlen(text);
    size_t at = 0;

    put_char(out, '"');
    while (at < size) {
        size_t run = at;

        while (run < size && is_plain((unsigned char)text[run]))
            run++;
        if (run > at)
            put(out, text + at, run - at);
        at = run;
        if (at == size)
            break;
        if ((unsigned char)text[at] >= 0x80) {
            at += put_wide(out, text + at, size - at);
        } else {
            put_escape(out, (unsigned char)text[at]);
            at++;
        }
    }
    put_char(out, '"');
}

void json_out_key(struct json_out *out, const char *key)
{
    if (!out->object[out->depth] || out->after_key)
        out->broken = true;
    if (!out->first[out->depth])
        put_char(out, ',');
    out->first[out->depth] = false;
    put_string(out, key);
    put_char(out, ':');
    out->after_key = true;
}

void json_out_text(struct json_out *out, const char *text)
{
    if (!text) {
        json_out_null(out);
        return;
    }
    begin_value(out);
    put_string(out, text);
}

/* Writes the digits of `value` before `end` and returns where they begin. */
static char *print_digits(uint64_t value, char *end)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return end;
}

void json_out_int(struct json_out *out, int64_t value)
{
    char text[24];
    char *end = text + sizeof text;
    char *start = print_digits(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, end);

    if (value < 0)
        *--start = '-';
    begin_value(out);
    put(out, start, (size_t)(end - start));
}

static const double powers_of_ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};

/* True when `decimal`, the double nearest to some decimal number, tells which float that number reads as: its
 * rounding must not have landed it midway between two floats. */
static bool reads_as(double decimal, float value)
{
    uint64_t bits;

    memcpy(&bits, &decimal, sizeof bits);
    return (float)decimal == value && (bits & 0x1fffffff) != 0x10000000;
}

/*
 * Prints a float of everyday size with as few digits as read back as the same float: the value is scaled to a whole
 * number of 6, 7, 8 and 9 digits in turn (9 always do), until one divided back is the value. Trailing zeros go.
 * Returns the length, 0 when the value is too small or too large for this.
 */
static size_t print_float(float value, char out[32])
{
    double magnitude = fabs((double)value);
    size_t whole = 1; /* digits before the point */

    if (!(magnitude >= 1e-4 && magnitude < 1e6))
        return 0;
    while (whole < 6 && magnitude >= powers_of_ten[whole])
        whole++;
    for (size_t digits = 6; digits <= 10; digits++) {
        /* Below 0.1 leading zeros take the place of digits. */
        size_t decimals =
            digits - whole + (magnitude < 1e-1 ? 1 : 0) + (magnitude < 1e-2 ? 1 : 0) + (magnitude < 1e-3 ? 1 : 0);
        uint64_t scaled = (uint64_t)(magnitude * powers_of_ten[decimals] + 0.5);
        char text[32];
        char *end = text + sizeof text;
        char *start;
        size_t size = 0;

        if (!reads_as((double)scaled / powers_of_ten[decimals], fabsf(value)))
            continue;
        while (decimals > 0 && scaled % 10 == 0) {
            scaled /= 10;
            decimals--;
        }
        start = print_digits(scaled, end);
        while ((size_t)(end - start) <= decimals)
            *--start = '0';
        whole = (size_t)(end - start) - decimals;
        if (value < 0)
            out[size++] = '-';
        memcpy(out + size, start, whole);
        size += whole;
        if (decimals) {
            out[size++] = '.';
            memcpy(out + size, start + whole, decimals);
            size += decimals;
        }
        return size;
    }
    return 0;
}

void json_out_float(struct json_out *out, double value)
{
    char text[40];
    size_t size;

    if (!isfinite(value)) {
        json_out_null(out);
        return;
    }
    if (fabs(value) < 1e15 && value == (double)(int64_t)value) {
        json_out_int(out, (int64_t)value);
        return;
    }
    begin_value(out);
    size = print_float((float)value, text);
    if (!size) {
        /* Very small or large: the general way. Beyond a float's range all digits of the double are told. */
        bool in_range = isfinite((float)value) && (float)value != 0.0F;
        /* Six digits of a normal float are never too many, since %g drops trailing zeros. */
        int precision = !in_range ? 17 : fabs(value) < (double)FLT_MIN ? 1 : 6;

        do {
            size = (size_t)snprintf(text, sizeof text, "%.*g", precision, value);
        } while (in_range && strtof(text, NULL) != (float)value && ++precision <= 9);
    }
    put(out, text, size);
}

void json_out_bool(struct json_out *out, bool value)
{
    begin_value(out);
    if (value)
        put(out, "true", 4);
    else
        put(out, "false", 5);
}

void json_out_null(struct json_out *out)
{
    begin_value(out);
    put(out, "null", 4);
}

void json_out_base64(struct json_out *out, const uint8_t *bytes, size_t size)
{
    struct buffer *buf = &out->buffer;
    size_t encoded;

    begin_value(out);
    if (size > SIZE_MAX / 2) {
        buf->failed = true;
        return;
    }
    encoded = base64_encoded_size(size);
    /* Two quotes; the NUL that the encoder writes has the place of buffer's own. */
    if (!buffer_reserve(buf, encoded + 2))
        return;
    buf->data[buf->size++] = '"';
    base64_encode(bytes, size, (char *)buf->data + buf->size);
    buf->size += encoded;
    buf->data[buf->size++] = '"';
    buf->data[buf->size] = '\0';
}

void json_out_raw(struct json_out *out, const char *json)
{
    begin_value(out);
    put(out, json, strlen(json));
}

/* JSON's white space. */
static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

void json_out_members(struct json_out *out, const char *object)
{
    size_t start = 0;
    size_t end = strlen(object);

    while (start < end && is_space(object[start]))
        start++;
    while (end > start && is_space(object[end - 1]))
        end--;
    if (!out->object[out->depth] || out->after_key || end - start < 2 || object[start] != '{' ||
        object[end - 1] != '}') {
        out->broken = true;
        return;
    }
    start++;
    end--;
    while (start < end && is_space(object[start]))
        start++;
    if (start == end)
        return;
    if (!out->first[out->depth])
        put_char(out, ',');
    out->first[out->depth] = false;
    put(out, object + start, end - start);
}

void json_out_key_text(struct json_out *out, const char *key, const char *text)
{
    json_out_key(out, key);
    json_out_text(out, text);
}

void json_out_key_int(struct json_out *out, const char *key, int64_t value)
{
    json_out_key(out, key);
    json_out_int(out, value);
}

void json_out_key_float(struct json_out *out, const char *key, double value)
{
    json_out_key(out, key);
    json_out_float(out, value);
}

void json_out_key_bool(struct json_out *out, const char *key, bool value)
{
    json_out_key(out, key);
    json_out_bool(out, value);
}
