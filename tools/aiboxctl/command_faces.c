/* aiboxctl faces: what does the box see on a picture? */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/utf8.h"
#include "ctl.h"
#include "file.h"
#include "quality_words.h"
#include "table.h"
#include "vision/image.h"

#define CROP_QUALITY 95
#define STEM_MAX     200

static enum aibox_status read_faces(const struct ctl *ctl, const char *path, json_t **faces, struct aibox_error *err)
{
    struct box *box = NULL;
    json_t *picture = NULL, *body = NULL, *answer = NULL;
    enum aibox_status status = ctl_picture(path, &picture, err);
    if (status == AIBOX_OK)
        status = box_open(&ctl->address, &box, err);
    if (status == AIBOX_OK && (body = json_pack("{s:O}", "image_base64_str", picture)) == NULL)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (status == AIBOX_OK)
        status = box_call(box, "POST", "/SophonFace/api/FIQA", body, &answer, err);
    *faces = status == AIBOX_OK        ? json_incref(json_object_get(answer, "data"))
             : status == AIBOX_NO_FACE ? json_array()
                                       : NULL;
    json_decref(answer);
    json_decref(body);
    json_decref(picture);
    box_close(box);
    return status == AIBOX_NO_FACE ? AIBOX_OK : status;
}

/* ---- cutting out ---- */

struct crop {
    const char *folder;
    double margin; /* on each side, in boxes */
};

/* A square around the box, shifted and cut to the picture. */
static enum aibox_status cut_out(const struct image *image, const json_t *face, double margin, struct image *out,
                                 struct aibox_error *err)
{
    double box[4];
    for (size_t i = 0; i < 4; i++)
        box[i] = json_number_value(json_array_get(json_object_get(face, "bbox"), i));
    double side = fmax(box[2] - box[0], box[3] - box[1]) * (1 + 2 * margin);
    double x = (box[0] + box[2] - side) / 2, y = (box[1] + box[3] - side) / 2;
    return image_crop(image, (int)x, (int)y, (int)side, (int)side, out, err);
}

static enum aibox_status write_jpeg(int dir, const char *name, const struct image *image, struct aibox_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum aibox_status status = image_encode_jpeg(image, CROP_QUALITY, &bytes, &size, err);
    if (status == AIBOX_OK)
        status = file_create(dir, name, bytes, size, err);
    free(bytes);
    return status;
}

static enum aibox_status cut_out_faces(const char *path, const json_t *faces, const struct crop *crop,
                                       struct aibox_error *err)
{
    struct buffer bytes;
    struct image image = {0};
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    size_t stem = utf8_prefix(base, strcspn(base, "."), STEM_MAX);
    const json_t *face;
    size_t i;
    int dir = -1;
    buffer_init(&bytes, IMAGE_MAX_BYTES);
    enum aibox_status status = file_read(path, &bytes, err);
    if (status == AIBOX_OK)
        status = image_decode(bytes.data, bytes.size, 0, &image, NULL, err);
    if (status == AIBOX_OK && ((mkdir(crop->folder, 0755) != 0 && errno != EEXIST) ||
                               (dir = open(crop->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0))
        status = error_set(err, AIBOX_PROCESS_FAILED, "%s: %s", crop->folder, strerror(errno));
    json_array_foreach(faces, i, face)
    {
        struct image cut = {0};
        char name[STEM_MAX + 32];
        snprintf(name, sizeof name, "%.*s_%zu.jpg", (int)stem, base, i + 1);
        if (status == AIBOX_OK)
            status = cut_out(&image, face, crop->margin, &cut, err);
        if (status == AIBOX_OK)
            status = write_jpeg(dir, name, &cut, err);
        image_free(&cut);
    }
    if (dir >= 0)
        close(dir);
    image_free(&image);
    buffer_free(&bytes);
    return status;
}

/* ---- printing ---- */

static void add_face(struct table *table, size_t number, const json_t *face)
{
    char count[32], box[4][32], words[512];
    snprintf(count, sizeof count, "%zu", number);
    for (size_t i = 0; i < 4; i++)
        snprintf(box[i], sizeof box[i], "%.0f", json_number_value(json_array_get(json_object_get(face, "bbox"), i)));
    quality_words(face, words, sizeof words);
    const char *const cells[] = {count, box[0], box[1], box[2], box[3], words};
    table_add(table, cells);
}

static int print_faces(const json_t *faces)
{
    static const char *const headers[] = {">FACE", ">LEFT", ">TOP", ">RIGHT", ">BOTTOM", "QUALITY"};
    struct table table;
    const json_t *face;
    size_t i;
    table_init(&table, headers, sizeof headers / sizeof headers[0]);
    table.widest = 120;
    json_array_foreach(faces, i, face)
    {
        add_face(&table, i + 1, face);
    }
    return table_print_take(&table, stdout) ? CTL_YES : ctl_fail("out of memory");
}

static int look(const struct ctl *ctl, const char *path, const struct crop *crop)
{
    struct aibox_error err;
    json_t *faces = NULL;
    enum aibox_status status = read_faces(ctl, path, &faces, &err);
    if (status == AIBOX_OK && crop->folder != NULL)
        status = cut_out_faces(path, faces, crop, &err);
    if (status != AIBOX_OK) {
        json_decref(faces);
        return ctl_complain(&err);
    }
    bool any = json_array_size(faces) > 0;
    int exit_status;
    if (ctl->json) {
        exit_status = ctl_print_json_take(faces);
    } else {
        exit_status = any ? print_faces(faces) : ctl_fail("%s: no face found", path);
        json_decref(faces);
    }
    return any ? exit_status : CTL_NO;
}

static int run_faces(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"crop", required_argument, NULL, 'c'}, {"margin", required_argument, NULL, 'm'}, CTL_COMMON_OPTIONS};
    struct crop crop = {.margin = 0.5};
    for (int option; (option = ctl_next_option(ctl, argc, argv, options)) != -1;) {
        long percent;
        if (option == '?')
            return ctl->option_exit;
        if (option == 'c')
            crop.folder = optarg;
        else if (!ctl_number("--margin", optarg, 0, 400, &percent))
            return CTL_ERROR;
        else
            crop.margin = (double)percent / 100;
    }
    return ctl_check_arguments(ctl, argc, 1, 1) ? look(ctl, argv[optind], &crop) : ctl->option_exit;
}

const struct ctl_command ctl_faces = {
    .name = "faces",
    .arguments = "PHOTO [--crop FOLDER] [--margin PERCENT]",
    .summary = "the faces on a picture, and how good they are",
    .help =
        "Lists the faces that the box finds on PHOTO, largest first, with their boxes in pixels and their quality.\n"
        "\n"
        "  --crop FOLDER      also cut them out: FOLDER/photo_1.jpg and so on; never over a file that is there\n"
        "  --margin PERCENT   of the box on each side, for --crop (default 50)\n"
        "\n"
        "Exit status 0: there are faces; 1: there are none; 2: it could not be done.\n",
    .run = run_faces,
};
