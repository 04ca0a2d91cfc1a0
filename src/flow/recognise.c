/* Recognition: from a picture to a decision and its event. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "flow/sighting.h"

/* Everything one recognition has in hand. The worker fills what needs the models; the caller's thread does the rest. */
struct recognise_job {
    struct flow *flow;
    const struct flow_probe *probe;
    struct flow_decision *decision;
    struct sighting sighting;
    /* pictures of the event */
    uint8_t *spot, *face;
    size_t spot_size, face_size;
    enum aibox_status status;
    struct aibox_error *err;
};

/* ---- on the worker ---- */

static enum aibox_status look_at_face(struct recognise_job *job, struct vision_worker *worker, const struct look *look)
{
    struct flow *flow = job->flow;
    struct vision_quality_limits limits = flow_quality_limits(flow, job->probe->place.level);
    struct flow_face *face = &job->decision->face;
    unsigned wants = FLOW_WANT_QUALITY | FLOW_WANT_EMBEDDING;
    if (!look_time_for_two_views(flow))
        wants |= FLOW_ONE_VIEW;
    if (job->probe->place.liveness)
        wants |= FLOW_WANT_LIVENESS;
    if (job->probe->with_attributes)
        wants |= FLOW_WANT_AGE_SEX;
    enum aibox_status status = look_closer(flow, worker, &look->image, look->scale, wants, &limits, face, job->err);
    if (status != AIBOX_OK)
        return status;
    status = sighting_search(&job->sighting);
    bool is_jpeg = image_sniff(job->probe->picture, job->probe->picture_size) == IMAGE_JPEG;
    if (status == AIBOX_OK)
        status = sighting_pictures(flow, &look->image, &face->face, is_jpeg, &job->spot, &job->spot_size, &job->face,
                                   &job->face_size, job->err);
    look_to_full(&face->face, look->scale);
    return status;
}

static void recognise(void *seat, void *arg)
{
    struct recognise_job *job = arg;
    struct vision_worker *worker = seat_worker(seat, job->sighting.generation);
    const struct flow_place *place = &job->probe->place;
    struct look look;
    job->status = look_largest(job->flow, worker, job->probe->picture, job->probe->picture_size, place->min_face,
                               place->roi, &look, &job->decision->face.face, &job->decision->has_face, job->err);
    if (job->status != AIBOX_OK)
        return;
    if (job->decision->has_face)
        job->status = look_at_face(job, worker, &look);
    look_free(&look);
}

/* ---- on the caller's thread ---- */

/* The event keeps the picture as it came when it is a JPEG and the whole of it is wanted. */
static enum aibox_status decide_on(struct recognise_job *job)
{
    struct sighting *sighting = &job->sighting;
    sighting->spot = job->spot != NULL ? job->spot : job->probe->picture;
    sighting->spot_size = job->spot != NULL ? job->spot_size : job->probe->picture_size;
    sighting->face = job->face;
    sighting->face_size = job->face_size;
    enum aibox_status status = sighting_name(sighting);
    return status == AIBOX_OK ? sighting_conclude(sighting) : status;
}

enum aibox_status flow_recognise(struct flow *flow, enum flow_priority priority, const struct flow_probe *probe,
                                 struct flow_decision *decision, struct aibox_error *err)
{
    int64_t start = clock_monotonic_us();
    struct recognise_job job = {.flow = flow, .probe = probe, .decision = decision, .err = err};
    job.sighting = (struct sighting){.flow = flow, .probe = probe, .decision = decision, .err = err};
    memset(decision, 0, sizeof *decision);
    decision->action = "";
    enum aibox_status status = flow_require_ready(flow, err);
    if (status != AIBOX_OK)
        return status;
    struct generation *generation = generation_use(flow->generations);
    job.sighting.generation = generation;
    status = sighting_read_place(&job.sighting);
    if (status == AIBOX_OK)
        status = pool_run(flow->pool, flow_pool_priority(priority), -1, recognise, &job, err);
    if (status == AIBOX_OK)
        status = job.status;
    if (status == AIBOX_OK && decision->has_face) {
        status = decide_on(&job);
    } else if (status == AIBOX_OK) {
        decision->reason = FLOW_NO_FACE;
        atomic_fetch_add(&flow->decisions[FLOW_NO_FACE], 1);
    }
    if (status == AIBOX_OK)
        stages_add(flow->stages, STAGE_DECISION, clock_monotonic_us() - start);
    generation_done(flow->generations, generation);
    free(job.spot);
    free(job.face);
    if (status != AIBOX_OK)
        flow_decision_free(decision);
    return status;
}

void flow_forget_sightings(struct flow *flow)
{
    struct aibox_error err;
    dedup_forget(flow->dedup);
    /* With an event its rejection is gone. */
    if (rejections_reload(flow, true, &err) != AIBOX_OK)
        log_error("flow", "rejections could not be read again reason=\"%s\"", err.message);
}

void flow_decision_free(struct flow_decision *decision)
{
    if (decision == NULL)
        return;
    store_person_free(&decision->person);
    memset(decision, 0, sizeof *decision);
}
