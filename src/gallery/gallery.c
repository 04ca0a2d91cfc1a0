/* The door to the room for writers and for questions about the whole. Searching is in search.c. */
#include "gallery/gallery.h"

#include <math.h>
#include <stdlib.h>

#include "gallery/rows.h"
#include "gallery/template.h"

#define CAPACITY_MAX ((size_t)1 << 30) /* slots are numbered with 32 bits */

enum aibox_status gallery_open(size_t capacity, struct gallery **out, struct aibox_error *err)
{
    *out = NULL;
    if (capacity == 0 || capacity > CAPACITY_MAX)
        return error_set(err, AIBOX_PARAM, "gallery capacity must be 1..%zu", CAPACITY_MAX);
    const struct gallery_kernel *kernel = gallery_kernel_choose();
    if (kernel == NULL)
        return error_set(err, AIBOX_PARAM, "AIBOX_GALLERY_KERNEL names no kernel that this CPU can run");
    struct gallery *gallery = calloc(1, sizeof(*gallery));
    if (gallery == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "no memory for the gallery");
    gallery->capacity = capacity;
    gallery->kernel = kernel;
    if (!rows_open(gallery)) {
        free(gallery);
        return error_set(err, AIBOX_PROCESS_FAILED, "no address space for a gallery of %zu people", capacity);
    }
    if (pthread_mutex_init(&gallery->writer, NULL) != 0) {
        rows_close(gallery);
        free(gallery);
        return error_set(err, AIBOX_PROCESS_FAILED, "no lock for the gallery");
    }
    *out = gallery;
    return AIBOX_OK;
}

void gallery_close(struct gallery *gallery)
{
    if (gallery == NULL)
        return;
    pthread_mutex_destroy(&gallery->writer);
    rows_close(gallery);
    free(gallery);
}

enum aibox_status gallery_put(struct gallery *gallery, const struct gallery_person *person, struct aibox_error *err)
{
    if (person->person_id <= 0)
        return error_set(err, AIBOX_PARAM, "a person's number must be positive");
    if (person->n_faces == 0 || person->n_faces > GALLERY_MAX_FACES)
        return error_set(err, AIBOX_PARAM, "a person has 1 to %d faces", GALLERY_MAX_FACES);
    float mean[GALLERY_DIMENSION];
    struct row row = {.person_id = person->person_id};
    if (!template_mean(person->faces, person->n_faces, mean))
        return error_set(err, AIBOX_BAD_FEATURE, "a feature vector is not finite or has no length");
    template_sign_bits(mean, row.bits);
    gallery->kernel->to_half(mean, row.half);

    enum aibox_status status = AIBOX_OK;
    pthread_mutex_lock(&gallery->writer);
    uint32_t old = rows_find_live(gallery, person->person_id);
    if (old == ROW_NONE && gallery_count(gallery) >= gallery->capacity)
        status = error_set(err, AIBOX_GALLERY_FULL, "the gallery holds %zu people, its capacity", gallery->capacity);
    else
        rows_put(gallery, &row, person, old);
    pthread_mutex_unlock(&gallery->writer);
    return status;
}

bool gallery_remove(struct gallery *gallery, int64_t person_id)
{
    pthread_mutex_lock(&gallery->writer);
    uint32_t slot = rows_find_live(gallery, person_id);
    if (slot != ROW_NONE)
        rows_remove(gallery, slot);
    pthread_mutex_unlock(&gallery->writer);
    return slot != ROW_NONE;
}

static void drop_code(struct gallery *gallery, unsigned label, unsigned code)
{
    if (label >= GALLERY_MAX_LABELS)
        return;
    pthread_mutex_lock(&gallery->writer);
    label_sets_drop(&gallery->labels, code);
    pthread_mutex_unlock(&gallery->writer);
}

void gallery_drop_group(struct gallery *gallery, unsigned label)
{
    drop_code(gallery, label, label);
}

void gallery_drop_permission(struct gallery *gallery, unsigned label)
{
    drop_code(gallery, label, GALLERY_MAX_LABELS + label);
}

void gallery_clear(struct gallery *gallery)
{
    pthread_mutex_lock(&gallery->writer);
    rows_clear(gallery);
    pthread_mutex_unlock(&gallery->writer);
}

size_t gallery_count(const struct gallery *gallery)
{
    return atomic_load_explicit(&gallery->shared->people, memory_order_relaxed);
}

size_t gallery_count_filtered(const struct gallery *gallery, const struct gallery_filter *filter)
{
    if (!label_filter_needed(filter))
        return gallery_count(gallery);
    struct label_filter ready;
    label_filter_init(&ready, filter);
    size_t count = 0;
    uint32_t n_sets = atomic_load_explicit(&gallery->labels.top, memory_order_acquire);
    for (uint32_t set = 0; set < n_sets; set++) {
        if (label_filter_passes(&ready, &gallery->labels, set))
            count += atomic_load_explicit(&gallery->labels.live[set], memory_order_relaxed);
    }
    return count;
}

float gallery_score(const struct gallery *gallery, const float *probe, int64_t person_id)
{
    float unit[GALLERY_DIMENSION];
    float score = NAN;
    if (!template_normalise(probe, unit))
        return NAN;
    struct view view = view_open(gallery);
    uint32_t slot = rows_find(gallery, &view, person_id);
    if (slot != ROW_NONE) {
        gallery->kernel->dots(row_half(gallery, slot), unit, 1, &score);
        score = fmaxf(-1, fminf(1, score));
    }
    view_close(gallery, &view);
    return score;
}

bool gallery_masked(const struct gallery *gallery, int64_t person_id)
{
    struct view view = view_open(gallery);
    uint32_t slot = rows_find(gallery, &view, person_id);
    bool masked = slot != ROW_NONE && label_sets_masked(&gallery->labels, gallery->set[slot]);
    view_close(gallery, &view);
    return masked;
}
