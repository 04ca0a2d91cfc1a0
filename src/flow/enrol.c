/* Enrolment: the only path that makes faces. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "flow/flow_internal.h"
#include "flow/stranger_memory.h"

struct enrol_job {
    struct flow *flow;
    const struct flow_enrolment *request;
    struct generation_pair generations;
    float embedding[VISION_DIMENSION];
    float norm;
    float next_embedding[VISION_DIMENSION]; /* of the generation that comes */
    bool has_next;
    struct vision_quality quality;
    enum aibox_status status;
    struct aibox_error *err;
};

static enum aibox_status enrol_face(struct enrol_job *job, struct vision_worker *worker, const struct look *look,
                                    const struct vision_face *found)
{
    struct flow *flow = job->flow;
    struct flow_face face = {.face = *found};
    float side = fminf(found->box[2] - found->box[0], found->box[3] - found->box[1]) * (float)look->scale;
    int64_t least = settings_int(flow->settings, "recognition.enrol_min_face");
    if (side < (float)least)
        return error_set(job->err, AIBOX_FACE_TOO_SMALL,
                         "reg_photo: the face is %d px wide or high, at least %lld px are needed", (int)side,
                         (long long)least);
    struct vision_quality_limits limits = flow_quality_limits(flow, job->request->level);
    enum aibox_status status = look_closer(flow, worker, &look->image, look->scale,
                                           FLOW_WANT_QUALITY | FLOW_WANT_EMBEDDING, &limits, &face, job->err);
    if (status != AIBOX_OK)
        return status;
    job->quality = face.quality;
    if (!face.quality.pass) {
        char text[256];
        vision_quality_explain(&face.quality, &limits, text, sizeof text);
        return error_set(job->err, AIBOX_LOW_QUALITY, "reg_photo: %s", text);
    }
    memcpy(job->embedding, face.embedding, sizeof job->embedding);
    job->norm = face.norm;
    return AIBOX_OK;
}

/* While another model set comes into force: the face as that one sees it. One it can't make out is known to this one
 * alone, as if it had been enrolled before. */
static void embed_for_next(struct enrol_job *job, struct vision_worker *worker)
{
    struct aibox_error err;
    enum aibox_status status =
        look_embedding(job->flow, worker, job->request->photo, job->request->photo_size, job->next_embedding, &err);
    job->has_next = status == AIBOX_OK;
    if (status != AIBOX_OK)
        log_warn("flow", "a new face has no feature of the model set that comes identity_id=%s reason=\"%s\"",
                 job->request->change.identity_id, err.message);
}

static void enrol_photo(void *seat, void *arg)
{
    struct enrol_job *job = arg;
    struct vision_worker *worker = seat_worker(seat, job->generations.now);
    struct look look;
    struct vision_face face;
    bool found;
    job->status = look_largest(job->flow, worker, job->request->photo, job->request->photo_size, 0, NULL, &look, &face,
                               &found, job->err);
    if (job->status != AIBOX_OK) {
        error_prefix(job->err, "reg_photo");
        return;
    }
    if (found)
        job->status = enrol_face(job, worker, &look, &face);
    else
        job->status = error_set(job->err, AIBOX_NO_FACE, "reg_photo: no face found in the picture");
    look_free(&look);
    if (job->status == AIBOX_OK && job->generations.next != NULL && !job->request->dry_run)
        embed_for_next(job, seat_worker(seat, job->generations.next));
}

/* Checks again inside the store's transaction: this one only spares the work on the picture, and puts the errors in
 * order. */
static enum aibox_status precheck(struct flow *flow, const struct store_person_change *change, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    for (size_t i = 0; i < change->n_groups && status == AIBOX_OK; i++) {
        struct store_label label = {0};
        status = store_label_get(flow->store, STORE_GROUP, change->groups[i], &label, err);
        store_label_free(&label);
    }
    if (change->permissions_set && !change->permissions_create) {
        for (size_t i = 0; i < change->n_permissions && status == AIBOX_OK; i++) {
            struct store_label label = {0};
            status = store_label_get(flow->store, STORE_PERMISSION, change->permissions[i], &label, err);
            store_label_free(&label);
        }
    }
    if (status != AIBOX_OK || change->mode == STORE_UPSERT)
        return status;
    struct store_person person = {0};
    struct aibox_error missing;
    bool exists = store_person_get(flow->store, change->identity_id, &person, &missing) == AIBOX_OK;
    store_person_free(&person);
    if (exists && change->mode == STORE_CREATE)
        return error_set(err, AIBOX_IDENTITY_EXISTS, "identity_id: '%s' exists already", change->identity_id);
    if (!exists && change->mode == STORE_UPDATE)
        return error_set(err, AIBOX_ID_NOT_FOUND, "identity_id: there is no '%s'", change->identity_id);
    return AIBOX_OK;
}

static enum aibox_status normalise_feature(const float *feature, float *out, float *norm, struct aibox_error *err)
{
    double sum = 0;
    for (size_t i = 0; i < VISION_DIMENSION; i++)
        sum += (double)feature[i] * (double)feature[i];
    if (!isfinite(sum))
        return error_set(err, AIBOX_BAD_FEATURE, "feature: a value is not finite or far too large");
    double length = sqrt(sum);
    if (length <= 1e-6)
        return error_set(err, AIBOX_BAD_FEATURE, "feature: all values are zero");
    for (size_t i = 0; i < VISION_DIMENSION; i++)
        out[i] = (float)((double)feature[i] / length);
    *norm = (float)length;
    return AIBOX_OK;
}

/* Before the person is saved; two of one face that come at the same moment don't see each other here. */
static enum aibox_status refuse_duplicate(const struct enrol_job *job, struct aibox_error *err)
{
    const struct flow_enrolment *enrolment = job->request;
    struct flow_duplicate found;
    enum aibox_status status =
        duplicate_find(job->flow, job->generations.now, job->embedding, enrolment->change.identity_id, &found, err);
    if (status != AIBOX_OK || !found.found)
        return status;
    return error_set(err, AIBOX_IDENTITY_EXISTS,
                     "%s: the face is that of identity_id '%s' (score %.2f); allow_duplicate takes it all the same",
                     enrolment->feature != NULL ? "feature" : "reg_photo", found.identity_id, (double)found.score);
}

/* After it: of two that come at the same moment one at least sees the other. */
static void report_duplicate(const struct enrol_job *job)
{
    const struct flow_enrolment *enrolment = job->request;
    struct aibox_error err;
    if (duplicate_find(job->flow, job->generations.now, job->embedding, enrolment->change.identity_id,
                       enrolment->duplicate, &err) != AIBOX_OK)
        log_warn("flow", "a new face was not compared with the others reason=\"%s\"", err.message);
}

static enum aibox_status save(const struct enrol_job *job, struct store_person *person, bool *created,
                              struct aibox_error *err)
{
    const struct flow_enrolment *enrolment = job->request;
    bool is_feature = enrolment->feature != NULL;
    bool has_face = is_feature || (enrolment->photo != NULL && enrolment->photo_size > 0);
    struct store_new_face face = {.feature = job->embedding,
                                  .model_set = vision_model_set(job->generations.now->vision),
                                  .norm = job->norm,
                                  .quality = job->quality.score,
                                  .photo = is_feature ? NULL : enrolment->photo,
                                  .photo_size = is_feature ? 0 : enrolment->photo_size};
    if (job->has_next) {
        face.next_feature = job->next_embedding;
        face.next_model_set = vision_model_set(job->generations.next->vision);
    }
    struct store_person_change change = enrolment->change;
    if (has_face) {
        change.faces = &face;
        change.n_faces = 1;
    } else {
        change.faces_mode = STORE_FACES_KEEP;
    }
    enum aibox_status status = store_person_save(job->flow->store, &change, person, created, err);
    if (status == AIBOX_OK && has_face && enrolment->duplicate != NULL)
        report_duplicate(job);
    if (status == AIBOX_OK && has_face)
        stranger_memory_enrolled(job->flow, job->generations.now, job->embedding, enrolment->past);
    return status;
}

/* Embedding and quality of what is enrolled; nothing without a face. */
static enum aibox_status look(struct enrol_job *job, enum flow_priority priority)
{
    const struct flow_enrolment *enrolment = job->request;
    enum aibox_status status = AIBOX_OK;
    if (enrolment->feature != NULL) {
        status = normalise_feature(enrolment->feature, job->embedding, &job->norm, job->err);
        if (status == AIBOX_OK)
            job->quality.mask = vision_mask(job->generations.now->vision, job->embedding);
    } else if (enrolment->photo != NULL && enrolment->photo_size > 0) {
        status = pool_run(job->flow->pool, flow_pool_priority(priority), -1, enrol_photo, job, job->err);
        if (status == AIBOX_OK)
            status = job->status;
    } else {
        return AIBOX_OK;
    }
    return status == AIBOX_OK && enrolment->refuse_duplicate ? refuse_duplicate(job, job->err) : status;
}

enum aibox_status flow_enrol(struct flow *flow, enum flow_priority priority, const struct flow_enrolment *enrolment,
                             struct store_person *person, bool *created, struct vision_quality *quality,
                             struct aibox_error *err)
{
    enum aibox_status status = flow_require_ready(flow, err);
    if (status == AIBOX_OK)
        status = precheck(flow, &enrolment->change, err);
    if (status != AIBOX_OK)
        return status;

    if (enrolment->duplicate != NULL)
        *enrolment->duplicate = (struct flow_duplicate){0};
    if (enrolment->past != NULL)
        enrolment->past->count = 0;
    struct enrol_job job = {.flow = flow, .request = enrolment, .err = err};
    job.generations = generation_use_both(flow->generations);
    status = look(&job, priority);
    if (quality != NULL)
        *quality = job.quality;
    if (status == AIBOX_OK && !enrolment->dry_run) {
        status = save(&job, person, created, err);
        if (status == AIBOX_OK)
            atomic_fetch_add(&flow->enrolled, 1);
    }
    if (status != AIBOX_OK)
        atomic_fetch_add(&flow->enrol_refused, 1);
    generation_both_done(flow->generations, job.generations);
    return status;
}
