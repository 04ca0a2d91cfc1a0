/* Groups and permission groups: /SophonFogSys/api/groups, GroupUsers, permissions; /SophonFace/api/groups, permissions.
 */
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/names.h"
#include "api/person_json.h"
#include "api/resources.h"
#include "store/store.h"

/* What differs between the two kinds on the wire. */
struct kind {
    enum store_label_kind store;
    const char *name_field; /* "group_name" */
    const char *list_key;   /* "groups_list" */
};

static const struct kind groups = {STORE_GROUP, "group_name", "groups_list"};
static const struct kind permissions = {STORE_PERMISSION, "permission_name", "permissions_list"};

/* ---- answers ---- */

static void write_label(struct json_out *out, const struct store_label *label)
{
    json_out_object_begin(out);
    json_out_key_text(out, "name", label->name);
    json_out_key_text(out, "description", label->description);
    json_out_members(out, label->info);
    json_out_object_end(out);
}

static void answer_info(struct api_response *res, const struct store_label *label)
{
    struct json_out *out = api_body(res);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key(out, "info");
    write_label(out, label);
    json_out_object_end(out);
    json_out_object_end(out);
}

/* ---- create, change ---- */

/* The `info` argument as JSON text (malloc; NULL when absent). The box's own keys may not be in it. */
static enum aibox_status read_info(const struct api_request *req, char **text, struct aibox_error *err)
{
    static const char *const reserved[] = {"name", "description"};
    json_t *info = api_json(req, "info");
    *text = NULL;
    if (info == NULL)
        return AIBOX_OK;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (json_object_get(info, reserved[i]) != NULL)
            return error_set(err, AIBOX_PARAM, "info: may not hold '%s'", reserved[i]);
    *text = json_dumps(info, JSON_COMPACT | JSON_ENSURE_ASCII);
    return *text == NULL ? error_set(err, AIBOX_PROCESS_FAILED, "out of memory") : AIBOX_OK;
}

static enum aibox_status save(const struct kind *kind, bool create, struct api_context *ctx,
                              const struct api_request *req, struct api_response *res, struct aibox_error *err)
{
    struct store_label label = {0};
    char *info = NULL;
    const char *name = api_text(req, kind->name_field), *description = api_text(req, "description");
    enum aibox_status status = read_info(req, &info, err);
    if (status == AIBOX_OK)
        status = create ? store_label_create(ctx->store, kind->store, NULL, name, description, info, &label, err)
                        : store_label_update(ctx->store, kind->store, name, NULL, description, info, &label, err);
    if (status == AIBOX_OK)
        answer_info(res, &label);
    store_label_free(&label);
    free(info);
    return status;
}

static enum aibox_status create_group(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    return save(&groups, true, ctx, req, res, err);
}

static enum aibox_status update_group(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    return save(&groups, false, ctx, req, res, err);
}

static enum aibox_status create_permission(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                           struct aibox_error *err)
{
    return save(&permissions, true, ctx, req, res, err);
}

static enum aibox_status update_permission(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                           struct aibox_error *err)
{
    return save(&permissions, false, ctx, req, res, err);
}

/* ---- read ---- */

static enum aibox_status find_labels(const struct kind *kind, struct api_context *ctx, const char *name, size_t skip,
                                     size_t limit, struct store_label_list *list, struct aibox_error *err)
{
    if (name == NULL)
        return store_label_list(ctx->store, kind->store, skip, limit, list, err);
    list->items = calloc(1, sizeof *list->items);
    if (list->items == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = store_label_get(ctx->store, kind->store, name, &list->items[0], err);
    if (status == AIBOX_OK)
        list->count = list->total = 1;
    return status;
}

static enum aibox_status list_labels(const struct kind *kind, struct api_context *ctx, const struct api_request *req,
                                     struct api_response *res, struct aibox_error *err)
{
    struct store_label_list list = {0};
    size_t skip = (size_t)api_int(req, "skip_num"), limit = (size_t)api_int(req, "limit");
    enum aibox_status status = find_labels(kind, ctx, api_text(req, kind->name_field), skip, limit, &list, err);
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        json_out_object_begin(out);
        json_out_key(out, "data");
        json_out_object_begin(out);
        json_out_key(out, kind->list_key);
        json_out_array_begin(out);
        for (size_t i = 0; i < list.count; i++)
            write_label(out, &list.items[i]);
        json_out_array_end(out);
        names_json_pagination(out, skip, limit, list.total);
        json_out_object_end(out);
        json_out_object_end(out);
    }
    store_label_list_free(&list);
    return status;
}

static enum aibox_status list_groups(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    return list_labels(&groups, ctx, req, res, err);
}

static enum aibox_status list_permissions(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                          struct aibox_error *err)
{
    return list_labels(&permissions, ctx, req, res, err);
}

/* The ids: `data [ {_id, info {name, …}} ]`, of those whose name is (or, without `exact`, holds) `info.name`. */
static enum aibox_status list_ids(const struct kind *kind, struct api_context *ctx, const struct api_request *req,
                                  struct api_response *res, struct aibox_error *err)
{
    struct store_label_list list = {0};
    const char *wanted = api_text(req, "info.name");
    bool exact = api_bool(req, "exact");
    enum aibox_status status = store_label_list(ctx->store, kind->store, 0, 0, &list, err);
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        json_out_object_begin(out);
        json_out_key(out, "data");
        json_out_array_begin(out);
        for (size_t i = 0; i < list.count; i++) {
            const char *name = list.items[i].name;
            if (wanted != NULL && (exact ? strcmp(name, wanted) != 0 : strstr(name, wanted) == NULL))
                continue;
            json_out_object_begin(out);
            json_out_key_text(out, "_id", list.items[i].id);
            json_out_key(out, "info");
            write_label(out, &list.items[i]);
            json_out_object_end(out);
        }
        json_out_array_end(out);
        json_out_object_end(out);
    }
    store_label_list_free(&list);
    return status;
}

static enum aibox_status list_group_ids(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                        struct aibox_error *err)
{
    return list_ids(&groups, ctx, req, res, err);
}

static enum aibox_status list_permission_ids(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                             struct aibox_error *err)
{
    return list_ids(&permissions, ctx, req, res, err);
}

/* ---- delete ---- */

static enum aibox_status delete_label(const struct kind *kind, struct api_context *ctx, const struct api_request *req,
                                      struct api_response *res, struct aibox_error *err)
{
    const char *name = api_text(req, kind->name_field);
    bool with_people = api_bool(req, "user_recursive_delete");
    enum aibox_status status = store_label_delete(ctx->store, kind->store, name, with_people, err);
    if (status != AIBOX_OK)
        return status;
    struct json_out *out = api_body(res);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    if (kind->store == STORE_PERMISSION)
        json_out_key_text(out, "permission_name", name);
    json_out_key_text(out, "group_name", name); /* the base system calls it that for both */
    json_out_key_text(out, "message", with_people ? "deleted with its people" : "deleted; its people stay");
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static enum aibox_status delete_group(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    return delete_label(&groups, ctx, req, res, err);
}

static enum aibox_status delete_permission(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                           struct aibox_error *err)
{
    return delete_label(&permissions, ctx, req, res, err);
}

/* ---- members ---- */

static enum aibox_status change_members(bool add, struct api_context *ctx, const struct api_request *req,
                                        struct api_response *res, struct aibox_error *err)
{
    struct store_text_list members = {0};
    size_t n = 0;
    const char *group = api_text(req, "group_name");
    const char *const *ids = api_list(req, "identity_id", &n);
    bool with_members = api_bool(req, "with_identity_id");
    enum aibox_status status =
        store_group_members_change(ctx->store, group, add, ids, n, with_members ? &members : NULL, err);
    if (status == AIBOX_OK) {
        struct json_out *out = api_body(res);
        json_out_object_begin(out);
        json_out_key(out, "data");
        json_out_object_begin(out);
        json_out_key_text(out, "group_name", group);
        if (with_members) {
            json_out_key(out, "identity_id");
            person_json_texts(out, &members);
        }
        json_out_key_text(out, "message", add ? "added" : "taken out");
        json_out_object_end(out);
        json_out_object_end(out);
    }
    store_text_list_free(&members);
    return status;
}

static enum aibox_status add_members(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    return change_members(true, ctx, req, res, err);
}

static enum aibox_status remove_members(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                        struct aibox_error *err)
{
    return change_members(false, ctx, req, res, err);
}

/* ---- the table ---- */

#define DESCRIPTION                                                                                                    \
    {                                                                                                                  \
        .name = "description", .type = API_TEXT, .flags = API_REQUIRED, .max = 4096, .help = "Free text, may be ''."   \
    }
#define INFO                                                                                                           \
    {                                                                                                                  \
        .name = "info", .type = API_DICT, .help = "Anything else to be kept; may not hold name or description."        \
    }
#define RECURSIVE                                                                                                      \
    {                                                                                                                  \
        .name = "user_recursive_delete", .type = API_BOOL, .default_text = "false",                                    \
        .help = "True also deletes the people in it, with their faces; false keeps them."                              \
    }
/* Emptiness and ',' are the store's to refuse: they are GROUP_NAME errors, not PARAM. */
#define NAME_FIELD(field)                                                                                              \
    {                                                                                                                  \
        .name = field, .type = API_TEXT, .flags = API_REQUIRED, .max = STORE_MAX_NAME,                                 \
        .help = "The name, 1 to 256 bytes without ','."                                                                \
    }
#define FIND_NAME(field)                                                                                               \
    {                                                                                                                  \
        .name = field, .type = API_TEXT, .max = 1024, .help = "Only this one; absent: all."                            \
    }
#define SKIP                                                                                                           \
    {                                                                                                                  \
        .name = "skip_num", .type = API_INT, .default_text = "0", .min = 0, .max = 1e6, .help = "Records to skip."     \
    }
#define LIMIT                                                                                                          \
    {                                                                                                                  \
        .name = "limit", .type = API_INT, .default_text = "0", .min = 0, .max = 1e6,                                   \
        .help = "Records at most; 0: all."                                                                             \
    }

static const struct api_field group_fields[] = {NAME_FIELD("group_name"), DESCRIPTION, INFO};
static const struct api_field permission_fields[] = {NAME_FIELD("permission_name"), DESCRIPTION, INFO};
static const struct api_field group_list_fields[] = {FIND_NAME("group_name"), SKIP, LIMIT};
static const struct api_field permission_list_fields[] = {FIND_NAME("permission_name"), SKIP, LIMIT};
static const struct api_field group_delete_fields[] = {NAME_FIELD("group_name"), RECURSIVE};
static const struct api_field permission_delete_fields[] = {NAME_FIELD("permission_name"), RECURSIVE};
static const struct api_field id_fields[] = {
    {.name = "info.name", .type = API_TEXT, .max = 1024, .help = "Name to look for; absent: all."},
    {.name = "exact", .type = API_BOOL, .default_text = "false", .help = "True: the whole name; false: a part of it."},
};
static const struct api_field member_fields[] = {
    NAME_FIELD("group_name"),
    {.name = "identity_id",
     .type = API_LIST,
     .flags = API_REQUIRED,
     .max = 1024,
     .max_items = 100000,
     .help = "The people; one unknown id and nothing is changed."},
    {.name = "with_identity_id",
     .type = API_BOOL,
     .default_text = "false",
     .help = "True: the answer holds the ids of all members afterwards."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]
#define BOTH          (API_BODY_JSON | API_BODY_FORM)
#define GROUPS        "/SophonFogSys/api/groups"
#define MEMBERS       "/SophonFogSys/api/GroupUsers"
#define PERMISSIONS   "/SophonFogSys/api/permissions"

const struct api_endpoint api_groups_endpoints[] = {
    {"POST", PERMISSIONS, BOTH, API_OPERATOR, false, FIELDS(permission_fields), create_permission, "permission groups",
     "Create a permission group", "{\"permission_name\": \"east wing\", \"description\": \"\"}"},
    {"GET", PERMISSIONS, API_QUERY, API_VIEWER, true, FIELDS(permission_list_fields), list_permissions,
     "permission groups", "Read permission groups", NULL},
    {"PUT", PERMISSIONS, BOTH, API_OPERATOR, false, FIELDS(permission_fields), update_permission, "permission groups",
     "Change a permission group", "{\"permission_name\": \"east wing\", \"description\": \"labs\"}"},
    {"DELETE", PERMISSIONS, BOTH, API_OPERATOR, false, FIELDS(permission_delete_fields), delete_permission,
     "permission groups", "Delete a permission group", "{\"permission_name\": \"east wing\"}"},
    {"POST", GROUPS, BOTH, API_OPERATOR, false, FIELDS(group_fields), create_group, "groups", "Create a group",
     "{\"group_name\": \"staff\", \"description\": \"\"}"},
    {"GET", GROUPS, API_QUERY, API_VIEWER, true, FIELDS(group_list_fields), list_groups, "groups", "Read groups", NULL},
    {"PUT", GROUPS, BOTH, API_OPERATOR, false, FIELDS(group_fields), update_group, "groups", "Change a group",
     "{\"group_name\": \"staff\", \"description\": \"all of them\"}"},
    {"DELETE", GROUPS, BOTH, API_OPERATOR, false, FIELDS(group_delete_fields), delete_group, "groups", "Delete a group",
     "{\"group_name\": \"staff\"}"},
    {"PUT", MEMBERS, BOTH, API_OPERATOR, false, FIELDS(member_fields), add_members, "groups", "Add people to a group",
     "{\"group_name\": \"staff\", \"identity_id\": [\"10086\"]}"},
    {"DELETE", MEMBERS, BOTH, API_OPERATOR, false, FIELDS(member_fields), remove_members, "groups",
     "Take people out of a group", "{\"group_name\": \"staff\", \"identity_id\": [\"10086\"]}"},
    {"GET", "/SophonFace/api/groups", API_QUERY, API_VIEWER, true, FIELDS(id_fields), list_group_ids, "groups",
     "Read the ids of groups", NULL},
    {"GET", "/SophonFace/api/permissions", API_QUERY, API_VIEWER, true, FIELDS(id_fields), list_permission_ids,
     "permission groups", "Read the ids of permission groups", NULL},
};
const size_t api_groups_count = sizeof api_groups_endpoints / sizeof api_groups_endpoints[0];
