#include "flow/photo_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buffer.h"
#include "core/utf8.h"

#define MAX_ID     64
#define MAX_PARTS  6
#define MAX_NUMBER 999

bool photo_name_is_picture(const char *file_name)
{
    static const char *const extensions[] = {".jpg", ".jpeg", ".png", ".webp"};
    const char *dot = strrchr(file_name, '.');
    if (dot == NULL || file_name[0] == '.')
        return false;
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++)
        if (strcasecmp(dot, extensions[i]) == 0)
            return true;
    return false;
}

/* ---- taking apart ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* "%XX" in place; a '%' that begins none, or would be NUL, stays. */
static void decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        int high = from[0] == '%' ? hex_digit(from[1]) : -1;
        int low = high < 0 ? -1 : hex_digit(from[2]);
        if (low >= 0 && high + low > 0) {
            *to++ = (char)(high * 16 + low);
            from += 3;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/* Cuts "-#N" off the end of the stem; the number, or 1. */
static int take_number(char *stem)
{
    char *dash = strrchr(stem, '-');
    char *end = NULL;
    if (dash == NULL || dash[1] != '#' || dash[2] < '1' || dash[2] > '9')
        return 1;
    long number = strtol(dash + 2, &end, 10);
    if (*end != '\0' || number > MAX_NUMBER)
        return 1;
    *dash = '\0';
    return (int)number;
}

/* Splits at '-' in place; what follows the last part's '-' belongs to it. */
static size_t split(char *stem, char *parts[MAX_PARTS])
{
    size_t n = 0;
    parts[n++] = stem;
    for (char *dash = stem; n < MAX_PARTS && (dash = strchr(dash, '-')) != NULL;) {
        *dash++ = '\0';
        parts[n++] = dash;
    }
    return n;
}

static enum aibox_status set_type(const char *text, struct photo_name *out, struct aibox_error *err)
{
    if (text[0] == '\0')
        return AIBOX_OK;
    if (text[0] < '1' || text[0] > '5' || text[1] != '\0')
        return error_set(err, AIBOX_PARAM, "the fourth part of the file name is the type, 1 to 5, not '%s'", text);
    out->type = text[0] - '0';
    return AIBOX_OK;
}

static enum aibox_status check(const struct photo_name *photo, struct aibox_error *err)
{
    const char *const texts[] = {photo->name, photo->id, photo->department, photo->card, photo->description};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!utf8_valid(texts[i], strlen(texts[i])))
            return error_set(err, AIBOX_PARAM, "the file name is not UTF-8");
    if (photo->id[0] == '\0')
        return error_set(err, AIBOX_PARAM, "the file name has no id in its second part");
    if (strlen(photo->id) > MAX_ID)
        return error_set(err, AIBOX_PARAM, "the id in the file name is longer than %d bytes", MAX_ID);
    return AIBOX_OK;
}

enum aibox_status photo_name_parse(const char *file_name, struct photo_name *out, struct aibox_error *err)
{
    char stem[PHOTO_NAME_MAX];
    char *parts[MAX_PARTS];
    const char *dot = strrchr(file_name, '.');
    size_t length = dot == NULL ? strlen(file_name) : (size_t)(dot - file_name);
    *out = (struct photo_name){0};
    if (length == 0 || length >= sizeof stem)
        return error_set(err, AIBOX_PARAM, "the file name is empty or too long");
    memcpy(stem, file_name, length);
    stem[length] = '\0';
    out->number = take_number(stem);
    size_t n = split(stem, parts);
    char *const targets[] = {out->name, out->id, out->department, NULL, out->card, out->description};
    for (size_t i = 0; i < n; i++) {
        decode(parts[i]);
        if (targets[i] != NULL)
            memcpy(targets[i], parts[i], strlen(parts[i]) + 1);
    }
    if (n == 1)
        memcpy(out->id, out->name, sizeof out->id);
    if (out->name[0] == '\0')
        memcpy(out->name, out->id, sizeof out->name);
    enum aibox_status status = n > 3 ? set_type(parts[3], out, err) : AIBOX_OK;
    return status == AIBOX_OK ? check(out, err) : status;
}

/* ---- putting together ---- */

static void encode(struct buffer *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        bool bad_start = (c == '.' || c == ' ') && out->size == 0;
        if (c < 0x20 || c == 0x7f || bad_start || strchr("/\\:*?\"<>|%#-,;", c) != NULL)
            buffer_appendf(out, "%%%02X", (unsigned)c);
        else
            buffer_append(out, text + i, 1);
    }
}

/* False: more than a file name may have. */
static bool put_together(const struct photo_name *photo, const char *extension, size_t name_size, struct buffer *out)
{
    bool long_form = photo->card[0] != '\0' || photo->description[0] != '\0';
    buffer_clear(out);
    encode(out, photo->name, name_size);
    buffer_append_text(out, "-");
    encode(out, photo->id, strlen(photo->id));
    buffer_append_text(out, "-");
    encode(out, photo->department, strlen(photo->department));
    buffer_append_text(out, "-");
    if (photo->type >= 1)
        buffer_appendf(out, "%d", photo->type);
    if (long_form) {
        buffer_append_text(out, "-");
        encode(out, photo->card, strlen(photo->card));
        buffer_append_text(out, "-");
        encode(out, photo->description, strlen(photo->description));
    }
    if (photo->number > 1)
        buffer_appendf(out, "-#%d", photo->number);
    buffer_append_text(out, extension);
    return !out->failed;
}

bool photo_name_build(const struct photo_name *photo, const char *extension, char out[PHOTO_NAME_MAX])
{
    struct photo_name shorter = *photo;
    char *const optional[] = {shorter.description, shorter.card, shorter.department};
    size_t name_size = strlen(photo->name), dropped = 0;
    struct buffer text;
    buffer_init(&text, PHOTO_NAME_MAX - 1);
    bool whole = put_together(&shorter, extension, name_size, &text);
    bool fits = whole;
    while (!fits && dropped < sizeof optional / sizeof optional[0]) {
        optional[dropped++][0] = '\0';
        fits = put_together(&shorter, extension, name_size, &text);
    }
    while (!fits && name_size > 0) {
        name_size = utf8_prefix(photo->name, name_size, name_size - 1);
        fits = put_together(&shorter, extension, name_size, &text);
    }
    snprintf(out, PHOTO_NAME_MAX, "%s", fits ? (const char *)text.data : "");
    buffer_free(&text);
    return whole;
}
