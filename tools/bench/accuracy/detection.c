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

/* The boxes between an <image …> tag's end and its </image>. */
static bool read_boxes(const char *from, const char *limit, struct truth *out)
{
    const char *end = from;
    const char *box = NULL;
    out->count = 0;
    while (out->count < MAX_BOXES && (box = next_tag(end, limit, "<box ", &end)) != NULL) {
        float *corners = out->boxes[out->count];
        float width = 0.0f;
        float height = 0.0f;
        char ignore[8] = "0";
        (void)attribute(box, end, "ignore", ignore, sizeof ignore);
        out->ignored[out->count++] = strcmp(ignore, "1") == 0;
        if (!number(box, end, "left", &corners[0]) || !number(box, end, "top", &corners[1]) ||
            !number(box, end, "width", &width) || !number(box, end, "height", &height)) {
            return false;
        }
        corners[2] = corners[0] + width;
        corners[3] = corners[1] + height;
    }
    return true;
}

/* Every picture that "<faces>/detection/<xml>" names. */
static bool check_list(struct vision_worker *worker, const char *faces, const char *xml, struct tally *tally)
{
    size_t size = 0;
    char *list = join_path(faces, "detection", xml);
    char *text = list ? (char *)read_whole_file(list, &size) : NULL;
    struct truth *truth = calloc(1, sizeof *truth);
    bool ok = text && truth;
    const char *end = text;
    const char *tag = NULL;
    while (ok && (tag = next_tag(end, text + size, "<image ", &end)) != NULL) {
        char name[256];
        const char *limit = strstr(end, "</image>");
        ok = limit && attribute(tag, end, "file", name, sizeof name) && read_boxes(end, limit, truth);
        char *picture = ok ? join_path(faces, "detection", name) : NULL;
        ok = picture && check_picture(worker, picture, truth, tally);
        free(picture);
        end = ok ? limit : end;
    }
    free(truth);
    free(text);
    free(list);
    return ok;
}

json_t *measure_detection(const char *faces, const struct vision *vision)
{
    static const char *const lists[] = {"training.xml", "testing.xml"};
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
        ok = check_list(worker, faces, lists[i], &tally);
    }
    char *dogs = join_path(faces, "detection", "dogs.jpg");
    ok = ok && dogs && check_picture(worker, dogs, &nothing, &empty);
    free(dogs);
    vision_worker_close(worker);
    if (!ok) {
        return NULL;
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "pictures", (json_int_t)tally.pictures, "boxes",
                     (json_int_t)tally.boxes, "found", (json_int_t)tally.hits, "others", (json_int_t)tally.extra,
                     "false_on_dogs", (json_int_t)empty.extra);
}
