#include "flow/generation.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"

/* People told in one step while the store's commits wait: a few milliseconds. */
#define CATCH_UP_PEOPLE 32

/* ---- the gallery follows the store (the store's writer thread, or the loader before anything is written) ------- */

static void copy_labels(struct gallery_labels *to, const uint64_t *from)
{
    memcpy(to->bits, from, sizeof to->bits);
}

/* The faces that a template is made of: those without mask, or all where there are no such. `bare` is room for them. */
static void choose_faces(const struct vision *vision, const struct store_template *state, float *bare,
                         struct gallery_person *person)
{
    size_t n = 0;
    for (size_t i = 0; i < state->n_faces; i++) {
        const float *face = state->features + i * VISION_DIMENSION;
        if (vision_mask(vision, face) <= VISION_MASKED)
            memcpy(bare + n++ * VISION_DIMENSION, face, VISION_DIMENSION * sizeof *bare);
    }
    person->masked = n == 0;
    person->faces = n > 0 ? bare : state->features;
    person->n_faces = n > 0 ? n : state->n_faces;
}

static bool on_person(void *ctx, const struct store_template *state)
{
    struct generation *generation = ctx;
    autothreshold_touch(generation->autothreshold);
    if (state->n_faces == 0) {
        apart_forget(generation->apart, state->person_id);
        gallery_remove(generation->gallery, state->person_id);
        return true;
    }
    float bare[STORE_MAX_FACES * VISION_DIMENSION];
    struct gallery_person person = {.person_id = state->person_id};
    choose_faces(generation->vision, state, bare, &person);
    copy_labels(&person.groups, state->groups);
    copy_labels(&person.permissions, state->permissions);
    struct aibox_error err;
    if (gallery_put(generation->gallery, &person, &err) == AIBOX_OK)
        return true;
    log_error("flow", "a person could not be put into the gallery person_id=%lld reason=\"%s\"",
              (long long)state->person_id, err.message);
    /* An old face must not go on opening doors. */
    gallery_remove(generation->gallery, state->person_id);
    return false;
}

static void on_group_dropped(void *ctx, unsigned label)
{
    gallery_drop_group(((struct generation *)ctx)->gallery, label);
}

static void on_permission_dropped(void *ctx, unsigned label)
{
    gallery_drop_permission(((struct generation *)ctx)->gallery, label);
}

static bool on_stranger(void *ctx, int64_t stranger_id, const float *feature)
{
    return strangers_follow(((struct generation *)ctx)->strangers, stranger_id, feature);
}

static void on_people_cleared(void *ctx)
{
    struct generation *generation = ctx;
    gallery_clear(generation->gallery);
    apart_clear(generation->apart);
    autothreshold_touch(generation->autothreshold);
}

enum aibox_status generation_listen(struct generation *generation, struct store *store, struct aibox_error *err)
{
    struct store_listener listener = {.ctx = generation,
                                      .model_set = vision_model_set(generation->vision),
                                      .person = on_person,
                                      .group_dropped = on_group_dropped,
                                      .permission_dropped = on_permission_dropped,
                                      .people_cleared = on_people_cleared,
                                      .stranger = on_stranger};
    enum aibox_status status = store_listen(store, &listener, err);
    if (status == AIBOX_OK)
        generation->store = store;
    return status;
}

/* ---- loading -------------------------------------------------------------------------------------------------- */

struct loading {
    struct generation *generation;
    const _Atomic bool *stop;
};

static bool load_person(void *ctx, const struct store_template *state)
{
    const struct loading *loading = ctx;
    (void)on_person(loading->generation, state);
    return !atomic_load(loading->stop);
}

enum aibox_status generation_load(struct generation *generation, struct store *store, const _Atomic bool *stop,
                                  struct aibox_error *err)
{
    struct loading loading = {generation, stop};
    const char *model_set = vision_model_set(generation->vision);
    enum aibox_status status = store_templates_scan(store, model_set, load_person, &loading, err);
    if (status == AIBOX_OK)
        status = apart_load(generation->apart, store, model_set, err);
    return status == AIBOX_OK ? strangers_load(generation->strangers, store, err) : status;
}

enum aibox_status generation_catch_up(struct generation *generation, const _Atomic bool *stop, struct aibox_error *err)
{
    int64_t after = 0;
    size_t told = CATCH_UP_PEOPLE;
    enum aibox_status status = AIBOX_OK;
    while (status == AIBOX_OK && told == CATCH_UP_PEOPLE) {
        if (atomic_load(stop))
            return error_set(err, AIBOX_PROCESS_FAILED, "the box is closing");
        status = store_tell(generation->store, generation, &after, CATCH_UP_PEOPLE, &told, err);
    }
    if (status == AIBOX_OK)
        status = apart_load(generation->apart, generation->store, vision_model_set(generation->vision), err);
    if (status == AIBOX_OK)
        status = strangers_load(generation->strangers, generation->store, err);
    if (status == AIBOX_OK)
        autothreshold_count(generation->autothreshold);
    return status;
}

/* ---- opening and closing -------------------------------------------------------------------------------------- */

enum aibox_status generation_open(struct vision *vision, size_t capacity, size_t n_workers, struct generation **out,
                                  struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    generation->n_workers = n_workers;
    generation->apart = apart_new();
    generation->workers = calloc(n_workers, sizeof(struct vision_worker *));
    if (generation->apart == NULL || generation->workers == NULL)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (status == AIBOX_OK)
        status = gallery_open(capacity, &generation->gallery, err);
    if (status == AIBOX_OK)
        status = strangers_open(vision_model_set(vision), &generation->strangers, err);
    if (status == AIBOX_OK)
        status = autothreshold_open(generation->gallery, vision, &generation->autothreshold, err);
    if (status != AIBOX_OK) {
        generation_close(generation);
        return status;
    }
    generation->vision = vision;
    if (!vision_knows_masks(vision))
        log_info("flow", "masks can't be told model_set=%s", vision_model_set(vision));
    *out = generation;
    return AIBOX_OK;
}

enum aibox_status generation_open_worker(struct generation *generation, size_t index, struct aibox_error *err)
{
    return vision_worker_open(generation->vision, &generation->workers[index], err);
}

void generation_close(struct generation *generation)
{
    if (generation == NULL)
        return;
    if (generation->store != NULL)
        store_unlisten(generation->store, generation);
    for (size_t i = 0; i < generation->n_workers && generation->workers != NULL; i++)
        vision_worker_close(generation->workers[i]);
    free(generation->workers);
    autothreshold_close(generation->autothreshold);
    gallery_close(generation->gallery);
    apart_free(generation->apart);
    strangers_close(generation->strangers);
    vision_close(generation->vision);
    free(generation);
}

/* ---- who uses which ------------------------------------------------------------------------------------------- */

struct generations {
    pthread_mutex_t mu; /* a leaf; guards what follows, and the users of each generation */
    pthread_cond_t changed;
    struct generation *now, *next;
    size_t single; /* users of a pair without next */
};

struct generations *generations_new(struct generation *first)
{
    struct generations *generations = calloc(1, sizeof *generations);
    if (generations == NULL)
        return NULL;
    (void)pthread_mutex_init(&generations->mu, NULL);
    (void)pthread_cond_init(&generations->changed, NULL);
    generations->now = first;
    return generations;
}

void generations_free(struct generations *generations)
{
    if (generations == NULL)
        return;
    generation_close(generations->next);
    generation_close(generations->now);
    (void)pthread_cond_destroy(&generations->changed);
    (void)pthread_mutex_destroy(&generations->mu);
    free(generations);
}

struct generation *generation_use(struct generations *generations)
{
    pthread_mutex_lock(&generations->mu);
    struct generation *generation = generations->now;
    generation->users++;
    pthread_mutex_unlock(&generations->mu);
    return generation;
}

struct generation *generation_use_again(struct generations *generations, struct generation *generation)
{
    pthread_mutex_lock(&generations->mu);
    generation->users++;
    pthread_mutex_unlock(&generations->mu);
    return generation;
}

/* With the mutex held. */
static void leave(struct generations *generations, struct generation *generation)
{
    if (--generation->users == 0)
        pthread_cond_broadcast(&generations->changed);
}

void generation_done(struct generations *generations, struct generation *generation)
{
    if (generation == NULL)
        return;
    pthread_mutex_lock(&generations->mu);
    leave(generations, generation);
    pthread_mutex_unlock(&generations->mu);
}

struct generation_pair generation_use_both(struct generations *generations)
{
    pthread_mutex_lock(&generations->mu);
    struct generation_pair pair = {generations->now, generations->next};
    pair.now->users++;
    if (pair.next != NULL)
        pair.next->users++;
    else
        generations->single++;
    pthread_mutex_unlock(&generations->mu);
    return pair;
}

void generation_both_done(struct generations *generations, struct generation_pair pair)
{
    pthread_mutex_lock(&generations->mu);
    leave(generations, pair.now);
    if (pair.next != NULL)
        leave(generations, pair.next);
    else if (--generations->single == 0)
        pthread_cond_broadcast(&generations->changed);
    pthread_mutex_unlock(&generations->mu);
}

void generations_announce(struct generations *generations, struct generation *next)
{
    pthread_mutex_lock(&generations->mu);
    generations->next = next;
    while (generations->single > 0)
        pthread_cond_wait(&generations->changed, &generations->mu);
    pthread_mutex_unlock(&generations->mu);
}

struct generation *generations_withdraw(struct generations *generations)
{
    pthread_mutex_lock(&generations->mu);
    struct generation *next = generations->next;
    generations->next = NULL;
    pthread_mutex_unlock(&generations->mu);
    generations_wait_unused(generations, next);
    return next;
}

struct generation *generations_swap(struct generations *generations)
{
    pthread_mutex_lock(&generations->mu);
    struct generation *before = generations->now;
    generations->now = generations->next;
    generations->next = NULL;
    pthread_mutex_unlock(&generations->mu);
    return before;
}

void generations_wait_unused(struct generations *generations, const struct generation *generation)
{
    pthread_mutex_lock(&generations->mu);
    while (generation->users > 0)
        pthread_cond_wait(&generations->changed, &generations->mu);
    pthread_mutex_unlock(&generations->mu);
}
