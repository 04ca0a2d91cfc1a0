#include "flow/strangers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "store/strangers.h"

struct strangers {
    struct gallery *faces;
    char *model_set;     /* owned */
    atomic_bool alone;   /* the store holds those of no other model set */
    pthread_mutex_t mu;  /* guards what follows, and that nobody comes between a search and its claim */
    struct store *store; /* not owned; NULL: nothing is loaded */
    struct strangers_claim *claims;
};

enum aibox_status strangers_open(const char *model_set, struct strangers **out, struct aibox_error *err)
{
    struct strangers *strangers = calloc(1, sizeof *strangers);

    if (strangers == NULL || (strangers->model_set = strdup(model_set)) == NULL) {
        free(strangers);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    /* One that makes room in the store leaves the gallery when that is committed, perhaps behind the next that comes.
     */
    enum aibox_status status = gallery_open(STORE_MAX_STRANGERS + 1024, &strangers->faces, err);
    if (status != AIBOX_OK) {
        free(strangers->model_set);
        free(strangers);
        return status;
    }
    (void)pthread_mutex_init(&strangers->mu, NULL);
    *out = strangers;
    return AIBOX_OK;
}

void strangers_close(struct strangers *strangers)
{
    if (strangers == NULL)
        return;
    gallery_close(strangers->faces);
    (void)pthread_mutex_destroy(&strangers->mu);
    free(strangers->model_set);
    free(strangers);
}

/* ---- following the store ---------------------------------------------------------------------------------- */

static bool put(struct strangers *strangers, int64_t stranger_id, const float *feature)
{
    struct gallery_person face = {.person_id = stranger_id, .faces = feature, .n_faces = 1};
    struct aibox_error err;

    if (gallery_put(strangers->faces, &face, &err) == AIBOX_OK)
        return true;
    log_error("flow", "a stranger is not recognised again stranger_id=%lld reason=\"%s\"", (long long)stranger_id,
              err.message);
    return false;
}

static bool load_one(void *ctx, int64_t stranger_id, const float *feature)
{
    (void)put(ctx, stranger_id, feature);
    return true;
}

enum aibox_status strangers_load(struct strangers *strangers, struct store *store, struct aibox_error *err)
{
    /* Held over the reading: what is committed behind it is told behind it. */
    pthread_mutex_lock(&strangers->mu);
    gallery_clear(strangers->faces);
    enum aibox_status status = store_strangers_scan(store, strangers->model_set, load_one, strangers, err);
    strangers->store = status == AIBOX_OK ? store : NULL;
    pthread_mutex_unlock(&strangers->mu);
    return status;
}

enum aibox_status strangers_take_over(struct strangers *strangers, struct aibox_error *err)
{
    size_t others = 0;

    if (atomic_exchange(&strangers->alone, true))
        return AIBOX_OK;
    enum aibox_status status = store_strangers_delete_others(strangers->store, strangers->model_set, &others, err);
    if (status != AIBOX_OK)
        atomic_store(&strangers->alone, false); /* tried again */
    if (others > 0)
        log_info("flow", "strangers of another model set were forgotten count=%zu", others);
    return status;
}

bool strangers_follow(struct strangers *strangers, int64_t stranger_id, const float *feature)
{
    bool taken = true;

    pthread_mutex_lock(&strangers->mu);
    if (feature != NULL)
        taken = put(strangers, stranger_id, feature);
    else
        (void)gallery_remove(strangers->faces, stranger_id);
    pthread_mutex_unlock(&strangers->mu);
    return taken;
}

size_t strangers_count(const struct strangers *strangers)
{
    return gallery_count(strangers->faces);
}

/* ---- asking ----------------------------------------------------------------------------------------------- */

/* With the lock held: the nearest of those whose events are on their way. */
static const struct strangers_claim *nearest_claim(const struct strangers *strangers, const float *embedding,
                                                   float least)
{
    const struct strangers_claim *nearest = NULL;

    for (const struct strangers_claim *claim = strangers->claims; claim != NULL; claim = claim->next) {
        float likeness = gallery_cosine(embedding, claim->embedding);
        if (likeness < least)
            continue;
        least = likeness;
        nearest = claim;
    }
    return nearest;
}

bool strangers_claim(struct strangers *strangers, const float *embedding, float threshold,
                     struct strangers_claim *claim, struct store_stranger_mark *mark)
{
    struct gallery_result found;
    float least = threshold;
    bool usable = false;

    pthread_mutex_lock(&strangers->mu);
    if (strangers->store == NULL || gallery_search(strangers->faces, embedding, NULL, 1, &found, NULL) != AIBOX_OK)
        goto out;
    *mark = (struct store_stranger_mark){0};
    if (found.count > 0 && found.best[0].score >= threshold) {
        mark->stranger_id = found.best[0].person_id;
        least = found.best[0].score;
    }
    const struct strangers_claim *nearest = nearest_claim(strangers, embedding, least);
    if (nearest != NULL && nearest->stranger_id != mark->stranger_id) {
        mark->stranger_id = nearest->stranger_id;
        mark->may_be_new = nearest->may_be_new; /* whoever of the two gets to the store first */
    } else if (mark->stranger_id == 0) {
        mark->stranger_id = store_stranger_reserve(strangers->store);
        mark->may_be_new = true;
    }
    *claim = (struct strangers_claim){embedding, mark->stranger_id, mark->may_be_new, strangers->claims};
    strangers->claims = claim;
    usable = true;
out:
    pthread_mutex_unlock(&strangers->mu);
    return usable;
}

void strangers_settle(struct strangers *strangers, struct strangers_claim *claim)
{
    pthread_mutex_lock(&strangers->mu);
    struct strangers_claim **at = &strangers->claims;
    while (*at != claim)
        at = &(*at)->next;
    *at = claim->next;
    pthread_mutex_unlock(&strangers->mu);
}

size_t strangers_search(const struct strangers *strangers, const float *embedding, float threshold, size_t limit,
                        struct gallery_match *out)
{
    struct gallery_result found;
    size_t n = 0;

    if (gallery_search(strangers->faces, embedding, NULL, limit, &found, NULL) != AIBOX_OK)
        return 0;
    while (n < found.count && found.best[n].score >= threshold) {
        out[n] = found.best[n];
        n++;
    }
    return n;
}
