/* Whether a face that is enrolled is somebody else's already. */
#include <math.h>
#include <string.h>

#include "flow/flow_internal.h"

/* The person themself, and who is nearest besides. */
#define LOOK_AT 2

static float threshold_of(struct flow *flow, const struct generation *generation)
{
    struct flow_threshold threshold;
    double wanted = settings_float(flow->settings, "recognition.duplicate_threshold");
    if (!isnan(wanted))
        return (float)wanted;
    threshold_get(flow, generation, &threshold);
    return threshold.threshold;
}

float flow_duplicate_threshold(struct flow *flow)
{
    struct generation *generation = generation_use(flow->generations);
    float threshold = threshold_of(flow, generation);
    generation_done(flow->generations, generation);
    return threshold;
}

enum aibox_status duplicate_find(struct flow *flow, const struct generation *generation, const float *embedding,
                                 const char *identity_id, struct flow_duplicate *out, struct aibox_error *err)
{
    struct gallery_result result;
    struct gallery_filter filter = {.unmasked = vision_mask(generation->vision, embedding) > VISION_MASKED};
    float least = threshold_of(flow, generation);
    if (filter.unmasked)
        least = vision_masked_threshold(generation->vision, least);
    *out = (struct flow_duplicate){0};
    enum aibox_status status = gallery_search(generation->gallery, embedding, &filter, LOOK_AT, &result, err);
    for (size_t i = 0; status == AIBOX_OK && i < result.count && result.best[i].score >= least && !out->found; i++) {
        struct store_person person = {0};
        status = store_person_get_by_id(flow->store, result.best[i].person_id, &person, err);
        if (status == AIBOX_ID_NOT_FOUND) { /* deleted meanwhile */
            status = AIBOX_OK;
        } else if (status == AIBOX_OK && strcmp(person.identity_id, identity_id) != 0) {
            out->found = true;
            out->score = fminf(result.best[i].score, 1.0f);
            memcpy(out->identity_id, person.identity_id, strnlen(person.identity_id, STORE_MAX_IDENTITY));
            memcpy(out->name, person.name, strnlen(person.name, STORE_MAX_NAME));
        }
        store_person_free(&person);
    }
    return status;
}
