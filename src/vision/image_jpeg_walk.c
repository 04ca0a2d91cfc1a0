/*
 * A look at the markers of a JPEG file before libjpeg decodes it. libjpeg believes what it reads as it goes along: a
 * progressive file of a few megabytes can hold thousands of scans over 50 megapixels, each of which costs a pass over
 * all coefficients, and a file that stops early is only noticed at its end. Source: ITU-T T.81, annex B.
 */
#include <string.h>

#include "vision/image_internal.h"

enum {
    MARKER_TEM = 0x01,
    MARKER_RST0 = 0xd0,
    MARKER_SOI = 0xd8,
    MARKER_EOI = 0xd9,
    MARKER_SOS = 0xda,
    MARKER_APP1 = 0xe1
};

/* Markers without a segment; 0 is no marker but a stuffed 0xff of the coded data. */
static bool stands_alone(unsigned marker)
{
    return marker == 0 || marker == MARKER_TEM || (marker >= MARKER_RST0 && marker <= MARKER_SOI);
}

void image_jpeg_walk(const uint8_t *bytes, size_t size, struct image_jpeg_layout *out)
{
    *out = (struct image_jpeg_layout){.orientation = 1};
    bool exif_seen = false;
    size_t at = 0;
    while (at < size) {
        /* Whatever lies before the next 0xff is coded data, or garbage that libjpeg skips as well. */
        const uint8_t *found = memchr(bytes + at, 0xff, size - at);
        if (found == NULL)
            return;
        at = (size_t)(found - bytes);
        while (at < size && bytes[at] == 0xff)
            at++;
        if (at == size)
            return;
        unsigned marker = bytes[at++];
        if (stands_alone(marker))
            continue;
        if (marker == MARKER_EOI) {
            out->complete = true;
            return;
        }
        if (size - at < 2)
            return;
        size_t length = (size_t)bytes[at] << 8 | bytes[at + 1];
        if (length < 2 || length > size - at)
            return;
        if (marker == MARKER_SOS)
            out->scans++;
        if (marker == MARKER_APP1 && !exif_seen && length >= 8 && memcmp(bytes + at + 2, "Exif", 5) == 0) {
            exif_seen = true;
            out->orientation = image_exif_orientation(bytes + at + 8, length - 8);
        }
        at += length;
    }
}
