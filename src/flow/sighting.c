/* From a face that was looked at to a decision and its event. */
#include "flow/sighting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/id.h"
#include "core/log.h"
#include "flow/fiqa.h"
#include "flow/stranger_memory.h"

enum aibox_status sighting_search(struct sighting *sighting)
{
    struct flow *flow = sighting->flow;
    struct flow_face *face = &sighting->decision->face;
    int64_t start = clock_monotonic_us();
    /* The embedding may be the mean of several looks. */
    face->quality.mask = vision_mask(sighting->generation->vision, face->embedding);
    face->masked = face->quality.mask > VISION_MASKED;
    sighting->filter.unmasked = face->masked;
    enum aibox_status status =
        flow_search(sighting->generation, face->embedding, &sighting->filter, &sighting->result, sighting->err);
    stages_add(flow->stages, STAGE_SEARCH, clock_monotonic_us() - start);
    /* The network gave nothing usable: a stranger, not an error of the caller's. */
    return status == AIBOX_BAD_FEATURE ? AIBOX_OK : status;
}

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

enum aibox_status sighting_read_place(struct sighting *sighting)
{
    struct flow *flow = sighting->flow;
    const struct flow_place *place = &sighting->probe->place;
    enum aibox_status status = read_labels(flow, STORE_GROUP, place->groups, place->n_groups, place->labels_may_be_gone,
                                           &sighting->groups, sighting->err);
    if (status == AIBOX_OK)
        status = read_labels(flow, STORE_PERMISSION, place->permissions, place->n_permissions,
                             place->labels_may_be_gone, &sighting->permissions, sighting->err);
    if (status != AIBOX_OK)
        return status;
    if (place->n_groups > 0)
        sighting->filter.groups = &sighting->groups;
    if (place->group_must_have_people && gallery_count_filtered(sighting->generation->gallery, &sighting->filter) == 0)
        return error_set(sighting->err, AIBOX_EMPTY_GROUP, "group_name: nobody with a face is in '%s'",
                         place->n_groups > 0 ? place->groups[0] : "");
    return AIBOX_OK;
}

static bool permitted(const struct sighting *sighting, const struct store_person *person)
{
    if (sighting->probe->place.n_permissions == 0)
        return true;
    for (size_t i = 0; i < STORE_MAX_LABELS / 64; i++)
        if ((sighting->permissions.bits[i] & person->permissions[i]) != 0)
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

enum aibox_status sighting_name(struct sighting *sighting)
{
    struct flow *flow = sighting->flow;
    struct flow_decision *decision = sighting->decision;
    struct flow_threshold threshold;
    threshold_get(flow, sighting->generation, &threshold);
    decision->threshold =
        isnan(sighting->probe->place.threshold) ? threshold.threshold : sighting->probe->place.threshold;
    if (decision->face.masked)
        decision->threshold = vision_masked_threshold(sighting->generation->vision, decision->threshold);
    if (sighting->result.count == 0)
        return AIBOX_OK;
    struct store_person person = {0};
    struct aibox_error gone;
    enum aibox_status status = store_person_get_by_id(flow->store, sighting->result.best[0].person_id, &person, &gone);
    if (status == AIBOX_ID_NOT_FOUND) /* deleted between search and now */
        return AIBOX_OK;
    if (status != AIBOX_OK)
        return error_set(sighting->err, status, "%s", gone.message);
    float best = clamp01(sighting->result.best[0].score);
    decision->score = best;
    decision->margin = sighting->result.count > 1 ? best - clamp01(sighting->result.best[1].score) : best;
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

static enum flow_reason conclude(struct sighting *sighting, int64_t now_ms)
{
    struct flow *flow = sighting->flow;
    struct flow_decision *decision = sighting->decision;
    struct decide_facts facts = {.quality_pass = decision->face.quality.pass,
                                 .liveness_judged = sighting->probe->place.liveness,
                                 .live = decision->face.live,
                                 .live_threshold = (float)settings_float(flow->settings, "liveness.threshold"),
                                 .verdict = decision->verdict,
                                 .permitted = true,
                                 .time_permitted = true,
                                 .passmode = passmode(flow)};
    if (decision->has_person) {
        facts.person_type = decision->person.type;
        facts.permitted = permitted(sighting, &decision->person);
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

static enum aibox_status store_decision(struct sighting *sighting, int64_t timestamp_ms)
{
    struct flow *flow = sighting->flow;
    const struct flow_probe *probe = sighting->probe;
    struct flow_decision *decision = sighting->decision;
    char stranger_id[ID_UUID_SIZE];
    enum aibox_status status;
    struct buffer fiqa;
    buffer_init(&fiqa, 8192);
    char *groups = joined_groups(&probe->place);
    fiqa_event_json(&fiqa, &decision->face, probe->with_attributes);
    if (groups == NULL || fiqa.failed) {
        status = error_set(sighting->err, AIBOX_PROCESS_FAILED, "out of memory");
        goto out;
    }
    id_uuid(stranger_id);
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
        .supersedes = or_empty(sighting->supersedes),
        .feature = decision->face.embedding,
        .model_set = vision_model_set(sighting->generation->vision),
        .spot = sighting->spot,
        .spot_size = sighting->spot_size,
        .face = sighting->face,
        .face_size = sighting->face_size,
    };
    memcpy(event.event_id, decision->event_id, sizeof event.event_id);
    memcpy(event.reg_id, decision->reg_image_id, sizeof event.reg_id);
    int64_t start = clock_monotonic_us();
    struct strangers_claim claim;
    bool claimed = stranger_memory_claim(flow, sighting->generation, decision, &claim, &event.stranger);
    status = store_event_add(flow->store, &event, sighting->err);
    if (claimed)
        strangers_settle(sighting->generation->strangers, &claim);
    if (status == AIBOX_OK)
        decision->stranger = event.stranger;
    stages_add(flow->stages, STAGE_STORE, clock_monotonic_us() - start);
out:
    buffer_free(&fiqa);
    free(groups);
    return status;
}

static enum aibox_status make_event(struct sighting *sighting, int64_t timestamp_ms)
{
    struct flow *flow = sighting->flow;
    const struct flow_place *place = &sighting->probe->place;
    struct flow_decision *decision = sighting->decision;
    id_ulid(decision->event_id);
    bool mergeable = decision->has_person && place->device_id != NULL && place->dedup_ms > 0;
    if (mergeable && !dedup_claim(flow->dedup, place->device_id, decision->person.person_id, (int)decision->reason,
                                  clock_monotonic_ms(), place->dedup_ms, decision->event_id)) {
        decision->merged = sighting->supersedes == NULL;
        if (decision->merged)
            return AIBOX_OK;
        /* What it supersedes must not stand: an event of its own. */
        mergeable = false;
        id_ulid(decision->event_id);
    }
    enum aibox_status status = store_decision(sighting, timestamp_ms);
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

enum aibox_status sighting_conclude(struct sighting *sighting)
{
    struct flow *flow = sighting->flow;
    const struct flow_probe *probe = sighting->probe;
    struct flow_decision *decision = sighting->decision;
    int64_t now_ms = clock_realtime_ms();
    enum aibox_status status = AIBOX_OK;
    decision->reason = conclude(sighting, now_ms);
    decision->passed = decision->reason == FLOW_PASSED;
    if (probe->decided != NULL)
        decision->action = probe->decided(probe->decided_ctx, decision);
    if (decision->reason != FLOW_LOW_QUALITY || settings_bool(flow->settings, "events.low_quality"))
        status = make_event(sighting, probe->timestamp_ms != 0 ? probe->timestamp_ms : now_ms);
    if (status == AIBOX_OK)
        atomic_fetch_add(&flow->decisions[decision->reason], 1);
    return status;
}
