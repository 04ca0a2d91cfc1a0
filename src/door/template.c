#include "door/template.h"

#include <stdint.h>
#include <string.h>

/* Length of the placeholder that `text` begins with, braces included; 0: none. */
static size_t placeholder_length(const char *text)
{
    size_t letters;

    if (text[0] != '{')
        return 0;
    letters = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz");
    return letters > 0 && text[1 + letters] == '}' ? letters + 2 : 0;
}

static bool is_placeholder(const char *text, size_t length, const char *name)
{
    return length == strlen(name) + 2 && memcmp(text + 1, name, length - 2) == 0;
}

static enum aibox_status expand_placeholder(const char *text, size_t length, const struct template_values *values,
                                            struct buffer *out, struct aibox_error *err)
{
    if (is_placeholder(text, length, "host")) {
        buffer_append_text(out, values->host);
    } else if (is_placeholder(text, length, "port")) {
        buffer_appendf(out, "%d", values->port);
    } else if (is_placeholder(text, length, "channel")) {
        buffer_appendf(out, "%d", values->channel);
    } else if (is_placeholder(text, length, "index")) {
        if (values->channel < 1)
            return error_set(err, AIBOX_PARAM, "{index} can't stand for all channels");
        buffer_appendf(out, "%d", values->channel - 1);
    } else if (is_placeholder(text, length, "seconds")) {
        buffer_appendf(out, "%d", values->seconds);
    } else if (is_placeholder(text, length, "action")) {
        buffer_append_text(out, values->action);
    } else {
        return error_set(err, AIBOX_PARAM, "unknown placeholder %.*s", length > 32 ? 32 : (int)length, text);
    }
    return AIBOX_OK;
}

static int hex_digit(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    if (letter >= 'a' && letter <= 'f')
        return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F')
        return letter - 'A' + 10;
    return -1;
}

/* Length of the escape that `text` begins with and the byte it stands for; 0: not an escape. */
static size_t parse_escape(const char *text, uint8_t *byte)
{
    static const char letters[][2] = {{'r', '\r'}, {'n', '\n'}, {'t', '\t'}, {'\\', '\\'}};

    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (text[1] == letters[i][0]) {
            *byte = (uint8_t)letters[i][1];
            return 2;
        }
    }
    if (text[1] == 'x' && hex_digit(text[2]) >= 0 && hex_digit(text[3]) >= 0) {
        *byte = (uint8_t)(hex_digit(text[2]) * 16 + hex_digit(text[3]));
        return 4;
    }
    return 0;
}

enum aibox_status template_expand(const char *text, enum template_kind kind, const struct template_values *values,
                                  struct buffer *out, struct aibox_error *err)
{
    while (*text) {
        size_t length = placeholder_length(text);
        uint8_t byte;

        if (length > 0) {
            enum aibox_status status = expand_placeholder(text, length, values, out, err);

            if (status != AIBOX_OK)
                return status;
        } else if (kind == TEMPLATE_BYTES && *text == '\\') {
            length = parse_escape(text, &byte);
            if (length == 0)
                return error_set(err, AIBOX_PARAM, "unknown escape, known are \\r \\n \\t \\\\ \\xHH");
            buffer_append(out, &byte, 1);
        } else {
            /* Plain text up to what may be special again. */
            length = 1 + strcspn(text + 1, kind == TEMPLATE_BYTES ? "{\\" : "{");
            buffer_append(out, text, length);
        }
        text += length;
    }
    if (out->failed)
        return error_set(err, AIBOX_PARAM, "longer than %zu bytes, or out of memory", out->maximum);
    return AIBOX_OK;
}

bool template_names_channel(const char *text)
{
    return strstr(text, "{channel}") != NULL || strstr(text, "{index}") != NULL;
}
