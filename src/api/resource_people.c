/* The console's list of people: /api/people, and whom a picture resembles: /api/people/lookalikes. The list comes
 * without photos, which are fetched one by one as they come into view. */
#include <stdlib.h>

#include "api/endpoint.h"
#include "api/names.h"
#include "api/person_json.h"
#include "api/resources.h"
#include "flow/flow.h"
#include "store/store.h"

/* A text of info.ext_info, also one that came as a number; "" without. `digits`: room for that. */
#define DIGITS_SIZE 24
static const char *extra(const json_t *info, const char *key, char digits[DIGITS_SIZE])
{
    const json_t *value = json_object_get(json_object_get(info, "ext_info"), key);
    const char *text = json_string_value(value);

    if (json_is_integer(value)) {
        (void)snprintf(digits, DIGITS_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return digits;
    }
    return text ? text : "";
}

static void write_person(struct json_out *out, const struct store_person *person)
{
    char card[DIGITS_SIZE], department[DIGITS_SIZE];
    json_t *info = json_loads(person->info, 0, NULL);
    size_t n = person->n_faces;

    json_out_object_begin(out);
    json_out_key_text(out, "identity_id", person->identity_id);
    json_out_key_text(out, "name", person->name);
    json_out_key_int(out, "type", person->type);
    json_out_key_text(out, "image_id", n > 0 ? person->faces[n - 1].image_id : "");
    json_out_key_int(out, "faces", (int64_t)n);
    json_out_key(out, "group_names");
    person_json_texts(out, &person->group_names);
    json_out_key(out, "permission_names");
    person_json_texts(out, &person->permission_names);
    json_out_key_text(out, "card", extra(info, "visit_card_number", card));
    json_out_key_text(out, "department", extra(info, "department", department));
    json_out_key_int(out, "created", person->created_ms);
    json_out_key_int(out, "updated", person->updated_ms);
    json_out_object_end(out);
    json_decref(info);
}

/* '' in a query is a field left empty. */
static const char *wanted(const struct api_request *req, const char *name)
{
    const char *text = api_text(req, name);

    return text && text[0] ? text : NULL;
}

static enum aibox_status list_people(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    struct store_person_query query = {.text = wanted(req, "q"),
                                       .group = wanted(req, "group_name"),
                                       .permission = wanted(req, "permission_name"),
                                       .type = (int)api_int(req, "type"),
                                       .skip = (size_t)api_int(req, "skip_num"),
                                       .limit = (size_t)api_int(req, "limit")};
    struct store_person_list list = {0};
    struct json_out *out = api_body(res);
    enum aibox_status status = store_person_list(ctx->store, &query, &list, err);

    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key(out, "people_list");
    json_out_array_begin(out);
    for (size_t i = 0; i < list.count; i++)
        write_person(out, &list.items[i]);
    json_out_array_end(out);
    names_json_pagination(out, query.skip, query.limit, list.total);
    json_out_object_end(out);
    json_out_object_end(out);
    store_person_list_free(&list);
    return AIBOX_OK;
}

/* ---- who looks like a picture ---------------------------------------------------------------------------- */

#define MOST_LOOKALIKES 5

static void write_lookalike(struct json_out *out, const struct flow_lookalike *one)
{
    size_t n = one->person.n_faces;

    json_out_object_begin(out);
    json_out_key_text(out, "identity_id", one->person.identity_id);
    json_out_key_text(out, "name", one->person.name);
    json_out_key_text(out, "image_id", n > 0 ? one->person.faces[n - 1].image_id : "");
    json_out_key_float(out, "score", (double)one->score);
    json_out_object_end(out);
}

static enum aibox_status find_lookalikes(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                         struct aibox_error *err)
{
    struct flow_lookalike found[MOST_LOOKALIKES];
    struct api_bytes picture = api_picture(req, "image_base64_str");
    float threshold = flow_pair_threshold(ctx->flow, "middle");
    struct json_out *out = api_body(res);
    size_t count = 0;
    enum aibox_status status =
        flow_lookalikes(ctx->flow, picture.data, picture.size, threshold, MOST_LOOKALIKES, found, &count, err);

    if (status != AIBOX_OK) {
        error_prefix(err, "image_base64_str");
        return status;
    }
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_float(out, "threshold", (double)threshold);
    json_out_key(out, "people_list");
    json_out_array_begin(out);
    for (size_t i = 0; i < count; i++)
        write_lookalike(out, &found[i]);
    json_out_array_end(out);
    json_out_object_end(out);
    json_out_object_end(out);
    flow_lookalikes_free(found, &count);
    return AIBOX_OK;
}

/* ---- the table -------------------------------------------------------------------------------------------- */

static const struct api_field lookalike_fields[] = {
    {.name = "image_base64_str",
     .type = API_PICTURE,
     .flags = API_REQUIRED,
     .help = "A picture; its largest face counts."},
};

static const struct api_field fields[] = {
    {.name = "q", .type = API_TEXT, .max = 256, .help = "Part of the name or the id, or a whole card number."},
    {.name = "group_name", .type = API_TEXT, .max = 1024, .help = "Members of this group."},
    {.name = "permission_name", .type = API_TEXT, .max = 1024, .help = "Holders of this permission group."},
    {.name = "type",
     .type = API_INT,
     .default_text = "0",
     .min = 0,
     .max = 5,
     .help = "1 employee, 2 visitor, 3 blacklist, 4 stranger, 5 VIP; 0 all."},
    {.name = "limit", .type = API_INT, .default_text = "20", .min = 1, .max = 1000, .help = "People at most."},
    {.name = "skip_num", .type = API_INT, .default_text = "0", .min = 0, .max = 1e9, .help = "People to skip."},
};

const struct api_endpoint api_people_endpoints[] = {
    {.method = "GET",
     .path = "/api/people",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .fields = fields,
     .n_fields = sizeof fields / sizeof fields[0],
     .handler = list_people,
     .tag = "people",
     .summary = "Find people by text, group, permission group and type"},
    {.method = "POST",
     .path = "/api/people/lookalikes",
     .encodings = API_BODY_JSON,
     .role = API_OPERATOR,
     .fields = lookalike_fields,
     .n_fields = 1,
     .handler = find_lookalikes,
     .tag = "people",
     .summary =
         "Who of the enrolled looks like a picture; for a warning before somebody is enrolled twice. Makes no event",
     .example = "{\"image_base64_str\": \"<base64>\"}"},
};
const size_t api_people_count = sizeof api_people_endpoints / sizeof api_people_endpoints[0];
