/* The pictures that an event keeps. */
#include <string.h>

#include "flow/sighting.h"

/* JPEG quality of pictures the box makes itself. */
#define EVENT_JPEG_QUALITY 88
/* Context around the face in `events.spot_picture = face`: share of the box added on each side. */
#define FACE_PICTURE_MARGIN 0.35f

/* The scene, or the face with some context. */
static enum aibox_status make_spot(struct flow *flow, const struct image *image, const float *box, bool keep_scene,
                                   uint8_t **spot, size_t *size, struct aibox_error *err)
{
    char word[8];
    settings_text(flow->settings, "events.spot_picture", word, sizeof word);
    if (strcmp(word, "full") == 0)
        return keep_scene ? AIBOX_OK : image_encode_jpeg(image, EVENT_JPEG_QUALITY, spot, size, err);
    float dx = (box[2] - box[0]) * FACE_PICTURE_MARGIN, dy = (box[3] - box[1]) * FACE_PICTURE_MARGIN;
    struct image crop = {0};
    enum aibox_status status = image_crop(image, (int)(box[0] - dx), (int)(box[1] - dy),
                                          (int)(box[2] - box[0] + 2 * dx), (int)(box[3] - box[1] + 2 * dy), &crop, err);
    if (status == AIBOX_OK)
        status = image_encode_jpeg(&crop, EVENT_JPEG_QUALITY, spot, size, err);
    image_free(&crop);
    return status;
}

enum aibox_status sighting_scene(const struct image *image, uint8_t **jpeg, size_t *size, struct aibox_error *err)
{
    return image_encode_jpeg(image, EVENT_JPEG_QUALITY, jpeg, size, err);
}

enum aibox_status sighting_pictures(struct flow *flow, const struct image *image, const struct vision_face *face,
                                    bool keep_scene, uint8_t **spot, size_t *spot_size, uint8_t **aligned,
                                    size_t *aligned_size, struct aibox_error *err)
{
    struct image upright = {0};
    *spot = *aligned = NULL;
    *spot_size = *aligned_size = 0;
    enum aibox_status status = make_spot(flow, image, face->box, keep_scene, spot, spot_size, err);
    if (status == AIBOX_OK)
        status = vision_align(image, face, &upright, err);
    if (status == AIBOX_OK)
        status = image_encode_jpeg(&upright, EVENT_JPEG_QUALITY, aligned, aligned_size, err);
    image_free(&upright);
    return status;
}
