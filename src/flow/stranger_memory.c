#include "flow/stranger_memory.h"

#include <math.h>
#include <stdlib.h>

#include "core/log.h"
#include "store/strangers.h"

void flow_strangers_apply(struct flow *flow)
{
    struct settings *settings = flow->settings;
    bool on = settings_bool(settings, "recognition.stranger_memory");
    struct store_stranger_rules rules = {
        .keep = on ? (size_t)settings_int(settings, "recognition.stranger_keep") : 0,
        .days = (unsigned)settings_int(settings, "recognition.stranger_days"),
        .absent_ms = settings_int(settings, "recognition.stranger_absent_minutes") * 60000,
    };
    struct aibox_error err;
    size_t forgotten = 0;

    store_set_strangers(flow->store, &rules);
    if (on)
        return;
    /* What fails here is done by the store's upkeep. */
    if (store_strangers_delete_all(flow->store, &forgotten, &err) != AIBOX_OK)
        log_warn("flow", "strangers are not forgotten yet reason=\"%s\"", err.message);
    else if (forgotten > 0)
        log_info("flow", "strangers were forgotten count=%zu", forgotten);
}

bool stranger_memory_claim(struct flow *flow, const struct generation *generation, const struct flow_decision *decision,
                           struct strangers_claim *claim, struct store_stranger_mark *mark)
{
    if (decision->reason != FLOW_STRANGER || decision->face.faint || decision->face.masked ||
        !settings_bool(flow->settings, "recognition.stranger_memory"))
        return false;
    struct vision_quality_limits limits = flow_quality_limits(flow, QUALITY_CUSTOM);
    if (!vision_quality_meets(&decision->face.quality, &limits))
        return false;
    struct aibox_error err;
    if (strangers_take_over(generation->strangers, &err) != AIBOX_OK)
        log_warn("flow", "strangers of another model set are not forgotten yet reason=\"%s\"", err.message);
    return strangers_claim(generation->strangers, decision->face.embedding, threshold_of_strangers(flow, generation),
                           claim, mark);
}

size_t flow_strangers_count(struct flow *flow)
{
    struct generation *generation = generation_use(flow->generations);
    size_t count = strangers_count(generation->strangers);
    generation_done(flow->generations, generation);
    return count;
}

/* ---- enrolment -------------------------------------------------------------------------------------------- */

static void note_past(void *ctx, const struct store_stranger *stranger)
{
    struct flow_past_strangers *out = ctx;

    out->items[out->count++] = (struct flow_past_stranger){.stranger_id = stranger->stranger_id,
                                                           .visits = stranger->visits,
                                                           .first_ms = stranger->first_ms,
                                                           .last_ms = stranger->last_ms};
}

static enum aibox_status forget(struct flow *flow, int64_t stranger_id, struct flow_past_strangers *out,
                                struct aibox_error *err)
{
    struct store_stranger_query query = {.stranger_id = stranger_id, .limit = 1};
    enum aibox_status status = AIBOX_OK;

    if (out != NULL)
        status = store_stranger_list(flow->store, &query, note_past, out, NULL, err);
    if (status == AIBOX_OK)
        status = store_stranger_delete(flow->store, stranger_id, err);
    return status == AIBOX_NOT_FOUND ? AIBOX_OK : status; /* gone meanwhile */
}

void stranger_memory_enrolled(struct flow *flow, const struct generation *generation, const float *embedding,
                              struct flow_past_strangers *out)
{
    struct gallery_match found[FLOW_PAST_STRANGERS];
    size_t n = strangers_search(generation->strangers, embedding, threshold_of_strangers(flow, generation),
                                FLOW_PAST_STRANGERS, found);
    struct aibox_error err;

    for (size_t i = 0; i < n; i++)
        if (forget(flow, found[i].person_id, out, &err) != AIBOX_OK)
            log_warn("flow", "a stranger who was enrolled is not forgotten stranger_id=%lld reason=\"%s\"",
                     (long long)found[i].person_id, err.message);
}

/* ---- "was this face here before?" ------------------------------------------------------------------------- */

enum aibox_status flow_strangers_like(struct flow *flow, const uint8_t *picture, size_t size, float threshold,
                                      size_t limit, struct flow_stranger_match *out, size_t *count,
                                      struct aibox_error *err)
{
    const struct flow_inspection how = {.wants = FLOW_WANT_EMBEDDING, .max_faces = 1};
    struct gallery_match found[GALLERY_MAX_RESULTS];
    struct flow_face *faces = NULL;
    size_t n = 0;
    enum aibox_status status = flow_require_ready(flow, err);
    struct generation *generation = generation_use(flow->generations);

    *count = 0;
    if (status == AIBOX_OK)
        status = inspect_with(flow, generation, FLOW_BULK, picture, size, &how, &faces, &n, err);
    if (status == AIBOX_OK && n == 0)
        status = error_set(err, AIBOX_NO_FACE, "no face found in the picture");
    if (status == AIBOX_OK && !faces[0].masked)
        *count =
            strangers_search(generation->strangers, faces[0].embedding,
                             isnan(threshold) ? threshold_of_strangers(flow, generation) : threshold, limit, found);
    for (size_t i = 0; i < *count; i++)
        out[i] = (struct flow_stranger_match){found[i].person_id, fminf(found[i].score, 1)};
    free(faces);
    generation_done(flow->generations, generation);
    return status;
}
