/* What the decoding tests share. cmocka's headers come first. */
#ifndef AIBOX_TESTS_IMAGE_CHECK_H
#define AIBOX_TESTS_IMAGE_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/status.h"
#include "pictures.h"
#include "vision/image.h"

/* Decodes a file that must be right. The caller frees. */
static inline struct image decoded(const struct bytes *file)
{
    struct image image;
    struct aibox_error err = {0};
    int scale = 0;
    enum aibox_status status = image_decode(file->data, file->size, 0, &image, &scale, &err);
    if (status != AIBOX_OK)
        print_error("%s: %s\n", status_name(status), err.message);
    assert_int_equal(status, AIBOX_OK);
    assert_int_equal(scale, 1);
    return image;
}

/* Decodes a file that must be refused with that status, a message, and no picture. */
static inline void assert_refused(const uint8_t *bytes, size_t size, enum aibox_status expected)
{
    struct image image = {.width = 1, .height = 1};
    struct aibox_error err = {0};
    enum aibox_status status = image_decode(bytes, size, 0, &image, NULL, &err);
    if (status != expected)
        print_error("%s: %s\n", status_name(status), err.message);
    assert_int_equal(status, expected);
    assert_int_equal(err.status, expected);
    assert_true(err.message[0] != '\0');
    assert_null(image.pixels);
    assert_int_equal(image.width, 0);
    assert_int_equal(image.height, 0);
}

static inline void assert_same_picture(const struct image *a, const struct image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_memory_equal(a->pixels, b->pixels, (size_t)a->width * (size_t)a->height * 3);
}

/* Every prefix of the file is refused: each of the first and last bytes, every 64th between. */
static inline void assert_prefixes_refused(const struct bytes *file)
{
    for (size_t size = 0; size < file->size; size += (size < 64 || size + 64 > file->size) ? 1 : 64) {
        uint8_t *prefix = malloc(size == 0 ? 1 : size); /* of exact size, so that AddressSanitizer sees reads beyond */
        assert_non_null(prefix);
        memcpy(prefix, file->data, size);
        assert_refused(prefix, size, AIBOX_IMAGE);
        free(prefix);
    }
}

#endif
