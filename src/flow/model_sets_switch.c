/*
 * The change of the model set, while recognition goes on:
 *
 *   1. The new generation is opened; its gallery follows the store, and is filled in steps between the store's commits.
 *   2. It is announced: whoever is enrolled from now on gets features of both sets; those under way are waited for.
 *   3. Faces that were enrolled since the preparation ended are embedded. Now nothing lacks, and nothing will.
 *   4. It is written down which set is in force: a restart before takes the former, one behind the new, both complete.
 *   5. The new generation is in force. Decisions under way end with the former, which is then closed.
 *
 * A failure before step 4 leaves everything as it was.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "flow/model_sets_internal.h"

#define DROP_STEP 200 /* features deleted in one transaction */

enum aibox_status model_sets_drop_features(struct flow *flow, const char *model_set, const _Atomic bool *stop,
                                           size_t *dropped, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    char kept[VISION_MODEL_SET];
    size_t n = DROP_STEP;
    *dropped = 0;
    flow_model_set(flow, kept);
    while (status == AIBOX_OK && n == DROP_STEP && !atomic_load(stop)) {
        status = store_model_set_drop(flow->store, model_set, kept, DROP_STEP, &n, err);
        *dropped += status == AIBOX_OK ? n : 0;
    }
    return status;
}

/* Step 1. On failure the networks stay with `sets`. */
static enum aibox_status open_next(struct model_sets *sets, struct generation **out, struct aibox_error *err)
{
    struct flow *flow = sets->flow;
    size_t capacity = (size_t)settings_int(flow->settings, "gallery.capacity"), n = pool_threads(flow->pool);
    struct generation *next = NULL;
    enum aibox_status status = generation_open(sets->vision, capacity, n, &next, err);
    if (status != AIBOX_OK)
        return status;
    for (size_t i = 0; i < n && status == AIBOX_OK; i++)
        status = generation_open_worker(next, i, err);
    if (status == AIBOX_OK)
        status = generation_listen(next, flow->store, err);
    if (status == AIBOX_OK)
        status = generation_catch_up(next, &sets->stop, err);
    if (status != AIBOX_OK) {
        next->vision = NULL;
        generation_close(next);
        return status;
    }
    *out = next;
    return AIBOX_OK;
}

/* Step 3. */
static enum aibox_status embed_rest(struct model_sets *sets, struct aibox_error *err)
{
    bool all = false;
    sets->switching = true;
    enum aibox_status status = reembed_work(&sets->work, model_sets_go_on, sets, &all, err);
    sets->switching = false;
    return status == AIBOX_OK && !all ? error_set(err, AIBOX_PROCESS_FAILED, "the box is closing") : status;
}

/* Step 4. */
static enum aibox_status write_down(struct model_sets *sets, struct aibox_error *err)
{
    pthread_mutex_lock(&sets->deciding);
    pthread_mutex_lock(&sets->mu);
    struct model_set_names names = sets->names;
    pthread_mutex_unlock(&sets->mu);
    memcpy(names.previous, names.active, sizeof names.previous);
    flow_model_set(sets->flow, names.previous_id);
    memcpy(names.active, sets->target, sizeof names.active);
    names.wanted[0] = '\0';
    names.switch_when_ready = names.allow_missing = names.paused = false;
    names.switched_ms = clock_realtime_ms();
    enum aibox_status status = model_set_names_write(sets->flow->store, &names, err);
    if (status == AIBOX_OK) {
        pthread_mutex_lock(&sets->mu);
        sets->names = names;
        pthread_mutex_unlock(&sets->mu);
    }
    pthread_mutex_unlock(&sets->deciding);
    return status;
}

static enum aibox_status check_missing(struct model_sets *sets, bool allow_missing, struct aibox_error *err)
{
    char active[VISION_MODEL_SET];
    size_t people = 0, lacking = 0;
    flow_model_set(sets->flow, active);
    enum aibox_status status =
        store_people_lacking_count(sets->flow->store, active, vision_model_set(sets->vision), &people, &lacking, err);
    if (status != AIBOX_OK || lacking == 0 || allow_missing)
        return status;
    return error_set(err, AIBOX_PARAM,
                     "allow_missing: %zu of %zu people would not be recognised with '%s', for they have no photo in "
                     "which it finds a face",
                     lacking, people, sets->target);
}

static enum aibox_status change(struct model_sets *sets, bool allow_missing, struct generation **former,
                                struct aibox_error *err)
{
    struct generations *generations = sets->flow->generations;
    struct generation *next = NULL;
    enum aibox_status status = check_missing(sets, allow_missing, err);
    if (status == AIBOX_OK)
        status = open_next(sets, &next, err);
    if (status != AIBOX_OK)
        return status;
    generations_announce(generations, next);
    status = embed_rest(sets, err);
    if (status == AIBOX_OK)
        status = write_down(sets, err);
    if (status != AIBOX_OK) {
        (void)generations_withdraw(generations);
        next->vision = NULL; /* still that of `sets` */
        generation_close(next);
        return status;
    }
    *former = generations_swap(generations);
    struct aibox_error late;
    if (strangers_take_over(next->strangers, &late) != AIBOX_OK) /* tried again with the next stranger */
        log_warn("flow", "strangers of the former model set are not forgotten yet reason=\"%s\"", late.message);
    reembed_close(&sets->work);
    sets->vision = NULL;
    sets->target[0] = '\0';
    return AIBOX_OK;
}

/* The change has come about, or not. */
static void tell(struct model_sets *sets, enum aibox_status status, const struct aibox_error *err)
{
    pthread_mutex_lock(&sets->mu);
    sets->state = status == AIBOX_OK ? MODEL_SETS_IDLE : MODEL_SETS_READY;
    if (status == AIBOX_OK) {
        sets->reason[0] = '\0';
        sets->faces = sets->done = sets->without_photo = sets->failed = 0;
    } else {
        sets->names.switch_when_ready = false; /* what is written down asks once more after a restart */
        sets->refusals++;
        sets->refusal = status;
        (void)snprintf(sets->reason, sizeof sets->reason, "%s", err->message);
    }
    (void)pthread_cond_broadcast(&sets->told);
    pthread_mutex_unlock(&sets->mu);
}

/* On a thread of the pool: it holds locks that every allocation takes, and this thread, of low priority, might be kept
 * waiting with them. */
static void trim(void *seat, void *arg)
{
    (void)seat;
    (void)arg;
    (void)malloc_trim(0);
}

void model_sets_change_over(struct model_sets *sets)
{
    struct aibox_error err = {0};
    struct generation *former = NULL;
    size_t dropped = 0;
    int64_t start = clock_monotonic_ms();
    pthread_mutex_lock(&sets->mu);
    struct model_set_names before = sets->names;
    bool go = !sets->interrupt;
    if (go)
        sets->state = MODEL_SETS_SWITCHING;
    pthread_mutex_unlock(&sets->mu);
    if (!go)
        return;
    enum aibox_status status = change(sets, before.allow_missing, &former, &err);
    tell(sets, status, &err);
    if (status != AIBOX_OK) {
        log_warn("flow", "the model set was not changed name=\"%s\" reason=\"%s\"", before.wanted, err.message);
        return;
    }
    log_info("flow", "the model set was changed from=\"%s\" to=\"%s\" ms=%lld", before.active, before.wanted,
             (long long)(clock_monotonic_ms() - start));
    sets->own_after = sets->kept_after = 0;
    generations_wait_unused(sets->flow->generations, former);
    generation_close(former);
    (void)pool_run(sets->flow->pool, POOL_BULK, -1, trim, NULL, NULL); /* a gallery's worth of memory lies free */
    /* Two sets at most are kept. */
    if (before.previous[0] != '\0' && strcmp(before.previous, before.wanted) != 0 &&
        model_sets_drop_features(sets->flow, before.previous_id, &sets->stop, &dropped, &err) != AIBOX_OK)
        log_warn("flow", "features of a former model set were not dropped name=\"%s\" reason=\"%s\"", before.previous,
                 err.message);
}
