#include <string.h>

#include "api/openapi.h"

#define DESCRIPTION_MAX 4096
#define WORD_MAX        128

/* Calls `out` with each word of "a|b|c". */
static void print_words(const char *words, struct json_out *out)
{
    json_out_array_begin(out);
    while (words && *words) {
        size_t size = strcspn(words, "|");
        char word[WORD_MAX];

        if (size < sizeof word) {
            memcpy(word, words, size);
            word[size] = '\0';
            json_out_text(out, word);
        }
        words += size;
        words += *words == '|';
    }
    json_out_array_end(out);
}

static void print_number(const char *type, const struct api_field *field, struct json_out *out)
{
    json_out_key_text(out, "type", type);
    if (field->min < field->max) {
        json_out_key_float(out, "minimum", field->min);
        json_out_key_float(out, "maximum", field->max);
    }
}

static void print_choice(const struct api_field *field, struct json_out *out)
{
    json_out_key_text(out, "type", "string");
    json_out_key(out, "enum");
    print_words(field->choices, out);
}

static void print_number_or_word(const struct api_field *field, struct json_out *out)
{
    json_out_key(out, "oneOf");
    json_out_array_begin(out);
    json_out_object_begin(out);
    print_number("number", field, out);
    json_out_object_end(out);
    json_out_object_begin(out);
    print_choice(field, out);
    json_out_object_end(out);
    json_out_array_end(out);
}

static void print_text(const struct api_field *field, struct json_out *out)
{
    json_out_key_text(out, "type", "string");
    if (field->flags & API_NOT_EMPTY)
        json_out_key_int(out, "minLength", 1);
    if (field->max > 0)
        json_out_key_float(out, "maxLength", field->max);
}

static void print_array(const struct api_field *field, struct json_out *out)
{
    json_out_key_text(out, "type", "array");
    if (field->flags & API_NOT_EMPTY)
        json_out_key_int(out, "minItems", 1);
    if (field->max_items)
        json_out_key_int(out, "maxItems", (int64_t)field->max_items);
    json_out_key(out, "items");
    json_out_object_begin(out);
    if (field->type == API_LIST)
        print_text(field, out);
    else
        json_out_key_text(out, "type", field->type == API_OBJECTS ? "object" : "number");
    json_out_object_end(out);
}

static void print_picture(enum openapi_place place, struct json_out *out)
{
    json_out_key_text(out, "type", "string");
    /* In a form a file part is the better way; base64 text is taken, too. */
    if (place != OPENAPI_IN_FORM)
        json_out_key_text(out, "contentEncoding", "base64");
    json_out_key_text(out, "contentMediaType", "image/*");
}

static void print_type(const struct api_field *field, enum openapi_place place, struct json_out *out)
{
    switch (field->type) {
    case API_TEXT:
        print_text(field, out);
        break;
    case API_BOOL:
        json_out_key_text(out, "type", "boolean");
        break;
    case API_INT:
        print_number("integer", field, out);
        break;
    case API_FLOAT:
        print_number("number", field, out);
        break;
    case API_NUMBER_OR_WORD:
        print_number_or_word(field, out);
        break;
    case API_CHOICE:
        print_choice(field, out);
        break;
    case API_PICTURE:
        print_picture(place, out);
        break;
    case API_LIST:
    case API_OBJECTS:
    case API_FLOATS:
        print_array(field, out);
        break;
    case API_DICT:
        json_out_key_text(out, "type", "object");
        break;
    case API_JSON:
        break;
    }
}

/* Whether the default's text is JSON as it stands. */
static bool default_is_json(const struct api_field *field)
{
    switch (field->type) {
    case API_BOOL:
    case API_INT:
    case API_FLOAT:
    case API_DICT:
    case API_OBJECTS:
    case API_FLOATS:
        return true;
    case API_LIST:
        return field->default_text[0] == '[';
    case API_NUMBER_OR_WORD:
        return strchr("-0123456789", field->default_text[0]) != NULL && field->default_text[0];
    default:
        return false;
    }
}

static void print_default(const struct api_field *field, struct json_out *out)
{
    json_out_key(out, "default");
    if (default_is_json(field)) {
        json_out_raw(out, field->default_text);
    } else if (field->type == API_LIST) {
        json_out_array_begin(out);
        json_out_text(out, field->default_text);
        json_out_array_end(out);
    } else {
        json_out_text(out, field->default_text);
    }
}

void openapi_print_schema(const struct api_field *field, enum openapi_place place, struct json_out *out)
{
    json_out_object_begin(out);
    print_type(field, place, out);
    if (field->default_text)
        print_default(field, out);
    if (place != OPENAPI_IN_QUERY) {
        json_out_key(out, "description");
        openapi_print_description(field, out);
        if (field->flags & API_IGNORED)
            json_out_key_bool(out, "deprecated", true);
    }
    json_out_object_end(out);
}

void openapi_print_description(const struct api_field *field, struct json_out *out)
{
    struct buffer text;

    buffer_init(&text, DESCRIPTION_MAX);
    (void)buffer_append_text(&text, field->help ? field->help : "");
    if (field->alias) {
        (void)buffer_append_text(&text, text.size ? " Also taken as " : "Also taken as ");
        for (const char *at = field->alias; *at; at++)
            (void)buffer_append(&text, *at == '|' ? ", " : at, *at == '|' ? 2 : 1);
        (void)buffer_append_text(&text, ".");
    }
    if (field->flags & API_IGNORED)
        (void)buffer_append_text(&text, " Accepted for compatibility, without effect.");
    json_out_text(out, text.data ? (const char *)text.data : "");
    buffer_free(&text);
}
