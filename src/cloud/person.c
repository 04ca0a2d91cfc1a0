#include "cloud/person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "vision/image.h"

#define DOWNLOAD_MS      10000
#define DEAD_DOWNLOAD_MS 2000 /* of a server that hasn't answered … */
#define DEAD_DOWNLOADS   24   /* … so many times in a row */
#define MAX_REDIRECTS    3

/* ---- outcomes ---------------------------------------------------------------------------------------------- */

void person_outcome_free(struct person_outcome *outcome)
{
    free(outcome->name);
    free(outcome->message);
    *outcome = (struct person_outcome){0};
}

void person_outcome_set(struct person_outcome *outcome, enum aibox_status status, const char *message)
{
    /* A photo without a face has a code of its own here. */
    if (status == AIBOX_NO_FACE)
        status = AIBOX_NO_FACE_IN_PICTURE;
    outcome->code = status_code(argument_status(status));
    if (outcome->type == 0)
        outcome->type = 1;
    free(outcome->message);
    outcome->message = strdup(message);
}

char *person_outcome_print(const struct person_outcome *outcome)
{
    json_t *object = json_pack("{s:i, s:i, s:s, s:s}", "code", outcome->code, "type", outcome->type, "name",
                               outcome->name != NULL ? outcome->name : "", "message",
                               outcome->message != NULL ? outcome->message : "");
    char *text = json_dumps(object, JSON_COMPACT);

    json_decref(object);
    return text;
}

bool person_outcome_read(const char *text, struct person_outcome *out)
{
    const char *name, *message;
    json_t *object = json_loads(text, 0, NULL);

    *out = (struct person_outcome){0};
    if (json_unpack(object, "{s:i, s:i, s:s, s:s}", "code", &out->code, "type", &out->type, "name", &name, "message",
                    &message) == 0) {
        out->name = strdup(name);
        out->message = strdup(message);
    }
    json_decref(object);
    if (out->name != NULL && out->message != NULL)
        return true;
    person_outcome_free(out);
    return false;
}

void person_outcome_write(struct json_out *out, const char *id, const struct person_outcome *outcome, bool code_as_text,
                          bool brief)
{
    char code[16], short_id[STORE_MAX_IDENTITY + 1];
    size_t length = utf8_prefix(id, strlen(id), STORE_MAX_IDENTITY);

    memcpy(short_id, id, length);
    short_id[length] = '\0';
    (void)snprintf(code, sizeof code, "%d", outcome->code);
    json_out_object_begin(out);
    json_out_key_text(out, "userid", brief ? short_id : id);
    json_out_key_text(out, "username", brief || outcome->name == NULL ? "" : outcome->name);
    json_out_key_text(out, "message", brief || outcome->message == NULL ? "" : outcome->message);
    if (code_as_text)
        json_out_key_text(out, "code", code);
    else
        json_out_key_int(out, "code", outcome->code);
    json_out_key_int(out, "type", outcome->type != 0 ? outcome->type : 1);
    json_out_object_end(out);
}

/* ---- reading ----------------------------------------------------------------------------------------------- */

/* A person as read. Texts are borrowed from the JSON. */
struct reading {
    const char *identity_id;
    json_t *info;
    char *info_text;
    const char **permissions;
    size_t n_permissions;
    enum vision_quality_level level;
    uint8_t *photo;
    size_t photo_size;
    float *feature;
};

static void reading_free(struct reading *reading)
{
    free(reading->info_text);
    free(reading->permissions);
    free(reading->photo);
    free(reading->feature);
}

static enum aibox_status out_of_memory(struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

/* Name and type, as far as they can be read: the result tells them of failures too. */
static enum aibox_status read_name_and_type(json_t *info, struct person_outcome *outcome, struct aibox_error *err)
{
    const char *name;
    json_t *type = json_object_get(info, "type");
    enum aibox_status status = argument_text(info, "name", "info.name", &name, err);

    if (status == AIBOX_OK && name != NULL && strlen(name) > STORE_MAX_NAME)
        status = error_set(err, AIBOX_COMMAND_PARAM, "info.name: longer than %d bytes", STORE_MAX_NAME);
    if (name != NULL && (outcome->name = strndup(name, utf8_prefix(name, strlen(name), STORE_MAX_NAME))) == NULL)
        return out_of_memory(err);
    /* null counts as absent */
    if (name == NULL)
        json_object_del(info, "name");
    if (type == NULL || json_is_null(type)) {
        json_object_del(info, "type");
        return status;
    }
    const char *digit = json_string_value(type);
    json_int_t value = json_is_integer(type)                 ? json_integer_value(type)
                       : digit != NULL && strlen(digit) == 1 ? digit[0] - '0'
                                                             : 0;
    if (value < 1 || value > 5)
        return status == AIBOX_OK ? error_set(err, AIBOX_COMMAND_PARAM, "info.type: an integer from 1 to 5 is expected")
                                  : status;
    outcome->type = (int)value;
    return json_object_set_new(info, "type", json_integer(value)) == 0 ? status : out_of_memory(err);
}

static enum aibox_status read_permissions(struct reading *reading, struct aibox_error *err)
{
    json_t *list;
    enum aibox_status status =
        argument_list(reading->info, "permission_ids", "info.permission_ids", COMMAND_MAX_PERMISSIONS, &list, err);

    if (status == AIBOX_OK)
        status = argument_ids(list, "info.permission_ids", err);
    if (status != AIBOX_OK)
        return status;
    reading->n_permissions = json_array_size(list);
    reading->permissions = calloc(reading->n_permissions + 1, sizeof *reading->permissions);
    if (reading->permissions == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < reading->n_permissions; i++)
        reading->permissions[i] = json_string_value(json_array_get(list, i));
    return AIBOX_OK;
}

static enum aibox_status read_info(json_t *person, struct reading *reading, struct person_outcome *outcome,
                                   struct aibox_error *err)
{
    enum aibox_status status = argument_object(person, "info", "info", &reading->info, err);

    if (status == AIBOX_OK && reading->info == NULL)
        status = error_set(err, AIBOX_COMMAND_PARAM, "info: required");
    if (status == AIBOX_OK)
        status = read_name_and_type(reading->info, outcome, err);
    if (status == AIBOX_OK)
        status = read_permissions(reading, err);
    if (status == AIBOX_OK && (reading->info_text = json_dumps(reading->info, JSON_COMPACT)) == NULL)
        status = out_of_memory(err);
    return status;
}

/* The person's own level, else the command's, else what goes with the register type: 1 regular, 2 stranger. */
static enum aibox_status read_level(json_t *person, const struct person_defaults *defaults, struct reading *reading,
                                    struct aibox_error *err)
{
    const json_t *type = json_object_get(person, "register_type");
    const char *digit = json_string_value(type);
    json_int_t value = 1;
    bool given;

    if (json_is_integer(type))
        value = json_integer_value(type);
    else if (digit != NULL)
        value = strlen(digit) == 1 ? digit[0] - '0' : 0;
    else if (type != NULL && !json_is_null(type))
        value = 0;
    if (value != 1 && value != 2)
        return error_set(err, AIBOX_COMMAND_PARAM, "register_type: 1 or 2 is expected");
    reading->level = defaults->has_level ? defaults->level : value == 1 ? QUALITY_HIGH : QUALITY_CUSTOM;
    return argument_level(person, "fiqa_level", "fiqa_level", &given, &reading->level, err);
}

static enum aibox_status read_feature(json_t *person, struct reading *reading, struct aibox_error *err)
{
    json_t *list;
    size_t i;
    const json_t *value;
    enum aibox_status status = argument_list(person, "feature", "feature", SIZE_MAX, &list, err);

    if (status == AIBOX_OK && list == NULL)
        return error_set(err, AIBOX_COMMAND_PARAM,
                         "feature: required with import_mode (or extend_params.get_features_url)");
    if (status == AIBOX_OK && json_array_size(list) != VISION_DIMENSION)
        return error_set(err, AIBOX_BAD_FEATURE, "feature: %d values are expected, got %zu", VISION_DIMENSION,
                         json_array_size(list));
    if (status != AIBOX_OK)
        return status;
    reading->feature = calloc(VISION_DIMENSION, sizeof *reading->feature);
    if (reading->feature == NULL)
        return out_of_memory(err);
    json_array_foreach(list, i, value)
    {
        if (!json_is_number(value))
            return error_set(err, AIBOX_COMMAND_PARAM, "feature[%zu]: a number is expected", i);
        reading->feature[i] = (float)json_number_value(value);
    }
    return AIBOX_OK;
}

/* ---- the photo --------------------------------------------------------------------------------------------- */

static enum aibox_status download(struct person_downloads *downloads, struct fetcher *fetcher, enum address_use use,
                                  const char *field, const char *text, struct reading *reading, struct aibox_error *err)
{
    const struct command_context *ctx = downloads->ctx;
    bool dead = atomic_load(&downloads->unanswered) >= DEAD_DOWNLOADS;
    struct fetch_options options = {.timeout_ms = dead ? DEAD_DOWNLOAD_MS : DOWNLOAD_MS,
                                    .max_bytes = IMAGE_MAX_BYTES,
                                    .max_redirects = MAX_REDIRECTS,
                                    .verify_tls = ctx->verify_tls,
                                    .stop = ctx->stop};
    struct fetch_result got = {0};
    char *url = NULL;
    enum aibox_status status = address_compose(&ctx->platform, use, field, text, &url, err);

    if (status != AIBOX_OK)
        return status;
    status = fetcher_get(fetcher, url, &options, &got, err);
    if (got.unanswered)
        atomic_fetch_add(&downloads->unanswered, 1);
    else
        atomic_store(&downloads->unanswered, 0);
    if (status == AIBOX_OK && got.size == 0)
        status = error_set(err, AIBOX_IMAGE, "the answer is empty");
    if (status != AIBOX_OK)
        error_prefix(err, "%s", field);
    if (status == AIBOX_OK) {
        reading->photo = got.body;
        reading->photo_size = got.size;
        got.body = NULL;
    }
    fetch_result_free(&got);
    free(url);
    return status;
}

static enum aibox_status load_photo(struct person_downloads *downloads, struct fetcher *fetcher, json_t *person,
                                    struct reading *reading, struct aibox_error *err)
{
    const char *photo, *url, *relative;
    enum aibox_status status = argument_text(person, "reg_photo", "reg_photo", &photo, err);

    if (status == AIBOX_OK)
        status = argument_text(person, "reg_url", "reg_url", &url, err);
    if (status == AIBOX_OK)
        status = argument_text(person, "relative_pic_url", "relative_pic_url", &relative, err);
    if (status != AIBOX_OK)
        return status;
    if (photo != NULL && photo[0] != '\0')
        return argument_photo(json_object_get(person, "reg_photo"), "reg_photo", &reading->photo, &reading->photo_size,
                              err);
    if (url != NULL && url[0] != '\0')
        return download(downloads, fetcher, ADDRESS_PICTURE, "reg_url", url, reading, err);
    if (relative != NULL && relative[0] != '\0')
        return download(downloads, fetcher, ADDRESS_RELATIVE_PICTURE, "relative_pic_url", relative, reading, err);
    return error_set(err, AIBOX_COMMAND_PARAM, "reg_photo: required (or reg_url, or relative_pic_url)");
}

/* ---- enrolling --------------------------------------------------------------------------------------------- */

static enum aibox_status read_person(struct person_downloads *downloads, struct fetcher *fetcher,
                                     const struct person_defaults *defaults, json_t *person, struct reading *reading,
                                     struct person_outcome *outcome, struct aibox_error *err)
{
    bool given, import = defaults->import;
    enum aibox_status status = read_info(person, reading, outcome, err);

    if (status == AIBOX_OK)
        status = argument_id(person, "identity_id", "identity_id", &reading->identity_id, err);
    if (status == AIBOX_OK && (reading->identity_id == NULL || reading->identity_id[0] == '\0'))
        status = error_set(err, AIBOX_COMMAND_PARAM, "identity_id: required");
    if (status == AIBOX_OK)
        status = read_level(person, defaults, reading, err);
    if (status == AIBOX_OK)
        status = argument_bool(person, "import_mode", "import_mode", &given, &import, err);
    if (status == AIBOX_OK)
        status = import ? read_feature(person, reading, err) : load_photo(downloads, fetcher, person, reading, err);
    return status;
}

/* Overwrites: everything said of the person is new, the groups they are in stay. */
static enum aibox_status save(const struct command_context *ctx, const struct reading *reading,
                              const struct store_progress *progress, struct aibox_error *err)
{
    static const char *const groups[] = {STORE_DEFAULT_GROUP};
    struct flow_enrolment enrolment = {
        .change = {.mode = STORE_UPSERT,
                   .identity_id = reading->identity_id,
                   .replace_info = true,
                   .info = reading->info_text,
                   .groups = groups,
                   .n_groups = 1,
                   .permissions = reading->permissions,
                   .n_permissions = reading->n_permissions,
                   .permissions_set = true,
                   .permissions_create = true,
                   .faces_mode = STORE_FACES_REPLACE,
                   .progress = progress},
        .photo = reading->photo,
        .photo_size = reading->photo_size,
        .level = reading->level,
        .feature = reading->feature,
    };
    struct store_person stored = {0};
    enum aibox_status status = flow_enrol(ctx->flow, FLOW_BULK, &enrolment, &stored, NULL, NULL, err);

    store_person_free(&stored);
    return status;
}

bool person_enrol(struct person_downloads *downloads, struct fetcher *fetcher, const struct person_defaults *defaults,
                  int64_t inbox_id, const char *part, json_t *person, struct person_outcome *outcome)
{
    struct reading reading = {0};
    struct aibox_error err = {0};
    char *done = NULL;
    enum aibox_status status = read_person(downloads, fetcher, defaults, person, &reading, outcome, &err);

    if (status == AIBOX_OK) {
        person_outcome_set(outcome, AIBOX_OK, "ok");
        if (outcome->message != NULL)
            done = person_outcome_print(outcome);
        struct store_progress progress = {.inbox_id = inbox_id, .part = part, .outcome = done};
        status = done != NULL ? save(downloads->ctx, &reading, &progress, &err) : out_of_memory(&err);
    }
    if (status != AIBOX_OK)
        person_outcome_set(outcome, status, err.message);
    free(done);
    reading_free(&reading);
    return status == AIBOX_OK || !atomic_load(downloads->ctx->stop);
}
