/* Whom a photo resembles: a question without consequences, asked before somebody is enrolled. */
#include <stdlib.h>

#include "flow/flow_internal.h"

static enum aibox_status add(struct flow *flow, const struct gallery_match *match, struct flow_lookalike *out,
                             size_t *count, struct aibox_error *err)
{
    enum aibox_status status = store_person_get_by_id(flow->store, match->person_id, &out[*count].person, err);

    if (status == AIBOX_ID_NOT_FOUND) /* deleted between search and now */
        return AIBOX_OK;
    if (status == AIBOX_OK)
        out[(*count)++].score = match->score < 1 ? match->score : 1;
    return status;
}

enum aibox_status flow_lookalikes(struct flow *flow, const uint8_t *picture, size_t size, float threshold, size_t limit,
                                  struct flow_lookalike *out, size_t *count, struct aibox_error *err)
{
    const struct flow_inspection how = {.wants = FLOW_WANT_EMBEDDING, .max_faces = 1};
    struct gallery_filter filter = {0};
    struct gallery_result result;
    struct flow_face *faces;
    size_t n;
    struct generation *generation = generation_use(flow->generations);
    enum aibox_status status = inspect_with(flow, generation, FLOW_BULK, picture, size, &how, &faces, &n, err);

    *count = 0;
    if (status != AIBOX_OK || n == 0)
        goto out;
    filter.unmasked = faces[0].masked;
    status = gallery_search(generation->gallery, faces[0].embedding, &filter, limit, &result, err);
    if (status == AIBOX_BAD_FEATURE) { /* the network gave nothing usable */
        status = AIBOX_OK;
        goto out;
    }
    for (size_t i = 0; status == AIBOX_OK && i < result.count && result.best[i].score >= threshold; i++)
        status = add(flow, &result.best[i], out, count, err);
    if (status != AIBOX_OK)
        flow_lookalikes_free(out, count);
out:
    generation_done(flow->generations, generation);
    free(faces);
    return status;
}

void flow_lookalikes_free(struct flow_lookalike *list, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        store_person_free(&list[i].person);
    *count = 0;
}
