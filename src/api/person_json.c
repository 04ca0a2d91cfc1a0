#include "api/person_json.h"

#include <stdlib.h>
#include <string.h>

void person_json_texts(struct json_out *out, const struct store_text_list *texts)
{
    json_out_array_begin(out);
    for (size_t i = 0; i < texts->count; i++)
        json_out_text(out, texts->items[i]);
    json_out_array_end(out);
}

static void derived_keys(struct json_out *out, const struct store_person *person)
{
    json_out_key_text(out, "user_id", person->identity_id);
    json_out_key(out, "face_ids");
    json_out_array_begin(out);
    for (size_t i = 0; i < person->n_faces; i++)
        json_out_text(out, person->faces[i].face_id);
    json_out_array_end(out);
    json_out_key_text(out, "image_id", person->n_faces > 0 ? person->faces[person->n_faces - 1].image_id : "");
    json_out_key(out, "image_ids");
    json_out_array_begin(out);
    for (size_t i = 0; i < person->n_faces; i++)
        if (person->faces[i].image_id[0] != '\0')
            json_out_text(out, person->faces[i].image_id);
    json_out_array_end(out);
    json_out_key(out, "group_ids");
    person_json_texts(out, &person->group_names);
    json_out_key(out, "permission_ids");
    person_json_texts(out, &person->permission_ids);
    json_out_key(out, "permission_names");
    person_json_texts(out, &person->permission_names);
}

void person_json_info(struct json_out *out, const struct store_person *person)
{
    json_out_object_begin(out);
    json_out_members(out, person->info);
    derived_keys(out, person);
    json_out_object_end(out);
}

enum aibox_status person_json_photo(struct json_out *out, struct store *store, const struct store_person *person,
                                    bool wanted, struct aibox_error *err)
{
    const char *image_id = person->n_faces > 0 ? person->faces[person->n_faces - 1].image_id : "";
    if (!wanted || image_id[0] == '\0') {
        json_out_text(out, "");
        return AIBOX_OK;
    }
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum aibox_status status = store_picture_get(store, image_id, &bytes, &size, err);
    if (status == AIBOX_ID_NOT_FOUND) { /* replaced a moment ago */
        json_out_text(out, "");
        return AIBOX_OK;
    }
    if (status == AIBOX_OK)
        json_out_base64(out, bytes, size);
    free(bytes);
    return status;
}
