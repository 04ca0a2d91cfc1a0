#include "api/percent.h"

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

ptrdiff_t percent_decode(const char *text, size_t size, bool plus_is_space, char *out)
{
    size_t written = 0;

    for (size_t at = 0; at < size; at++) {
        char character = text[at];

        if (character == '+' && plus_is_space) {
            character = ' ';
        } else if (character == '%') {
            int high = size - at > 2 ? hex_value(text[at + 1]) : -1;
            int low = size - at > 2 ? hex_value(text[at + 2]) : -1;

            if (high < 0 || low < 0)
                return -1;
            character = (char)(high * 16 + low);
            at += 2;
        }
        out[written++] = character;
    }
    out[written] = '\0';
    return (ptrdiff_t)written;
}
