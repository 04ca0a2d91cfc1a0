/* Finding faces: pictures with boxes in dlib's XML, and one without any face. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"

#define MAX_BOXES 256
#define MATCH_IOU 0.3f /* the annotated boxes are squares from brows to chin, the detector's are taller */

struct truth {
    float boxes[MAX_BOXES][4];
    bool ignored[MAX_BOXES];
    size_t count;
};

struct tally {
    size_t pictures, boxes, hits, extra;
};

static float iou(const float a[4], const float b[4])
{
    float x1 = a[0] > b[0] ? a[0] : b[0];
    float y1 = a[1] > b[1] ? a[1] : b[1];
    float x2 = a[2] < b[2] ? a[2] : b[2];
    float y2 = a[3] < b[3] ? a[3] : b[3];
    float common = x2 > x1 && y2 > y1 ? (x2 - x1) * (y2 - y1) : 0.0f;
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common);
}

/* Text of an attribute inside one tag; false if it has none. */
static bool attribute(const char *tag, const char *end, const char *name, char *out, size_t size)
{
    size_t length = strlen(name);
    for (const char *p = tag; p + length + 2 < end; p++) {
        if (p[0] == ' ' && strncmp(p + 1, name, length) == 0 && p[length + 1] == '=') {
            const char quote = p[length + 2];
            const char *value = p + length + 3;
            const char *stop = value < end ? memchr(value, quote, (size_t)(end - value)) : NULL;
            if (!stop || (size_t)(stop - value) >= size) {
                return false;
            }
            memcpy(out, value, (size_t)(stop - value));
            out[stop - value] = '\0';
            return true;
        }
    }
    return false;
}

static bool number(const char *tag, const char *end, const char *name, float *out)
{
    char text[32];
    char *stop = NULL;
    if (!attribute(tag, end, name, text, sizeof text)) {
        return false;
    }
    *out = strtof(text, &stop);
    return stop != text && *stop == '\0';
}

/* The next tag called `name` before `limit`: its text starts at the return value, *end is its '>'. */
static const char *next_tag(const char *from, const char *limit, const char *name, const char **end)
{
    const char *tag = strstr(from, name);
    if (!tag || tag >= limit) {
        return NULL;
    }
    *end = strchr(tag, '>');
    return *end ? tag : NULL;
}

static bool check_picture(struct vision_worker *worker, const char *path, const struct truth *truth,
                          struct tally *tally)
{
    struct vision_face faces[VISION_MAX_FACES];
    struct vision_detect_options options = {.min_face = 0.0f};
    struct aibox_error err = {0};
    struct image image = {0};
    size_t count = 0;
    if (!read_picture(path, &image)) {
        return false;
    }
    enum aibox_status status = vision_detect(worker, &image, &options, faces, VISION_MAX_FACES, &count, &err);
    image_free(&image);
    if (status != AIBOX_OK) {
        (void)fprintf(stderr, "bench-accuracy: %s: %s\n", path, err.message);
        return false;
    }
    bool used[VISION_MAX_FACES] = {false};
    for (size_t t = 0; t < truth->count; t++) {
        size_t best = count;
        float most = MATCH_IOU;
        for (size_t i = 0; i < count; i++) {
            float overlap = iou(truth->boxes[t], faces[i].raw_box);
            if (!used[i] && overlap >= most) {
                most = overlap;
                best = i;
            }
        }
        if (best < count) {
            used[best] = true;
        }
        tally->boxes += !truth->ignored[t];
        tally->hits += !truth->ignored[t] && best < count;
    }
    for (size_t i = 0; i < count; i++) {
        tally->extra += !used[i];
    }
    tally->pictures++;
    return true;
}

static bool check_folder(struct vision_worker *worker, const char *folder, const char *xml, struct tally *tally)
{
    char path[4096];
    size_t size = 0;
    (void)snprintf(path, sizeof path, "%s/%s", folder, xml);
    char *text = (char *)read_whole_file(path, &size);
    struct truth *truth = calloc(1, sizeof *truth);
    bool ok = text && truth;
    const char *end = NULL;
    for (const char *tag = ok ? next_tag(text, text + size, "<image ", &end) : NULL; ok && tag;
         tag = next_tag(end, text + size, "<image ", &end)) {
        char name[256];
        const char *limit = strstr(end, "</image>");
        ok = limit && attribute(tag, end, "file", name, sizeof name);
        truth->count = 0;
        const char *box_end = end;
        for (const char *box = ok ? next_tag(end, limit, "<box ", &box_end) : NULL;
             ok && box && truth->count < MAX_BOXES; box = next_tag(box_end, limit, "<box ", &box_end)) {
            float *corners = truth->boxes[truth->count];
            float width = 0.0f;
            float height = 0.0f;
            char ignore[8] = "0";
            (void)attribute(box, box_end, "ignore", ignore, sizeof ignore);
            truth->ignored[truth->count++] = strcmp(ignore, "1") == 0;
            ok = number(box, box_end, "left", &corners[0]) && number(box, box_end, "top", &corners[1]) &&
                 number(box, box_end, "width", &width) && number(box, box_end, "height", &height);
            corners[2] = corners[0] + width;
            corners[3] = corners[1] + height;
        }
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
        ok = ok && check_picture(worker, path, truth, tally);
        end = ok ? limit : end;
    }
    free(truth);
    free(text);
    return ok;
}

json_t *measure_detection(const char *faces, const struct vision *vision)
{
    static const char *const lists[] = {"training.xml", "testing.xml"};
    char folder[4096];
    (void)snprintf(folder, sizeof folder, "%s/detection", faces);
    struct vision_worker *worker = NULL;
    struct aibox_error err = {0};
    if (vision_worker_open(vision, &worker, &err) != AIBOX_OK) {
        (void)fprintf(stderr, "bench-accuracy: %s\n", err.message);
        return NULL;
    }
    struct tally tally = {0};
    struct tally empty = {0};
    static const struct truth nothing = {.count = 0};
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof lists / sizeof lists[0]; i++) {
        ok = check_folder(worker, folder, lists[i], &tally);
    }
    (void)snprintf(folder, sizeof folder, "%s/detection/dogs.jpg", faces);
    ok = ok && check_picture(worker, folder, &nothing, &empty);
    vision_worker_close(worker);
    if (!ok) {
        return NULL;
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "pictures", (json_int_t)tally.pictures, "boxes",
                     (json_int_t)tally.boxes, "found", (json_int_t)tally.hits, "others", (json_int_t)tally.extra,
                     "false_on_dogs", (json_int_t)empty.extra);
}
