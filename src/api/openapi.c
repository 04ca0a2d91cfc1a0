#include "api/openapi.h"

#include <ctype.h>
#include <string.h>

#define ID_MAX     160
#define TYPE_MAX   128
#define ANSWER_MAX ((size_t)64 << 10)

static const char *const role_names[] = {
    [API_OPEN] = "open", [API_VIEWER] = "viewer", [API_OPERATOR] = "operator", [API_ADMIN] = "admin"};

/* ---- arguments ------------------------------------------------------------------------------------------ */

/* The name in "…/{name}", NULL without; not terminated. */
static const char *path_name(const struct api_endpoint *row, size_t *size)
{
    const char *brace = strchr(row->path, '{');

    *size = brace ? strcspn(brace + 1, "}") : 0;
    return brace ? brace + 1 : NULL;
}

static bool is_path_name(const struct api_endpoint *row, const char *name)
{
    size_t size;
    const char *in_path = path_name(row, &size);

    return in_path && strlen(name) == size && memcmp(name, in_path, size) == 0;
}

static void print_path_parameter(const struct api_endpoint *row, struct json_out *out)
{
    size_t size;
    const char *in_path = path_name(row, &size);
    char name[ID_MAX];

    if (!in_path || size >= sizeof name)
        return;
    memcpy(name, in_path, size);
    name[size] = '\0';
    json_out_object_begin(out);
    json_out_key_text(out, "name", name);
    json_out_key_text(out, "in", "path");
    json_out_key_bool(out, "required", true);
    for (size_t i = 0; i < row->n_fields; i++)
        if (strcmp(row->fields[i].name, name) == 0) {
            json_out_key(out, "description");
            openapi_print_description(&row->fields[i], out);
        }
    json_out_key(out, "schema");
    json_out_object_begin(out);
    json_out_key_text(out, "type", "string");
    json_out_object_end(out);
    json_out_object_end(out);
}

/* JSON text is what a query can hold of these. */
static bool is_json_text(const struct api_field *field)
{
    return field->type == API_DICT || field->type == API_OBJECTS || field->type == API_FLOATS ||
           field->type == API_JSON;
}

static void print_query_parameter(const struct api_field *field, struct json_out *out)
{
    bool json = is_json_text(field);

    json_out_object_begin(out);
    json_out_key_text(out, "name", field->name);
    json_out_key_text(out, "in", "query");
    json_out_key_bool(out, "required", field->flags & API_REQUIRED);
    if (field->flags & API_IGNORED)
        json_out_key_bool(out, "deprecated", true);
    json_out_key(out, "description");
    openapi_print_description(field, out);
    if (json) {
        json_out_key(out, "content");
        json_out_object_begin(out);
        json_out_key(out, "application/json");
        json_out_object_begin(out);
    }
    json_out_key(out, "schema");
    openapi_print_schema(field, OPENAPI_IN_QUERY, out);
    if (json) {
        json_out_object_end(out);
        json_out_object_end(out);
    }
    json_out_object_end(out);
}

static bool takes_query(const struct api_endpoint *row)
{
    return !(row->encodings & (API_BODY_JSON | API_BODY_FORM));
}

static void print_parameters(const struct api_endpoint *row, struct json_out *out)
{
    json_out_key(out, "parameters");
    json_out_array_begin(out);
    print_path_parameter(row, out);
    for (size_t i = 0; takes_query(row) && i < row->n_fields; i++)
        if (!is_path_name(row, row->fields[i].name))
            print_query_parameter(&row->fields[i], out);
    json_out_array_end(out);
}

/* ---- bodies --------------------------------------------------------------------------------------------- */

static void print_required(const struct api_endpoint *row, struct json_out *out)
{
    bool any = false;

    for (size_t i = 0; i < row->n_fields; i++) {
        if (!(row->fields[i].flags & API_REQUIRED) || is_path_name(row, row->fields[i].name))
            continue;
        if (!any) {
            json_out_key(out, "required");
            json_out_array_begin(out);
        }
        any = true;
        json_out_text(out, row->fields[i].name);
    }
    if (any)
        json_out_array_end(out);
}

static void print_body_schema(const struct api_endpoint *row, enum openapi_place place, struct json_out *out)
{
    if (row->n_fields == 1 && (row->fields[0].flags & API_WHOLE)) {
        openapi_print_schema(&row->fields[0], place, out);
        return;
    }
    json_out_object_begin(out);
    json_out_key_text(out, "type", "object");
    print_required(row, out);
    json_out_key(out, "properties");
    json_out_object_begin(out);
    for (size_t i = 0; i < row->n_fields; i++)
        if (!is_path_name(row, row->fields[i].name)) {
            json_out_key(out, row->fields[i].name);
            openapi_print_schema(&row->fields[i], place, out);
        }
    json_out_object_end(out);
    json_out_object_end(out);
}

static void print_media(const struct api_endpoint *row, const char *type, enum openapi_place place,
                        struct json_out *out)
{
    json_out_key(out, type);
    json_out_object_begin(out);
    json_out_key(out, "schema");
    print_body_schema(row, place, out);
    if (row->example && place == OPENAPI_IN_JSON) {
        json_out_key(out, "example");
        json_out_raw(out, row->example);
    }
    json_out_object_end(out);
}

static void print_request_body(const struct api_endpoint *row, struct json_out *out)
{
    bool required = false;

    for (size_t i = 0; i < row->n_fields; i++)
        required = required || (row->fields[i].flags & API_REQUIRED);
    json_out_key(out, "requestBody");
    json_out_object_begin(out);
    json_out_key_bool(out, "required", required);
    json_out_key(out, "content");
    json_out_object_begin(out);
    if (row->encodings & API_BODY_JSON)
        print_media(row, "application/json", OPENAPI_IN_JSON, out);
    if (row->encodings & API_BODY_FORM) {
        print_media(row, "multipart/form-data", OPENAPI_IN_FORM, out);
        print_media(row, "application/x-www-form-urlencoded", OPENAPI_IN_QUERY, out);
    }
    json_out_object_end(out);
    json_out_object_end(out);
}

/* A file: as it is, or as a part of a form. */
static void print_upload_body(const struct api_upload_rules *rules, struct json_out *out)
{
    const char *at = rules->content_types;

    json_out_key(out, "requestBody");
    json_out_object_begin(out);
    json_out_key_bool(out, "required", true);
    json_out_key(out, "content");
    json_out_object_begin(out);
    while (*at) {
        char type[TYPE_MAX];
        size_t size = strcspn(at, "|");

        if (size < sizeof type) {
            memcpy(type, at, size);
            type[size] = '\0';
            json_out_key(out, type);
            json_out_raw(out, "{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}");
        }
        at += size;
        at += *at == '|';
    }
    json_out_key(out, "multipart/form-data");
    json_out_object_begin(out);
    json_out_key(out, "schema");
    json_out_object_begin(out);
    json_out_key_text(out, "type", "object");
    json_out_key(out, "properties");
    json_out_object_begin(out);
    json_out_key(out, rules->name);
    json_out_raw(out, "{\"type\":\"string\",\"format\":\"binary\"}");
    for (int level = 0; level < 5; level++)
        json_out_object_end(out);
}

/* ---- calls ---------------------------------------------------------------------------------------------- */

/* "get_SophonFace_api_events" */
static void print_operation_id(const struct api_endpoint *row, struct json_out *out)
{
    char id[ID_MAX];
    size_t size = 0;

    for (const char *at = row->method; *at && size + 1 < sizeof id; at++)
        id[size++] = (char)tolower((unsigned char)*at);
    for (const char *at = row->path; *at && size + 1 < sizeof id; at++)
        if (*at != '{' && *at != '}')
            id[size++] = isalnum((unsigned char)*at) ? *at : '_';
    id[size] = '\0';
    json_out_key_text(out, "operationId", id);
}

static void print_responses(const struct api_endpoint *row, struct json_out *out)
{
    struct json_out schema;

    json_out_init(&schema, ANSWER_MAX);
    json_out_key(out, "responses");
    json_out_object_begin(out);
    json_out_key(out, "200");
    json_out_object_begin(out);
    json_out_key_text(out, "description", "Done.");
    if (openapi_print_answer(row, &schema) && json_out_complete(&schema)) {
        json_out_key(out, "content");
        json_out_object_begin(out);
        json_out_key(out, "application/json");
        json_out_object_begin(out);
        json_out_key(out, "schema");
        json_out_raw(out, (const char *)schema.buffer.data);
        json_out_object_end(out);
        json_out_object_end(out);
    }
    json_out_object_end(out);
    json_out_key(out, "default");
    json_out_raw(out, "{\"$ref\":\"#/components/responses/Error\"}");
    json_out_object_end(out);
    json_out_free(&schema);
}

static void print_operation(const struct api_endpoint *row, struct json_out *out)
{
    char method[8] = "";

    for (size_t i = 0; row->method[i] && i + 1 < sizeof method; i++)
        method[i] = (char)tolower((unsigned char)row->method[i]);
    json_out_key(out, method);
    json_out_object_begin(out);
    print_operation_id(row, out);
    if (row->tag) {
        json_out_key(out, "tags");
        json_out_array_begin(out);
        json_out_text(out, row->tag);
        json_out_array_end(out);
    }
    json_out_key_text(out, "summary", row->summary ? row->summary : "");
    json_out_key_text(out, "x-role", role_names[row->role]);
    json_out_key(out, "security");
    json_out_raw(out, row->role == API_OPEN ? "[]" : "[{\"bearer\":[]},{\"session\":[]},{\"basic\":[]}]");
    print_parameters(row, out);
    if (row->upload)
        print_upload_body(row->upload, out);
    else if (!takes_query(row))
        print_request_body(row, out);
    print_responses(row, out);
    json_out_object_end(out);
}

/* Whether an earlier row has the same path, or the same tag. */
static bool seen(const struct api_endpoint *table, size_t index, bool tag)
{
    for (size_t i = 0; i < index; i++) {
        const char *one = tag ? table[i].tag : table[i].path;
        const char *other = tag ? table[index].tag : table[index].path;

        if (one && other && strcmp(one, other) == 0)
            return true;
    }
    return false;
}

static void print_paths(const struct api_endpoint *table, size_t n, struct json_out *out)
{
    json_out_key(out, "paths");
    json_out_object_begin(out);
    for (size_t i = 0; i < n; i++) {
        if (table[i].page || seen(table, i, false))
            continue;
        json_out_key(out, table[i].path);
        json_out_object_begin(out);
        for (size_t j = i; j < n; j++)
            if (strcmp(table[j].path, table[i].path) == 0)
                print_operation(&table[j], out);
        json_out_object_end(out);
    }
    json_out_object_end(out);
}

static void print_tags(const struct api_endpoint *table, size_t n, struct json_out *out)
{
    json_out_key(out, "tags");
    json_out_array_begin(out);
    for (size_t i = 0; i < n; i++) {
        if (!table[i].tag || seen(table, i, true))
            continue;
        json_out_object_begin(out);
        json_out_key_text(out, "name", table[i].tag);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

/* All codes that REST sends. */
static void print_codes(struct json_out *out)
{
    json_out_array_begin(out);
    for (int status = AIBOX_OK + 1; status < AIBOX_STATUS_COUNT; status++)
        if (status_http((enum aibox_status)status) != 0)
            json_out_int(out, status_code((enum aibox_status)status));
    json_out_array_end(out);
}

static void print_components(struct json_out *out)
{
    json_out_key(out, "components");
    json_out_object_begin(out);
    json_out_key(out, "securitySchemes");
    json_out_raw(
        out,
        "{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"An API key.\"},"
        "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"aibox_session\",\"description\":"
        "\"Set by POST /api/session.\"},"
        "\"basic\":{\"type\":\"http\",\"scheme\":\"basic\",\"description\":\"Name and password of an account.\"}}");
    json_out_key(out, "responses");
    json_out_raw(out, "{\"Error\":{\"description\":\"What is wrong, and with which field.\",\"content\":{"
                      "\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Error\"},"
                      "\"example\":{\"error\":{\"code\":40091,\"message\":\"limit: expected an integer from 1 to "
                      "1000, got 0\",\"status\":\"PARAM_ERROR\"}}}}}}");
    json_out_key(out, "schemas");
    json_out_object_begin(out);
    json_out_key(out, "Error");
    json_out_raw(out, "{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{"
                      "\"type\":\"object\",\"required\":[\"code\",\"message\",\"status\"],\"properties\":{"
                      "\"code\":{\"$ref\":\"#/components/schemas/Code\"},\"message\":{\"type\":\"string\"},"
                      "\"status\":{\"type\":\"string\"}}}}}");
    json_out_key(out, "Code");
    json_out_object_begin(out);
    json_out_key_text(out, "type", "integer");
    json_out_key(out, "enum");
    print_codes(out);
    json_out_object_end(out);
    json_out_object_end(out);
    json_out_object_end(out);
}

void openapi_print(const struct api_endpoint *table, size_t n, struct json_out *out)
{
    json_out_object_begin(out);
    json_out_key_text(out, "openapi", "3.1.0");
    json_out_key(out, "info");
    json_out_object_begin(out);
    json_out_key_text(out, "title", "AIBOX");
    json_out_key_text(out, "version", AIBOX_VERSION);
    json_out_key_text(out, "description",
                      "Face-recognition fog node. An argument that is null counts as absent, '' is a value. Ids may "
                      "be given as integers, numbers and booleans as text.");
    json_out_object_end(out);
    print_tags(table, n, out);
    print_paths(table, n, out);
    print_components(out);
    json_out_object_end(out);
}
