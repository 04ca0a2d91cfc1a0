/* What is asked of the model sets from outside. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "flow/model_sets_internal.h"
#include "vision/model_set.h"

/* ---- looking -------------------------------------------------------------------------------------------------- */

/* The id of a set by its manifest. */
static enum aibox_status find_id(const struct model_sets *sets, const char *name, char out[VISION_MODEL_SET],
                                 struct aibox_error *err)
{
    char folder[PATH_MAX], names[MODEL_SETS_MAX][MODEL_SET_NAME];
    size_t count = model_set_names_list(sets->models_dir, names), i = 0;
    while (i < count && strcmp(names[i], name) != 0)
        i++;
    if (i == count || !model_set_folder(sets->models_dir, name, folder, sizeof folder))
        return error_set(err, AIBOX_NOT_FOUND, "name: there is no model set '%s' in the models folder", name);
    struct model_set set;
    enum aibox_status status = model_set_read(folder, &set, err);
    if (status == AIBOX_OK)
        (void)snprintf(out, VISION_MODEL_SET, "%s", set.id);
    return status;
}

enum aibox_status model_sets_list(struct flow *flow, struct model_set_entry out[MODEL_SETS_MAX], size_t *count,
                                  struct aibox_error *err)
{
    struct model_sets *sets = flow->model_sets;
    char names[MODEL_SETS_MAX][MODEL_SET_NAME], active[VISION_MODEL_SET];
    enum aibox_status status = AIBOX_OK;
    flow_model_set(flow, active);
    *count = model_set_names_list(sets->models_dir, names);
    for (size_t i = 0; i < *count && status == AIBOX_OK; i++) {
        struct model_set_entry *entry = &out[i];
        struct aibox_error wrong;
        *entry = (struct model_set_entry){0};
        memcpy(entry->name, names[i], sizeof entry->name);
        if (find_id(sets, names[i], entry->model_set, &wrong) != AIBOX_OK) {
            memcpy(entry->reason, wrong.message, strnlen(wrong.message, sizeof entry->reason - 1));
            continue;
        }
        status = store_model_set_count(flow->store, entry->model_set, &entry->features, err);
        if (status == AIBOX_OK)
            status =
                store_people_lacking_count(flow->store, active, entry->model_set, &entry->people, &entry->lacking, err);
    }
    return status;
}

enum aibox_status model_sets_missing(struct flow *flow, const char *name, size_t skip, size_t limit,
                                     struct model_set_missing *out, size_t *count, size_t *total,
                                     struct aibox_error *err)
{
    char active[VISION_MODEL_SET], other[VISION_MODEL_SET];
    int64_t ids[MODEL_SETS_PAGE];
    size_t n = 0, people = 0;
    *count = 0;
    flow_model_set(flow, active);
    enum aibox_status status = find_id(flow->model_sets, name, other, err);
    if (status == AIBOX_OK)
        status = store_people_lacking_count(flow->store, active, other, &people, total, err);
    if (status == AIBOX_OK)
        status = store_people_lacking(flow->store, active, other, skip, limit, ids, &n, err);
    for (size_t i = 0; status == AIBOX_OK && i < n; i++) {
        struct model_set_missing *missing = &out[*count];
        *missing = (struct model_set_missing){0};
        status = store_person_get_by_id(flow->store, ids[i], &missing->person, err);
        if (status == AIBOX_ID_NOT_FOUND) { /* deleted meanwhile */
            status = AIBOX_OK;
            continue;
        }
        if (status != AIBOX_OK)
            break;
        for (size_t f = 0; f < missing->person.n_faces; f++)
            missing->has_photo |= missing->person.faces[f].image_id[0] != '\0';
        ++*count;
    }
    for (size_t i = 0; status != AIBOX_OK && i < *count; i++)
        store_person_free(&out[i].person);
    return status;
}

/* ---- deciding ------------------------------------------------------------------------------------------------- */

/* With `deciding` held. PARAM while the set is being changed: that takes a moment. */
static enum aibox_status read_names(struct model_sets *sets, struct model_set_names *names,
                                    enum model_sets_state *state, struct aibox_error *err)
{
    pthread_mutex_lock(&sets->mu);
    *names = sets->names;
    *state = sets->state;
    pthread_mutex_unlock(&sets->mu);
    if (*state == MODEL_SETS_SWITCHING)
        return error_set(err, AIBOX_PARAM, "the model set is just being changed");
    return AIBOX_OK;
}

/* Loads the set, and lets it go again: what is wrong with it is said at once. */
static enum aibox_status check_set(struct model_sets *sets, const char *name, struct aibox_error *err)
{
    char folder[PATH_MAX], id[VISION_MODEL_SET];
    struct vision *vision = NULL;
    enum aibox_status status = find_id(sets, name, id, err);
    if (status == AIBOX_OK && model_set_folder(sets->models_dir, name, folder, sizeof folder))
        status = vision_open(folder, &vision, err);
    vision_close(vision);
    return status;
}

static enum aibox_status want(struct model_sets *sets, const char *name, bool switch_when_ready, bool allow_missing,
                              struct aibox_error *err)
{
    struct model_set_names names;
    enum model_sets_state state;
    pthread_mutex_lock(&sets->deciding);
    enum aibox_status status = read_names(sets, &names, &state, err);
    if (status == AIBOX_OK && strcmp(names.active, name) == 0)
        status = error_set(err, AIBOX_PARAM, "name: '%s' is the model set in force", name);
    bool same = status == AIBOX_OK && strcmp(names.wanted, name) == 0;
    bool at_work = same && (state == MODEL_SETS_PREPARING || state == MODEL_SETS_READY);
    /* The one before was in force a while ago: the way back is not to be held up. */
    if (status == AIBOX_OK && !at_work && strcmp(names.previous, name) != 0)
        status = check_set(sets, name, err);
    if (status == AIBOX_OK) {
        (void)snprintf(names.wanted, sizeof names.wanted, "%s", name);
        names.paused = false;
        names.switch_when_ready = switch_when_ready;
        names.allow_missing = allow_missing;
        status = model_sets_decide(sets, &names, at_work ? state : MODEL_SETS_PREPARING, err);
    }
    pthread_mutex_unlock(&sets->deciding);
    return status;
}

enum aibox_status model_sets_prepare(struct flow *flow, const char *name, struct aibox_error *err)
{
    return want(flow->model_sets, name, false, false, err);
}

static enum aibox_status unwant(struct model_sets *sets, const char *name, bool pause, struct aibox_error *err)
{
    struct model_set_names names;
    enum model_sets_state state;
    pthread_mutex_lock(&sets->deciding);
    enum aibox_status status = read_names(sets, &names, &state, err);
    if (status == AIBOX_OK && (names.wanted[0] == '\0' || strcmp(names.wanted, name) != 0))
        status = error_set(err, AIBOX_PARAM, "name: '%s' is not being prepared", name);
    else if (status == AIBOX_OK && pause && state != MODEL_SETS_PREPARING)
        status = error_set(err, AIBOX_PARAM, "name: '%s' is %s: there is nothing to pause", name,
                           model_sets_state_names[state]);
    if (status == AIBOX_OK) {
        names.paused = pause;
        if (!pause)
            names.wanted[0] = '\0';
        names.switch_when_ready = names.switch_when_ready && pause;
        status = model_sets_decide(sets, &names, pause ? MODEL_SETS_PAUSED : MODEL_SETS_IDLE, err);
    }
    pthread_mutex_unlock(&sets->deciding);
    return status;
}

enum aibox_status model_sets_pause(struct flow *flow, const char *name, struct aibox_error *err)
{
    return unwant(flow->model_sets, name, true, err);
}

enum aibox_status model_sets_cancel(struct flow *flow, const char *name, struct aibox_error *err)
{
    return unwant(flow->model_sets, name, false, err);
}

/* The set is in force, or no longer wanted. With mu held. What is written down is so a moment later. */
static bool is_over(const struct model_sets *sets, const char *name)
{
    return sets->state != MODEL_SETS_SWITCHING && strcmp(sets->names.wanted, name) != 0;
}

/* Waits until the set is in force, or turned out not to come. */
static enum aibox_status await(struct model_sets *sets, const char *name, uint64_t refusals, int64_t wait_ms,
                               bool *switched, struct aibox_error *err)
{
    struct timespec deadline = clock_deadline(wait_ms);
    enum aibox_status status = AIBOX_OK;
    pthread_mutex_lock(&sets->mu);
    while (!sets->closing && sets->refusals == refusals && !is_over(sets, name) &&
           pthread_cond_timedwait(&sets->told, &sets->mu, &deadline) == 0) {
    }
    *switched = strcmp(sets->names.active, name) == 0 && sets->state != MODEL_SETS_SWITCHING;
    if (!*switched && sets->refusals != refusals)
        status = error_set(err, sets->refusal, "%s", sets->reason);
    pthread_mutex_unlock(&sets->mu);
    return status;
}

enum aibox_status model_sets_switch(struct flow *flow, const char *name, bool allow_missing, int64_t wait_ms,
                                    bool *switched, struct aibox_error *err)
{
    struct model_sets *sets = flow->model_sets;
    *switched = false;
    pthread_mutex_lock(&sets->mu);
    uint64_t refusals = sets->refusals;
    pthread_mutex_unlock(&sets->mu);
    enum aibox_status status = want(sets, name, true, allow_missing, err);
    return status == AIBOX_OK ? await(sets, name, refusals, wait_ms, switched, err) : status;
}

enum aibox_status model_sets_forget(struct model_sets *sets, const char *name, size_t *dropped, struct aibox_error *err)
{
    struct model_set_names names;
    enum model_sets_state state;
    char id[VISION_MODEL_SET];
    *dropped = 0;
    pthread_mutex_lock(&sets->deciding);
    enum aibox_status status = read_names(sets, &names, &state, err);
    bool is_previous = status == AIBOX_OK && names.previous[0] != '\0' && strcmp(names.previous, name) == 0;
    if (is_previous)
        memcpy(id, names.previous_id, sizeof id); /* its folder may be gone */
    else if (status == AIBOX_OK)
        status = find_id(sets, name, id, err);
    if (status == AIBOX_OK && strcmp(names.active, name) == 0)
        status = error_set(err, AIBOX_PARAM, "name: '%s' is the model set in force", name);
    if (status == AIBOX_OK && strcmp(names.wanted, name) == 0)
        status = error_set(err, AIBOX_PARAM, "name: '%s' is being prepared: cancel that first", name);
    if (status == AIBOX_OK && is_previous) {
        names.previous[0] = names.previous_id[0] = '\0';
        status = model_sets_decide(sets, &names, state, err);
    }
    if (status == AIBOX_OK)
        status = model_sets_drop_features(sets->flow, id, &sets->stop, dropped, err);
    pthread_mutex_unlock(&sets->deciding);
    return status;
}

enum aibox_status model_sets_drop(struct flow *flow, const char *name, size_t *dropped, struct aibox_error *err)
{
    return model_sets_forget(flow->model_sets, name, dropped, err);
}
