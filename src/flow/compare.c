/* One picture against another, or against one enrolled person. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/id.h"
#include "flow/fiqa.h"
#include "flow/flow_internal.h"

static enum aibox_status inspect_one(struct flow *flow, const struct generation *generation, const uint8_t *picture,
                                     size_t size, const char *name, struct flow_face *face, struct aibox_error *err)
{
    struct flow_inspection how = {.wants = FLOW_WANT_EMBEDDING | FLOW_WANT_QUALITY,
                                  .limits = vision_quality_limits_of(QUALITY_NO),
                                  .max_faces = 1};
    struct flow_face *faces = NULL;
    size_t count;
    enum aibox_status status = inspect_with(flow, generation, FLOW_DOOR, picture, size, &how, &faces, &count, err);
    if (status != AIBOX_OK)
        error_prefix(err, "%s", name);
    else if (count == 0)
        status = error_set(err, AIBOX_NO_FACE, "%s: no face found in the picture", name);
    else
        *face = faces[0];
    free(faces);
    return status;
}

static enum aibox_status save_comparison(struct flow *flow, const struct flow_comparison *comparison,
                                         const struct flow_face *face, struct flow_comparison_result *result,
                                         struct aibox_error *err)
{
    struct buffer fiqa;
    char stranger_id[ID_UUID_SIZE];
    bool known = result->same && result->has_person;
    uint8_t *spot = NULL;
    size_t spot_size = 0;
    enum aibox_status status = AIBOX_OK;
    buffer_init(&fiqa, 8192);
    fiqa_event_json(&fiqa, face, false);
    if (fiqa.failed) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        goto out;
    }
    if (image_sniff(comparison->first, comparison->first_size) != IMAGE_JPEG) {
        struct image image = {0};
        status = image_decode(comparison->first, comparison->first_size, 0, &image, NULL, err);
        if (status == AIBOX_OK)
            status = image_encode_jpeg(&image, 88, &spot, &spot_size, err);
        image_free(&image);
        if (status != AIBOX_OK)
            goto out;
    }
    id_uuid(stranger_id);
    id_ulid(result->event_id);
    struct store_event event = {
        .timestamp_ms = clock_realtime_ms(),
        .identity_id = known ? result->person.identity_id : stranger_id,
        .identity_name = known ? result->person.name : "stranger",
        .person_type = known ? result->person.type : 4,
        .group_name = "",
        .device_id = "",
        .device_ip = "",
        .ep_id = "",
        .device_type = "",
        .reason = flow_reason_names[result->same ? FLOW_PASSED : FLOW_STRANGER],
        .action = "",
        .verdict = result->same ? STORE_KNOWN : STORE_UNKNOWN,
        .score = result->score,
        .threshold = result->threshold,
        .margin = NAN,
        .best_identity_id = result->has_person ? result->person.identity_id : "",
        .best_score = result->score,
        .liveness = NAN,
        .mask = face->quality.mask,
        .room = "",
        .grab_fiqa_info = "{}",
        .box_fiqa_info = (const char *)fiqa.data,
        .supersedes = "",
        .feature = face->embedding,
        .model_set = face->model_set,
        .spot = spot != NULL ? spot : comparison->first,
        .spot_size = spot != NULL ? spot_size : comparison->first_size,
    };
    memcpy(event.event_id, result->event_id, sizeof event.event_id);
    if (known && result->person.n_faces > 0)
        memcpy(event.reg_id, result->person.faces[result->person.n_faces - 1].image_id, sizeof event.reg_id);
    status = store_event_add(flow->store, &event, err);
out:
    free(spot);
    buffer_free(&fiqa);
    return status;
}

enum aibox_status flow_compare(struct flow *flow, const struct flow_comparison *comparison,
                               struct flow_comparison_result *result, struct aibox_error *err)
{
    struct flow_face first = {0}, second = {0};
    memset(result, 0, sizeof *result);
    struct generation *generation = generation_use(flow->generations);
    enum aibox_status status = flow_require_ready(flow, err);
    if (status == AIBOX_OK && comparison->identity_id != NULL) {
        status = store_person_get(flow->store, comparison->identity_id, &result->person, err);
        result->has_person = status == AIBOX_OK;
    }
    if (status == AIBOX_OK)
        status = inspect_one(flow, generation, comparison->first, comparison->first_size, comparison->first_name,
                             &first, err);
    if (status != AIBOX_OK)
        goto out;
    float cosine;
    if (result->has_person) {
        cosine = gallery_score(generation->gallery, first.embedding, result->person.person_id);
        if (isnan(cosine)) {
            status = error_set(err, AIBOX_NO_FACE, "identity_id: '%s' has no face enrolled", comparison->identity_id);
            goto out;
        }
        cosine = apart_score(generation->apart, first.embedding, result->person.person_id, cosine);
    } else {
        status = inspect_one(flow, generation, comparison->second, comparison->second_size, comparison->second_name,
                             &second, err);
        if (status != AIBOX_OK)
            goto out;
        cosine = gallery_cosine(first.embedding, second.embedding);
    }
    bool other_masked =
        result->has_person ? gallery_masked(generation->gallery, result->person.person_id) : second.masked;
    result->score = cosine < 0 ? 0 : cosine > 1 ? 1 : cosine;
    const char *level = comparison->level != NULL ? comparison->level : "middle";
    result->threshold = isnan(comparison->threshold) ? threshold_of_pair(generation, level) : comparison->threshold;
    result->masked = first.masked || other_masked;
    result->both_masked = first.masked && other_masked;
    if (result->masked)
        result->threshold = vision_masked_threshold(generation->vision, result->threshold);
    result->same = result->score >= result->threshold && !result->both_masked;
    if (comparison->save)
        status = save_comparison(flow, comparison, &first, result, err);
out:
    generation_done(flow->generations, generation);
    if (status != AIBOX_OK) {
        store_person_free(&result->person);
        memset(result, 0, sizeof *result);
    }
    return status;
}
