/* The thread that prepares a model set, and what it does when there is none to prepare. */
#include "flow/model_sets.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "flow/model_sets_internal.h"

#define LOOK_MS  1000 /* between looks for new faces */
#define NICENESS 10
#define DAY_MS   (INT64_C(24) * 60 * 60 * 1000)

const char *const model_sets_state_names[] = {"idle", "preparing", "paused", "ready", "switching", "failed"};

/* ---- what is known of it -------------------------------------------------------------------------------------- */

void model_sets_get(struct flow *flow, struct model_sets_status *out)
{
    struct model_sets *sets = flow->model_sets;
    pthread_mutex_lock(&sets->mu);
    *out = (struct model_sets_status){.state = sets->state,
                                      .switched_ms = sets->names.switched_ms,
                                      .switch_when_ready = sets->names.switch_when_ready,
                                      .faces = sets->faces,
                                      .done = sets->done,
                                      .without_photo = sets->without_photo,
                                      .failed = sets->failed};
    memcpy(out->active, sets->names.active, sizeof out->active);
    memcpy(out->wanted, sets->names.wanted, sizeof out->wanted);
    memcpy(out->previous, sets->names.previous, sizeof out->previous);
    memcpy(out->reason, sets->reason, sizeof out->reason);
    pthread_mutex_unlock(&sets->mu);
}

enum aibox_status model_sets_decide(struct model_sets *sets, const struct model_set_names *names,
                                    enum model_sets_state state, struct aibox_error *err)
{
    enum aibox_status status = model_set_names_write(sets->flow->store, names, err);
    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&sets->mu);
    sets->names = *names;
    sets->renew |= state == MODEL_SETS_PREPARING && sets->state != MODEL_SETS_PREPARING;
    sets->state = state;
    sets->reason[0] = '\0';
    sets->interrupt = true;
    (void)pthread_cond_broadcast(&sets->wake);
    (void)pthread_cond_broadcast(&sets->told);
    pthread_mutex_unlock(&sets->mu);
    return AIBOX_OK;
}

bool model_sets_go_on(void *ctx, const enum reembed_outcome *outcome)
{
    struct model_sets *sets = ctx;
    pthread_mutex_lock(&sets->mu);
    if (outcome != NULL && sets->counting)
        ++*(*outcome == REEMBED_DONE            ? &sets->done
            : *outcome == REEMBED_WITHOUT_PHOTO ? &sets->without_photo
                                                : &sets->failed);
    bool on = !sets->closing && (sets->switching || !sets->interrupt);
    pthread_mutex_unlock(&sets->mu);
    return on;
}

/* ---- preparing ------------------------------------------------------------------------------------------------ */

static void let_go(struct model_sets *sets)
{
    reembed_close(&sets->work);
    vision_close(sets->vision);
    sets->vision = NULL;
    sets->target[0] = '\0';
}

static void begin_count(struct model_sets *sets, size_t faces)
{
    pthread_mutex_lock(&sets->mu);
    sets->faces = faces;
    sets->done = sets->without_photo = sets->failed = 0;
    pthread_mutex_unlock(&sets->mu);
}

/* The set of a folder, loaded. */
static enum aibox_status open_set(const struct model_sets *sets, const char *name, struct vision **out,
                                  struct aibox_error *err)
{
    char folder[PATH_MAX];
    if (!model_set_folder(sets->models_dir, name, folder, sizeof folder))
        return error_set(err, AIBOX_NOT_FOUND, "there is no model set '%s'", name);
    return vision_open(folder, out, err);
}

static enum aibox_status open_target(struct model_sets *sets, const char *name, struct aibox_error *err)
{
    size_t lacking = 0;
    let_go(sets);
    enum aibox_status status = open_set(sets, name, &sets->vision, err);
    if (status == AIBOX_OK)
        status = store_faces_lacking_count(sets->flow->store, vision_model_set(sets->vision), &lacking, err);
    if (status == AIBOX_OK)
        status = reembed_open(&sets->work, sets->flow, sets->vision, 0, err);
    if (status != AIBOX_OK) {
        let_go(sets);
        return status;
    }
    (void)snprintf(sets->target, sizeof sets->target, "%s", name);
    begin_count(sets, lacking);
    log_info("flow", "faces are embedded anew model_set=%s faces=%zu", vision_model_set(sets->vision), lacking);
    return AIBOX_OK;
}

static void fail(struct model_sets *sets, const char *name, const struct aibox_error *err)
{
    log_error("flow", "a model set can't be prepared name=\"%s\" reason=\"%s\"", name, err->message);
    pthread_mutex_lock(&sets->mu);
    if (strcmp(sets->names.wanted, name) == 0) {
        sets->state = MODEL_SETS_FAILED;
        (void)snprintf(sets->reason, sizeof sets->reason, "%s", err->message);
        sets->refusals++;
        sets->refusal = err->status;
    }
    (void)pthread_cond_broadcast(&sets->told);
    pthread_mutex_unlock(&sets->mu);
}

/* All that can be embedded is. True: and it is to come into force now. */
static bool finish(struct model_sets *sets)
{
    pthread_mutex_lock(&sets->mu);
    bool current = !sets->interrupt && strcmp(sets->names.wanted, sets->target) == 0;
    bool fresh = current && sets->state == MODEL_SETS_PREPARING;
    if (fresh)
        sets->state = MODEL_SETS_READY;
    bool change = current && sets->state == MODEL_SETS_READY && sets->names.switch_when_ready;
    size_t done = sets->done, without_photo = sets->without_photo, failed = sets->failed;
    (void)pthread_cond_broadcast(&sets->told);
    pthread_mutex_unlock(&sets->mu);
    if (fresh)
        log_info("flow", "a model set is prepared name=\"%s\" done=%zu without_photo=%zu failed=%zu", sets->target,
                 done, without_photo, failed);
    return change;
}

static void prepare(struct model_sets *sets, const char *name)
{
    struct aibox_error err = {0};
    bool all = false;
    if (strcmp(sets->target, name) != 0 && open_target(sets, name, &err) != AIBOX_OK) {
        fail(sets, name, &err);
        return;
    }
    sets->counting = true;
    enum aibox_status status = reembed_work(&sets->work, model_sets_go_on, sets, &all, &err);
    sets->counting = false;
    if (status != AIBOX_OK)
        log_warn("flow", "faces can't be read for embedding them anew, tried again reason=\"%s\"", err.message);
    else if (all && finish(sets))
        model_sets_change_over(sets);
}

/* ---- with nothing to prepare ---------------------------------------------------------------------------------- */

/* Whether faces behind `after` lack a feature of the set. */
static bool is_lacking(struct model_sets *sets, const char *model_set, int64_t *after)
{
    struct store_lacking_face face;
    size_t n = 0;
    int64_t newest = 0;
    struct store *store = sets->flow->store;
    if (store_faces_newest(store, &newest, NULL) != AIBOX_OK || newest <= *after ||
        store_faces_lacking(store, model_set, *after, 1, &face, &n, NULL) != AIBOX_OK)
        return false;
    if (n == 0)
        *after = newest;
    return n > 0;
}

static void embed_lacking(struct model_sets *sets, const struct vision *vision, int64_t *after)
{
    struct aibox_error err = {0};
    bool all = false;
    enum aibox_status status = reembed_open(&sets->work, sets->flow, vision, *after, &err);
    if (status == AIBOX_OK)
        status = reembed_work(&sets->work, model_sets_go_on, sets, &all, &err);
    if (status == AIBOX_OK)
        *after = sets->work.after;
    else
        log_warn("flow", "faces can't be embedded anew reason=\"%s\"", err.message);
    reembed_close(&sets->work);
}

/* Files of the set in force were changed in place, or who is enrolled came without a feature of it. */
static void complete_own(struct model_sets *sets)
{
    struct generation *generation = generation_use(sets->flow->generations);
    const char *model_set = vision_model_set(generation->vision);
    size_t lacking = 0;
    if (is_lacking(sets, model_set, &sets->own_after) &&
        store_faces_lacking_count(sets->flow->store, model_set, &lacking, NULL) == AIBOX_OK) {
        begin_count(sets, lacking);
        sets->counting = true;
        embed_lacking(sets, generation->vision, &sets->own_after);
        sets->counting = false;
    }
    generation_done(sets->flow->generations, generation);
}

/* Who was enrolled since the change is to be known after the way back. */
static void complete_previous(struct model_sets *sets, const struct model_set_names *names)
{
    struct vision *vision = NULL;
    struct aibox_error err = {0};
    if (!is_lacking(sets, names->previous_id, &sets->kept_after))
        return;
    if (open_set(sets, names->previous, &vision, &err) == AIBOX_OK &&
        strcmp(vision_model_set(vision), names->previous_id) == 0) {
        embed_lacking(sets, vision, &sets->kept_after);
    } else {
        log_warn("flow", "the model set before can't be kept up name=\"%s\" reason=\"%s\"", names->previous,
                 vision != NULL ? "its files were changed" : err.message);
        (void)store_faces_newest(sets->flow->store, &sets->kept_after, NULL);
    }
    vision_close(vision);
}

static bool is_outdated(const struct model_sets *sets, const struct model_set_names *names)
{
    int64_t days = settings_int(sets->flow->settings, "recognition.keep_model_set_days");
    return days > 0 && names->previous[0] != '\0' && clock_realtime_ms() - names->switched_ms > days * DAY_MS;
}

static void forget_previous(struct model_sets *sets, const char *previous)
{
    struct aibox_error err = {0};
    size_t dropped = 0;
    enum aibox_status status = model_sets_forget(sets, previous, &dropped, &err);
    if (status == AIBOX_OK)
        log_info("flow", "the features of the model set before were dropped name=\"%s\" features=%zu", previous,
                 dropped);
    else
        log_warn("flow", "the features of the model set before were not dropped reason=\"%s\"", err.message);
}

static void look_after(struct model_sets *sets, const struct model_set_names *names)
{
    complete_own(sets);
    if (is_outdated(sets, names))
        forget_previous(sets, names->previous);
    else if (names->previous[0] != '\0')
        complete_previous(sets, names);
}

/* ---- the thread ----------------------------------------------------------------------------------------------- */

/* What is wanted now. */
static struct model_set_names take_names(struct model_sets *sets, enum model_sets_state *state)
{
    pthread_mutex_lock(&sets->mu);
    struct model_set_names names = sets->names;
    bool renew = sets->renew;
    *state = sets->state;
    sets->interrupt = sets->renew = false;
    pthread_mutex_unlock(&sets->mu);
    if (renew)
        let_go(sets);
    return names;
}

/* Until something is wanted, or it is time to look. False: the box is closing. */
static bool rest(struct model_sets *sets)
{
    struct timespec deadline = clock_deadline(LOOK_MS);
    pthread_mutex_lock(&sets->mu);
    while (!sets->closing && !sets->interrupt && pthread_cond_timedwait(&sets->wake, &sets->mu, &deadline) == 0) {
    }
    bool on = !sets->closing;
    pthread_mutex_unlock(&sets->mu);
    return on;
}

static void *run(void *arg)
{
    struct model_sets *sets = arg;
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
    do {
        enum model_sets_state state;
        if (!flow_ready(sets->flow))
            continue;
        struct model_set_names names = take_names(sets, &state);
        if (state == MODEL_SETS_PREPARING || state == MODEL_SETS_READY) {
            prepare(sets, names.wanted);
        } else {
            let_go(sets);
            look_after(sets, &names);
        }
    } while (rest(sets));
    let_go(sets);
    return NULL;
}

/* ---- opening and closing -------------------------------------------------------------------------------------- */

static void free_sets(struct model_sets *sets)
{
    (void)pthread_cond_destroy(&sets->told);
    (void)pthread_cond_destroy(&sets->wake);
    (void)pthread_mutex_destroy(&sets->mu);
    (void)pthread_mutex_destroy(&sets->deciding);
    free(sets->models_dir);
    free(sets);
}

enum aibox_status model_sets_open(struct flow *flow, const char *models_dir, struct model_sets **out,
                                  struct aibox_error *err)
{
    bool known;
    struct model_sets *sets = calloc(1, sizeof *sets);
    if (sets == NULL || (sets->models_dir = strdup(models_dir)) == NULL) {
        free(sets);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    sets->flow = flow;
    (void)pthread_mutex_init(&sets->deciding, NULL);
    (void)pthread_mutex_init(&sets->mu, NULL);
    (void)clock_cond_init(&sets->wake);
    (void)clock_cond_init(&sets->told);
    enum aibox_status status = model_set_names_read(flow->store, &sets->names, &known, err);
    if (sets->names.wanted[0] != '\0')
        sets->state = sets->names.paused ? MODEL_SETS_PAUSED : MODEL_SETS_PREPARING;
    if (status == AIBOX_OK && pthread_create(&sets->thread, NULL, run, sets) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
    if (status != AIBOX_OK) {
        free_sets(sets);
        return status;
    }
    *out = sets;
    return AIBOX_OK;
}

void model_sets_close(struct model_sets *sets)
{
    if (sets == NULL)
        return;
    atomic_store(&sets->stop, true);
    pthread_mutex_lock(&sets->mu);
    sets->closing = true;
    (void)pthread_cond_broadcast(&sets->wake);
    (void)pthread_cond_broadcast(&sets->told);
    pthread_mutex_unlock(&sets->mu);
    (void)pthread_join(sets->thread, NULL);
    free_sets(sets);
}
