/* The photos of one person, one by one: /api/people/{identity_id}/photos. */
#include "api/endpoint.h"
#include "api/resources.h"
#include "store/store.h"

static void write_face(struct json_out *out, const struct store_face *face, bool portrait)
{
    json_out_object_begin(out);
    json_out_key_text(out, "face_id", face->face_id);
    json_out_key_text(out, "image_id", face->image_id);
    json_out_key_float(out, "quality", (double)face->quality);
    json_out_key_int(out, "created", face->created_ms);
    json_out_key_bool(out, "portrait", portrait);
    json_out_object_end(out);
}

static void write_faces(struct json_out *out, const struct store_person *person)
{
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_text(out, "identity_id", person->identity_id);
    json_out_key(out, "photos");
    json_out_array_begin(out);
    for (size_t i = 0; i < person->n_faces; i++)
        write_face(out, &person->faces[i], i + 1 == person->n_faces);
    json_out_array_end(out);
    json_out_object_end(out);
    json_out_object_end(out);
}

/* Answers the person's faces, when `status` says that all went well; frees the person. */
static enum aibox_status answer(struct api_response *res, struct store_person *person, enum aibox_status status)
{
    if (status == AIBOX_OK)
        write_faces(api_body(res), person);
    store_person_free(person);
    return status;
}

static enum aibox_status list_photos(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    struct store_person person = {0};

    return answer(res, &person, store_person_get(ctx->store, api_text(req, "identity_id"), &person, err));
}

static enum aibox_status remove_photo(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    struct store_person person = {0};

    return answer(res, &person,
                  store_face_remove(ctx->store, api_text(req, "identity_id"), api_text(req, "face_id"),
                                    api_bool(req, "allow_last"), &person, err));
}

static enum aibox_status prefer_photo(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    struct store_person person = {0};

    return answer(res, &person,
                  store_face_prefer(ctx->store, api_text(req, "identity_id"), api_text(req, "face_id"), &person, err));
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

#define IDENTITY_ID                                                                                                    \
    {                                                                                                                  \
        .name = "identity_id", .type = API_TEXT, .flags = API_REQUIRED, .max = STORE_MAX_IDENTITY,                     \
        .help = "The person."                                                                                          \
    }
#define FACE_ID                                                                                                        \
    {                                                                                                                  \
        .name = "face_id", .type = API_TEXT, .flags = API_REQUIRED | API_NOT_EMPTY, .max = 64,                         \
        .help = "The photo's face_id, as the list tells it."                                                           \
    }

static const struct api_field list_fields[] = {IDENTITY_ID};
static const struct api_field prefer_fields[] = {IDENTITY_ID, FACE_ID};
static const struct api_field remove_fields[] = {
    IDENTITY_ID,
    FACE_ID,
    {.name = "allow_last",
     .type = API_BOOL,
     .default_text = "false",
     .help = "True: also the only one; the person stays, and is not recognised any more."},
};

#define PATH          "/api/people/{identity_id}/photos"
#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]
#define EXAMPLE       "{\"face_id\": \"0b6f3c52-6c1b-4a59-9f0e-0c4d5d8f6a11\"}"

const struct api_endpoint api_photos_endpoints[] = {
    {"GET", PATH, API_QUERY, API_VIEWER, false, FIELDS(list_fields), list_photos, "people",
     "List the photos of a person, the one that stands for the person last", NULL},
    {"DELETE", PATH, API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false, FIELDS(remove_fields), remove_photo, "people",
     "Delete one photo of a person with its face", EXAMPLE},
    {"PUT", PATH, API_BODY_JSON | API_BODY_FORM, API_OPERATOR, false, FIELDS(prefer_fields), prefer_photo, "people",
     "Let one photo stand for the person, in lists and reports; it is also the last to give way to new ones", EXAMPLE},
};
const size_t api_photos_count = sizeof api_photos_endpoints / sizeof api_photos_endpoints[0];
