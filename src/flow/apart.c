#include "flow/apart.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Sorted by person. */
struct face {
    int64_t person_id;
    float feature[STORE_DIMENSION];
};

struct faces {
    struct face *items; /* owned */
    size_t count, room;
    bool failed; /* no memory */
};

/* Who has gone since a load began, which may have read them before. */
struct gone {
    bool noted; /* a load is on its way */
    bool all;
    int64_t *ids; /* owned */
    size_t count, room;
};

struct apart {
    pthread_rwlock_t lock; /* guards what follows; a leaf */
    struct faces faces;
    struct gone gone;
    pthread_mutex_t loading; /* one load at a time: the last to read the store is the last to be seen */
};

struct apart *apart_new(void)
{
    struct apart *apart = calloc(1, sizeof *apart);

    if (apart) {
        (void)pthread_rwlock_init(&apart->lock, NULL);
        (void)pthread_mutex_init(&apart->loading, NULL);
    }
    return apart;
}

void apart_free(struct apart *apart)
{
    if (!apart)
        return;
    free(apart->faces.items);
    free(apart->gone.ids);
    (void)pthread_rwlock_destroy(&apart->lock);
    (void)pthread_mutex_destroy(&apart->loading);
    free(apart);
}

/* ---- keeping ---------------------------------------------------------------------------------------------- */

static bool add(void *ctx, int64_t person_id, const float *feature)
{
    struct faces *faces = ctx;

    if (faces->count == faces->room) {
        size_t room = faces->room ? faces->room * 2 : 16;
        struct face *items = reallocarray(faces->items, room, sizeof *items);
        faces->failed = !items;
        if (!items)
            return false;
        faces->items = items;
        faces->room = room;
    }
    struct face *face = &faces->items[faces->count++];
    face->person_id = person_id;
    memcpy(face->feature, feature, sizeof face->feature);
    return true;
}

/* Index of the first face of a person, or of where it would be. With the lock held, as all that follow. */
static size_t find(const struct faces *faces, int64_t person_id)
{
    size_t low = 0, high = faces->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (faces->items[middle].person_id < person_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void drop(struct faces *faces, int64_t person_id)
{
    size_t first = find(faces, person_id), end = first;

    while (end < faces->count && faces->items[end].person_id == person_id)
        end++;
    if (end == first)
        return;
    memmove(faces->items + first, faces->items + end, (faces->count - end) * sizeof *faces->items);
    faces->count -= end - first;
}

static void drop_all(struct faces *faces)
{
    free(faces->items);
    *faces = (struct faces){0};
}

static void note_gone(struct gone *gone, int64_t person_id)
{
    if (gone->count == gone->room) {
        size_t room = gone->room ? gone->room * 2 : 64;
        int64_t *ids = reallocarray(gone->ids, room, sizeof *ids);
        gone->all = gone->all || !ids; /* no memory to remember one: all are read again by the next load */
        if (!ids)
            return;
        gone->ids = ids;
        gone->room = room;
    }
    gone->ids[gone->count++] = person_id;
}

static void drop_gone(struct faces *faces, struct gone *gone)
{
    if (gone->all)
        drop_all(faces);
    for (size_t i = 0; i < gone->count && !gone->all; i++)
        drop(faces, gone->ids[i]);
    free(gone->ids);
    *gone = (struct gone){0};
}

enum aibox_status apart_load(struct apart *apart, struct store *store, const char *model_set, struct aibox_error *err)
{
    struct faces faces = {0};

    pthread_mutex_lock(&apart->loading);
    pthread_rwlock_wrlock(&apart->lock);
    apart->gone.noted = true;
    pthread_rwlock_unlock(&apart->lock);
    enum aibox_status status = store_rejection_features(store, model_set, add, &faces, err);
    if (status == AIBOX_OK && faces.failed)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    pthread_rwlock_wrlock(&apart->lock);
    drop_gone(&faces, &apart->gone);
    if (status == AIBOX_OK) {
        struct faces old = apart->faces;
        apart->faces = faces;
        faces = old;
    }
    pthread_rwlock_unlock(&apart->lock);
    pthread_mutex_unlock(&apart->loading);
    free(faces.items);
    return status;
}

void apart_forget(struct apart *apart, int64_t person_id)
{
    pthread_rwlock_wrlock(&apart->lock);
    drop(&apart->faces, person_id);
    if (apart->gone.noted)
        note_gone(&apart->gone, person_id);
    pthread_rwlock_unlock(&apart->lock);
}

void apart_clear(struct apart *apart)
{
    pthread_rwlock_wrlock(&apart->lock);
    drop_all(&apart->faces);
    apart->gone.all = apart->gone.noted;
    pthread_rwlock_unlock(&apart->lock);
}

bool apart_is_empty(struct apart *apart)
{
    pthread_rwlock_rdlock(&apart->lock);
    bool empty = apart->faces.count == 0;
    pthread_rwlock_unlock(&apart->lock);
    return empty;
}

/* ---- judging ---------------------------------------------------------------------------------------------- */

/* With the lock held. */
static float lowered(const struct faces *faces, const float *probe, int64_t person_id, float score)
{
    float nearest = score;

    for (size_t i = find(faces, person_id); i < faces->count && faces->items[i].person_id == person_id; i++)
        nearest = fmaxf(nearest, gallery_cosine(probe, faces->items[i].feature));
    return score - (nearest - score);
}

float apart_score(struct apart *apart, const float *probe, int64_t person_id, float score)
{
    pthread_rwlock_rdlock(&apart->lock);
    float out = lowered(&apart->faces, probe, person_id, score);
    pthread_rwlock_unlock(&apart->lock);
    return out;
}

void apart_apply(struct apart *apart, const float *probe, struct gallery_result *result)
{
    pthread_rwlock_rdlock(&apart->lock);
    for (size_t i = 0; i < result->count && apart->faces.count > 0; i++) {
        struct gallery_match match = result->best[i];
        match.score = lowered(&apart->faces, probe, match.person_id, match.score);
        /* Into its place among those before it: they are in order already. */
        size_t at = i;
        for (; at > 0 && result->best[at - 1].score < match.score; at--)
            result->best[at] = result->best[at - 1];
        result->best[at] = match;
    }
    pthread_rwlock_unlock(&apart->lock);
}
