#include "vision/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vision/sampling.h"
#include "vision/worker.h"

/* Sides of the anchors in input pixels, by stride 8, 16, 32, 64; 0: no more. */
static const float anchor_sides[MODEL_DETECT_HEADS][DETECT_MAX_ANCHORS] = {
    {10, 16, 24}, {32, 48, 0}, {64, 96, 0}, {128, 192, 256}};

#define CENTRE_VARIANCE 0.1f
#define SIZE_VARIANCE   0.2f

/*
 * What automatic tiling goes by. A face of 18 input pixels is found nearly always, one of 11 in every second picture
 * (docs/models.md). Neighbouring tiles share a fifth of their width, which is more than a face of 24 pixels in the
 * whole-picture pass takes: what a tile's edge cuts, another tile or the whole-picture pass sees whole.
 */
#define SURE_FACE        18.0f
#define DEFAULT_MIN_FACE 48.0f
#define TILE_OVERLAP     0.2f
#define CLOSE_ZOOM       1.6f /* side of what a look for a face larger than the picture sees, in pictures */
#define CLOSE_FACE       0.6f /* share of the picture's width or height from which on a face is taken for near */
#define CLOSE_PASS       (-1)
#define HINT_PASS        100   /* the passes behind it look around hints */
#define HINT_SIDE        6.0f  /* width of such a look in faces */
#define HINT_LEAST       32.0f /* px */
#define FILLING_FACE     0.25f /* share of the picture's shorter side from which on a face "fills the view" */
#define CUT_MARGIN       2.0f  /* input pixels: a box this near to a tile's inner edge is taken for cut off */

/*
 * What only a tile found must be small enough to be missed by the whole-picture pass (longer side, input pixels there),
 * and surer than otherwise: more looks find more faces where there are none.
 */
#define TILE_LARGEST_FACE 32.0f
#define TILE_DOUBT        0.5f /* share that is left of the whole-picture pass's doubt, 1 - min_score */

void detect_map_init(size_t index, size_t rows, size_t cols, size_t input_w, size_t input_h, struct detect_map *map)
{
    *map = (struct detect_map){.rows = rows, .cols = cols};
    for (size_t a = 0; a < DETECT_MAX_ANCHORS && anchor_sides[index][a] > 0.0f; a++) {
        map->width[a] = fminf(anchor_sides[index][a] / (float)input_w, 1.0f);
        map->height[a] = fminf(anchor_sides[index][a] / (float)input_h, 1.0f);
        map->anchors++;
    }
}

void detect_decode(const struct detect_map *map, const float *scores, const float *boxes, float min_score,
                   struct candidate *list, size_t capacity, size_t *count)
{
    /* Softmax of two logits is a sigmoid of their difference: compare before the exponential. */
    float least = logf(min_score / (1.0f - min_score));
    for (size_t row = 0; row < map->rows; row++) {
        for (size_t col = 0; col < map->cols; col++) {
            size_t first = (row * map->cols + col) * map->anchors;
            for (size_t a = 0; a < map->anchors; a++) {
                const float *logits = scores + 2 * (first + a);
                float difference = logits[1] - logits[0];
                if (!(difference >= least) || *count >= capacity) {
                    continue;
                }
                const float *offset = boxes + 4 * (first + a);
                float x = ((float)col + 0.5f) / (float)map->cols + offset[0] * CENTRE_VARIANCE * map->width[a];
                float y = ((float)row + 0.5f) / (float)map->rows + offset[1] * CENTRE_VARIANCE * map->height[a];
                float half_w = 0.5f * map->width[a] * expf(offset[2] * SIZE_VARIANCE);
                float half_h = 0.5f * map->height[a] * expf(offset[3] * SIZE_VARIANCE);
                if (!isfinite(x) || !isfinite(y) || !isfinite(half_w) || !isfinite(half_h)) {
                    continue;
                }
                list[(*count)++] = (struct candidate){.box = {x - half_w, y - half_h, x + half_w, y + half_h},
                                                      .score = 1.0f / (1.0f + expf(-difference))};
            }
        }
    }
}

/* One look: a rectangle of the picture, stretched to the network's input. */
struct look {
    float x, y, width, height;                         /* picture pixels */
    bool open_left, open_top, open_right, open_bottom; /* an edge that is not the picture's: faces there may be cut */
    int pass;
};

static bool is_cut(const struct look *look, const float box[4], float margin_x, float margin_y)
{
    return (look->open_left && box[0] < margin_x) || (look->open_right && box[2] > 1.0f - margin_x) ||
           (look->open_top && box[1] < margin_y) || (look->open_bottom && box[3] > 1.0f - margin_y);
}

/* Runs the detector on one look and appends what it finds, in picture pixels, to worker->merged. */
static enum aibox_status run_look(struct vision_worker *worker, const struct image *image, const struct look *look,
                                  float min_score, size_t *merged, struct aibox_error *err)
{
    const struct vision *vision = worker->vision;
    struct nn_session *session = worker->sessions[NETWORK_DETECT];
    struct nn_shape input = nn_model_input_shape(vision->models[NETWORK_DETECT]);
    const struct model_channels *channels = &vision->set.detect.channels;
    struct image_sampling how = {.replicate = true, .bgr = channels->bgr};
    memcpy(how.mean, channels->mean, sizeof how.mean);
    memcpy(how.scale, channels->scale, sizeof how.scale);
    int out_h = (int)input.dim[1];
    int out_w = (int)input.dim[2];
    sampling_of_rectangle(look->x, look->y, look->width, look->height, out_w, out_h, how.matrix);
    enum aibox_status status =
        sample_smoothly(image, &how, SAMPLE_COLOUR, out_w, out_h, nn_session_input(session), err);
    if (status != AIBOX_OK || (status = nn_run(session, err)) != AIBOX_OK) {
        return status;
    }
    size_t count = 0;
    for (size_t i = 0; i < MODEL_DETECT_HEADS; i++) {
        detect_decode(&vision->maps[i], nn_session_output(session, 2 * i), nn_session_output(session, 2 * i + 1),
                      min_score, worker->candidates, DETECT_MAX_CANDIDATES, &count);
    }
    /* Suppressed in picture pixels: the stretch changes no IoU. */
    size_t kept = candidates_suppress(worker->candidates, count, vision->set.detect.iou);
    float margin_x = CUT_MARGIN / (float)out_w;
    float margin_y = CUT_MARGIN / (float)out_h;
    /* Longest sides of a tile's finding, as shares of the tile. */
    float largest_x = TILE_LARGEST_FACE / (float)out_w * (float)image->width / look->width;
    float largest_y = TILE_LARGEST_FACE / (float)out_h * (float)image->height / look->height;
    for (size_t i = 0; i < kept && *merged < DETECT_MAX_MERGED; i++) {
        const float *box = worker->candidates[i].box;
        bool large = box[2] - box[0] > largest_x || box[3] - box[1] > largest_y;
        if (look->pass > 0 && (large || is_cut(look, box, margin_x, margin_y))) {
            continue;
        }
        worker->merged[(*merged)++] =
            (struct candidate){.box = {look->x + box[0] * look->width, look->y + box[1] * look->height,
                                       look->x + box[2] * look->width, look->y + box[3] * look->height},
                               .score = worker->candidates[i].score,
                               .pass = look->pass};
    }
    return AIBOX_OK;
}

/* Shorter side of a box after clipping; 0 if nothing of it is in the picture. */
static float seen_side(const struct image *image, const float box[4])
{
    float seen[4];
    if (!box_clip(box, (float)image->width, (float)image->height, seen)) {
        return 0.0f;
    }
    return fminf(seen[2] - seen[0], seen[3] - seen[1]);
}

/* Tiles per side that the options and the faces found so far ask for; 1: none. */
static int choose_tiles(const struct vision_worker *worker, const struct image *image,
                        const struct vision_detect_options *options, size_t found)
{
    switch (options->tiles) {
    case VISION_TILES_OFF:
        return 1;
    case VISION_TILES_2X2:
        return 2;
    case VISION_TILES_3X3:
        return 3;
    case VISION_TILES_AUTO:
        break;
    }
    float filling = FILLING_FACE * fminf((float)image->width, (float)image->height);
    for (size_t i = 0; i < found; i++) {
        if (seen_side(image, worker->merged[i].box) >= filling) {
            return 1;
        }
    }
    struct nn_shape input = nn_model_input_shape(worker->vision->models[NETWORK_DETECT]);
    float shrink = fminf((float)input.dim[2] / (float)image->width, (float)input.dim[1] / (float)image->height);
    float smallest = options->min_face > 0.0f ? options->min_face : DEFAULT_MIN_FACE;
    float zoom = SURE_FACE / (smallest * shrink);
    return zoom <= 1.0f ? 1 : zoom <= 2.0f - TILE_OVERLAP ? 2 : 3;
}

/* Whether the picture may show a face from so near that the detector, who knows faces with something around them, saw
 * nothing or only parts: nothing found, or something that takes most of the width or height. */
static bool needs_close_look(const struct image *image, const struct candidate *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].box[2] - list[i].box[0] > CLOSE_FACE * (float)image->width ||
            list[i].box[3] - list[i].box[1] > CLOSE_FACE * (float)image->height) {
            return true;
        }
    }
    return count == 0;
}

/*
 * A portrait cut tightly around the face, as other systems export them: looks at the picture as part of a larger one
 * whose rest repeats the edges, and adds only what fills the view.
 */
static enum aibox_status run_close_look(struct vision_worker *worker, const struct image *image, float min_score,
                                        size_t *merged, struct aibox_error *err)
{
    float width = (float)image->width;
    float height = (float)image->height;
    struct look look = {.x = -0.5f * (CLOSE_ZOOM - 1.0f) * width,
                        .y = -0.5f * (CLOSE_ZOOM - 1.0f) * height,
                        .width = CLOSE_ZOOM * width,
                        .height = CLOSE_ZOOM * height,
                        .pass = CLOSE_PASS};
    size_t kept = *merged;
    enum aibox_status status = run_look(worker, image, &look, min_score, merged, err);
    for (size_t i = kept; i < *merged; i++) {
        if (seen_side(image, worker->merged[i].box) >= FILLING_FACE * fminf(width, height)) {
            worker->merged[kept++] = worker->merged[i];
        }
    }
    /* Twice: a kept box that grew to the whole face may cover others now. */
    float iou = worker->vision->set.detect.iou;
    *merged = candidates_suppress(worker->merged, candidates_suppress(worker->merged, kept, iou), iou);
    return status;
}

/* `count` of the tiles (0: all), from that whose turn it is. */
static enum aibox_status run_tiles(struct vision_worker *worker, const struct image *image, int tiles, unsigned turn,
                                   unsigned count, float min_score, size_t *merged, struct aibox_error *err)
{
    unsigned all = (unsigned)(tiles * tiles);
    float share = 1.0f / ((float)tiles - (float)(tiles - 1) * TILE_OVERLAP);
    float width = (float)image->width * share;
    float height = (float)image->height * share;
    enum aibox_status status = AIBOX_OK;
    if (count == 0 || count > all)
        count = all;
    for (unsigned k = 0; k < count && status == AIBOX_OK; k++) {
        int i = (int)((turn % all * count + k) % all);
        int col = i % tiles;
        int row = i / tiles;
        struct look look = {.x = (float)col * width * (1.0f - TILE_OVERLAP),
                            .y = (float)row * height * (1.0f - TILE_OVERLAP),
                            .width = width,
                            .height = height,
                            .open_left = col > 0,
                            .open_top = row > 0,
                            .open_right = col + 1 < tiles,
                            .open_bottom = row + 1 < tiles,
                            .pass = i + 1};
        status = run_look(worker, image, &look, 1.0f - TILE_DOUBT * (1.0f - min_score), merged, err);
    }
    return status;
}

/* A look around each place where a small face was: it is HINT_SIDE times as wide as the face. */
static enum aibox_status run_hints(struct vision_worker *worker, const struct image *image,
                                   const struct vision_detect_options *options, float min_score, size_t *merged,
                                   struct aibox_error *err)
{
    struct nn_shape input = nn_model_input_shape(worker->vision->models[NETWORK_DETECT]);
    float aspect = (float)input.dim[1] / (float)input.dim[2];
    float picture_w = (float)image->width, picture_h = (float)image->height;
    enum aibox_status status = AIBOX_OK;
    for (size_t i = 0; i < options->n_hints && status == AIBOX_OK; i++) {
        const float *box = options->hints[i];
        float width = fminf(HINT_SIDE * fmaxf(box[2] - box[0], box[3] - box[1]), picture_w);
        float height = fminf(width * aspect, picture_h);
        if (!(width >= HINT_LEAST) || !(height >= HINT_LEAST * aspect))
            continue;
        struct look look = {.x = (box[0] + box[2] - width) / 2,
                            .y = (box[1] + box[3] - height) / 2,
                            .width = width,
                            .height = height,
                            .pass = HINT_PASS + (int)i};
        look.x = fmaxf(0.0f, fminf(look.x, picture_w - width));
        look.y = fmaxf(0.0f, fminf(look.y, picture_h - height));
        look.open_left = look.x > 0.0f;
        look.open_top = look.y > 0.0f;
        look.open_right = look.x + width < picture_w;
        look.open_bottom = look.y + height < picture_h;
        status = run_look(worker, image, &look, 1.0f - TILE_DOUBT * (1.0f - min_score), merged, err);
    }
    return status;
}

static int compare_seen(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    if (a->seen != b->seen) {
        return a->seen > b->seen ? -1 : 1;
    }
    return a->score > b->score ? -1 : a->score < b->score ? 1 : 0;
}

enum aibox_status vision_detect(struct vision_worker *worker, const struct image *image,
                                const struct vision_detect_options *options, struct vision_face *faces, size_t max,
                                size_t *count, struct aibox_error *err)
{
    *count = 0;
    if (image->width <= 0 || image->height <= 0 || !image->pixels) {
        return error_set(err, AIBOX_IMAGE, "empty picture");
    }
    const struct model_set *set = &worker->vision->set;
    float min_score = options->min_score > 0.0f ? fminf(options->min_score, 0.999f) : set->detect.score;
    struct look whole = {.width = (float)image->width, .height = (float)image->height};
    size_t merged = 0;
    enum aibox_status status = run_look(worker, image, &whole, min_score, &merged, err);
    if (status != AIBOX_OK) {
        return status;
    }
    bool video = options->video_tiles > 0;
    if (!video && options->tiles == VISION_TILES_AUTO && needs_close_look(image, worker->merged, merged) &&
        (status = run_close_look(worker, image, min_score, &merged, err)) != AIBOX_OK) {
        return status;
    }
    int tiles = choose_tiles(worker, image, options, merged);
    if (tiles > 1) {
        status = run_tiles(worker, image, tiles, options->turn, options->video_tiles, min_score, &merged, err);
    }
    if (status == AIBOX_OK && options->n_hints > 0) {
        status = run_hints(worker, image, options, min_score, &merged, err);
    }
    if (status != AIBOX_OK) {
        return status;
    }
    if (tiles > 1 || options->n_hints > 0) {
        merged = candidates_suppress(worker->merged, merged, set->detect.iou);
    }
    for (size_t i = 0; i < merged; i++) {
        struct candidate *candidate = &worker->merged[i];
        float seen[4];
        bool any = box_clip(candidate->box, (float)image->width, (float)image->height, seen);
        candidate->seen = any ? (seen[2] - seen[0]) * (seen[3] - seen[1]) : 0.0f;
    }
    qsort(worker->merged, merged, sizeof *worker->merged, compare_seen);
    for (size_t i = 0; i < merged && *count < max; i++) {
        const struct candidate *candidate = &worker->merged[i];
        float side = seen_side(image, candidate->box);
        if (side <= 0.0f || side < options->min_face) {
            continue;
        }
        struct vision_face *face = &faces[(*count)++];
        *face = (struct vision_face){.score = candidate->score};
        memcpy(face->raw_box, candidate->box, sizeof face->raw_box);
        (void)box_clip(candidate->box, (float)image->width, (float)image->height, face->box);
    }
    return AIBOX_OK;
}
