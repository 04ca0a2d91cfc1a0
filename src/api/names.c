#include "api/names.h"

#include <stdlib.h>
#include <string.h>

void name_list_free(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct name_list){0};
}

static enum aibox_status add(struct name_list *list, const char *text, size_t length, const char *field,
                             struct aibox_error *err)
{
    if (list->items == NULL && (list->items = calloc(NAMES_MAX, sizeof *list->items)) == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (list->count == NAMES_MAX)
        return error_set(err, AIBOX_PARAM, "%s: at most %d names", field, NAMES_MAX);
    char *copy = strndup(text, length);
    if (copy == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    list->items[list->count++] = copy;
    return AIBOX_OK;
}

enum aibox_status name_list_split(const char *text, const char *field, struct name_list *out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    while (status == AIBOX_OK && *text != '\0') {
        size_t length = strcspn(text, ",");
        size_t from = strspn(text, " "), to = length;
        while (to > from && text[to - 1] == ' ')
            to--;
        if (to > from)
            status = add(out, text + from, to - from, field, err);
        text += length;
        text += *text == ',';
    }
    if (status != AIBOX_OK)
        name_list_free(out);
    return status;
}

enum aibox_status name_list_from_json(const json_t *list, const char *field, struct name_list *out,
                                      struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    if (!json_is_array(list))
        return error_set(err, AIBOX_PARAM, "%s: a list is expected", field);
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        char digits[32];
        const char *text = json_string_value(item);
        if (json_is_integer(item)) {
            snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(item));
            text = digits;
        }
        if (text == NULL || text[0] == '\0')
            status = error_set(err, AIBOX_PARAM, "%s[%zu]: a text that is not empty is expected", field, i);
        else
            status = add(out, text, strlen(text), field, err);
        if (status != AIBOX_OK)
            break;
    }
    if (status != AIBOX_OK)
        name_list_free(out);
    return status;
}

void names_json_joined(struct json_out *out, const char *const *names, size_t n)
{
    struct buffer text;
    buffer_init(&text, (size_t)16 << 20);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buffer_append_text(&text, ",");
        buffer_append_text(&text, names[i]);
    }
    out->buffer.failed |= text.failed;
    json_out_text(out, text.data == NULL ? "" : (const char *)text.data);
    buffer_free(&text);
}

void names_json_pagination(struct json_out *out, size_t skip, size_t limit, size_t total)
{
    size_t page = limit == 0 ? total : limit;
    json_out_key(out, "pagination");
    json_out_object_begin(out);
    json_out_key_int(out, "skip_num", (int64_t)skip);
    json_out_key_int(out, "limit", (int64_t)page);
    json_out_key_int(out, "num_pages", page == 0 ? 0 : (int64_t)((total + page - 1) / page));
    json_out_key_int(out, "total_count", (int64_t)total);
    json_out_object_end(out);
}
