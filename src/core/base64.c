#include "core/base64.h"

#include <string.h>
#include <strings.h>

/*
 * What a character stands for: its six bits with DIGIT set, BLANK for white space, 0 for what doesn't
 * belong into Base64. AND-ing eight entries tells whether all are digits.
 */
enum { DIGIT = 0x40, BLANK = 0x80 };

#define V(bits) (DIGIT | (bits))

/* clang-format off */
static const uint8_t digits[256] = {
    ['A'] = V(0), ['B'] = V(1), ['C'] = V(2), ['D'] = V(3), ['E'] = V(4), ['F'] = V(5),
    ['G'] = V(6), ['H'] = V(7), ['I'] = V(8), ['J'] = V(9), ['K'] = V(10), ['L'] = V(11),
    ['M'] = V(12), ['N'] = V(13), ['O'] = V(14), ['P'] = V(15), ['Q'] = V(16), ['R'] = V(17),
    ['S'] = V(18), ['T'] = V(19), ['U'] = V(20), ['V'] = V(21), ['W'] = V(22), ['X'] = V(23),
    ['Y'] = V(24), ['Z'] = V(25), ['a'] = V(26), ['b'] = V(27), ['c'] = V(28), ['d'] = V(29),
    ['e'] = V(30), ['f'] = V(31), ['g'] = V(32), ['h'] = V(33), ['i'] = V(34), ['j'] = V(35),
    ['k'] = V(36), ['l'] = V(37), ['m'] = V(38), ['n'] = V(39), ['o'] = V(40), ['p'] = V(41),
    ['q'] = V(42), ['r'] = V(43), ['s'] = V(44), ['t'] = V(45), ['u'] = V(46), ['v'] = V(47),
    ['w'] = V(48), ['x'] = V(49), ['y'] = V(50), ['z'] = V(51), ['0'] = V(52), ['1'] = V(53),
    ['2'] = V(54), ['3'] = V(55), ['4'] = V(56), ['5'] = V(57), ['6'] = V(58), ['7'] = V(59),
    ['8'] = V(60), ['9'] = V(61), ['+'] = V(62), ['/'] = V(63), ['-'] = V(62), ['_'] = V(63),
    [' '] = BLANK, ['\t'] = BLANK, ['\r'] = BLANK, ['\n'] = BLANK,
};
/* clang-format on */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The longest `data:` prefix looked for: enough for a media type with a parameter or two. */
#define PREFIX_MAX 128

size_t base64_decoded_max(size_t size)
{
    return size / 4 * 3 + 3;
}

static uint8_t digit_of(char character)
{
    return digits[(unsigned char)character];
}

/* Where the Base64 text starts, behind white space and a `data:` prefix. */
static size_t skip_prefix(const char *text, size_t size)
{
    static const char scheme[] = "data:";
    static const char marker[] = ";base64";
    const size_t marker_size = sizeof marker - 1;
    const char *comma;
    size_t start = 0;
    size_t reach;

    while (start < size && digit_of(text[start]) == BLANK)
        start++;
    if (size - start < sizeof scheme - 1 || strncasecmp(text + start, scheme, sizeof scheme - 1) != 0)
        return start;
    reach = size - start < PREFIX_MAX ? size - start : PREFIX_MAX;
    comma = memchr(text + start, ',', reach);
    /* Without the marker the ':' that follows makes decoding fail. */
    if (!comma || (size_t)(comma - text) - start < sizeof scheme - 1 + marker_size ||
        strncasecmp(comma - marker_size, marker, marker_size) != 0)
        return start;
    return (size_t)(comma - text) + 1;
}

/* Turns eight characters into six bytes; false, with nothing written, unless all eight are digits.
 * Writes eight bytes, of which the last two are rubbish. */
static bool decode_eight(const char *in, uint8_t *out)
{
    uint64_t word = 0;
    uint8_t bytes[8];
    uint8_t all = DIGIT;

    for (size_t i = 0; i < 8; i++) {
        uint8_t digit = digit_of(in[i]);

        all &= digit;
        word = word << 6 | (digit & 0x3f);
    }
    if (all != DIGIT)
        return false;
    word <<= 16;
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(word >> (56 - 8 * i));
    memcpy(out, bytes, sizeof bytes);
    return true;
}

/* The digits read since the last whole group of four. */
struct group {
    uint32_t bits;
    size_t count;
};

/* True when text[at..size) is the padding that `group` needs, with white space anywhere. */
static bool padding_fits(const char *text, size_t at, size_t size, const struct group *group)
{
    size_t pads = 0;

    for (; at < size; at++) {
        if (text[at] == '=')
            pads++;
        else if (digit_of(text[at]) != BLANK)
            return false;
    }
    return group->count >= 2 && group->count + pads == 4;
}

bool base64_decode(const char *text, size_t size, uint8_t *out, size_t *out_size)
{
    struct group group = {0};
    size_t at = skip_prefix(text, size);
    size_t written = 0;

    *out_size = 0;
    while (at < size) {
        uint8_t digit;

        /* Sixteen characters left means twelve bytes of room left: enough for the eight written. In
         * place, writing never overtakes reading, because written <= at * 3 / 4. */
        while (group.count == 0 && size - at >= 16 && decode_eight(text + at, out + written)) {
            at += 8;
            written += 6;
        }
        digit = digit_of(text[at]);
        if (digit & DIGIT) {
            group.bits = group.bits << 6 | (digit & 0x3f);
            if (++group.count == 4) {
                out[written++] = (uint8_t)(group.bits >> 16);
                out[written++] = (uint8_t)(group.bits >> 8);
                out[written++] = (uint8_t)group.bits;
                group = (struct group){0};
            }
        } else if (digit != BLANK) {
            if (!padding_fits(text, at, size, &group))
                return false;
            break;
        }
        at++;
    }
    if (group.count == 1)
        return false;
    if (group.count == 2) {
        out[written++] = (uint8_t)(group.bits >> 4);
    } else if (group.count == 3) {
        out[written++] = (uint8_t)(group.bits >> 10);
        out[written++] = (uint8_t)(group.bits >> 2);
    }
    *out_size = written;
    return true;
}

size_t base64_encoded_size(size_t size)
{
    return size / 3 * 4 + (size % 3 ? 4 : 0);
}

void base64_encode(const uint8_t *bytes, size_t size, char *out)
{
    size_t at = 0;

    for (; size - at >= 3; at += 3) {
        uint32_t bits = (uint32_t)bytes[at] << 16 | (uint32_t)bytes[at + 1] << 8 | bytes[at + 2];

        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 0x3f];
        *out++ = alphabet[bits >> 6 & 0x3f];
        *out++ = alphabet[bits & 0x3f];
    }
    if (at < size) {
        bool two = size - at == 2;
        uint32_t bits = (uint32_t)bytes[at] << 16 | (two ? (uint32_t)bytes[at + 1] << 8 : 0);

        *out++ = alphabet[bits >> 18];
        *out++ = alphabet[bits >> 12 & 0x3f];
        *out++ = two ? alphabet[bits >> 6 & 0x3f] : '=';
        *out++ = '=';
    }
    *out = '\0';
}
