/* People: /SophonFogSys/api/users */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/names.h"
#include "api/person_json.h"
#include "api/resources.h"
#include "flow/flow.h"

#define LEVELS "high|middle|low|custom|no"

/* ---- arguments ---- */

/* What `info` says of the person, checked. Lists belong to the struct. */
struct person_info {
    char *text; /* the dict as JSON, malloc */
    struct name_list permissions;
    bool has_permissions;
};

static void person_info_free(struct person_info *info)
{
    free(info->text);
    name_list_free(&info->permissions);
}

static enum aibox_status check_name(const json_t *name, bool required, struct aibox_error *err)
{
    if (name == NULL || json_is_null(name))
        return required ? error_set(err, AIBOX_PARAM, "info.name: required") : AIBOX_OK;
    if (!json_is_string(name))
        return error_set(err, AIBOX_PARAM, "info.name: a string is expected");
    if (json_string_length(name) > STORE_MAX_NAME)
        return error_set(err, AIBOX_PARAM, "info.name: at most %d bytes", STORE_MAX_NAME);
    return AIBOX_OK;
}

/* Integer 1..5, also as text; put back as integer. */
static enum aibox_status check_type(json_t *info, struct aibox_error *err)
{
    const json_t *type = json_object_get(info, "type");
    if (type == NULL || json_is_null(type))
        return AIBOX_OK;
    json_int_t value = json_is_integer(type) ? json_integer_value(type) : 0;
    const char *text = json_string_value(type);
    if (text != NULL && strlen(text) == 1)
        value = text[0] - '0';
    if (value < 1 || value > 5)
        return error_set(err, AIBOX_PARAM, "info.type: an integer from 1 to 5 is expected");
    if (text != NULL && json_object_set_new(info, "type", json_integer(value)) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return AIBOX_OK;
}

static enum aibox_status read_permissions(const json_t *info, struct person_info *out, struct aibox_error *err)
{
    const json_t *ids = json_object_get(info, "permission_ids");
    out->has_permissions = ids != NULL && !json_is_null(ids);
    return out->has_permissions ? name_list_from_json(ids, "info.permission_ids", &out->permissions, err) : AIBOX_OK;
}

static enum aibox_status read_info(json_t *info, bool name_required, struct person_info *out, struct aibox_error *err)
{
    *out = (struct person_info){0};
    enum aibox_status status = check_name(json_object_get(info, "name"), name_required, err);
    if (status == AIBOX_OK)
        status = check_type(info, err);
    if (status == AIBOX_OK)
        status = read_permissions(info, out, err);
    if (status != AIBOX_OK)
        return status;
    /* null counts as absent */
    if (json_is_null(json_object_get(info, "name")))
        json_object_del(info, "name");
    if (json_is_null(json_object_get(info, "type")))
        json_object_del(info, "type");
    out->text = json_dumps(info, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (out->text == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return AIBOX_OK;
}

static enum vision_quality_level level_argument(const struct api_request *req)
{
    enum vision_quality_level level = QUALITY_HIGH;
    vision_quality_level_parse(api_text(req, "fiqa_level"), &level);
    return level;
}

/* ---- POST ---- */

static bool person_exists(struct store *store, const char *identity_id)
{
    struct store_person person = {0};
    bool exists = store_person_get(store, identity_id, &person, NULL) == AIBOX_OK;
    store_person_free(&person);
    return exists;
}

/* A photo is owed unless a feature stands for it, none is wanted, or an existing person is only brought up to date. */
static enum aibox_status check_photo_or_feature(struct api_context *ctx, const struct api_request *req,
                                                struct flow_enrolment *enrolment, struct aibox_error *err)
{
    struct api_bytes photo = api_picture(req, "reg_photo");
    if (api_bool(req, "import_mode")) {
        size_t n;
        enrolment->feature = api_floats(req, "feature", &n);
        if (enrolment->feature == NULL)
            return error_set(err, AIBOX_PARAM, "feature: required with import_mode");
        if (n != VISION_DIMENSION)
            return error_set(err, AIBOX_BAD_FEATURE, "feature: %d values are expected, got %zu", VISION_DIMENSION, n);
        return AIBOX_OK;
    }
    if (!api_bool(req, "need_bring_pic"))
        return AIBOX_OK;
    if (photo.data == NULL) {
        if (api_bool(req, "ignore_exist") && person_exists(ctx->store, api_text(req, "identity_id")))
            return AIBOX_OK;
        return error_set(err, AIBOX_PARAM, "reg_photo: required");
    }
    if (photo.size == 0)
        return error_set(err, AIBOX_IMAGE, "reg_photo: the picture is empty");
    enrolment->photo = photo.data;
    enrolment->photo_size = photo.size;
    return AIBOX_OK;
}

/* What enrolling found out besides. */
struct findings {
    struct flow_duplicate duplicate;
    struct flow_past_strangers past;
    struct vision_quality quality; /* of the photo */
};

static void print_past_strangers(struct json_out *out, const struct flow_past_strangers *past)
{
    if (past->count == 0)
        return;
    json_out_key(out, "seen_as_stranger");
    json_out_array_begin(out);
    for (size_t i = 0; i < past->count; i++) {
        json_out_object_begin(out);
        json_out_key_int(out, "stranger_id", past->items[i].stranger_id);
        json_out_key_int(out, "seen_count", past->items[i].visits);
        json_out_key_int(out, "first_seen", past->items[i].first_ms);
        json_out_key_int(out, "last_seen", past->items[i].last_ms);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

/* They are there only when there is something to tell: callers of old know nothing of them. */
static void print_findings(struct json_out *out, const struct findings *findings)
{
    const struct flow_duplicate *duplicate = &findings->duplicate;
    print_past_strangers(out, &findings->past);
    if (findings->quality.mask > VISION_MASKED)
        json_out_key_bool(out, "masked", true);
    if (!duplicate->found)
        return;
    json_out_key(out, "duplicate");
    json_out_object_begin(out);
    json_out_key_text(out, "identity_id", duplicate->identity_id);
    json_out_key_text(out, "name", duplicate->name);
    json_out_key_float(out, "score", (double)duplicate->score);
    json_out_object_end(out);
}

static enum aibox_status answer_created(struct api_context *ctx, const struct api_request *req,
                                        struct api_response *res, const struct store_person *person,
                                        const struct findings *findings, struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_text(out, "identity_id", person->identity_id);
    json_out_key(out, "reg_photo");
    enum aibox_status status = person_json_photo(out, ctx->store, person, api_bool(req, "need_reg_photo"), err);
    if (status != AIBOX_OK)
        return status;
    json_out_key(out, "group_name");
    names_json_joined(out, (const char *const *)person->group_names.items, person->group_names.count);
    json_out_key(out, "info");
    person_json_info(out, person);
    print_findings(out, findings);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static enum aibox_status create_user(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    struct store_person person = {0};
    struct name_list groups = {0};
    struct person_info info = {0};
    struct findings findings = {0};
    struct flow_enrolment enrolment = {.level = level_argument(req),
                                       .refuse_duplicate = !api_bool(req, "allow_duplicate"),
                                       .duplicate = &findings.duplicate,
                                       .past = &findings.past};
    bool ignore_exist = api_bool(req, "ignore_exist");
    bool known = ignore_exist && person_exists(ctx->store, api_text(req, "identity_id"));
    enum aibox_status status = read_info(api_json(req, "info"), !known, &info, err);
    if (status == AIBOX_OK)
        status = name_list_split(api_text(req, "group_name"), "group_name", &groups, err);
    if (status == AIBOX_OK)
        status = check_photo_or_feature(ctx, req, &enrolment, err);
    if (status == AIBOX_OK) {
        enrolment.change = (struct store_person_change){
            .mode = ignore_exist ? STORE_UPSERT : STORE_CREATE,
            .identity_id = api_text(req, "identity_id"),
            .info = info.text,
            .groups = (const char *const *)groups.items,
            .n_groups = groups.count,
            .permissions = (const char *const *)info.permissions.items,
            .n_permissions = info.permissions.count,
            .permissions_set = info.has_permissions,
            .permissions_create = api_bool(req, "create_no_exit_permission"),
            .faces_mode = api_bool(req, "support_single_face") ? STORE_FACES_REPLACE : STORE_FACES_ADD,
        };
        status = flow_enrol(ctx->flow, FLOW_BULK, &enrolment, &person, NULL, &findings.quality, err);
    }
    if (status == AIBOX_OK)
        status = answer_created(ctx, req, res, &person, &findings, err);
    store_person_free(&person);
    person_info_free(&info);
    name_list_free(&groups);
    return status;
}

/* ---- GET ---- */

static enum aibox_status find_users(struct api_context *ctx, const struct api_request *req,
                                    struct store_person_list *list, struct aibox_error *err)
{
    const char *identity_id = api_text(req, "identity_id");
    if (identity_id == NULL) {
        struct store_person_query query = {.name = api_text(req, "identity_name"),
                                           .group = api_text(req, "group_name"),
                                           .skip = (size_t)api_int(req, "skip_num"),
                                           .limit = (size_t)api_int(req, "limit")};
        if (query.name != NULL)
            query.group = NULL;
        return store_person_list(ctx->store, &query, list, err);
    }
    list->items = calloc(1, sizeof *list->items);
    if (list->items == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = store_person_get(ctx->store, identity_id, &list->items[0], err);
    if (status == AIBOX_OK)
        list->count = list->total = 1;
    return status;
}

static enum aibox_status list_users(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                    struct aibox_error *err)
{
    struct store_person_list list = {0};
    bool by_id = api_text(req, "identity_id") != NULL;
    bool photos = api_bool(req, "need_reg_photo");
    enum aibox_status status = find_users(ctx, req, &list, err);
    struct json_out *out = api_body(res);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key(out, "identities_list");
    json_out_array_begin(out);
    for (size_t i = 0; i < list.count && status == AIBOX_OK; i++) {
        const struct store_person *person = &list.items[i];
        json_out_object_begin(out);
        json_out_key_text(out, "identity_id", person->identity_id);
        json_out_key(out, "reg_photo");
        status = person_json_photo(out, ctx->store, person, photos, err);
        if (status != AIBOX_OK)
            break;
        json_out_key(out, "group_name");
        person_json_texts(out, &person->group_names);
        json_out_key(out, "info");
        person_json_info(out, person);
        json_out_object_end(out);
    }
    json_out_array_end(out);
    names_json_pagination(out, by_id ? 0 : (size_t)api_int(req, "skip_num"), (size_t)api_int(req, "limit"), list.total);
    json_out_object_end(out);
    json_out_object_end(out);
    store_person_list_free(&list);
    return status;
}

/* ---- PUT ---- */

static void answer_updated(struct api_response *res, const struct store_person *person, const struct findings *findings)
{
    struct json_out *out = api_body(res);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_text(out, "identity_id", person->identity_id);
    json_out_key_text(out, "image_id", person->n_faces > 0 ? person->faces[person->n_faces - 1].image_id : "");
    json_out_key(out, "group_name");
    person_json_texts(out, &person->group_names);
    json_out_key(out, "info");
    person_json_info(out, person);
    json_out_key_text(out, "name", person->name);
    json_out_key_int(out, "type", person->type);
    json_out_key(out, "permission_ids");
    person_json_texts(out, &person->permission_ids);
    print_findings(out, findings);
    json_out_object_end(out);
    json_out_object_end(out);
}

static enum aibox_status update_user(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    static const char *const default_group[] = {STORE_DEFAULT_GROUP};
    struct store_person person = {0};
    struct name_list groups = {0};
    struct person_info info = {0};
    struct findings findings = {0};
    struct api_bytes photo = api_picture(req, "reg_photo");
    bool has_groups = api_text(req, "group_name") != NULL;
    enum aibox_status status = read_info(api_json(req, "info"), false, &info, err);
    if (status == AIBOX_OK && has_groups)
        status = name_list_split(api_text(req, "group_name"), "group_name", &groups, err);
    if (status == AIBOX_OK) {
        bool no_name = has_groups && groups.count == 0;
        struct flow_enrolment enrolment = {
            .level = level_argument(req),
            .refuse_duplicate = !api_bool(req, "allow_duplicate"),
            .duplicate = &findings.duplicate,
            .past = &findings.past,
            .photo = photo.size > 0 ? photo.data : NULL,
            .photo_size = photo.size,
            .change = {.mode = STORE_UPDATE,
                       .identity_id = api_text(req, "identity_id"),
                       .info = info.text,
                       .groups = no_name ? default_group : (const char *const *)groups.items,
                       .n_groups = no_name ? 1 : groups.count,
                       .groups_replace = has_groups,
                       .permissions = (const char *const *)info.permissions.items,
                       .n_permissions = info.permissions.count,
                       .permissions_set = info.has_permissions,
                       .permissions_create = api_bool(req, "create_no_exit_permission"),
                       .faces_mode = photo.size > 0 ? STORE_FACES_REPLACE : STORE_FACES_KEEP},
        };
        status = flow_enrol(ctx->flow, FLOW_BULK, &enrolment, &person, NULL, &findings.quality, err);
    }
    if (status == AIBOX_OK)
        answer_updated(res, &person, &findings);
    store_person_free(&person);
    person_info_free(&info);
    name_list_free(&groups);
    return status;
}

/* ---- DELETE ---- */

static enum aibox_status delete_users(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    size_t n = 1;
    const char *one[] = {api_text(req, "identity_id")};
    const char *const *ids = one;
    if (one[0] == NULL && (ids = api_list(req, "identity_ids", &n)) == NULL)
        return error_set(err, AIBOX_PARAM, "identity_id: required (or identity_ids)");
    struct store_text_list groups = {0};
    enum aibox_status status = store_people_delete(ctx->store, ids, n, &groups, err);
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        json_out_object_begin(out);
        json_out_key(out, "data");
        json_out_object_begin(out);
        json_out_key(out, "identity_id");
        names_json_joined(out, ids, n);
        json_out_key(out, "group_name");
        person_json_texts(out, &groups);
        json_out_key_text(out, "message", n == 1 ? "deleted" : "all deleted");
        json_out_object_end(out);
        json_out_object_end(out);
    }
    store_text_list_free(&groups);
    return status;
}

/* ---- the table ---- */

#define IDENTITY_ID                                                                                                    \
    {                                                                                                                  \
        .name = "identity_id", .type = API_TEXT, .flags = API_REQUIRED | API_NOT_EMPTY, .max = STORE_MAX_IDENTITY,     \
        .help = "The person's unique id, 1 to 64 bytes."                                                               \
    }
#define FIQA_LEVEL                                                                                                     \
    {                                                                                                                  \
        .name = "fiqa_level", .type = API_CHOICE, .default_text = "high", .choices = LEVELS,                           \
        .help = "How strictly the photo's quality is judged; no: a face is enough."                                    \
    }
#define ALLOW_DUPLICATE                                                                                                \
    {                                                                                                                  \
        .name = "allow_duplicate", .type = API_BOOL, .default_text = "true",                                           \
        .help = "False: a face that is somebody else's already is refused; true: the answer says whose "               \
                "(duplicate)."                                                                                         \
    }
#define CREATE_PERMISSION                                                                                              \
    {                                                                                                                  \
        .name = "create_no_exit_permission", .type = API_BOOL, .default_text = "false",                                \
        .help = "Unknown permission_ids: true creates them, false is an error."                                        \
    }

static const struct api_field create_fields[] = {
    IDENTITY_ID,
    {.name = "reg_photo",
     .type = API_PICTURE,
     .help = "Enrolment photo; required unless import_mode or need_bring_pic false."},
    {.name = "group_name",
     .type = API_TEXT,
     .flags = API_REQUIRED,
     .max = 65536,
     .help = "Groups, separated by ','; each must exist; '' is default_group."},
    {.name = "ignore_exist",
     .type = API_BOOL,
     .default_text = "false",
     .help = "True: an existing person is brought up to date and a photo adds a face."},
    CREATE_PERMISSION,
    ALLOW_DUPLICATE,
    FIQA_LEVEL,
    {.name = "support_single_face",
     .type = API_BOOL,
     .default_text = "false",
     .help = "True: earlier faces of the person are dropped; false: at most 5 add up."},
    {.name = "import_mode",
     .type = API_BOOL,
     .default_text = "false",
     .help = "True: the face comes from `feature`, not from a photo."},
    {.name = "feature", .type = API_FLOATS, .max_items = 4096, .help = "512 numbers, with import_mode."},
    {.name = "need_bring_pic", .type = API_BOOL, .default_text = "true", .help = "False: a person without photo."},
    {.name = "need_reg_photo", .type = API_BOOL, .default_text = "true", .help = "Echo reg_photo in the answer."},
    {.name = "info",
     .type = API_DICT,
     .flags = API_REQUIRED,
     .help = "name (required), type 1 employee 2 visitor 3 blacklist 4 stranger 5 VIP, permission_ids; anything else "
             "is kept."},
};

static const struct api_field list_fields[] = {
    {.name = "identity_id", .type = API_TEXT, .max = 1024, .help = "One person; everything else is ignored then."},
    {.name = "identity_name", .type = API_TEXT, .max = 1024, .help = "Everybody of exactly this name."},
    {.name = "group_name", .type = API_TEXT, .max = 1024, .help = "Members of this group."},
    {.name = "limit", .type = API_INT, .default_text = "10", .min = 1, .max = 1000, .help = "Records at most."},
    {.name = "skip_num", .type = API_INT, .default_text = "0", .min = 0, .max = 1e9, .help = "Records to skip."},
    {.name = "need_reg_photo", .type = API_BOOL, .default_text = "true", .help = "False leaves reg_photo empty."},
};

static const struct api_field update_fields[] = {
    IDENTITY_ID,
    {.name = "reg_photo", .type = API_PICTURE, .help = "Replaces all faces of the person; '' or absent: unchanged."},
    {.name = "group_name",
     .type = API_TEXT,
     .max = 65536,
     .help = "The person's groups from now on, separated by ','; '' is default_group; absent: unchanged."},
    CREATE_PERMISSION,
    ALLOW_DUPLICATE,
    FIQA_LEVEL,
    {.name = "info",
     .type = API_DICT,
     .flags = API_REQUIRED,
     .help = "Keys given replace, keys absent stay; may be {}."},
};

static const struct api_field delete_fields[] = {
    {.name = "identity_id", .type = API_TEXT, .flags = API_NOT_EMPTY, .max = 1024, .help = "One person."},
    {.name = "identity_ids",
     .type = API_LIST,
     .flags = API_NOT_EMPTY,
     .max = 1024,
     .help = "Several people, all or none."},
};

#define PATH          "/SophonFogSys/api/users"
#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_users_endpoints[] = {
    {"POST", PATH, API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false, FIELDS(create_fields), create_user, "people",
     "Enrol a person",
     "{\"identity_id\": \"10086\", \"group_name\": \"default_group\", \"reg_photo\": \"<base64>\", \"info\": "
     "{\"name\": "
     "\"小赵\", \"type\": 1, \"permission_ids\": [\"0\"]}}"},
    {"GET", PATH, API_QUERY, API_VIEWER, false, FIELDS(list_fields), list_users, "people", "Read people", NULL},
    {"PUT", PATH, API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false, FIELDS(update_fields), update_user, "people",
     "Change a person", "{\"identity_id\": \"10086\", \"info\": {\"name\": \"小赵\"}}"},
    {"DELETE", PATH, API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false, FIELDS(delete_fields), delete_users, "people",
     "Delete people with faces, features, photos and memberships", "{\"identity_id\": \"10086\"}"},
};
const size_t api_users_count = sizeof api_users_endpoints / sizeof api_users_endpoints[0];
