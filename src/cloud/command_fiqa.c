/* fiqa: judges a picture. */
#include <stdio.h>
#include <stdlib.h>

#include "cloud/command_internal.h"
#include "flow/fiqa.h"

static enum aibox_status write_faces(struct json_out *out, const struct flow_face *faces, size_t count,
                                     struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_array_begin(out);
    for (size_t i = 0; i < count && status == AIBOX_OK; i++) {
        struct buffer face;
        buffer_init(&face, 4096);
        fiqa_face_json(&face, &faces[i]);
        if (face.failed)
            status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
        else
            json_out_raw(out, (const char *)face.data);
        buffer_free(&face);
    }
    json_out_array_end(out);
    json_out_object_end(out);
    return status;
}

static enum aibox_status judge(struct command *command, const json_t *text, enum vision_quality_level level,
                               struct command_result *result, struct aibox_error *err)
{
    struct flow *flow = command->ctx->flow;
    struct flow_inspection how = {
        .wants = FLOW_WANT_QUALITY, .limits = flow_quality_limits(flow, level), .max_faces = VISION_MAX_FACES};
    struct flow_face *faces = NULL;
    uint8_t *picture = NULL;
    size_t size, count = 0;
    enum aibox_status status = argument_photo(text, "info.image_base64_str", &picture, &size, err);

    if (status == AIBOX_OK) {
        status = flow_inspect(flow, FLOW_BULK, picture, size, &how, &faces, &count, err);
        if (status != AIBOX_OK)
            error_prefix(err, "info.image_base64_str");
    }
    if (status == AIBOX_OK)
        status = write_faces(&result->result, faces, count, err);
    if (status == AIBOX_OK && count == 0)
        result->status = AIBOX_NO_FACE;
    if (status == AIBOX_OK)
        (void)snprintf(result->message, sizeof result->message, "%s",
                       count > 0 ? "fiqa done" : "info.image_base64_str: no face found in the picture");
    free(faces);
    free(picture);
    return status;
}

enum aibox_status command_fiqa(struct command *command, struct command_result *result, struct aibox_error *err)
{
    enum vision_quality_level level = QUALITY_HIGH;
    const char *text = NULL;
    bool given;
    json_t *info;
    enum aibox_status status = argument_object(command->body, "info", "info", &info, err);

    if (status == AIBOX_OK && info == NULL)
        status = error_set(err, AIBOX_COMMAND_PARAM, "info: required");
    if (status == AIBOX_OK)
        status = argument_text(info, "image_base64_str", "info.image_base64_str", &text, err);
    if (status == AIBOX_OK && text == NULL)
        status = error_set(err, AIBOX_COMMAND_PARAM, "info.image_base64_str: required");
    if (status == AIBOX_OK)
        status = argument_level(info, "fiqa_level", "info.fiqa_level", &given, &level, err);
    if (status == AIBOX_OK)
        status = judge(command, json_object_get(info, "image_base64_str"), level, result, err);
    return status;
}
