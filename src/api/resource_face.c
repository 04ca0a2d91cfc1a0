/* Looking at pictures: /SophonFace/api/FIQA, detect, images. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/resources.h"
#include "core/fetch.h"
#include "flow/fiqa.h"
#include "flow/flow.h"

/* A face's text is at most a few hundred bytes; 128 faces. */
#define FACE_TEXT_MAX 4096

static void write_fiqa(struct json_out *out, const struct flow_face *face)
{
    struct buffer text;
    buffer_init(&text, FACE_TEXT_MAX);
    fiqa_face_json(&text, face);
    out->buffer.failed |= text.failed;
    if (!text.failed)
        json_out_raw(out, (const char *)text.data);
    buffer_free(&text);
}

static enum aibox_status judge(struct api_context *ctx, struct api_request *req, struct api_response *res,
                               struct aibox_error *err)
{
    enum vision_quality_level level = QUALITY_HIGH;
    vision_quality_level_parse(api_text(req, "fiqa_level"), &level);
    struct flow_inspection how = {
        .wants = FLOW_WANT_QUALITY, .limits = flow_quality_limits(ctx->flow, level), .max_faces = VISION_MAX_FACES};
    struct api_bytes picture = api_picture(req, "image_base64_str");
    struct flow_face *faces = NULL;
    size_t count;
    enum aibox_status status =
        flow_inspect(ctx->flow, FLOW_BULK, picture.data, picture.size, &how, &faces, &count, err);
    if (status != AIBOX_OK)
        error_prefix(err, "image_base64_str");
    else if (count == 0)
        status = error_set(err, AIBOX_NO_FACE, "image_base64_str: no face found in the picture");
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        json_out_object_begin(out);
        json_out_key(out, "data");
        json_out_array_begin(out);
        for (size_t i = 0; i < count; i++)
            write_fiqa(out, &faces[i]);
        json_out_array_end(out);
        json_out_object_end(out);
    }
    free(faces);
    return status;
}

/* ---- detect ---- */

static void write_landmark(struct json_out *out, const struct flow_face *face)
{
    json_out_key(out, "landmark");
    json_out_array_begin(out);
    for (int axis = 0; axis < 2; axis++)
        for (int i = 0; i < 5; i++)
            json_out_float(out, (double)roundf(face->face.points[i][axis] * 10) / 10);
    json_out_array_end(out);
}

static void write_headpose(struct json_out *out, const struct vision_pose *pose)
{
    json_out_key(out, "headpose");
    json_out_object_begin(out);
    json_out_key_float(out, "pitch_angle", (double)roundf(pose->pitch * 10) / 10);
    json_out_key_float(out, "roll_angle", (double)roundf(pose->roll * 10) / 10);
    json_out_key_float(out, "yaw_angle", (double)roundf(pose->yaw * 10) / 10);
    json_out_object_end(out);
}

static void write_attribute(struct json_out *out, const struct flow_face *face)
{
    bool male = face->male >= 0.5f;
    json_out_key(out, "attribute");
    json_out_object_begin(out);
    json_out_key_int(out, "age", lroundf(face->age));
    json_out_key_text(out, "gender", male ? "male" : "female");
    json_out_key_int(out, "sex", male ? 0 : 1);
    json_out_object_end(out);
    json_out_key_float(out, "liveness", (double)face->live);
}

/* L2-normalised: what import_mode takes and what cosines are made of. */
static void write_feature(struct json_out *out, const struct flow_face *face)
{
    json_out_key(out, "feature");
    json_out_array_begin(out);
    for (int i = 0; i < VISION_DIMENSION; i++)
        json_out_float(out, (double)(face->norm > 0 ? face->embedding[i] / face->norm : 0));
    json_out_array_end(out);
}

static void write_face(struct json_out *out, const struct flow_face *face, unsigned wants)
{
    struct buffer box;
    buffer_init(&box, FACE_TEXT_MAX);
    fiqa_bbox_json(&box, &face->face);
    json_out_object_begin(out);
    json_out_key(out, "bbox");
    json_out_raw(out, box.failed ? "[]" : (const char *)box.data);
    json_out_key_float(out, "score", (double)face->face.score);
    if (wants & FLOW_WANT_POINTS)
        write_landmark(out, face);
    if (wants & FLOW_WANT_POSE)
        write_headpose(out, &face->pose);
    if (wants & FLOW_WANT_AGE_SEX)
        write_attribute(out, face);
    if (wants & FLOW_WANT_EMBEDDING)
        write_feature(out, face);
    json_out_object_end(out);
    buffer_free(&box);
}

static enum aibox_status fetch_picture(const char *url, struct fetch_result *fetched, struct aibox_error *err)
{
    struct fetch_options options = {
        .timeout_ms = 10000, .max_bytes = IMAGE_MAX_BYTES, .max_redirects = 3, .verify_tls = true};
    if (fetch_get(url, &options, fetched, err) == AIBOX_OK)
        return AIBOX_OK;
    error_prefix(err, "image_url");
    /* Remote failures have codes of their own only in commands; here the argument is at fault. */
    if (err->status != AIBOX_IMAGE_TOO_LARGE)
        err->status = AIBOX_IMAGE;
    return err->status;
}

static enum aibox_status detect(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                struct aibox_error *err)
{
    struct api_bytes picture = api_picture(req, "image_base64_str");
    const char *url = api_text(req, "image_url");
    const char *source = picture.data != NULL ? "image_base64_str" : "image_url";
    struct fetch_result fetched = {0};
    if (picture.data == NULL && url == NULL)
        return error_set(err, AIBOX_PARAM, "image_base64_str: required (or image_url)");
    if (picture.data == NULL) {
        enum aibox_status failed = fetch_picture(url, &fetched, err);
        if (failed != AIBOX_OK)
            return failed;
        picture = (struct api_bytes){fetched.body, fetched.size};
    }
    struct flow_inspection how = {.max_faces = (size_t)api_int(req, "max_num_faces")};
    if (api_bool(req, "with_landmark"))
        how.wants |= FLOW_WANT_POINTS;
    if (api_bool(req, "with_headpose"))
        how.wants |= FLOW_WANT_POSE;
    if (api_bool(req, "with_attribute"))
        how.wants |= FLOW_WANT_AGE_SEX | FLOW_WANT_LIVENESS;
    if (api_bool(req, "with_feature"))
        how.wants |= FLOW_WANT_EMBEDDING;
    struct flow_face *faces = NULL;
    size_t count;
    enum aibox_status status =
        flow_inspect(ctx->flow, FLOW_BULK, picture.data, picture.size, &how, &faces, &count, err);
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        json_out_object_begin(out);
        json_out_key(out, "data");
        json_out_array_begin(out);
        for (size_t i = 0; i < count; i++)
            write_face(out, &faces[i], how.wants);
        json_out_array_end(out);
        json_out_object_end(out);
    } else {
        error_prefix(err, "%s", source);
    }
    free(faces);
    fetch_result_free(&fetched);
    return status;
}

/* ---- stored pictures ---- */

enum aibox_status api_answer_jpeg(struct api_response *res, uint8_t *bytes, size_t size, struct aibox_error *err)
{
    if (image_sniff(bytes, size) == IMAGE_JPEG) {
        api_reply_bytes_take(res, "image/jpeg", bytes, size);
        return AIBOX_OK;
    }
    struct image image = {0};
    uint8_t *jpeg = NULL;
    size_t jpeg_size = 0;
    enum aibox_status status = image_decode(bytes, size, 0, &image, NULL, err);
    if (status == AIBOX_OK)
        status = image_encode_jpeg(&image, 90, &jpeg, &jpeg_size, err);
    image_free(&image);
    free(bytes);
    if (status == AIBOX_OK)
        api_reply_bytes_take(res, "image/jpeg", jpeg, jpeg_size);
    return status;
}

static enum aibox_status read_image(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                    struct aibox_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum aibox_status status = store_picture_get(ctx->store, api_text(req, "image_id"), &bytes, &size, err);
    return status == AIBOX_OK ? api_answer_jpeg(res, bytes, size, err) : status;
}

/* ---- the table ---- */

static const struct api_field fiqa_fields[] = {
    {.name = "image_base64_str", .type = API_PICTURE, .flags = API_REQUIRED, .help = "The picture to be judged."},
    {.name = "fiqa_level",
     .type = API_CHOICE,
     .default_text = "high",
     .choices = "high|middle|low|custom|no",
     .help = "How strictly."},
};

static const struct api_field detect_fields[] = {
    {.name = "image_base64_str", .type = API_PICTURE, .help = "The picture; or image_url."},
    {.name = "image_url", .type = API_TEXT, .max = 2048, .help = "http or https address of the picture, 5 MB, 10 s."},
    {.name = "with_feature", .type = API_BOOL, .default_text = "false", .help = "The face's 512 numbers, of length 1."},
    {.name = "with_attribute", .type = API_BOOL, .default_text = "false", .help = "Age, sex and liveness."},
    {.name = "with_headpose", .type = API_BOOL, .default_text = "false", .help = "Pitch, roll and yaw, degrees."},
    {.name = "with_landmark", .type = API_BOOL, .default_text = "false", .help = "Five points: x1..x5, y1..y5."},
    {.name = "max_num_faces",
     .type = API_INT,
     .default_text = "10",
     .min = 1,
     .max = VISION_MAX_FACES,
     .help = "Faces at most, largest first."},
};

static const struct api_field image_fields[] = {
    {.name = "image_id", .type = API_TEXT, .flags = API_REQUIRED, .max = 64, .help = "Id of an enrolled photo."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_face_endpoints[] = {
    {"POST", "/SophonFace/api/FIQA", API_BODY_JSON | API_BODY_FORM, API_VIEWER, false, FIELDS(fiqa_fields), judge,
     "faces", "Judge the quality of faces", "{\"image_base64_str\": \"<base64>\", \"fiqa_level\": \"high\"}",
     .audit = API_AUDIT_NEVER},
    {"POST", "/SophonFace/api/detect", API_BODY_JSON | API_BODY_FORM, API_VIEWER, false, FIELDS(detect_fields), detect,
     "faces", "Find faces", "{\"image_base64_str\": \"<base64>\", \"with_landmark\": true}", .audit = API_AUDIT_NEVER},
    {"GET", "/SophonFace/api/images/{image_id}", API_QUERY, API_VIEWER, false, FIELDS(image_fields), read_image,
     "faces", "Read an enrolled photo as JPEG", NULL},
};
const size_t api_face_count = sizeof api_face_endpoints / sizeof api_face_endpoints[0];
