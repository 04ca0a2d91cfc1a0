/* "Not this person": what an operator says of an event, and what follows from it for every search. */
#include <string.h>

#include "flow/flow_internal.h"

enum aibox_status flow_search(const struct generation *generation, const float *embedding,
                              const struct gallery_filter *filter, struct gallery_result *result,
                              struct aibox_error *err)
{
    enum aibox_status status = gallery_search(generation->gallery, embedding, filter, FLOW_CANDIDATES, result, err);
    if (status != AIBOX_OK)
        return status;
    apart_apply(generation->apart, embedding, result);
    if (result->count > 2)
        result->count = 2;
    return AIBOX_OK;
}

static enum aibox_status reload(struct flow *flow, const struct generation *generation, bool unless_empty,
                                struct aibox_error *err)
{
    if (generation == NULL || (unless_empty && apart_is_empty(generation->apart)))
        return AIBOX_OK;
    return apart_load(generation->apart, flow->store, vision_model_set(generation->vision), err);
}

enum aibox_status rejections_reload(struct flow *flow, bool unless_empty, struct aibox_error *err)
{
    struct generation_pair pair = generation_use_both(flow->generations);
    enum aibox_status status = reload(flow, pair.now, unless_empty, err);
    if (status == AIBOX_OK)
        status = reload(flow, pair.next, unless_empty, err);
    generation_both_done(flow->generations, pair);
    return status;
}

static enum aibox_status named_by_event(struct flow *flow, const char *event_id, struct flow_rejection *out,
                                        struct aibox_error *err)
{
    struct store_event event = {0};
    enum aibox_status status = store_event_get(flow->store, event_id, &event, err);
    if (status != AIBOX_OK)
        return status;
    const char *named = event.verdict == STORE_KNOWN ? event.identity_id : event.best_identity_id;
    if (named[0] == '\0')
        status = error_set(err, AIBOX_PARAM, "identity_id: required, since the event names nobody");
    else
        memcpy(out->identity_id, named, strnlen(named, STORE_MAX_IDENTITY));
    store_event_free(&event);
    return status;
}

enum aibox_status flow_reject(struct flow *flow, const char *event_id, const char *identity_id,
                              struct flow_rejection *out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    *out = (struct flow_rejection){0};
    if (identity_id != NULL)
        memcpy(out->identity_id, identity_id, strnlen(identity_id, STORE_MAX_IDENTITY));
    else
        status = named_by_event(flow, event_id, out, err);
    if (status == AIBOX_OK)
        status = store_rejection_add(flow->store, event_id, out->identity_id, &out->rejection_id, err);
    if (status == AIBOX_OK)
        status = rejections_reload(flow, false, err);
    return status;
}

enum aibox_status flow_reject_undo(struct flow *flow, int64_t rejection_id, struct aibox_error *err)
{
    enum aibox_status status = store_rejection_delete(flow->store, rejection_id, err);
    if (status == AIBOX_OK)
        status = rejections_reload(flow, false, err);
    return status;
}
