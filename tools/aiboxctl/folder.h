/*
 * A folder of people's pictures: files named as photo_name.h says, and one folder per person whose name is name and
 * id. Nothing deeper, nothing hidden.
 */
#ifndef AIBOXCTL_FOLDER_H
#define AIBOXCTL_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "flow/photo_name.h"

struct folder_picture {
    char *path; /* with the folder's own path in front */
    char *id;
    int number;     /* of several photos of the person, when the file name tells */
    bool by_folder; /* the person's folder says who it is */
};

/* A file that looks like a picture and can't be used. */
struct folder_fault {
    char *path;
    char *message;
};

struct folder {
    struct folder_picture *pictures; /* by id, then by number and path: one person's pictures follow each other */
    size_t n_pictures;
    size_t n_people;
    struct folder_fault *faults;
    size_t n_faults;
    size_t n_ignored; /* files of other kinds */
};

/* NOT_FOUND, PROCESS_FAILED: the folder or one in it can't be read. folder_free() in any case. */
enum aibox_status folder_read(const char *path, struct folder *out, struct aibox_error *err);
void folder_free(struct folder *folder);

/* Who is on a picture. Can't fail: folder_read() looked at it already. */
void folder_name_of(const struct folder_picture *picture, struct photo_name *out);

/* Index of the first picture of the next person. */
size_t folder_next_person(const struct folder *folder, size_t picture);

#endif
