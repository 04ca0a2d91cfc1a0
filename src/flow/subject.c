#include "flow/subject.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

/* Pictures are made anew only for a look that is worth that much more. */
#define CLEARLY_BETTER 1.1f
/* Nobody is called a stranger after a glimpse. */
#define STRANGER_LOOKS       2u
#define STRANGER_FAINT_LOOKS 4u

void spot_release(struct spot *spot)
{
    if (spot == NULL || --spot->refs > 0)
        return;
    free(spot->jpeg);
    free(spot);
}

static void drop_pictures(struct subject *subject)
{
    spot_release(subject->scene);
    free(subject->around);
    free(subject->aligned);
    subject->scene = NULL;
    subject->around = subject->aligned = NULL;
    subject->around_size = subject->aligned_size = 0;
}

void subject_rest(struct flow *flow, struct subject *subject)
{
    generation_done(flow->generations, subject->generation);
    subject->generation = NULL;
}

void subject_clear(struct flow *flow, struct subject *subject)
{
    drop_pictures(subject);
    subject_rest(flow, subject);
    memset(subject, 0, sizeof *subject);
}

/* ---- looks ---- */

static bool is_better(const struct subject *subject, enum vote_kind kind, float worth)
{
    if (subject->best_worth == 0 || kind != subject->best_kind)
        return subject->best_worth == 0 || kind > subject->best_kind;
    return worth > CLEARLY_BETTER * subject->best_worth;
}

static enum aibox_status share_scene(const struct flow *flow, const struct image *image, struct spot **scene,
                                     struct aibox_error *err)
{
    char word[8];
    settings_text(flow->settings, "events.spot_picture", word, sizeof word);
    if (strcmp(word, "full") != 0 || *scene != NULL)
        return AIBOX_OK;
    struct spot *spot = calloc(1, sizeof *spot);
    if (spot == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = sighting_scene(image, &spot->jpeg, &spot->size, err);
    if (status != AIBOX_OK) {
        free(spot);
        return status;
    }
    spot->refs = 1; /* the caller's */
    *scene = spot;
    return AIBOX_OK;
}

static enum aibox_status take_pictures(struct flow *flow, struct subject *subject, const struct image *image,
                                       const struct vision_face *face, struct spot **scene, struct aibox_error *err)
{
    uint8_t *around, *aligned;
    size_t around_size, aligned_size;
    enum aibox_status status = share_scene(flow, image, scene, err);
    if (status == AIBOX_OK)
        status =
            sighting_pictures(flow, image, face, *scene != NULL, &around, &around_size, &aligned, &aligned_size, err);
    if (status != AIBOX_OK)
        return status;
    drop_pictures(subject);
    if (*scene != NULL) {
        subject->scene = *scene;
        subject->scene->refs++;
    }
    subject->around = around;
    subject->around_size = around_size;
    subject->aligned = aligned;
    subject->aligned_size = aligned_size;
    return AIBOX_OK;
}

/* After a look that may have begun the votes anew. */
static void follow_vote(struct flow *flow, struct subject *subject, struct generation *generation)
{
    bool is_its = strcmp(subject->vote.model_set, vision_model_set(generation->vision)) == 0;
    if (subject->vote.count == 0 || !is_its || subject->generation == generation)
        return;
    subject_rest(flow, subject);
    subject->generation = generation_use_again(flow->generations, generation);
}

enum aibox_status subject_take_look(struct flow *flow, struct subject *subject, struct generation *generation,
                                    const struct image *image, const struct flow_face *face, bool has_attributes,
                                    bool has_live, int64_t timestamp_ms, struct spot **scene, struct aibox_error *err)
{
    enum vote_kind kind = vote_kind_of(face);
    float worth = vote_worth(face);
    (void)vote_add(&subject->vote, face);
    follow_vote(flow, subject, generation);
    if (has_live)
        vote_add_live(&subject->vote, face->live);
    if (has_attributes) {
        subject->has_attributes = true;
        subject->age = face->age;
        subject->male = face->male;
    }
    bool is_settled = subject->decided && subject->verdict == STORE_KNOWN;
    if (is_settled || !is_better(subject, kind, worth))
        return AIBOX_OK;
    enum aibox_status status = take_pictures(flow, subject, image, &face->face, scene, err);
    if (status != AIBOX_OK)
        return status;
    subject->best = *face;
    subject->best_worth = worth;
    subject->best_kind = kind;
    subject->best_at_ms = timestamp_ms;
    return AIBOX_OK;
}

void subject_join(struct flow *flow, struct subject *subject, struct subject *other)
{
    vote_merge(&subject->vote, &other->vote);
    if (other->generation != NULL)
        follow_vote(flow, subject, other->generation);
    if (other->best_worth > 0 && is_better(subject, other->best_kind, other->best_worth) &&
        !(subject->decided && subject->verdict == STORE_KNOWN)) {
        drop_pictures(subject);
        subject->best = other->best;
        subject->best_worth = other->best_worth;
        subject->best_kind = other->best_kind;
        subject->best_at_ms = other->best_at_ms;
        subject->scene = other->scene;
        subject->around = other->around;
        subject->around_size = other->around_size;
        subject->aligned = other->aligned;
        subject->aligned_size = other->aligned_size;
        other->scene = NULL;
        other->around = other->aligned = NULL;
    }
    if (other->last_look_ms > subject->last_look_ms)
        subject->last_look_ms = other->last_look_ms;
    subject->contradictions = 0;
    subject_clear(flow, other);
}

/* ---- deciding ---- */

static bool seen_enough_of_a_stranger(const struct vote *vote)
{
    return vote->count >= (vote->kind == VOTE_FAINT ? STRANGER_FAINT_LOOKS : STRANGER_LOOKS);
}

/* The best look, with what all of them say. */
static void fill_face(const struct subject *subject, struct flow_face *face)
{
    *face = subject->best;
    face->norm = vote_embedding(&subject->vote, face->embedding);
    memcpy(face->model_set, subject->vote.model_set, sizeof face->model_set);
    face->faint = subject->vote.kind == VOTE_FAINT;
    face->live = vote_live(&subject->vote);
    face->age = subject->age;
    face->male = subject->male;
}

static void remember(struct subject *subject, const struct flow_decision *decision)
{
    subject->decided = true;
    subject->reason = decision->reason;
    subject->verdict = decision->verdict;
    subject->score = decision->score;
    memcpy(subject->event_id, decision->event_id, sizeof subject->event_id);
    subject->identity_id[0] = subject->name[0] = '\0';
    if (!decision->has_person)
        return;
    (void)snprintf(subject->identity_id, sizeof subject->identity_id, "%s", decision->person.identity_id);
    size_t size = utf8_prefix(decision->person.name, strlen(decision->person.name), sizeof subject->name - 1);
    memcpy(subject->name, decision->person.name, size);
    subject->name[size] = '\0';
}

enum aibox_status subject_decide(struct flow *flow, struct subject *subject, const struct scene_place *place,
                                 bool final, struct aibox_error *err)
{
    if (subject->vote.count == 0 || subject->best_worth == 0 || subject->generation == NULL)
        return AIBOX_OK;
    struct flow_decision decision = {.action = "", .has_face = true};
    struct flow_probe probe = {.place = *place->place,
                               .timestamp_ms = subject->best_at_ms,
                               .with_attributes = subject->has_attributes,
                               .decided = place->decided,
                               .decided_ctx = place->decided_ctx};
    struct sighting sighting = {
        .flow = flow, .generation = subject->generation, .probe = &probe, .decision = &decision, .err = err};
    sighting.spot = subject->scene != NULL ? subject->scene->jpeg : subject->around;
    sighting.spot_size = subject->scene != NULL ? subject->scene->size : subject->around_size;
    sighting.face = subject->aligned;
    sighting.face_size = subject->aligned_size;
    sighting.supersedes = subject->decided && subject->event_id[0] != '\0' ? subject->event_id : NULL;
    fill_face(subject, &decision.face);
    enum aibox_status status = sighting_read_place(&sighting);
    if (status == AIBOX_OK)
        status = sighting_search(&sighting);
    if (status == AIBOX_OK)
        status = sighting_name(&sighting);
    bool known = decision.verdict == STORE_KNOWN;
    bool due = known || (final && !subject->decided && seen_enough_of_a_stranger(&subject->vote));
    if (status == AIBOX_OK && due) {
        status = sighting_conclude(&sighting);
        if (status == AIBOX_OK)
            remember(subject, &decision);
    }
    flow_decision_free(&decision);
    return status;
}
