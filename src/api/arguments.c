#include "api/arguments.h"

#include <string.h>

#include "api/argument.h"
#include "api/form.h"
#include "api/json_in.h"
#include "api/lift.h"

#define MAX_SPELLINGS 8 /* a name and its aliases */
#define MAX_ALIAS     64

/* The spellings under which a field is looked for, its name first. */
struct spellings {
    const char *text[MAX_SPELLINGS];
    size_t count;
    char aliases[MAX_SPELLINGS][MAX_ALIAS];
};

static void spell(const struct api_field *field, struct spellings *out)
{
    const char *at = field->alias;

    out->text[0] = field->name;
    out->count = 1;
    while (at && *at && out->count < MAX_SPELLINGS) {
        size_t size = strcspn(at, "|");
        char *copy = out->aliases[out->count];

        if (size < MAX_ALIAS) {
            memcpy(copy, at, size);
            copy[size] = '\0';
            out->text[out->count++] = copy;
        }
        at += size;
        at += *at == '|';
    }
}

bool arguments_required(const struct api_endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->n_fields; i++)
        if (endpoint->fields[i].flags & API_REQUIRED)
            return true;
    return false;
}

/* What is done for a field that did not come. */
static enum aibox_status absent(struct api_request *req, const struct api_field *field, struct api_value *value,
                                struct aibox_error *err)
{
    /* The argument in the path is no part of body or query. */
    if (req->path_name && strlen(field->name) == req->path_name_size &&
        memcmp(field->name, req->path_name, req->path_name_size) == 0) {
        enum aibox_status status = argument_scalar(field, req->path_value, value, err);

        value->given = status == AIBOX_OK;
        return status;
    }
    if (field->flags & API_REQUIRED)
        return error_set(err, AIBOX_PARAM, "%s: required, and missing", field->name);
    if (field->default_text)
        return argument_from_default(req, field, value, err);
    return AIBOX_OK;
}

/* ---- JSON -------------------------------------------------------------------------------------- */

static const struct lifted *find_lifted(const struct lift *lift, const char *key)
{
    for (size_t i = 0; i < lift->count; i++)
        if (strcmp(lift->strings[i].key, key) == 0)
            return &lift->strings[i];
    return NULL;
}

static enum aibox_status field_from_json(struct api_request *req, const json_t *object, const struct api_field *field,
                                         const struct lift *lift, struct api_value *value, struct aibox_error *err)
{
    const struct lifted *lifted;
    struct spellings spellings;
    enum aibox_status status;
    json_t *json = NULL;
    size_t i;

    spell(field, &spellings);
    for (i = 0; i < spellings.count; i++) {
        json = json_object_get(object, spellings.text[i]);
        if (json && !json_is_null(json))
            break;
    }
    if (i == spellings.count)
        return absent(req, field, value, err);
    lifted = field->type == API_PICTURE ? find_lifted(lift, spellings.text[i]) : NULL;
    if (lifted) {
        value->filled = true;
        value->bytes = lifted->bytes;
        status = AIBOX_OK;
    } else {
        status = argument_from_json(req, field, json, value, err);
    }
    value->given = status == AIBOX_OK;
    return status;
}

static bool only_blanks(const char *text, size_t size)
{
    for (size_t at = 0; at < size; at++)
        if (text[at] != ' ' && text[at] != '\t' && text[at] != '\r' && text[at] != '\n')
            return false;
    return true;
}

/* Sets req->body, or leaves it NULL where no body is needed and none came. */
static enum aibox_status parse_body(struct api_request *req, const struct arguments_source *source, struct lift *lift,
                                    struct aibox_error *err)
{
    size_t size = source->size;
    enum aibox_status status;

    if (only_blanks(source->text, size)) {
        if (arguments_required(req->endpoint))
            return error_set(err, AIBOX_EMPTY_BODY, "a JSON object is required, the body is empty");
        return AIBOX_OK;
    }
    status = json_lift(&req->arena, req->endpoint, !source->plain, source->text, &size, lift, err);
    if (status != AIBOX_OK)
        return status;
    req->body = json_in_parse_lifted(source->text, size, lift, err);
    if (!req->body)
        return AIBOX_BAD_REQUEST;
    if (!json_is_object(req->body))
        return error_set(err, AIBOX_BAD_REQUEST, "the body must be a JSON object, not a list");
    return AIBOX_OK;
}

static enum aibox_status parse_json(struct api_request *req, const struct arguments_source *source,
                                    struct aibox_error *err)
{
    const struct api_endpoint *endpoint = req->endpoint;
    struct lift lift = {.count = 0};
    enum aibox_status status = parse_body(req, source, &lift, err);

    if (status != AIBOX_OK)
        return status;
    if (endpoint->n_fields == 1 && (endpoint->fields[0].flags & API_WHOLE)) {
        if (req->body) {
            req->values[0].json = req->body;
            req->values[0].given = req->values[0].filled = true;
        }
        return AIBOX_OK;
    }
    for (size_t i = 0; i < endpoint->n_fields && status == AIBOX_OK; i++)
        status = field_from_json(req, req->body, &endpoint->fields[i], &lift, &req->values[i], err);
    return status;
}

enum aibox_status arguments_parse_object(struct api_request *req, const json_t *object, const char *name,
                                         const struct api_field *fields, size_t n, struct api_value *values,
                                         struct aibox_error *err)
{
    const struct lift none = {.count = 0};
    enum aibox_status status = AIBOX_OK;

    memset(values, 0, n * sizeof *values);
    for (size_t i = 0; i < n && status == AIBOX_OK; i++)
        status = field_from_json(req, object, &fields[i], &none, &values[i], err);
    if (status != AIBOX_OK)
        error_prefix(err, "%s", name);
    return status;
}

/* ---- forms --------------------------------------------------------------------------------------- */

/* All parts of that name; returns their number. */
static size_t find_parts(const struct form *form, const char *name, const struct form_part **found)
{
    size_t count = 0;

    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->parts[i].name, name) == 0)
            found[count++] = &form->parts[i];
    return count;
}

static enum aibox_status fields_from_form(struct api_request *req, const struct form *form, struct aibox_error *err)
{
    const struct api_endpoint *endpoint = req->endpoint;
    const struct form_part **found = arena_array(&req->arena, form->count, sizeof(const struct form_part *));
    enum aibox_status status = AIBOX_OK;

    if (!found)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    for (size_t i = 0; i < endpoint->n_fields && status == AIBOX_OK; i++) {
        const struct api_field *field = &endpoint->fields[i];
        struct api_value *value = &req->values[i];
        struct spellings spellings;
        size_t count = 0;

        spell(field, &spellings);
        for (size_t j = 0; j < spellings.count && count == 0; j++)
            count = find_parts(form, spellings.text[j], found);
        if (count == 0) {
            status = absent(req, field, value, err);
            continue;
        }
        status = argument_from_form(req, field, found, count, value, err);
        value->given = status == AIBOX_OK;
    }
    return status;
}

/* Command-line tools call JSON a form unless told otherwise. */
static bool looks_like_json(const struct arguments_source *source)
{
    size_t at = strspn(source->text, " \t\r\n");

    return source->encoding == ARGUMENTS_URLENCODED && source->text[at] == '{';
}

static enum aibox_status parse_form(struct api_request *req, const struct arguments_source *source,
                                    struct aibox_error *err)
{
    struct form form;
    enum aibox_status status;

    if (source->encoding == ARGUMENTS_MULTIPART)
        status = form_parse_multipart(&req->arena, source->text, source->size, source->boundary, &form, err);
    else
        status = form_parse_urlencoded(&req->arena, source->text, source->size, &form, err);
    if (status == AIBOX_OK)
        status = fields_from_form(req, &form, err);
    if (status != AIBOX_OK && looks_like_json(source))
        error_prefix(err, "the body looks like JSON, but its Content-Type says form");
    return status;
}

enum aibox_status arguments_parse(struct api_request *req, const struct arguments_source *source,
                                  struct aibox_error *err)
{
    return source->encoding == ARGUMENTS_JSON ? parse_json(req, source, err) : parse_form(req, source, err);
}
