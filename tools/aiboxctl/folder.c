#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/utf8.h"

#define MAX_ID 64

static enum aibox_status out_of_memory(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

/* The array with room for one more, which grows at powers of two. NULL: out of memory, the array is as it was. */
static void *grow(void *items, size_t n, size_t size)
{
    if (n != 0 && (n & (n - 1)) != 0)
        return items;
    return reallocarray(items, n == 0 ? 1 : n * 2, size);
}

static enum aibox_status add_picture(struct folder *folder, const char *path, const char *id, int number,
                                     bool by_folder, struct aibox_error *err)
{
    struct folder_picture *pictures = grow(folder->pictures, folder->n_pictures, sizeof *pictures);
    if (pictures == NULL)
        return out_of_memory(err);
    folder->pictures = pictures;
    struct folder_picture picture = {.path = strdup(path), .id = strdup(id), .number = number, .by_folder = by_folder};
    folder->pictures[folder->n_pictures++] = picture;
    return picture.path != NULL && picture.id != NULL ? AIBOX_OK : out_of_memory(err);
}

static enum aibox_status add_fault(struct folder *folder, const char *path, const char *message,
                                   struct aibox_error *err)
{
    struct folder_fault *faults = grow(folder->faults, folder->n_faults, sizeof *faults);
    if (faults == NULL)
        return out_of_memory(err);
    folder->faults = faults;
    struct folder_fault fault = {.path = strdup(path), .message = strdup(message)};
    folder->faults[folder->n_faults++] = fault;
    return fault.path != NULL && fault.message != NULL ? AIBOX_OK : out_of_memory(err);
}

/* `person`: the folder that the file lies in, NULL at the top. */
static enum aibox_status take_file(struct folder *folder, const char *path, const char *name, const char *person,
                                   struct aibox_error *err)
{
    struct photo_name photo;
    struct aibox_error fault;
    if (!photo_name_is_picture(name)) {
        if (name[0] != '.' && strcmp(name, "people.csv") != 0)
            folder->n_ignored++;
        return AIBOX_OK;
    }
    if (person != NULL && (strlen(person) > MAX_ID || !utf8_valid(person, strlen(person))))
        return add_fault(folder, path, "the folder's name is no id: UTF-8 of at most 64 bytes is expected", err);
    if (person != NULL)
        return add_picture(folder, path, person, 1, true, err);
    if (photo_name_parse(name, &photo, &fault) != AIBOX_OK)
        return add_fault(folder, path, fault.message, err);
    return add_picture(folder, path, photo.id, photo.number, false, err);
}

static enum aibox_status read_level(struct folder *folder, const char *path, const char *person,
                                    struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    DIR *listing = opendir(path);
    if (listing == NULL)
        return error_set(err, errno == ENOENT ? AIBOX_NOT_FOUND : AIBOX_PROCESS_FAILED, "%s: %s", path,
                         strerror(errno));
    for (const struct dirent *entry; status == AIBOX_OK && (entry = readdir(listing)) != NULL;) {
        char full[PATH_MAX];
        struct stat what;
        int n = snprintf(full, sizeof full, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof full || stat(full, &what) != 0)
            continue;
        if (S_ISREG(what.st_mode))
            status = take_file(folder, full, entry->d_name, person, err);
        else if (S_ISDIR(what.st_mode) && person == NULL)
            status = read_level(folder, full, entry->d_name, err);
    }
    closedir(listing);
    return status;
}

static int by_person(const void *a, const void *b)
{
    const struct folder_picture *one = a, *other = b;
    int order = strcmp(one->id, other->id);
    if (order == 0)
        order = one->number - other->number;
    return order != 0 ? order : strcmp(one->path, other->path);
}

static int by_path(const void *a, const void *b)
{
    const struct folder_fault *one = a, *other = b;
    return strcmp(one->path, other->path);
}

enum aibox_status folder_read(const char *path, struct folder *out, struct aibox_error *err)
{
    *out = (struct folder){0};
    enum aibox_status status = read_level(out, path, NULL, err);
    if (status != AIBOX_OK)
        return status;
    if (out->n_pictures > 0)
        qsort(out->pictures, out->n_pictures, sizeof *out->pictures, by_person);
    if (out->n_faults > 0)
        qsort(out->faults, out->n_faults, sizeof *out->faults, by_path);
    for (size_t i = 0; i < out->n_pictures; i = folder_next_person(out, i))
        out->n_people++;
    return AIBOX_OK;
}

void folder_free(struct folder *folder)
{
    for (size_t i = 0; i < folder->n_pictures; i++) {
        free(folder->pictures[i].path);
        free(folder->pictures[i].id);
    }
    for (size_t i = 0; i < folder->n_faults; i++) {
        free(folder->faults[i].path);
        free(folder->faults[i].message);
    }
    free(folder->pictures);
    free(folder->faults);
    *folder = (struct folder){0};
}

void folder_name_of(const struct folder_picture *picture, struct photo_name *out)
{
    const char *slash = strrchr(picture->path, '/');
    *out = (struct photo_name){.number = 1};
    if (picture->by_folder) {
        snprintf(out->id, sizeof out->id, "%s", picture->id);
        snprintf(out->name, sizeof out->name, "%s", picture->id);
    } else {
        photo_name_parse(slash == NULL ? picture->path : slash + 1, out, NULL);
    }
}

size_t folder_next_person(const struct folder *folder, size_t picture)
{
    size_t next = picture + 1;
    while (next < folder->n_pictures && strcmp(folder->pictures[next].id, folder->pictures[picture].id) == 0)
        next++;
    return next;
}
