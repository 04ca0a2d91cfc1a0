#include "text.h"

#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define ELLIPSIS "\xe2\x80\xa6"

void text_set_up(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

struct glyph {
    const char *bytes;
    size_t size;    /* of `bytes` */
    size_t taken;   /* bytes of the text */
    size_t columns; /* on the terminal */
};

/* The next character of a text that is not at its end. */
static struct glyph next_glyph(const char *text)
{
    mbstate_t state = {0};
    wchar_t wide = 0;
    size_t taken = mbrtowc(&wide, text, MB_CUR_MAX, &state);
    if (taken == 0 || taken > MB_CUR_MAX)
        return (struct glyph){"?", 1, 1, 1};
    int columns = wcwidth(wide);
    if (columns < 0)
        return (struct glyph){"?", 1, taken, 1};
    return (struct glyph){text, taken, taken, (size_t)columns};
}

size_t text_width(const char *text)
{
    size_t columns = 0;
    while (*text != '\0') {
        struct glyph glyph = next_glyph(text);
        columns += glyph.columns;
        text += glyph.taken;
    }
    return columns;
}

/* Copies as long as it fits into bytes and columns; *rest is what was not copied. */
static size_t copy_glyphs(const char *text, size_t columns, char *out, size_t size, const char **rest)
{
    size_t length = 0, used = 0;
    while (*text != '\0') {
        struct glyph glyph = next_glyph(text);
        if (length + glyph.size >= size || used + glyph.columns > columns)
            break;
        memcpy(out + length, glyph.bytes, glyph.size);
        length += glyph.size;
        used += glyph.columns;
        text += glyph.taken;
    }
    out[length] = '\0';
    *rest = text;
    return length;
}

size_t text_clean(const char *text, char *out, size_t size)
{
    const char *rest;
    return copy_glyphs(text, SIZE_MAX, out, size, &rest);
}

size_t text_fit(const char *text, size_t columns, char *out, size_t size)
{
    const char *rest;
    size_t length = copy_glyphs(text, columns, out, size, &rest);
    if (*rest == '\0' || columns == 0 || size <= strlen(ELLIPSIS))
        return length;
    length = copy_glyphs(text, columns - 1, out, size - strlen(ELLIPSIS), &rest);
    memcpy(out + length, ELLIPSIS, sizeof ELLIPSIS);
    return length + strlen(ELLIPSIS);
}

const char *text_colour(enum text_colour colour, FILE *to)
{
    static const char *const codes[] = {"\033[0m", "\033[32m", "\033[33m", "\033[31m", "\033[1m", "\033[2m"};
    const char *no_colour = getenv("NO_COLOR");
    if ((no_colour != NULL && no_colour[0] != '\0') || !isatty(fileno(to)))
        return "";
    return codes[colour];
}
