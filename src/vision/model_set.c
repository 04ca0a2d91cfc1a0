#include "vision/model_set.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vision/calibration_json.h"
#include "vision/vision.h"

#define MANIFEST           "manifest.json"
#define MANIFEST_MAX_BYTES (1u * 1024 * 1024)

static const char *const file_keys[MODEL_FILES] = {
#define X(name, key) key,
    MODEL_FILE_LIST(X)
#undef X
};

/* --- files --- */

static enum aibox_status read_file(const char *dir, const char *name, size_t max, uint8_t **bytes, size_t *size,
                                   struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    uint8_t *data = NULL;
    size_t have = 0;
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = dir_fd < 0 ? -1 : openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (dir_fd < 0) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "models folder: %s", strerror(errno));
        goto out;
    }
    if (fd < 0) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "model file %s: %s", name, strerror(errno));
        goto out;
    }
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 0 || (uintmax_t)info.st_size > max) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "model file %s: not a file of at most %zu bytes", name, max);
        goto out;
    }
    size_t expected = (size_t)info.st_size;
    data = malloc(expected + 1);
    if (!data) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "model file %s: out of memory", name);
        goto out;
    }
    while (have < expected) {
        ssize_t got = read(fd, data + have, expected - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            status = error_set(err, AIBOX_PROCESS_FAILED, "model file %s: could not be read whole", name);
            goto out;
        }
        have += (size_t)got;
    }
    *bytes = data;
    *size = have;
    data = NULL;

out:
    free(data);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (dir_fd >= 0) {
        (void)close(dir_fd);
    }
    return status;
}

bool model_set_has(const struct model_set *set, enum model_file which)
{
    return set->files[which].name[0] != '\0';
}

enum aibox_status model_set_load(const struct model_set *set, const char *dir, enum model_file which, uint8_t **bytes,
                                 size_t *size, struct aibox_error *err)
{
    const char *name = set->files[which].name;
    uint8_t *data = NULL;
    size_t length = 0;
    enum aibox_status status = read_file(dir, name, MODEL_FILE_MAX_BYTES, &data, &length, err);
    if (status != AIBOX_OK) {
        return status;
    }
    unsigned char hash[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(hash, data, length);
    if (memcmp(hash, set->files[which].sha256, sizeof hash) != 0) {
        free(data);
        return error_set(err, AIBOX_PROCESS_FAILED,
                         "model file %s: its SHA-256 is not the manifest's (damaged or another version)", name);
    }
    *bytes = data;
    *size = length;
    return AIBOX_OK;
}

/* --- the manifest's values --- */

/* Where in the manifest we are, for messages: "preprocessing.feature". */
struct place {
    const char *name;
    json_t *object;
    struct aibox_error *err;
};

static enum aibox_status wrong(const struct place *at, const char *key, const char *what)
{
    return error_set(at->err, AIBOX_PROCESS_FAILED, MANIFEST ": %s%s%s %s", at->name, *at->name ? "." : "", key, what);
}

static enum aibox_status get_object(const struct place *at, const char *key, const char *name, struct place *out)
{
    json_t *value = json_object_get(at->object, key);
    if (!json_is_object(value)) {
        return wrong(at, key, "must be an object");
    }
    *out = (struct place){name, value, at->err};
    return AIBOX_OK;
}

static enum aibox_status get_text(const struct place *at, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(at->object, key));
    if (!text || !*text) {
        return wrong(at, key, "must be a text");
    }
    size_t length = strlen(text);
    if (length >= size) {
        return wrong(at, key, "is too long");
    }
    memcpy(out, text, length + 1);
    return AIBOX_OK;
}

static enum aibox_status get_number(const struct place *at, const char *key, double low, double high, float *out)
{
    json_t *value = json_object_get(at->object, key);
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= low && number <= high)) {
        char what[80];
        (void)snprintf(what, sizeof what, "must be a number from %g to %g", low, high);
        return wrong(at, key, what);
    }
    *out = (float)number;
    return AIBOX_OK;
}

static enum aibox_status get_three(const struct place *at, const char *key, double low, double high, float out[3])
{
    json_t *list = json_object_get(at->object, key);
    for (size_t i = 0; i < 3; i++) {
        json_t *value = json_array_size(list) == 3 ? json_array_get(list, i) : NULL;
        double number = json_number_value(value);
        if (!json_is_number(value) || !(number >= low && number <= high)) {
            char what[80];
            (void)snprintf(what, sizeof what, "must be three numbers from %g to %g", low, high);
            return wrong(at, key, what);
        }
        out[i] = (float)number;
    }
    return AIBOX_OK;
}

static enum aibox_status get_channels(const struct place *at, struct model_channels *out)
{
    char colour[8] = "";
    float divisor[3] = {1.0f, 1.0f, 1.0f};
    enum aibox_status status = get_text(at, "colour", colour, sizeof colour);
    if (status != AIBOX_OK) {
        return status;
    }
    out->bgr = strcmp(colour, "bgr") == 0;
    if (!out->bgr && strcmp(colour, "rgb") != 0) {
        return wrong(at, "colour", "must be \"rgb\" or \"bgr\"");
    }
    if ((status = get_three(at, "mean", -255.0, 255.0, out->mean)) != AIBOX_OK ||
        (status = get_three(at, "divisor", 1e-3, 1e4, divisor)) != AIBOX_OK) {
        return status;
    }
    for (size_t i = 0; i < 3; i++) {
        out->scale[i] = 1.0f / divisor[i];
    }
    return AIBOX_OK;
}

/* --- the manifest's blocks --- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_sha256(const char *hex, unsigned char out[32])
{
    for (size_t i = 0; i < 32; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = high < 0 ? -1 : hex_digit(hex[2 * i + 1]);
        if (low < 0) {
            return false;
        }
        out[i] = (unsigned char)(high * 16 + low);
    }
    return hex[64] == '\0';
}

static enum aibox_status parse_files(const struct place *root, struct model_set *out)
{
    struct place files = *root;
    enum aibox_status status = get_object(root, "files", "files", &files);
    for (size_t i = 0; status == AIBOX_OK && i < MODEL_FILES; i++) {
        struct place file = *root;
        char hex[66] = "";
        if (i >= MODEL_FIRST_OPTIONAL && !json_object_get(files.object, file_keys[i])) {
            continue;
        }
        if ((status = get_object(&files, file_keys[i], file_keys[i], &file)) != AIBOX_OK ||
            (status = get_text(&file, "file", out->files[i].name, sizeof out->files[i].name)) != AIBOX_OK ||
            (status = get_text(&file, "sha256", hex, sizeof hex)) != AIBOX_OK) {
            break;
        }
        if (strchr(out->files[i].name, '/') || out->files[i].name[0] == '.') {
            status = wrong(&file, "file", "must be a plain file name");
        } else if (!parse_sha256(hex, out->files[i].sha256)) {
            status = wrong(&file, "sha256", "must be 64 small hexadecimal digits");
        }
    }
    return status;
}

static enum aibox_status parse_detect(const struct place *preprocessing, struct model_set *out)
{
    struct place at = *preprocessing;
    enum aibox_status status = get_object(preprocessing, "detect", "preprocessing.detect", &at);
    if (status != AIBOX_OK || (status = get_channels(&at, &out->detect.channels)) != AIBOX_OK ||
        (status = get_number(&at, "min_score", 0.01, 0.999, &out->detect.score)) != AIBOX_OK ||
        (status = get_number(&at, "nms_iou", 0.05, 0.95, &out->detect.iou)) != AIBOX_OK) {
        return status;
    }
    json_t *heads = json_object_get(at.object, "heads");
    const size_t wanted = (size_t)MODEL_DETECT_HEADS * 2;
    if (!json_is_array(heads) || json_array_size(heads) != wanted) {
        return wrong(&at, "heads", "must be 8 tensor names");
    }
    for (size_t i = 0; i < wanted; i++) {
        const char *name = json_string_value(json_array_get(heads, i));
        size_t length = name ? strlen(name) : 0;
        if (length == 0 || length >= sizeof out->detect.heads[i]) {
            return wrong(&at, "heads", "must be 8 tensor names");
        }
        memcpy(out->detect.heads[i], name, length + 1);
    }
    return AIBOX_OK;
}

static enum aibox_status get_template(const struct place *at, float out[5][2])
{
    json_t *points = json_object_get(at->object, "template");
    if (!json_is_array(points) || json_array_size(points) != 5) {
        return wrong(at, "template", "must be five points");
    }
    for (size_t i = 0; i < 5; i++) {
        json_t *point = json_array_get(points, i);
        for (size_t axis = 0; axis < 2; axis++) {
            json_t *value = json_array_size(point) == 2 ? json_array_get(point, axis) : NULL;
            double v = json_number_value(value);
            if (!json_is_number(value) || !(v >= 0 && v <= VISION_ALIGNED_SIDE)) {
                return wrong(at, "template", "must be five points in the aligned picture");
            }
            out[i][axis] = (float)v;
        }
    }
    return AIBOX_OK;
}

/* Which of a few words it is; absent: the first. */
static enum aibox_status get_choice(const struct place *at, const char *key, const char *const *words, size_t count,
                                    size_t *out)
{
    json_t *value = json_object_get(at->object, key);
    const char *text = value ? json_string_value(value) : words[0];
    char what[128] = "must be";
    for (size_t i = 0; i < count; i++) {
        if (text && strcmp(text, words[i]) == 0) {
            *out = i;
            return AIBOX_OK;
        }
        size_t used = strlen(what);
        (void)snprintf(what + used, sizeof what - used, "%s \"%s\"", i > 0 ? " or" : "", words[i]);
    }
    return wrong(at, key, what);
}

/* A number that may be absent; `out` holds what it is then. */
static enum aibox_status get_optional(const struct place *at, const char *key, double low, double high, float *out)
{
    return json_object_get(at->object, key) ? get_number(at, key, low, high, out) : AIBOX_OK;
}

/* "views" may be absent: one. */
static enum aibox_status parse_feature(const struct place *preprocessing, struct model_set *out)
{
    static const char *const samplings[MODEL_SAMPLINGS] = {"linear", "cubic", "lanczos"};
    static const char *const second_views[] = {"landmarks", "points"};
    struct place at = *preprocessing;
    size_t choice = 0;
    float views = 1.0f;
    enum aibox_status status = get_object(preprocessing, "feature", "preprocessing.feature", &at);
    if (status != AIBOX_OK || (status = get_channels(&at, &out->feature.channels)) != AIBOX_OK) {
        return status;
    }
    if ((status = get_optional(&at, "views", 1, 2, &views)) != AIBOX_OK) {
        return status;
    }
    out->feature.views = (unsigned)views;
    if ((status = get_choice(&at, "sampling", samplings, MODEL_SAMPLINGS, &choice)) != AIBOX_OK) {
        return status;
    }
    out->feature.sampling = (enum model_sampling)choice;
    if ((status = get_choice(&at, "second_view", second_views, 2, &choice)) != AIBOX_OK) {
        return status;
    }
    out->feature.mirror_best = choice == 1;
    return AIBOX_OK;
}

static enum aibox_status parse_points(const struct place *preprocessing, struct model_set *out)
{
    struct place at = *preprocessing;
    float looks = 2;
    enum aibox_status status = AIBOX_OK;
    out->points.box = 1;
    if (!model_set_has(out, MODEL_POINTS)) {
        return AIBOX_OK;
    }
    if ((status = get_object(preprocessing, "points", "preprocessing.points", &at)) != AIBOX_OK ||
        (status = get_channels(&at, &out->points.channels)) != AIBOX_OK ||
        (status = get_optional(&at, "box", 0.5, 2, &out->points.box)) != AIBOX_OK ||
        (status = get_optional(&at, "looks", 1, 4, &looks)) != AIBOX_OK) {
        return status;
    }
    json_t *mirrored = json_object_get(at.object, "mirrored");
    if (mirrored && !json_is_boolean(mirrored)) {
        return wrong(&at, "mirrored", "must be true or false");
    }
    out->points.mirrored = json_is_true(mirrored);
    out->points.looks = (unsigned)looks;
    return get_template(&at, out->points.points);
}

static enum aibox_status parse_preprocessing(const struct place *root, struct model_set *out)
{
    struct place preprocessing = *root;
    struct place at = *root;
    float divisor = 1.0f;
    float live = 0.0f;
    enum aibox_status status = get_object(root, "preprocessing", "preprocessing", &preprocessing);
    if (status != AIBOX_OK || (status = parse_detect(&preprocessing, out)) != AIBOX_OK ||
        (status = parse_points(&preprocessing, out)) != AIBOX_OK ||
        (status = get_object(&preprocessing, "landmark", "preprocessing.landmark", &at)) != AIBOX_OK ||
        (status = get_number(&at, "divisor", 1e-3, 1e4, &divisor)) != AIBOX_OK ||
        (status = get_number(&at, "box", 0.5, 4.0, &out->landmark.box)) != AIBOX_OK ||
        (status = parse_feature(&preprocessing, out)) != AIBOX_OK ||
        (status = get_object(&preprocessing, "liveness", "preprocessing.liveness", &at)) != AIBOX_OK ||
        (status = get_channels(&at, &out->liveness.channels)) != AIBOX_OK ||
        (status = get_number(&at, "box", 0.5, 8.0, &out->liveness.box)) != AIBOX_OK ||
        (status = get_number(&at, "live_class", 0.0, 15.0, &live)) != AIBOX_OK ||
        (status = get_object(&preprocessing, "age_gender", "preprocessing.age_gender", &at)) != AIBOX_OK ||
        (status = get_channels(&at, &out->age_gender.channels)) != AIBOX_OK) {
        return status;
    }
    out->landmark.scale = 1.0f / divisor;
    out->liveness.live = (size_t)live;
    return AIBOX_OK;
}

/* "doubt" and "least_norm" may be absent; the latter has one number per number of looks. */
static enum aibox_status parse_trust(const struct place *at, struct model_set *out)
{
    json_t *list = json_object_get(at->object, "least_norm");
    for (size_t i = 0; list && i < 2; i++) {
        json_t *value = json_array_size(list) == 2 ? json_array_get(list, i) : NULL;
        double number = json_number_value(value);
        if (!json_is_number(value) || !(number >= 0 && number <= 1e6)) {
            return wrong(at, "least_norm", "must be two lengths, for one look and for two");
        }
        out->feature.least_trust[i] = (float)number;
    }
    return get_optional(at, "doubt", 0, 1e3, &out->feature.doubt);
}

static enum aibox_status parse_calibration(const struct place *root, struct model_set *set)
{
    struct place at = *root;
    enum aibox_status status = get_object(root, "calibration", "calibration", &at);
    if (status != AIBOX_OK) {
        return status;
    }
    status = calibration_parse(at.object, MANIFEST ": calibration.", &set->calibration, root->err);
    return status == AIBOX_OK ? parse_trust(&at, set) : status;
}

/*
 * "<id>/<12 hex>": SHA-256 over what shapes an embedding, that is the hashes of the detector, landmark, feature and
 * points files and their preprocessing. A better liveness or age model leaves the stored embeddings valid.
 */
static enum aibox_status make_id(const struct place *root, const char *name, struct model_set *out)
{
    static const enum model_file shaping[] = {MODEL_DETECT, MODEL_LANDMARK, MODEL_FEATURE, MODEL_POINTS};
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state);
    json_t *preprocessing = json_object_get(root->object, "preprocessing");
    for (size_t i = 0; i < sizeof shaping / sizeof shaping[0]; i++) {
        if (!model_set_has(out, shaping[i])) {
            continue;
        }
        json_t *block = json_object_get(preprocessing, file_keys[shaping[i]]);
        char *text = json_dumps(block, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
        if (!text) {
            return error_set(root->err, AIBOX_PROCESS_FAILED, MANIFEST ": out of memory");
        }
        (void)crypto_hash_sha256_update(&state, out->files[shaping[i]].sha256, 32);
        (void)crypto_hash_sha256_update(&state, (const unsigned char *)text, strlen(text));
        free(text);
    }
    for (size_t i = 0; i < 5; i++) {
        char point[48];
        (void)snprintf(point, sizeof point, "%.4f,%.4f;", (double)out->feature.points[i][0],
                       (double)out->feature.points[i][1]);
        (void)crypto_hash_sha256_update(&state, (const unsigned char *)point, strlen(point));
    }
    unsigned char hash[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256_final(&state, hash);
    (void)snprintf(out->id, sizeof out->id, "%s/%02x%02x%02x%02x%02x%02x", name, hash[0], hash[1], hash[2], hash[3],
                   hash[4], hash[5]);
    return AIBOX_OK;
}

enum aibox_status model_set_parse(const char *json, size_t size, struct model_set *out, struct aibox_error *err)
{
    json_error_t problem;
    json_t *document = json_loadb(json, size, JSON_REJECT_DUPLICATES, &problem);
    if (!json_is_object(document)) {
        json_decref(document);
        return error_set(err, AIBOX_PROCESS_FAILED, MANIFEST ": not a JSON object (line %d: %s)", problem.line,
                         document ? "another type" : problem.text);
    }
    struct place root = {"", document, err};
    char name[MODEL_SET_ID_SIZE - 13] = "";
    float dimension = 0.0f;
    *out = (struct model_set){0};
    enum aibox_status status = AIBOX_OK;
    if ((status = get_text(&root, "id", name, sizeof name)) != AIBOX_OK ||
        (status = get_number(&root, "dimension", 1, 65536, &dimension)) != AIBOX_OK) {
        goto out;
    }
    if ((int)dimension != VISION_DIMENSION) {
        char what[80];
        (void)snprintf(what, sizeof what, "is %g, but this program works with %d", (double)dimension, VISION_DIMENSION);
        status = wrong(&root, "dimension", what);
        goto out;
    }
    if ((status = parse_files(&root, out)) != AIBOX_OK || (status = parse_preprocessing(&root, out)) != AIBOX_OK ||
        (status = get_template(&root, out->feature.points)) != AIBOX_OK ||
        (status = parse_calibration(&root, out)) != AIBOX_OK) {
        goto out;
    }
    status = make_id(&root, name, out);

out:
    json_decref(document);
    return status;
}

enum aibox_status model_set_read(const char *dir, struct model_set *out, struct aibox_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum aibox_status status = read_file(dir, MANIFEST, MANIFEST_MAX_BYTES, &bytes, &size, err);
    if (status == AIBOX_OK) {
        status = model_set_parse((const char *)bytes, size, out, err);
        free(bytes);
    }
    return status;
}
