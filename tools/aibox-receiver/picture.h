/* The pictures in a message: found by the names of their fields, decoded, and looked at as far as their kind. */
#ifndef AIBOX_RECEIVER_PICTURE_H
#define AIBOX_RECEIVER_PICTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PICTURES_MAX 8 /* of one message; an event has three */

struct picture {
    const char *field; /* "spot_pic"; a constant */
    const char *type;  /* "image/jpeg"; a constant */
    uint8_t *bytes;    /* owned */
    size_t size;
};

struct pictures {
    struct picture list[PICTURES_MAX];
    size_t count;
    size_t unreadable; /* neither empty nor a picture in base64: left where they were */
};

bool picture_is_field(const char *name);

/* Type of JPEG, PNG, WebP, GIF or BMP by the first bytes, else NULL. Never anything that a browser would run. */
const char *picture_type(const uint8_t *bytes, size_t size);

/* Takes the pictures out of `body` at any depth, in the order of the fields, and leaves in the place of each what it
 * was
 * ("<image/jpeg, 12345 bytes>"). Further ones than PICTURES_MAX stay. False: out of memory, `out` holds nothing. */
bool pictures_lift(json_t *body, struct pictures *out);
void pictures_free(struct pictures *pictures);

#endif
