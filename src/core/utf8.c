#include "core/utf8.h"

#include <stdint.h>
#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/*
 * Length of the well-formed multi-byte character at `at`, 0 if there is none. The second byte's range
 * depends on the first: that alone excludes overlong forms, surrogates and everything past U+10FFFF
 * (RFC 3629 § 4).
 */
static size_t character_size(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t size;

    if (lead >= 0xc2 && lead <= 0xdf)
        size = 2;
    else if (lead >= 0xe0 && lead <= 0xef)
        size = 3;
    else if (lead >= 0xf0 && lead <= 0xf4)
        size = 4;
    else
        return 0;
    if (size > left)
        return 0;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (!is_continuation(at[i]))
            return 0;
    return size;
}

bool utf8_valid(const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;

    while (at < size) {
        uint64_t word;
        size_t step;

        if (size - at >= sizeof word) {
            memcpy(&word, bytes + at, sizeof word);
            if (!(word & HIGH_BITS)) {
                at += sizeof word;
                continue;
            }
        }
        if (bytes[at] < 0x80) {
            at++;
            continue;
        }
        step = character_size(bytes + at, size - at);
        if (!step)
            return false;
        at += step;
    }
    return true;
}

size_t utf8_prefix(const char *text, size_t size, size_t limit)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t cut = limit;

    if (size <= limit)
        return size;
    while (cut > 0 && limit - cut < 3 && is_continuation(bytes[cut]))
        cut--;
    /* Four continuation bytes in a row are no character: nothing to keep whole. */
    return is_continuation(bytes[cut]) ? limit : cut;
}

size_t utf8_count(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}
