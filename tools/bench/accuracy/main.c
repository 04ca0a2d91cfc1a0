/*
 * bench-accuracy --faces DIR --models DIR [--exclude FILE] [--threads N] [--one-view] [--face PX] [--plot FILE.svg]
 * [--json] [--calibrate]
 *
 * DIR of --faces holds lfw/, pairs.txt and detection/ as docs/models.md describes. --exclude names people, one a line,
 * whose labels are wrong. --one-view makes embeddings of one look instead of two; --face shrinks the pictures until the
 * faces are that high, and measures recognition alone. --plot draws the scores. --calibrate prints only the calibration
 * block for the model set's manifest.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "accuracy.h"

struct arguments {
    const char *faces, *models, *exclude, *plot;
    size_t threads;
    int face;
    bool json, calibrate, one_view;
};

static int usage(void)
{
    (void)fputs("usage: bench-accuracy --faces DIR --models DIR [--exclude FILE] [--threads N] [--one-view] "
                "[--face PX] [--plot FILE.svg] [--json] [--calibrate]\n",
                stderr);
    return 2;
}

static bool parse(int argc, char **argv, struct arguments *out)
{
    static const struct option options[] = {
        {"faces", required_argument, NULL, 'f'},   {"models", required_argument, NULL, 'm'},
        {"exclude", required_argument, NULL, 'x'}, {"threads", required_argument, NULL, 't'},
        {"face", required_argument, NULL, 'p'},    {"plot", required_argument, NULL, 'g'},
        {"one-view", no_argument, NULL, '1'},      {"json", no_argument, NULL, 'j'},
        {"calibrate", no_argument, NULL, 'c'},     {NULL, 0, NULL, 0}};
    int option = 0;
    *out = (struct arguments){.threads = 2};
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
        case 'p':
            out->face = (int)strtol(optarg, NULL, 10);
            break;
        case 'g':
            out->plot = optarg;
            break;
        case '1':
            out->one_view = true;
            break;
        case 'j':
            out->json = true;
            break;
        case 'c':
            out->calibrate = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc && out->faces && out->models && out->threads >= 1 && out->threads <= 256 && out->face >= 0 &&
           out->face <= 4096;
}

/* "a.b.c value" lines of an object, in its order. */
static void print_plain(json_t *value, const char *prefix)
{
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach(value, key, member)
    {
        char name[160];
        (void)snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "", key);
        if (json_is_object(member)) {
            print_plain(member, name);
        } else if (json_is_real(member)) {
            (void)printf("%-44s %.4f\n", name, json_real_value(member));
        } else if (json_is_integer(member)) {
            (void)printf("%-44s %lld\n", name, (long long)json_integer_value(member));
        } else if (json_is_string(member)) {
            (void)printf("%-44s %s\n", name, json_string_value(member));
        }
    }
}

static bool add(json_t *report, const char *name, json_t *part)
{
    if (!part) {
        (void)fprintf(stderr, "bench-accuracy: %s could not be measured\n", name);
        return false;
    }
    return json_object_set_new(report, name, part) == 0;
}

static bool measure(const struct arguments *arguments, const struct vision *vision, struct dataset *data,
                    json_t *report)
{
    if (!dataset_open(arguments->faces, data) || (arguments->exclude && !dataset_exclude(data, arguments->exclude))) {
        return false;
    }
    data->views = arguments->one_view ? VISION_ONE_VIEW : VISION_TWO_VIEWS;
    data->face = arguments->face;
    /* Speed first, while nothing else runs. */
    if (!arguments->calibrate && arguments->face == 0 && !add(report, "timing_ms", measure_timing(data, vision))) {
        return false;
    }
    if (!extract_faces(data, vision, arguments->threads)) {
        return false;
    }
    if (arguments->calibrate) {
        return add(report, "calibration", measure_calibration(data));
    }
    if (!add(report, "verification", measure_verification(data)) ||
        !add(report, "identification", measure_identification(data)) ||
        !add(report, "galleries", measure_galleries(data, vision)) ||
        !add(report, "with_mask", measure_masks(data, vision, arguments->threads)) ||
        (arguments->plot && !plot_scores(data, vision, arguments->plot))) {
        return false;
    }
    return arguments->face > 0 || (add(report, "detection", measure_detection(arguments->faces, vision)) &&
                                   add(report, "robustness", measure_robustness(data, vision)) &&
                                   add(report, "spoilt", measure_spoilt(data, vision)) &&
                                   add(report, "sizes", measure_sizes(data, vision, arguments->threads)));
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    if (!parse(argc, argv, &arguments)) {
        return usage();
    }
    struct vision *vision = NULL;
    struct dataset data = {0};
    struct aibox_error err = {0};
    json_t *report = json_object();
    int code = 1;
    if (vision_open(arguments.models, &vision, &err) != AIBOX_OK) {
        (void)fprintf(stderr, "bench-accuracy: %s\n", err.message);
        goto out;
    }
    if (!report || json_object_set_new(report, "model_set", json_string(vision_model_set(vision))) != 0 ||
        !measure(&arguments, vision, &data, report)) {
        goto out;
    }
    if (arguments.json || arguments.calibrate) {
        if (json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(5)) != 0) {
            goto out;
        }
        (void)putchar('\n');
    } else {
        print_plain(report, "");
    }
    code = 0;

out:
    json_decref(report);
    dataset_free(&data);
    vision_close(vision);
    return code;
}
