/* "Not this person": what an operator says of an event, and what follows from it for every search. */
#include <string.h>

#include "flow/flow_internal.h"

enum aibox_status flow_search(struct flow *flow, const float *embedding, const struct gallery_filter *filter,
                              struct gallery_result *result, struct aibox_error *err)
{
    enum aibox_status status = gallery_search(flow->gallery, embedding, filter, FLOW_CANDIDATES, result, err);
    if (status != AIBOX_OK)
        return status;
    apart_apply(flow->apart, embedding, result);
    if (result->count > 2)
        result->count = 2;
    return AIBOX_OK;
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
        status = apart_load(flow->apart, flow->store, vision_model_set(flow->vision), err);
    return status;
}

enum aibox_status flow_reject_undo(struct flow *flow, int64_t rejection_id, struct aibox_error *err)
{
    enum aibox_status status = store_rejection_delete(flow->store, rejection_id, err);
    if (status == AIBOX_OK)
        status = apart_load(flow->apart, flow->store, vision_model_set(flow->vision), err);
    return status;
}
