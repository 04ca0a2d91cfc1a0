#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"

#define FILE_MAX_BYTES (64u * 1024 * 1024)

static bool fail(const char *what, const char *name)
{
    (void)fprintf(stderr, "bench-accuracy: %s: %s\n", name, what);
    return false;
}

char *join_path(const char *a, const char *b, const char *c)
{
    char text[4096];
    int length = snprintf(text, sizeof text, "%s/%s%s%s", a, b, c ? "/" : "", c ? c : "");
    return length > 0 && (size_t)length < sizeof text ? strdup(text) : NULL;
}

uint8_t *read_whole_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        (void)fail(strerror(errno), path);
        return NULL;
    }
    uint8_t *bytes = NULL;
    long length = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (length < 0 || (unsigned long)length > FILE_MAX_BYTES || fseek(file, 0, SEEK_SET) != 0 ||
        !(bytes = malloc((size_t)length + 1)) || fread(bytes, 1, (size_t)length, file) != (size_t)length) {
        free(bytes);
        (void)fclose(file);
        (void)fail("can't be read", path);
        return NULL;
    }
    (void)fclose(file);
    bytes[length] = 0;
    *size = (size_t)length;
    return bytes;
}

bool read_picture(const char *path, struct image *out)
{
    size_t size = 0;
    uint8_t *bytes = read_whole_file(path, &size);
    if (!bytes) {
        return false;
    }
    struct aibox_error err = {0};
    enum aibox_status status = image_decode(bytes, size, 0, out, NULL, &err);
    free(bytes);
    return status == AIBOX_OK || fail(err.message, path);
}

const struct vision_face *central_face(const struct image *image, const struct vision_face *faces, size_t count)
{
    const struct vision_face *best = NULL;
    float least = INFINITY;
    for (size_t i = 0; i < count; i++) {
        float x = 0.5f * (faces[i].box[0] + faces[i].box[2] - (float)image->width);
        float y = 0.5f * (faces[i].box[1] + faces[i].box[3] - (float)image->height);
        if (x * x + y * y < least) {
            least = x * x + y * y;
            best = &faces[i];
        }
    }
    return best;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++) {
        free(names[i]);
    }
    free(names);
}

/* Appends the pictures of one person. */
static bool add_person(struct dataset *data, const char *folder, const char *name)
{
    struct dirent **files = NULL;
    char *path = join_path(folder, name, NULL);
    int count = path ? scandir(path, &files, visible, alphasort) : -1;
    free(path);
    if (count < 0) {
        return fail("can't be listed", name);
    }
    struct picture *more = realloc(data->pictures, (data->picture_count + (size_t)count) * sizeof *data->pictures + 1);
    if (!more) {
        free_names(files, count);
        return fail("out of memory", name);
    }
    data->pictures = more;
    struct person *person = &data->people[data->people_count];
    *person = (struct person){.name = strdup(name), .first = data->picture_count, .count = (size_t)count};
    bool ok = person->name != NULL;
    for (int i = 0; i < count; i++) {
        struct picture *picture = &data->pictures[data->picture_count++];
        *picture = (struct picture){.path = join_path(folder, name, files[i]->d_name), .person = data->people_count};
        ok = ok && picture->path;
    }
    data->people_count++;
    free_names(files, count);
    return ok || fail("out of memory", name);
}

static bool list_people(const char *folder, struct dataset *data)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, visible, alphasort);
    if (count < 0) {
        return fail(strerror(errno), folder);
    }
    data->people = calloc((size_t)count + 1, sizeof *data->people);
    bool ok = data->people != NULL;
    for (int i = 0; ok && i < count; i++) {
        ok = add_person(data, folder, names[i]->d_name);
    }
    free_names(names, count);
    return ok;
}

static int compare_person(const void *key, const void *element)
{
    return strcmp(key, ((const struct person *)element)->name);
}

/* Index of "<name>_<number>.jpg", or the picture count if there is none. */
static size_t find_picture(const struct dataset *data, const char *name, int number)
{
    const struct person *person = bsearch(name, data->people, data->people_count, sizeof *data->people, compare_person);
    char ending[32];
    (void)snprintf(ending, sizeof ending, "_%04d.jpg", number);
    for (size_t i = 0; person && i < person->count; i++) {
        const char *path = data->pictures[person->first + i].path;
        size_t length = strlen(path);
        if (length > strlen(ending) && strcmp(path + length - strlen(ending), ending) == 0) {
            return person->first + i;
        }
    }
    return data->picture_count;
}

#define MAX_FIELDS 5

/* Cuts a line at its blanks, in place; returns how many fields there are (MAX_FIELDS: too many). */
static size_t split(char *line, char *fields[MAX_FIELDS])
{
    size_t count = 0;
    for (char *at = line + strspn(line, " \t\r\n"); *at && count < MAX_FIELDS; at += strspn(at, " \t\r\n")) {
        fields[count++] = at;
        at += strcspn(at, " \t\r\n");
        if (*at) {
            *at++ = '\0';
        }
    }
    return count;
}

/* 1..100000, or 0 if the text is no such number. */
static int whole_number(const char *text)
{
    char *end = NULL;
    long value = strtol(text, &end, 10);
    return end != text && *end == '\0' && value >= 1 && value <= 100000 ? (int)value : 0;
}

/* "name i j" or "name1 i name2 j". */
static bool read_pair(const struct dataset *data, char *line, struct pair *out)
{
    char *fields[MAX_FIELDS];
    size_t count = split(line, fields);
    if (count != 3 && count != 4) {
        return false;
    }
    out->same = count == 3;
    out->a = find_picture(data, fields[0], whole_number(fields[1]));
    out->b = find_picture(data, fields[out->same ? 0 : 2], whole_number(fields[count - 1]));
    return out->a < data->picture_count && out->b < data->picture_count;
}

/* LFW's pairs.txt: "folds pairs", then per fold as many lines of the same person and as many of two. */
static bool read_pairs(const char *path, struct dataset *data)
{
    char line[512];
    char *fields[MAX_FIELDS];
    FILE *file = fopen(path, "r");
    if (!file) {
        return fail(strerror(errno), path);
    }
    bool ok = fgets(line, sizeof line, file) && split(line, fields) == 2;
    int folds = ok ? whole_number(fields[0]) : 0;
    int per_fold = ok ? whole_number(fields[1]) : 0;
    ok = folds >= 2 && folds <= 1000 && per_fold >= 1;
    size_t total = ok ? (size_t)folds * (size_t)per_fold * 2 : 0;
    data->pairs = ok ? calloc(total, sizeof *data->pairs) : NULL;
    data->folds = (size_t)folds;
    ok = data->pairs != NULL;
    while (ok && data->pair_count < total && fgets(line, sizeof line, file)) {
        struct pair *pair = &data->pairs[data->pair_count];
        ok = read_pair(data, line, pair);
        pair->fold = data->pair_count++ / ((size_t)per_fold * 2);
    }
    (void)fclose(file);
    return (ok && data->pair_count == total) || fail("not LFW's pairs format, or a picture is missing", path);
}

bool dataset_open(const char *faces, struct dataset *out)
{
    *out = (struct dataset){0};
    char *folder = join_path(faces, "lfw", NULL);
    char *pairs = join_path(faces, "pairs.txt", NULL);
    bool ok = folder && pairs && list_people(folder, out) && read_pairs(pairs, out);
    if (ok) {
        out->embeddings = calloc(out->picture_count * VISION_DIMENSION, sizeof *out->embeddings);
        ok = out->embeddings != NULL;
    }
    free(folder);
    free(pairs);
    return ok;
}

bool dataset_exclude(struct dataset *data, const char *path)
{
    char line[256];
    bool ok = true;
    FILE *file = fopen(path, "r");
    if (!file) {
        return fail(strerror(errno), path);
    }
    while (ok && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        struct person *person =
            *line ? bsearch(line, data->people, data->people_count, sizeof *data->people, compare_person) : NULL;
        if (person) {
            person->excluded = true;
        } else if (*line) {
            ok = fail("no such person in lfw/", line);
        }
    }
    (void)fclose(file);
    return ok;
}

bool usable(const struct dataset *data, size_t picture)
{
    return data->pictures[picture].embedded && !data->people[data->pictures[picture].person].excluded;
}

void dataset_free(struct dataset *data)
{
    for (size_t i = 0; i < data->people_count; i++) {
        free(data->people[i].name);
    }
    for (size_t i = 0; i < data->picture_count; i++) {
        free(data->pictures[i].path);
    }
    free(data->people);
    free(data->pictures);
    free(data->pairs);
    free(data->embeddings);
}
