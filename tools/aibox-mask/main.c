/*
 * aibox-mask draw --models DIR [--shape NAME] [--pattern NAME] [--below-nose] [--seed N] PICTURE OUT.jpg
 * aibox-mask train --faces DIR --models DIR [--exclude FILE] [--threads N] [--seed N] OUT.json
 *
 * `draw` puts a mask on the face in the middle of a picture. `train` teaches the model set to tell masked faces, as
 * docs/models.md describes, says how well that went, and writes the file of the set.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"
#include "mask_draw.h"
#include "samples.h"
#include "train.h"

struct arguments {
    const char *faces, *models, *exclude, *shape, *pattern;
    size_t threads;
    uint64_t seed;
    bool below_nose;
};

static int usage(void)
{
    (void)fputs("usage: aibox-mask draw --models DIR [--shape NAME] [--pattern NAME] [--below-nose] [--seed N] PICTURE "
                "OUT.jpg\n"
                "       aibox-mask train --faces DIR --models DIR [--exclude FILE] [--threads N] [--seed N] OUT.json\n",
                stderr);
    return 2;
}

static bool parse(int argc, char **argv, struct arguments *out)
{
    static const struct option options[] = {{"faces", required_argument, NULL, 'f'},
                                            {"models", required_argument, NULL, 'm'},
                                            {"exclude", required_argument, NULL, 'x'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"shape", required_argument, NULL, 'h'},
                                            {"pattern", required_argument, NULL, 'p'},
                                            {"below-nose", no_argument, NULL, 'b'},
                                            {NULL, 0, NULL, 0}};
    int option = 0;
    *out = (struct arguments){.threads = 2, .seed = 1};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            out->faces = optarg;
            break;
        case 'm':
            out->models = optarg;
            break;
        case 'x':
            out->exclude = optarg;
            break;
        case 't':
            out->threads = strtoul(optarg, NULL, 10);
            break;
        case 's':
            out->seed = strtoull(optarg, NULL, 10);
            break;
        case 'h':
            out->shape = optarg;
            break;
        case 'p':
            out->pattern = optarg;
            break;
        case 'b':
            out->below_nose = true;
            break;
        default:
            return false;
        }
    }
    return out->models && out->threads >= 1 && out->threads <= 256;
}

/* --- draw --- */

/* The number of a name in a list; false: there is none, said. */
static bool find_name(const char *what, const char *name, const char *const *names, size_t count, int *out)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (int)i;
            return true;
        }
    }
    (void)fprintf(stderr, "aibox-mask: there is no %s \"%s\"\n", what, name);
    return false;
}

static bool choose_style(const struct arguments *arguments, struct mask_style *out)
{
    uint64_t random = arguments->seed;
    int shape = 0;
    int pattern = 0;
    *out = mask_style_random(&random);
    out->below_nose = arguments->below_nose;
    if ((arguments->shape && !find_name("shape", arguments->shape, mask_shape_names, MASK_SHAPES, &shape)) ||
        (arguments->pattern &&
         !find_name("pattern", arguments->pattern, mask_pattern_names, MASK_PATTERNS, &pattern))) {
        return false;
    }
    out->shape = arguments->shape ? (enum mask_shape)shape : out->shape;
    out->pattern = arguments->pattern ? (enum mask_pattern)pattern : out->pattern;
    return true;
}

static bool write_file(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    bool ok = file && fwrite(bytes, 1, size, file) == size;
    if (file && fclose(file) != 0) {
        ok = false;
    }
    if (!ok) {
        (void)fprintf(stderr, "aibox-mask: %s can't be written\n", path);
    }
    return ok;
}

static bool draw(const struct arguments *arguments, const struct vision *vision, const char *from, const char *to)
{
    struct vision_worker *worker = NULL;
    struct image image = {0};
    struct mask_style style;
    struct aibox_error err = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool found = false;
    bool ok = choose_style(arguments, &style) && read_picture(from, &image);
    if (ok && vision_worker_open(vision, &worker, &err) != AIBOX_OK) {
        (void)fprintf(stderr, "aibox-mask: %s\n", err.message);
        ok = false;
    }
    if (ok && !samples_draw(worker, &image, &style, &found)) {
        (void)fprintf(stderr, "aibox-mask: %s: %s\n", from, found ? "the mask can't be drawn" : "no face");
        ok = false;
    }
    ok = ok && image_encode_jpeg(&image, 95, &bytes, &size, &err) == AIBOX_OK && write_file(to, bytes, size);
    free(bytes);
    image_free(&image);
    vision_worker_close(worker);
    return ok;
}

/* --- train --- */

static bool train(const struct arguments *arguments, const struct vision *vision, const char *to)
{
    struct dataset data = {0};
    bool ok = dataset_open(arguments->faces, &data) &&
              (!arguments->exclude || dataset_exclude(&data, arguments->exclude)) &&
              train_mask(&data, vision, arguments->threads, arguments->seed, to);
    dataset_free(&data);
    return ok;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct vision *vision = NULL;
    struct aibox_error err = {0};
    if (!parse(argc, argv, &arguments)) {
        return usage();
    }
    const char *command = optind < argc ? argv[optind++] : "";
    int operands = argc - optind;
    bool drawing = strcmp(command, "draw") == 0 && operands == 2;
    if (!drawing && !(strcmp(command, "train") == 0 && operands == 1 && arguments.faces)) {
        return usage();
    }
    if (vision_open(arguments.models, &vision, &err) != AIBOX_OK) {
        (void)fprintf(stderr, "aibox-mask: %s\n", err.message);
        return 1;
    }
    bool ok =
        drawing ? draw(&arguments, vision, argv[optind], argv[optind + 1]) : train(&arguments, vision, argv[optind]);
    vision_close(vision);
    return ok ? 0 : 1;
}
