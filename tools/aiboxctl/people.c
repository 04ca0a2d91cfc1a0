#include "people.h"

#include <stdio.h>

#define USERS          "/SophonFogSys/api/users"
#define PAGE           500
#define PATH_MAX_BYTES 8192

static enum aibox_status read_page(struct box *box, const char *group, size_t skip, size_t limit, json_t **answer,
                                   struct aibox_error *err)
{
    struct buffer path;
    buffer_init(&path, PATH_MAX_BYTES);
    buffer_append_text(&path, USERS "?need_reg_photo=false");
    box_path_query_int(&path, "limit", (long long)limit);
    box_path_query_int(&path, "skip_num", (long long)skip);
    if (group != NULL)
        box_path_query(&path, "group_name", group);
    enum aibox_status status = path.failed ? error_set(err, AIBOX_PARAM, "--group: the name is too long")
                                           : box_call(box, "GET", (const char *)path.data, NULL, answer, err);
    buffer_free(&path);
    return status;
}

enum aibox_status people_each(struct box *box, const char *group, people_visit visit, void *ctx,
                              struct aibox_error *err)
{
    for (size_t skip = 0;; skip += PAGE) {
        json_t *answer = NULL;
        enum aibox_status status = read_page(box, group, skip, PAGE, &answer, err);
        if (status != AIBOX_OK)
            return status;
        const json_t *people = json_object_get(json_object_get(answer, "data"), "identities_list");
        size_t n = json_array_size(people), i;
        json_t *person;
        bool goes_on = n == PAGE;
        json_array_foreach(people, i, person)
        {
            if (!visit(ctx, person)) {
                goes_on = false;
                break;
            }
        }
        json_decref(answer);
        if (!goes_on)
            return AIBOX_OK;
    }
}

enum aibox_status people_get(struct box *box, const char *id, json_t **out, struct aibox_error *err)
{
    struct buffer path;
    json_t *answer = NULL;
    buffer_init(&path, PATH_MAX_BYTES);
    buffer_append_text(&path, USERS "?need_reg_photo=false");
    box_path_query(&path, "identity_id", id);
    enum aibox_status status = path.failed ? error_set(err, AIBOX_PARAM, "the id is too long")
                                           : box_call(box, "GET", (const char *)path.data, NULL, &answer, err);
    buffer_free(&path);
    if (status != AIBOX_OK)
        return status;
    json_t *people = json_object_get(json_object_get(answer, "data"), "identities_list");
    *out = json_incref(json_array_get(people, 0));
    json_decref(answer);
    return *out != NULL ? AIBOX_OK : error_set(err, AIBOX_REMOTE_DATA, "the box's answer holds no person");
}

enum aibox_status people_count(struct box *box, const char *group, size_t *out, struct aibox_error *err)
{
    json_t *answer = NULL;
    enum aibox_status status = read_page(box, group, 0, 1, &answer, err);
    const json_t *pagination = json_object_get(json_object_get(answer, "data"), "pagination");
    *out = (size_t)json_integer_value(json_object_get(pagination, "total_count"));
    json_decref(answer);
    return status;
}

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

const char *people_info_text(const json_t *person, const char *key)
{
    return text_in(json_object_get(person, "info"), key);
}

const char *people_more_text(const json_t *person, const char *key)
{
    return text_in(json_object_get(json_object_get(person, "info"), "ext_info"), key);
}

int people_type(const json_t *person)
{
    return (int)json_integer_value(json_object_get(json_object_get(person, "info"), "type"));
}

const char *people_type_word(int type)
{
    static const char *const words[] = {"?", "employee", "visitor", "blacklist", "stranger", "VIP"};
    return words[type >= 1 && type <= 5 ? type : 0];
}

void people_join(const json_t *list, const char *separator, char *out, size_t size)
{
    struct buffer text;
    size_t i;
    const json_t *name;
    buffer_init(&text, size - 1);
    json_array_foreach(list, i, name)
    {
        if (!buffer_appendf(&text, "%s%s", i > 0 ? separator : "",
                            json_is_string(name) ? json_string_value(name) : "?"))
            break;
    }
    snprintf(out, size, "%s", text.data == NULL ? "" : (const char *)text.data);
    buffer_free(&text);
}
