/* Recognition: from a picture to a decision and its event. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/id.h"
#include "core/log.h"
#include "flow/fiqa.h"
#include "flow/flow_internal.h"

/* JPEG quality of pictures the box makes itself. */
#define EVENT_JPEG_QUALITY 88
/* Context around the face in `events.spot_picture = face`: share of the box added on each side. */
#define FACE_PICTURE_MARGIN 0.35f

/* Everything one recognition has in hand. The worker fills what needs the models; the caller's thread does the rest. */
struct recognise_job {
    struct flow *flow;
    const struct flow_probe *probe;
    struct flow_decision *decision;
    struct gallery_filter filter;
    struct gallery_labels groups;
    struct gallery_labels permissions;
    struct gallery_result result;
    bool searched;
    /* pictures of the event */
    uint8_t *spot, *face;
    size_t spot_size, face_size;
    enum aibox_status status;
    struct aibox_error *err;
};

/* ---- on the worker ---- */

/* The scene as the event keeps it: the picture as it came when it is a JPEG, else turned into one; or the face with
 * some context. */
static enum aibox_status make_spot(struct recognise_job *job, const struct look *look)
{
    char word[8];
    settings_text(job->flow->settings, "events.spot_picture", word, sizeof word);
    if (strcmp(word, "full") == 0) {
        if (image_sniff(job->probe->picture, job->probe->picture_size) == IMAGE_JPEG)
            return AIBOX_OK;
        return image_encode_jpeg(&look->image, EVENT_JPEG_QUALITY, &job->spot, &job->spot_size, job->err);
    }
    const float *box = job->decision->face.face.box;
    float dx = (box[2] - box[0]) * FACE_PICTURE_MARGIN, dy = (box[3] - box[1]) * FACE_PICTURE_MARGIN;
    struct image crop = {0};
    enum aibox_status status =
        image_crop(&look->image, (int)(box[0] - dx), (int)(box[1] - dy), (int)(box[2] - box[0] + 2 * dx),
                   (int)(box[3] - box[1] + 2 * dy), &crop, job->err);
    if (status == AIBOX_OK)
        status = image_encode_jpeg(&crop, EVENT_JPEG_QUALITY, &job->spot, &job->spot_size, job->err);
    image_free(&crop);
    return status;
}

static enum aibox_status make_pictures(struct recognise_job *job, const struct look *look)
{
    struct image aligned = {0};
    enum aibox_status status = make_spot(job, look);
    if (status == AIBOX_OK)
        status = vision_align(&look->image, &job->decision->face.face, &aligned, job->err);
    if (status == AIBOX_OK)
        status = image_encode_jpeg(&aligned, EVENT_JPEG_QUALITY, &job->face, &job->face_size, job->err);
    image_free(&aligned);
    return status;
}

/* Whether there is time for a second look at the face: nobody at a door waits for a worker. */
static bool time_for_two_views(struct flow *flow)
{
    char word[8];
    struct pool_counters counters;
    settings_text(flow->settings, "recognition.second_view", word, sizeof word);
    if (strcmp(word, "auto") != 0)
        return strcmp(word, "on") == 0;
    pool_count(flow->pool, &counters);
    return counters.waiting[POOL_URGENT] == 0;
}

static enum aibox_status look_at_face(struct recognise_job *job, struct vision_worker *worker, const struct look *look)
{
    struct flow *flow = job->flow;
    struct vision_quality_limits limits = flow_quality_limits(flow, job->probe->place.level);
    struct flow_face *face = &job->decision->face;
    unsigned wants = FLOW_WANT_QUALITY | FLOW_WANT_EMBEDDING;
    if (!time_for_two_views(flow))
        wants |= FLOW_ONE_VIEW;
    if (job->probe->place.liveness)
        wants |= FLOW_WANT_LIVENESS;
    if (job->probe->with_attributes)
        wants |= FLOW_WANT_AGE_SEX;
    enum aibox_status status = look_closer(flow, worker, &look->image, look->scale, wants, &limits, face, job->err);
    if (status != AIBOX_OK)
        return status;
    int64_t start = clock_monotonic_us();
    status = gallery_search(flow->gallery, face->embedding, &job->filter, 2, &job->result, job->err);
    stages_add(flow->stages, STAGE_SEARCH, clock_monotonic_us() - start);
    if (status == AIBOX_BAD_FEATURE) /* the network gave nothing usable: a stranger, not an error of the caller's */
        status = AIBOX_OK;
    if (status == AIBOX_OK)
        status = make_pictures(job, look);
    look_to_full(&face->face, look->scale);
    return status;
}

static void recognise(void *worker, void *arg)
{
    struct recognise_job *job = arg;
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

static enum aibox_status read_labels(struct flow *flow, enum store_label_kind kind, const char *const *names, size_t n,
                                     bool may_be_gone, struct gallery_labels *out, struct aibox_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct store_label label = {0};
        enum aibox_status status = store_label_get(flow->store, kind, names[i], &label, err);
        if (status == AIBOX_NOT_FOUND && may_be_gone)
            continue;
        if (status != AIBOX_OK)
            return status;
        gallery_labels_add(out, label.label);
        store_label_free(&label);
    }
    return AIBOX_OK;
}

static enum aibox_status read_place(struct recognise_job *job)
{
    struct flow *flow = job->flow;
    const struct flow_place *place = &job->probe->place;
    enum aibox_status status = read_labels(flow, STORE_GROUP, place->groups, place->n_groups, place->labels_may_be_gone,
                                           &job->groups, job->err);
    if (status == AIBOX_OK)
        status = read_labels(flow, STORE_PERMISSION, place->permissions, place->n_permissions,
                             place->labels_may_be_gone, &job->permissions, job->err);
    if (status != AIBOX_OK)
        return status;
    if (place->n_groups > 0)
        job->filter.groups = &job->groups;
    if (place->group_must_have_people && gallery_count_filtered(flow->gallery, &job->filter) == 0)
        return error_set(job->err, AIBOX_EMPTY_GROUP, "group_name: nobody with a face is in '%s'",
                         place->n_groups > 0 ? place->groups[0] : "");
    return AIBOX_OK;
}

static bool permitted(const struct recognise_job *job, const struct store_person *person)
{
    if (job->probe->place.n_permissions == 0)
        return true;
    for (size_t i = 0; i < STORE_MAX_LABELS / 64; i++)
        if ((job->permissions.bits[i] & person->permissions[i]) != 0)
            return true;
    return false;
}

static enum decide_passmode passmode(const struct flow *flow)
{
    char word[16];
    settings_text(flow->settings, "passmode", word, sizeof word);
    if (strcmp(word, "allpass") == 0)
        return DECIDE_ALLPASS;
    return strcmp(word, "allforbidden") == 0 ? DECIDE_ALLFORBIDDEN : DECIDE_NORMAL;
}

static float clamp01(float value)
{
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

/* Fills person, score, threshold, margin, verdict and best of the decision from the search. */
static enum aibox_status name_person(struct recognise_job *job)
{
    struct flow *flow = job->flow;
    struct flow_decision *decision = job->decision;
    struct flow_threshold threshold;
    flow_threshold_get(flow, &threshold);
    decision->threshold = isnan(job->probe->place.threshold) ? threshold.threshold : job->probe->place.threshold;
    if (job->result.count == 0)
        return AIBOX_OK;
    struct store_person person = {0};
    struct aibox_error gone;
    enum aibox_status status = store_person_get_by_id(flow->store, job->result.best[0].person_id, &person, &gone);
    if (status == AIBOX_ID_NOT_FOUND) /* deleted between search and now */
        return AIBOX_OK;
    if (status != AIBOX_OK)
        return error_set(job->err, status, "%s", gone.message);
    float best = clamp01(job->result.best[0].score);
    decision->score = best;
    decision->margin = job->result.count > 1 ? best - clamp01(job->result.best[1].score) : best;
    decision->verdict = decide_verdict(best, decision->margin, decision->threshold);
    if (decision->verdict == STORE_KNOWN && decision->face.faint && best < decision->threshold + DECIDE_MARGIN)
        decision->verdict = STORE_UNCERTAIN;
    size_t length = strlen(person.identity_id);
    if (length < sizeof decision->best_identity_id)
        memcpy(decision->best_identity_id, person.identity_id, length + 1);
    if (decision->verdict == STORE_KNOWN) {
        decision->person = person;
        decision->has_person = true;
        if (person.n_faces > 0)
            memcpy(decision->reg_image_id, person.faces[person.n_faces - 1].image_id, sizeof decision->reg_image_id);
    } else {
        store_person_free(&person);
    }
    return AIBOX_OK;
}

static enum flow_reason conclude(struct recognise_job *job, int64_t now_ms)
{
    struct flow *flow = job->flow;
    struct flow_decision *decision = job->decision;
    struct decide_facts facts = {.quality_pass = decision->face.quality.pass,
                                 .liveness_judged = job->probe->place.liveness,
                                 .live = decision->face.live,
                                 .live_threshold = (float)settings_float(flow->settings, "liveness.threshold"),
                                 .verdict = decision->verdict,
                                 .permitted = true,
                                 .time_permitted = true,
                                 .passmode = passmode(flow)};
    if (decision->has_person) {
        facts.person_type = decision->person.type;
        facts.permitted = permitted(job, &decision->person);
        if (decision->person.type == 2) {
            bool unreadable;
            facts.time_permitted = decide_visit_valid(decision->person.info, now_ms, &unreadable);
            if (unreadable)
                log_warn("flow", "a visitor's startTime or endTime can't be read: not valid identity_id=%s",
                         decision->person.identity_id);
        }
    }
    return decide(&facts);
}

/* The groups' names joined by ',' as reports show them. */
static char *joined_groups(const struct flow_place *place)
{
    struct buffer text;
    buffer_init(&text, (size_t)STORE_MAX_NAME * 64);
    for (size_t i = 0; i < place->n_groups; i++) {
        if (i > 0)
            buffer_append_text(&text, ",");
        buffer_append_text(&text, place->groups[i]);
    }
    if (place->n_groups == 0)
        buffer_append_text(&text, STORE_DEFAULT_GROUP);
    if (text.failed) {
        buffer_free(&text);
        return NULL;
    }
    size_t length;
    return (char *)buffer_give(&text, &length);
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static enum aibox_status store_decision(struct recognise_job *job, int64_t timestamp_ms)
{
    struct flow *flow = job->flow;
    const struct flow_probe *probe = job->probe;
    struct flow_decision *decision = job->decision;
    char stranger_id[ID_UUID_SIZE];
    enum aibox_status status;
    struct buffer fiqa;
    buffer_init(&fiqa, 8192);
    char *groups = joined_groups(&probe->place);
    fiqa_event_json(&fiqa, &decision->face, probe->with_attributes);
    if (groups == NULL || fiqa.failed) {
        status = error_set(job->err, AIBOX_PROCESS_FAILED, "out of memory");
        goto out;
    }
    id_uuid(stranger_id);
    bool raw_spot = job->spot == NULL;
    struct store_event event = {
        .timestamp_ms = timestamp_ms,
        .identity_id = decision->has_person ? decision->person.identity_id : stranger_id,
        .identity_name = decision->has_person ? decision->person.name : "stranger",
        .person_type = decision->has_person ? decision->person.type : 4,
        .group_name = groups,
        .device_id = or_empty(probe->place.device_id),
        .device_ip = or_empty(probe->place.device_ip),
        .ep_id = or_empty(probe->place.ep_id),
        .device_type = or_empty(probe->place.device_type),
        .reason = flow_reason_names[decision->reason],
        .action = decision->action,
        .verdict = decision->verdict,
        .score = decision->score,
        .threshold = decision->threshold,
        .margin = decision->margin,
        .best_identity_id = decision->best_identity_id,
        .best_score = decision->score,
        .liveness = probe->place.liveness ? decision->face.live : NAN,
        .mask = decision->face.quality.mask,
        .room = or_empty(probe->room),
        .grab_fiqa_info = probe->grab_fiqa_info == NULL ? "{}" : probe->grab_fiqa_info,
        .box_fiqa_info = (const char *)fiqa.data,
        .supersedes = "",
        .feature = decision->face.embedding,
        .model_set = vision_model_set(flow->vision),
        .spot = raw_spot ? probe->picture : job->spot,
        .spot_size = raw_spot ? probe->picture_size : job->spot_size,
        .face = job->face,
        .face_size = job->face_size,
    };
    memcpy(event.event_id, decision->event_id, sizeof event.event_id);
    memcpy(event.reg_id, decision->reg_image_id, sizeof event.reg_id);
    int64_t start = clock_monotonic_us();
    status = store_event_add(flow->store, &event, job->err);
    stages_add(flow->stages, STAGE_STORE, clock_monotonic_us() - start);
out:
    buffer_free(&fiqa);
    free(groups);
    return status;
}

static enum aibox_status make_event(struct recognise_job *job, int64_t timestamp_ms)
{
    struct flow *flow = job->flow;
    const struct flow_place *place = &job->probe->place;
    struct flow_decision *decision = job->decision;
    id_ulid(decision->event_id);
    bool mergeable = decision->has_person && place->device_id != NULL && place->dedup_ms > 0;
    if (mergeable && !dedup_claim(flow->dedup, place->device_id, decision->person.person_id, (int)decision->reason,
                                  clock_monotonic_ms(), place->dedup_ms, decision->event_id)) {
        decision->merged = true;
        return AIBOX_OK;
    }
    enum aibox_status status = store_decision(job, timestamp_ms);
    if (mergeable && status == AIBOX_OK)
        dedup_done(flow->dedup, decision->event_id);
    else if (mergeable)
        dedup_fail(flow->dedup, decision->event_id);
    if (status != AIBOX_PROCESS_FAILED)
        return status;
    /* Doors go on being opened while nothing can be stored (the store says so): the decision stands, without event. */
    atomic_fetch_add(&flow->unstored, 1);
    decision->event_id[0] = '\0';
    return AIBOX_OK;
}

enum aibox_status flow_recognise(struct flow *flow, enum flow_priority priority, const struct flow_probe *probe,
                                 struct flow_decision *decision, struct aibox_error *err)
{
    int64_t start = clock_monotonic_us();
    int64_t now_ms = clock_realtime_ms();
    struct recognise_job job = {.flow = flow, .probe = probe, .decision = decision, .err = err};
    memset(decision, 0, sizeof *decision);
    decision->action = "";
    enum aibox_status status = flow_require_ready(flow, err);
    if (status == AIBOX_OK)
        status = read_place(&job);
    if (status != AIBOX_OK)
        return status;
    status = pool_run(flow->pool, flow_pool_priority(priority), -1, recognise, &job, err);
    if (status == AIBOX_OK)
        status = job.status;
    if (status != AIBOX_OK)
        goto out;
    if (decision->has_face) {
        status = name_person(&job);
        if (status != AIBOX_OK)
            goto out;
        decision->reason = conclude(&job, now_ms);
        decision->passed = decision->reason == FLOW_PASSED;
        if (probe->decided != NULL)
            decision->action = probe->decided(probe->decided_ctx, decision);
        if (decision->reason != FLOW_LOW_QUALITY || settings_bool(flow->settings, "events.low_quality"))
            status = make_event(&job, probe->timestamp_ms != 0 ? probe->timestamp_ms : now_ms);
    } else {
        decision->reason = FLOW_NO_FACE;
    }
    if (status == AIBOX_OK) {
        atomic_fetch_add(&flow->decisions[decision->reason], 1);
        stages_add(flow->stages, STAGE_DECISION, clock_monotonic_us() - start);
    }
out:
    free(job.spot);
    free(job.face);
    if (status != AIBOX_OK)
        flow_decision_free(decision);
    return status;
}

void flow_forget_sightings(struct flow *flow)
{
    dedup_forget(flow->dedup);
}

void flow_decision_free(struct flow_decision *decision)
{
    if (decision == NULL)
        return;
    store_person_free(&decision->person);
    memset(decision, 0, sizeof *decision);
}
