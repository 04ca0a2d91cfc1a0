/*
 * What a photo's file name says of the person: name-id-department-type-card-description.jpg, from the third part on
 * optional; without any '-' the name is also the id. A last part "#2", "#3" … tells several photos of one person
 * apart. "%2D" and the like stand for characters that could not be in a part, as in URLs.
 */
#ifndef AIBOX_FLOW_PHOTO_NAME_H
#define AIBOX_FLOW_PHOTO_NAME_H

#include <stdbool.h>

#include "core/status.h"

#define PHOTO_NAME_MAX 256 /* bytes of a file name with NUL, and of its parts */

struct photo_name {
    char name[PHOTO_NAME_MAX];
    char id[PHOTO_NAME_MAX];
    char department[PHOTO_NAME_MAX]; /* "" when not said, as the following */
    char card[PHOTO_NAME_MAX];
    char description[PHOTO_NAME_MAX];
    int type;   /* 1..5; 0: not said */
    int number; /* of several photos; 1: the first or only one */
};

/* True for .jpg, .jpeg, .png, .webp in any case; hidden files are none. */
bool photo_name_is_picture(const char *file_name);

/* Takes a picture's file name (without folders) apart. PARAM with what is wrong with it. */
enum aibox_status photo_name_parse(const char *file_name, struct photo_name *out, struct aibox_error *err);

/*
 * The file name of a photo that photo_name_parse() reads back: safe on the file systems of Linux, Windows and macOS,
 * never a path, without ',' and ';', at most 255 bytes. `extension`: ".jpg". True: as a whole. False: description,
 * card, department or the end of the name had to be left out; the id never is (at most 64 bytes).
 */
bool photo_name_build(const struct photo_name *photo, const char *extension, char out[PHOTO_NAME_MAX]);

#endif
