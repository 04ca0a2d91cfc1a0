/* Comparing and recognising: /SophonMatch/api/compare, PictureMatch. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "access/terminals.h"
#include "api/access.h"
#include "api/endpoint.h"
#include "api/names.h"
#include "api/person_json.h"
#include "api/request.h"
#include "api/resources.h"
#include "door/react.h"
#include "flow/devices.h"
#include "flow/event_json.h"
#include "flow/fiqa.h"
#include "flow/flow.h"

/* ---- compare ---- */

static void write_comparison(struct json_out *out, const struct flow_comparison_result *result)
{
    bool named = result->has_person;
    json_out_key_text(out, "retcode", result->same ? "1" : "0");
    json_out_key_float(out, "score", (double)result->score);
    json_out_key_float(out, "threshold", (double)result->threshold);
    json_out_key_bool(out, "masked", result->masked);
    json_out_key_bool(out, "both_masked", result->both_masked);
    json_out_key_text(out, "identity_id", named ? result->person.identity_id : "");
    json_out_key_text(out, "name", named ? result->person.name : "");
    json_out_key_text(out, "event_id", result->event_id);
}

static enum aibox_status compare(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                 struct aibox_error *err)
{
    struct api_bytes first = api_picture(req, "face_image_base64"), second = api_picture(req, "card_image_base64");
    const char *identity_id = api_text(req, "identity_id");
    struct flow_comparison comparison = {.first_name = "face_image_base64", .second_name = "card_image_base64"};
    if (first.data == NULL && identity_id != NULL) { /* one picture, whichever it came as */
        first = second;
        second = (struct api_bytes){NULL, 0};
        comparison.first_name = "card_image_base64";
    }
    if (first.data == NULL)
        return error_set(err, AIBOX_PARAM, "face_image_base64: required");
    if (second.data == NULL && identity_id == NULL)
        return error_set(err, AIBOX_PARAM, "card_image_base64: required (or identity_id)");
    if (second.data != NULL && identity_id != NULL)
        return error_set(err, AIBOX_PARAM, "identity_id: either a second picture or identity_id, not both");
    comparison.first = first.data;
    comparison.first_size = first.size;
    comparison.second = second.data;
    comparison.second_size = second.size;
    comparison.identity_id = identity_id;
    comparison.save = api_bool(req, "need_save");
    comparison.threshold = (float)api_float(req, "threshold");
    comparison.level = api_text(req, "threshold");
    struct flow_comparison_result result;
    enum aibox_status status = flow_compare(ctx->flow, &comparison, &result, err);
    if (status != AIBOX_OK)
        return status;
    struct json_out *out = api_body(res);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    write_comparison(out, &result);
    json_out_object_end(out);
    write_comparison(out, &result);
    json_out_object_end(out);
    store_person_free(&result.person);
    return AIBOX_OK;
}

/* ---- PictureMatch ---- */

/* What is written twice: at the top level and in `data`. */
struct match_answer {
    const struct flow_decision *decision;
    uint8_t *photo; /* enrolled photo, or NULL */
    size_t photo_size;
    struct buffer quality;
};

static void write_person(struct json_out *out, const struct match_answer *answer)
{
    const struct flow_decision *d = answer->decision;
    json_out_key_text(out, "identity_id", d->has_person ? d->person.identity_id : "");
    json_out_key_text(out, "name", d->has_person ? d->person.name : "stranger");
    json_out_key(out, "identity_info");
    if (d->has_person) {
        person_json_info(out, &d->person);
    } else {
        json_out_object_begin(out);
        json_out_object_end(out);
    }
    json_out_key_int(out, "person_type", d->has_person ? d->person.type : 4);
    json_out_key(out, "reg_pic");
    json_out_base64(out, answer->photo, answer->photo_size);
}

static void write_match(struct json_out *out, const struct match_answer *answer)
{
    const struct flow_decision *d = answer->decision;
    json_out_key_text(out, "retcode", d->passed ? "1" : "0");
    json_out_key_text(out, "reason", flow_reason_names[d->reason]);
    json_out_key_float(out, "score", (double)d->score);
    write_person(out, answer);
    json_out_key_text(out, "event_id", d->event_id);
    json_out_key_text(out, "action", d->action);
    json_out_key_text(out, "verdict", flow_verdict_names[d->verdict]);
    json_out_key_float(out, "threshold", (double)d->threshold);
    json_out_key_float(out, "margin", (double)d->margin);
    json_out_key_bool(out, "masked", d->face.masked);
    json_out_key(out, "best");
    json_out_object_begin(out);
    json_out_key_text(out, "identity_id", d->best_identity_id);
    json_out_key_float(out, "score", (double)d->score);
    json_out_object_end(out);
    event_json_stranger(out, &d->stranger);
    json_out_key(out, "quality");
    json_out_raw(out, d->has_face && !answer->quality.failed ? (const char *)answer->quality.data : "{}");
}

static enum aibox_status answer_match(struct api_context *ctx, const struct api_request *req, struct api_response *res,
                                      const struct flow_decision *decision, struct aibox_error *err)
{
    struct match_answer answer = {.decision = decision};
    enum aibox_status status = AIBOX_OK;
    buffer_init(&answer.quality, 8192);
    if (decision->has_face)
        fiqa_face_json(&answer.quality, &decision->face);
    if (decision->reg_image_id[0] != '\0' && api_bool(req, "need_register_photo")) {
        status = store_picture_get(ctx->store, decision->reg_image_id, &answer.photo, &answer.photo_size, err);
        if (status == AIBOX_ID_NOT_FOUND) /* replaced a moment ago */
            status = AIBOX_OK;
    }
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        json_out_object_begin(out);
        json_out_key(out, "data");
        json_out_object_begin(out);
        write_match(out, &answer);
        json_out_object_end(out);
        write_match(out, &answer);
        json_out_object_end(out);
    }
    free(answer.photo);
    buffer_free(&answer.quality);
    return status;
}

/* `off` and `rgb` in both spellings; infrared is documented but needs a second camera. */
static enum aibox_status read_liveness(const struct api_request *req, bool *liveness, struct aibox_error *err)
{
    static const char *const unavailable[] = {"ir_image_base64", "image_file_path"};
    const char *mode = api_text(req, "liveness_mode");
    for (size_t i = 0; i < sizeof unavailable / sizeof unavailable[0]; i++)
        if (api_given(req, unavailable[i]) && api_text(req, unavailable[i])[0] != '\0')
            return error_set(err, AIBOX_NOT_IMPLEMENTED, "%s: not offered on this build", unavailable[i]);
    if (mode == NULL)
        return AIBOX_OK;
    if (strncmp(mode, "liveness_", strlen("liveness_")) == 0)
        mode += strlen("liveness_");
    if (strcmp(mode, "rgb_ir") == 0)
        return error_set(err, AIBOX_NOT_IMPLEMENTED, "liveness_mode: infrared liveness is not offered on this build");
    *liveness = strcmp(mode, "rgb") == 0;
    return AIBOX_OK;
}

/* Where a picture was taken, and what keeps the names in `place` alive. */
struct match_place {
    struct flow_place place;
    const struct device *device; /* NULL: by group */
    const char *group, *permission;
    char ep_id[DEVICE_EP_ID_SIZE];
};

static enum aibox_status place_of_device(struct api_context *ctx, const char *ip, struct match_place *out,
                                         struct aibox_error *err)
{
    struct devices *devices = flow_devices(ctx->flow);
    out->device = devices_find_ip(devices, ip);
    if (out->device == NULL)
        return error_set(err, AIBOX_NOT_FOUND, "device_ip: no device has the address '%s'", ip);
    devices_place(devices, out->device, out->ep_id, &out->place);
    device_touch(out->device);
    return AIBOX_OK;
}

/* A terminal is its device, whatever it says. */
static enum aibox_status place_of_terminal(struct api_context *ctx, const char *device_id, struct match_place *out,
                                           struct aibox_error *err)
{
    struct devices *devices = flow_devices(ctx->flow);
    out->device = devices_find(devices, device_id);
    if (out->device == NULL) {
        /* Should another device get that id, this terminal is not its. */
        (void)terminals_forget(ctx->terminals, device_id, NULL);
        return error_set(err, AIBOX_NOT_FOUND, "the device of this terminal is gone; pair it again");
    }
    device_touch(out->device);
    devices_place(devices, out->device, out->ep_id, &out->place);
    return AIBOX_OK;
}

/* A device goes before a group; an empty device_ip beside a group counts as absent, as forms send it. */
static enum aibox_status read_place(struct api_context *ctx, const struct api_request *req, struct match_place *out,
                                    struct aibox_error *err)
{
    const char *ip = api_text(req, "device_ip");
    enum aibox_status status = AIBOX_OK;
    out->group = api_text(req, "group_name");
    out->permission = api_text(req, "permission_name");
    if (api_grant(req) != NULL && api_grant(req)->way == ACCESS_TERMINAL)
        status = place_of_terminal(ctx, api_grant(req)->device_id, out, err);
    else if (ip != NULL && (ip[0] != '\0' || out->group == NULL))
        status = place_of_device(ctx, ip, out, err);
    else if (out->group == NULL)
        status = error_set(err, AIBOX_PARAM, "device_ip: required (or group_name)");
    else
        out->place = (struct flow_place){.groups = &out->group,
                                         .n_groups = 1,
                                         .permissions = &out->permission,
                                         .n_permissions = out->permission != NULL ? 1 : 0,
                                         .group_must_have_people = true,
                                         .threshold = NAN,
                                         .level = QUALITY_NO};
    if (status == AIBOX_OK && api_given(req, "min_face_size"))
        out->place.min_face = (float)api_int(req, "min_face_size");
    return status;
}

static void explain(enum aibox_status status, struct aibox_error *err)
{
    if (status == AIBOX_IMAGE || status == AIBOX_IMAGE_TOO_LARGE || status == AIBOX_UNSUPPORTED_IMAGE)
        error_prefix(err, "rgb_image_base64");
    else if (status == AIBOX_NOT_FOUND)
        error_prefix(err, "group_name or permission_name");
}

/* The door of the device that a decision is made for. */
struct match_door {
    struct door *door;
    const struct device *device;
};

static const char *drive_door(void *ctx, const struct flow_decision *decision)
{
    const struct match_door *at = ctx;
    return door_react(at->door, at->device, decision);
}

static enum aibox_status recognise(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   const struct match_place *from, struct aibox_error *err)
{
    struct api_bytes picture = api_picture(req, "rgb_image_base64");
    struct flow_probe probe = {
        .picture = picture.data, .picture_size = picture.size, .place = from->place, .with_attributes = true};
    struct match_door door = {.door = ctx->door, .device = from->device};
    struct flow_decision decision;
    char *grab = NULL;
    if (from->device != NULL) { /* by group nobody's door opens */
        probe.decided = drive_door;
        probe.decided_ctx = &door;
    }
    if (api_given(req, "grab_fiqa_info") && (grab = json_dumps(api_json(req, "grab_fiqa_info"), JSON_COMPACT)) == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    probe.grab_fiqa_info = grab;
    enum aibox_status status = flow_recognise(ctx->flow, FLOW_DOOR, &probe, &decision, err);
    free(grab);
    if (status != AIBOX_OK) {
        if (from->device != NULL)
            device_count_drop(from->device);
        explain(status, err);
        return status;
    }
    if (from->device != NULL)
        device_count_frame(from->device, decision.has_face ? 1 : 0);
    status = answer_match(ctx, req, res, &decision, err);
    flow_decision_free(&decision);
    return status;
}

static enum aibox_status match_picture(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    struct match_place from = {.device = NULL};
    bool liveness = false;
    enum aibox_status status = read_liveness(req, &liveness, err);
    if (status == AIBOX_OK)
        status = read_place(ctx, req, &from, err);
    if (status == AIBOX_OK && api_given(req, "liveness_mode"))
        from.place.liveness = liveness;
    if (status == AIBOX_OK)
        status = recognise(ctx, req, res, &from, err);
    device_release(from.device);
    return status;
}

/* ---- the table ---- */

static const struct api_field compare_fields[] = {
    {.name = "face_image_base64", .type = API_PICTURE, .alias = "image1_base64_str", .help = "First picture."},
    {.name = "card_image_base64", .type = API_PICTURE, .alias = "image2_base64_str", .help = "Second picture."},
    {.name = "identity_id",
     .type = API_TEXT,
     .max = 1024,
     .help = "Instead of the second picture: an enrolled person."},
    {.name = "threshold",
     .type = API_NUMBER_OR_WORD,
     .default_text = "middle",
     .min = 0,
     .max = 1,
     .choices = "high|middle|low",
     .help = "Score from which both are the same: a number, or high, middle, low for a false match rate of 1e-5, 1e-4, "
             "1e-3."},
    {.name = "need_save", .type = API_BOOL, .default_text = "false", .help = "True makes an event of it."},
};

static const struct api_field match_fields[] = {
    {.name = "rgb_image_base64",
     .type = API_PICTURE,
     .flags = API_REQUIRED,
     .alias = "image",
     .help = "The picture; as multipart also the file `image`."},
    {.name = "device_ip", .type = API_TEXT, .max = 256, .help = "Address of a registered device."},
    {.name = "group_name", .type = API_TEXT, .max = 1024, .help = "Instead of device_ip: the group to search."},
    {.name = "permission_name",
     .type = API_TEXT,
     .max = 1024,
     .help = "With group_name: the permission group that may pass."},
    {.name = "liveness_mode",
     .type = API_CHOICE,
     .choices = "off|rgb|rgb_ir|liveness_off|liveness_rgb|liveness_rgb_ir",
     .help = "Whether a photo of a face is refused; default: the device's, else off."},
    {.name = "grab_fiqa_info", .type = API_DICT, .help = "What the camera said of the face; copied to the event."},
    {.name = "min_face_size",
     .type = API_INT,
     .min = 0,
     .max = 10000,
     .help = "Smaller faces are overlooked, px; default: the device's, else 0."},
    {.name = "need_register_photo", .type = API_BOOL, .default_text = "true", .help = "False leaves reg_pic empty."},
    {.name = "compare_time", .type = API_JSON, .flags = API_IGNORED, .help = "Without effect."},
    {.name = "need_keep_info", .type = API_JSON, .flags = API_IGNORED, .help = "Without effect."},
    {.name = "with_attribute",
     .type = API_JSON,
     .flags = API_IGNORED,
     .help = "Without effect: age and sex are always judged."},
    {.name = "support_stranger",
     .type = API_JSON,
     .flags = API_IGNORED,
     .help = "Without effect: strangers are always reported."},
    {.name = "ir_image_base64", .type = API_TEXT, .help = "Not offered (50100)."},
    {.name = "image_file_path", .type = API_TEXT, .help = "Not offered (50100)."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_match_endpoints[] = {
    {"POST", "/SophonMatch/api/compare", API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false, FIELDS(compare_fields),
     compare, "recognition", "Compare two faces",
     "{\"face_image_base64\": \"<base64>\", \"card_image_base64\": \"<base64>\"}", .audit = API_AUDIT_NEVER},
    {"POST", "/SophonMatch/api/PictureMatch", API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false, FIELDS(match_fields),
     match_picture, "recognition", "Recognise the largest face: the call of gates and door terminals",
     "{\"rgb_image_base64\": \"<base64>\", \"group_name\": \"default_group\"}", .audit = API_AUDIT_NEVER,
     .terminals = true},
};
const size_t api_match_count = sizeof api_match_endpoints / sizeof api_match_endpoints[0];
