#include "flow/reembed.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"

#define PAGE 32

enum aibox_status reembed_open(struct reembed *reembed, struct flow *flow, const struct vision *vision, int64_t after,
                               struct aibox_error *err)
{
    *reembed = (struct reembed){.flow = flow, .after = after};
    enum aibox_status status = vision_worker_open(vision, &reembed->worker, err);
    if (status == AIBOX_OK)
        reembed->vision = vision;
    return status;
}

void reembed_close(struct reembed *reembed)
{
    vision_worker_close(reembed->worker);
    reembed->worker = NULL;
    reembed->vision = NULL;
}

/* The photo of a face; NULL: there is none any more, or never was. */
static uint8_t *read_photo(struct store *store, const struct store_lacking_face *face, size_t *size)
{
    struct store_person person = {0};
    uint8_t *bytes = NULL;
    if (store_person_get_by_id(store, face->person_id, &person, NULL) != AIBOX_OK)
        return NULL;
    for (size_t i = 0; i < person.n_faces; i++)
        if (strcmp(person.faces[i].face_id, face->face_id) == 0 && person.faces[i].image_id[0] != '\0' &&
            store_picture_get(store, person.faces[i].image_id, &bytes, size, NULL) != AIBOX_OK)
            bytes = NULL;
    store_person_free(&person);
    return bytes;
}

/* PROCESS_FAILED: not the face's fault, to be tried again. */
static enum aibox_status embed_face(struct reembed *reembed, const struct store_lacking_face *face,
                                    enum reembed_outcome *outcome, struct aibox_error *err)
{
    struct flow *flow = reembed->flow;
    float embedding[VISION_DIMENSION];
    size_t size = 0;
    uint8_t *photo = read_photo(flow->store, face, &size);
    *outcome = REEMBED_WITHOUT_PHOTO;
    if (photo == NULL)
        return AIBOX_OK;
    enum aibox_status status = look_embedding(flow, reembed->worker, photo, size, embedding, err);
    free(photo);
    if (status == AIBOX_OK)
        status = store_face_feature_add(flow->store, face->person_id, face->face_id, vision_model_set(reembed->vision),
                                        embedding, err);
    if (status == AIBOX_PROCESS_FAILED)
        return status;
    /* Deleted meanwhile: nothing lacks any more. */
    *outcome = status == AIBOX_OK || status == AIBOX_ID_NOT_FOUND ? REEMBED_DONE : REEMBED_FAILED;
    if (*outcome == REEMBED_FAILED)
        log_warn("flow", "a face could not be embedded anew person_id=%lld reason=\"%s\"", (long long)face->person_id,
                 err->message);
    return AIBOX_OK;
}

enum aibox_status reembed_work(struct reembed *reembed, reembed_go_on go_on, void *ctx, bool *all,
                               struct aibox_error *err)
{
    struct store_lacking_face faces[PAGE];
    const char *model_set = vision_model_set(reembed->vision);
    int64_t newest = 0;
    size_t n = PAGE;
    *all = false;
    enum aibox_status status = store_faces_newest(reembed->flow->store, &newest, err);
    while (status == AIBOX_OK && n == PAGE && newest > reembed->after) {
        status = store_faces_lacking(reembed->flow->store, model_set, reembed->after, PAGE, faces, &n, err);
        for (size_t i = 0; status == AIBOX_OK && i < n; i++) {
            if (!go_on(ctx, NULL))
                return AIBOX_OK;
            enum reembed_outcome outcome;
            status = embed_face(reembed, &faces[i], &outcome, err);
            if (status != AIBOX_OK)
                return status;
            reembed->after = faces[i].face_row;
            if (!go_on(ctx, &outcome))
                return AIBOX_OK;
        }
    }
    if (status != AIBOX_OK)
        return status;
    if (newest > reembed->after)
        reembed->after = newest;
    *all = true;
    return AIBOX_OK;
}
