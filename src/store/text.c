/* Checks and small conversions of text. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the database's blobs are little-endian");

enum aibox_status out_of_memory(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

enum aibox_status text_check(const char *field, const char *text, bool may_be_empty, size_t limit,
                             struct aibox_error *err)
{
    if (!text)
        return error_set(err, AIBOX_PARAM, "%s is missing", field);
    if (!text[0] && !may_be_empty)
        return error_set(err, AIBOX_PARAM, "%s must not be empty", field);
    if (strlen(text) > limit)
        return error_set(err, AIBOX_PARAM, "%s is longer than %zu bytes", field, limit);
    return AIBOX_OK;
}

enum aibox_status text_check_object(const char *field, const char *text, struct aibox_error *err)
{
    enum aibox_status status = text_check(field, text, false, STORE_MAX_INFO, err);

    if (status != AIBOX_OK)
        return status;
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool is_object = json_is_object(object);
    json_decref(object);
    return is_object ? AIBOX_OK : error_set(err, AIBOX_PARAM, "%s must be a JSON object", field);
}

bool text_list_append(struct store_text_list *list, const char *text)
{
    /* Room grows at powers of two, so that no field for it is needed. */
    if ((list->count & (list->count - 1)) == 0) {
        size_t room = list->count ? list->count * 2 : 1;
        char **items = reallocarray(list->items, room, sizeof *items);
        if (!items)
            return false;
        list->items = items;
    }
    char *copy = strdup(text);
    if (!copy)
        return false;
    list->items[list->count++] = copy;
    return true;
}

void store_text_list_free(struct store_text_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct store_text_list){0};
}

char *text_like_pattern(const char *part)
{
    size_t size = strlen(part);
    char *pattern = malloc(2 * size + 3);
    size_t n = 0;

    if (!pattern)
        return NULL;
    pattern[n++] = '%';
    for (size_t i = 0; i < size; i++) {
        if (part[i] == '%' || part[i] == '_' || part[i] == '\\')
            pattern[n++] = '\\';
        pattern[n++] = part[i];
    }
    pattern[n++] = '%';
    pattern[n] = '\0';
    return pattern;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool uuid_parse(const char *text, uint8_t out[UUID_BYTES])
{
    size_t digits = 0;

    if (strlen(text) != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-')
                return false;
            continue;
        }
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return false;
        if (digits % 2 == 0)
            out[digits / 2] = (uint8_t)(digit << 4);
        else
            out[digits / 2] = (uint8_t)(out[digits / 2] | digit);
        digits++;
    }
    return true;
}

void uuid_pack(const char text[37], uint8_t out[UUID_BYTES])
{
    if (!uuid_parse(text, out))
        memset(out, 0, UUID_BYTES);
}

void uuid_print(const uint8_t bytes[UUID_BYTES], char out[37])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;

    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[n++] = '-';
        out[n++] = digits[bytes[i] >> 4];
        out[n++] = digits[bytes[i] & 15];
    }
    out[n] = '\0';
}
