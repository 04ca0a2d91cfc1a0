#include "api/argument.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/buffer.h"
#include "core/utf8.h"

#define SHOWN_TEXT  40 /* bytes of a value that a message repeats */
#define USUAL_ITEMS 100000
#define DESCRIBED   256

const char *argument_show_text(const char *text, char shown[ARGUMENT_SHOWN])
{
    size_t size = strlen(text);
    size_t cut = utf8_prefix(text, size, SHOWN_TEXT);
    size_t at = 0;

    shown[at++] = '"';
    for (size_t i = 0; i < cut; i++) {
        unsigned char byte = (unsigned char)text[i];

        shown[at++] = byte < 0x20 || byte == 0x7f ? '?' : text[i];
    }
    if (cut < size) {
        memcpy(shown + at, "…", strlen("…"));
        at += strlen("…");
    }
    shown[at++] = '"';
    shown[at] = '\0';
    return shown;
}

const char *argument_show_json(const json_t *json, char shown[ARGUMENT_SHOWN])
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return argument_show_text(json_string_value(json), shown);
    case JSON_INTEGER:
        (void)snprintf(shown, ARGUMENT_SHOWN, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        return shown;
    case JSON_REAL:
        (void)snprintf(shown, ARGUMENT_SHOWN, "%.15g", json_real_value(json));
        /* What was written as 1.0 must not read as if it were 1. */
        if (!strpbrk(shown, ".e"))
            (void)snprintf(shown, ARGUMENT_SHOWN, "%.1f", json_real_value(json));
        return shown;
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_NULL:
        break;
    }
    return "null";
}

static void describe_range(const struct api_field *field, struct buffer *out)
{
    if (field->min < field->max)
        (void)buffer_appendf(out, " from %.15g to %.15g", field->min, field->max);
}

static void describe_choices(const struct api_field *field, struct buffer *out)
{
    (void)buffer_append_text(out, "one of ");
    for (const char *at = field->choices; *at; at++)
        (void)buffer_append(out, *at == '|' ? ", " : at, *at == '|' ? 2 : 1);
}

/* What the field takes, as words behind "expected ". */
static void describe(const struct api_field *field, struct buffer *out)
{
    switch (field->type) {
    case API_TEXT:
        (void)buffer_append_text(out, field->flags & API_NOT_EMPTY ? "text that is not empty" : "text");
        break;
    case API_BOOL:
        (void)buffer_append_text(out, "true or false");
        break;
    case API_INT:
        (void)buffer_append_text(out, "an integer");
        describe_range(field, out);
        break;
    case API_FLOAT:
        (void)buffer_append_text(out, "a number");
        describe_range(field, out);
        break;
    case API_NUMBER_OR_WORD:
        (void)buffer_append_text(out, "a number");
        describe_range(field, out);
        (void)buffer_append_text(out, " or ");
        describe_choices(field, out);
        break;
    case API_CHOICE:
        describe_choices(field, out);
        break;
    case API_PICTURE:
        (void)buffer_append_text(out, "a picture in base64");
        break;
    case API_LIST:
        (void)buffer_append_text(out, field->flags & API_NOT_EMPTY ? "a list of texts that are not empty"
                                                                   : "a list of texts");
        break;
    case API_DICT:
        (void)buffer_append_text(out, "an object");
        break;
    case API_OBJECTS:
        (void)buffer_append_text(out, "a list of objects");
        break;
    case API_FLOATS:
        (void)buffer_append_text(out, "a list of numbers");
        break;
    case API_JSON:
        (void)buffer_append_text(out, "JSON");
        break;
    }
}

enum aibox_status argument_mismatch(const struct api_field *field, const char *shown, struct aibox_error *err)
{
    enum aibox_status status = field->type == API_BOOL ? AIBOX_BOOLEAN : AIBOX_PARAM;
    struct buffer expected;

    buffer_init(&expected, DESCRIBED);
    describe(field, &expected);
    (void)error_set(err, status, "%s: expected %s, got %s", field->name,
                    expected.data ? (const char *)expected.data : "something else", shown);
    buffer_free(&expected);
    return status;
}

enum aibox_status argument_check_range(const struct api_field *field, double number, const char *shown,
                                       struct aibox_error *err)
{
    if (field->min < field->max && !(number >= field->min && number <= field->max))
        return argument_mismatch(field, shown, err);
    return AIBOX_OK;
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static const char *skip_digits(const char *at)
{
    while (is_digit(*at))
        at++;
    return at;
}

/* -?[0-9]+ */
static bool is_integer_text(const char *text)
{
    const char *start = text + (*text == '-');
    const char *end = skip_digits(start);

    return end > start && !*end;
}

/* -?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?, so nothing else that strtod knows */
static bool is_number_text(const char *text)
{
    const char *start = text + (*text == '-');
    const char *at = skip_digits(start);

    if (at == start)
        return false;
    if (*at == '.') {
        start = at + 1;
        at = skip_digits(start);
        if (at == start)
            return false;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        start = at + (*at == '+' || *at == '-');
        at = skip_digits(start);
        if (at == start)
            return false;
    }
    return !*at;
}

static bool in_choices(const char *choices, const char *word)
{
    size_t size = strlen(word);

    while (choices) {
        const char *bar = strchr(choices, '|');
        size_t length = bar ? (size_t)(bar - choices) : strlen(choices);

        if (length == size && memcmp(choices, word, size) == 0)
            return true;
        choices = bar ? bar + 1 : NULL;
    }
    return false;
}

static enum aibox_status scalar_text(const struct api_field *field, const char *text, struct api_value *value,
                                     struct aibox_error *err)
{
    size_t size = strlen(text);
    char shown[ARGUMENT_SHOWN];

    if (size == 0 && (field->flags & API_NOT_EMPTY))
        return argument_mismatch(field, argument_show_text(text, shown), err);
    if (field->max > 0 && (double)size > field->max)
        return error_set(err, AIBOX_PARAM, "%s: expected at most %.0f bytes, got %zu", field->name, field->max, size);
    value->text = text;
    return AIBOX_OK;
}

static enum aibox_status scalar_bool(const struct api_field *field, const char *text, struct api_value *value,
                                     struct aibox_error *err)
{
    char shown[ARGUMENT_SHOWN];

    value->boolean = in_choices("true|True|1", text);
    if (!value->boolean && !in_choices("false|False|0", text))
        return argument_mismatch(field, argument_show_text(text, shown), err);
    return AIBOX_OK;
}

static enum aibox_status scalar_int(const struct api_field *field, const char *text, struct api_value *value,
                                    struct aibox_error *err)
{
    char shown[ARGUMENT_SHOWN];

    errno = 0;
    value->integer = is_integer_text(text) ? strtoll(text, NULL, 10) : 0;
    if (!is_integer_text(text) || errno == ERANGE)
        return argument_mismatch(field, argument_show_text(text, shown), err);
    return argument_check_range(field, (double)value->integer, text, err);
}

static enum aibox_status scalar_float(const struct api_field *field, const char *text, struct api_value *value,
                                      struct aibox_error *err)
{
    char shown[ARGUMENT_SHOWN];

    value->number = is_number_text(text) ? strtod(text, NULL) : (double)NAN;
    if (!isfinite(value->number))
        return argument_mismatch(field, argument_show_text(text, shown), err);
    return argument_check_range(field, value->number, argument_show_text(text, shown), err);
}

enum aibox_status argument_scalar(const struct api_field *field, const char *text, struct api_value *value,
                                  struct aibox_error *err)
{
    char shown[ARGUMENT_SHOWN];

    value->filled = true;
    switch (field->type) {
    case API_BOOL:
        return scalar_bool(field, text, value, err);
    case API_INT:
        return scalar_int(field, text, value, err);
    case API_FLOAT:
        return scalar_float(field, text, value, err);
    case API_NUMBER_OR_WORD:
        value->text = text;
        value->number = (double)NAN;
        return in_choices(field->choices, text) ? AIBOX_OK : scalar_float(field, text, value, err);
    case API_CHOICE:
        value->text = text;
        return in_choices(field->choices, text) ? AIBOX_OK
                                                : argument_mismatch(field, argument_show_text(text, shown), err);
    default:
        return scalar_text(field, text, value, err);
    }
}

enum aibox_status argument_check_count(const struct api_field *field, size_t count, struct aibox_error *err)
{
    size_t most = field->max_items ? field->max_items : USUAL_ITEMS;

    if (count > most)
        return error_set(err, AIBOX_PARAM, "%s: expected at most %zu items, got %zu", field->name, most, count);
    if (count == 0 && (field->flags & API_NOT_EMPTY))
        return argument_mismatch(field, "an empty list", err);
    return AIBOX_OK;
}

enum aibox_status argument_check_list(const struct api_field *field, const struct api_value *value,
                                      struct aibox_error *err)
{
    enum aibox_status status = argument_check_count(field, value->count, err);

    for (size_t i = 0; i < value->count && status == AIBOX_OK; i++) {
        size_t size = strlen(value->items[i]);

        if (size == 0 && (field->flags & API_NOT_EMPTY))
            status = argument_mismatch(field, "an empty text among them", err);
        else if (field->max > 0 && (double)size > field->max)
            status = error_set(err, AIBOX_PARAM, "%s: expected items of at most %.0f bytes, got one of %zu",
                               field->name, field->max, size);
    }
    return status;
}

enum aibox_status argument_picture(struct api_request *req, const char *text, size_t size, struct api_value *value,
                                   struct aibox_error *err)
{
    static const uint8_t no_picture[] = "not base64";
    uint8_t *out;
    size_t decoded;

    value->filled = true;
    if (size == 0) {
        value->bytes = (struct api_bytes){(const uint8_t *)"", 0};
        return AIBOX_OK;
    }
    out = arena_alloc(&req->arena, base64_decoded_max(size));
    if (!out)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    value->not_base64 = !base64_decode(text, size, out, &decoded) || decoded == 0;
    value->bytes =
        value->not_base64 ? (struct api_bytes){no_picture, sizeof no_picture - 1} : (struct api_bytes){out, decoded};
    return AIBOX_OK;
}
