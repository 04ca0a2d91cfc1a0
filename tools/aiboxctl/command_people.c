/* aiboxctl list, show, delete, groups: who is on the box? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "ctl.h"
#include "people.h"
#include "table.h"
#include "text.h"

#define JOINED_MAX 1024

/* ---- list ---- */

struct listing {
    const char *part; /* of name or id; NULL: everybody */
    json_t *people;   /* with --json, else NULL */
    struct table table;
    size_t n;
};

static bool list_person(void *ctx, json_t *person)
{
    struct listing *listing = ctx;
    const char *id = json_string_value(json_object_get(person, "identity_id"));
    const char *name = people_info_text(person, "name");
    if (id == NULL ||
        (listing->part != NULL && strstr(name, listing->part) == NULL && strstr(id, listing->part) == NULL))
        return true;
    listing->n++;
    if (listing->people != NULL) {
        json_array_append(listing->people, person);
        return true;
    }
    char groups[JOINED_MAX], faces[16];
    people_join(json_object_get(person, "group_name"), ",", groups, sizeof groups);
    snprintf(faces, sizeof faces, "%zu", json_array_size(json_object_get(json_object_get(person, "info"), "face_ids")));
    const char *const cells[] = {id,    name,   people_type_word(people_type(person)),
                                 faces, groups, people_more_text(person, "department")};
    table_add(&listing->table, cells);
    return !listing->table.failed;
}

static int list_people(const struct ctl *ctl, const char *group, const char *part)
{
    static const char *const headers[] = {"ID", "NAME", "TYPE", ">FACES", "GROUPS", "DEPARTMENT"};
    struct listing listing = {.part = part, .people = ctl->json ? json_array() : NULL};
    struct box *box = NULL;
    struct aibox_error err;
    table_init(&listing.table, headers, sizeof headers / sizeof headers[0]);
    enum aibox_status status = box_open(&ctl->address, &box, &err);
    if (status == AIBOX_OK)
        status = people_each(box, group, list_person, &listing, &err);
    box_close(box);
    if (status != AIBOX_OK) {
        json_decref(listing.people);
        return ctl_complain(&err);
    }
    if (ctl->json)
        return ctl_print_json_take(listing.people);
    if (!table_print_take(&listing.table, stdout))
        return ctl_fail("out of memory");
    fprintf(stderr, "%zu %s\n", listing.n, listing.n == 1 ? "person" : "people");
    return CTL_YES;
}

static int run_list(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"group", required_argument, NULL, 'g'}, {"name", required_argument, NULL, 'n'}, CTL_COMMON_OPTIONS};
    const char *group = NULL, *part = NULL;
    for (int option; (option = ctl_next_option(ctl, argc, argv, options)) != -1;) {
        if (option == '?')
            return ctl->option_exit;
        *(option == 'g' ? &group : &part) = optarg;
    }
    return ctl_check_arguments(ctl, argc, 0, 0) ? list_people(ctl, group, part) : ctl->option_exit;
}

const struct ctl_command ctl_list = {
    .name = "list",
    .arguments = "[--group NAME] [--name TEXT]",
    .summary = "who is enrolled?",
    .help = "Lists everybody by id.\n"
            "\n"
            "  --group NAME   only the members of this group\n"
            "  --name TEXT    only those whose name or id holds this text\n",
    .run = run_list,
};

/* ---- show ---- */

static void print_line(const char *label, const char *text)
{
    char clean[2048];
    text_clean(text, clean, sizeof clean);
    printf("%-13s%s\n", label, clean);
}

/* What else `info` and `ext_info` hold, besides what has a line of its own and what the box derives. */
static void print_rest(json_t *object)
{
    static const char *const known[] = {"name",      "type",      "user_id",  "face_ids",       "image_id",
                                        "image_ids", "group_ids", "ext_info", "permission_ids", "permission_names"};
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        bool shown = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            shown = shown || strcmp(key, known[i]) == 0;
        char *text = shown ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        if (text != NULL)
            print_line(key, json_is_string(value) ? json_string_value(value) : text);
        free(text);
    }
}

static void print_person(const json_t *person)
{
    json_t *info = json_object_get(person, "info");
    char joined[JOINED_MAX];
    print_line("id", json_string_value(json_object_get(person, "identity_id")));
    print_line("name", people_info_text(person, "name"));
    print_line("type", people_type_word(people_type(person)));
    people_join(json_object_get(person, "group_name"), ", ", joined, sizeof joined);
    print_line("groups", joined);
    people_join(json_object_get(info, "permission_names"), ", ", joined, sizeof joined);
    print_line("permissions", joined);
    printf("%-13s%zu\n", "faces", json_array_size(json_object_get(info, "face_ids")));
    people_join(json_object_get(info, "image_ids"), ", ", joined, sizeof joined);
    print_line("photos", joined);
    print_rest(json_object_get(info, "ext_info"));
    print_rest(info);
}

static int run_show(struct ctl *ctl, int argc, char **argv)
{
    struct box *box = NULL;
    struct aibox_error err;
    json_t *person = NULL;
    if (!ctl_only_arguments(ctl, argc, argv, 1, 1))
        return ctl->option_exit;
    enum aibox_status status = box_open(&ctl->address, &box, &err);
    if (status == AIBOX_OK)
        status = people_get(box, argv[optind], &person, &err);
    box_close(box);
    if (status != AIBOX_OK)
        return ctl_complain(&err);
    if (ctl->json)
        return ctl_print_json_take(person);
    print_person(person);
    json_decref(person);
    return CTL_YES;
}

const struct ctl_command ctl_show = {
    .name = "show",
    .arguments = "ID",
    .summary = "everything about one person",
    .help = "Shows one person: name, type, groups, permissions, faces and what else is kept.\n",
    .run = run_show,
};

/* ---- delete ---- */

static int run_delete(struct ctl *ctl, int argc, char **argv)
{
    struct box *box = NULL;
    struct aibox_error err;
    json_t *answer = NULL;
    if (!ctl_only_arguments(ctl, argc, argv, 1, -1))
        return ctl->option_exit;
    json_t *ids = json_array(), *body;
    for (int i = optind; i < argc; i++)
        json_array_append_new(ids, json_string(argv[i]));
    size_t n = json_array_size(ids);
    if (n != (size_t)(argc - optind)) {
        json_decref(ids);
        return ctl_fail("an id is not UTF-8");
    }
    body = json_pack("{s:o}", "identity_ids", ids);
    enum aibox_status status = box_open(&ctl->address, &box, &err);
    if (status == AIBOX_OK)
        status = box_call(box, "DELETE", "/SophonFogSys/api/users", body, &answer, &err);
    json_decref(body);
    box_close(box);
    if (status != AIBOX_OK)
        return ctl_complain(&err);
    int exit_status = CTL_YES;
    if (ctl->json)
        exit_status = ctl_print_json_take(json_incref(json_object_get(answer, "data")));
    else
        printf("%zu %s deleted\n", n, n == 1 ? "person" : "people");
    json_decref(answer);
    return exit_status;
}

const struct ctl_command ctl_delete = {
    .name = "delete",
    .arguments = "ID...",
    .summary = "delete people",
    .help =
        "Deletes people with their faces, photos and memberships: all of them, or, when one id is unknown, nobody.\n",
    .run = run_delete,
};

/* ---- groups ---- */

/* The groups as the box lists them, each with "people", the number of its members. A new reference. */
static enum aibox_status read_groups(const struct ctl *ctl, json_t **out, struct aibox_error *err)
{
    struct box *box = NULL;
    json_t *answer = NULL, *group;
    size_t i;
    enum aibox_status status = box_open(&ctl->address, &box, err);
    if (status == AIBOX_OK)
        status = box_call(box, "GET", "/SophonFogSys/api/groups", NULL, &answer, err);
    json_t *groups = json_object_get(json_object_get(answer, "data"), "groups_list");
    json_array_foreach(groups, i, group)
    {
        size_t people = 0;
        const char *name = json_string_value(json_object_get(group, "name"));
        if (name != NULL && status == AIBOX_OK)
            status = people_count(box, name, &people, err);
        json_object_set_new(group, "people", json_integer((json_int_t)people));
    }
    box_close(box);
    *out = status == AIBOX_OK ? json_incref(groups) : NULL;
    json_decref(answer);
    return status;
}

static int run_groups(struct ctl *ctl, int argc, char **argv)
{
    static const char *const headers[] = {"GROUP", ">PEOPLE", "DESCRIPTION"};
    struct aibox_error err;
    struct table table;
    json_t *groups = NULL;
    size_t i;
    const json_t *group;
    if (!ctl_only_arguments(ctl, argc, argv, 0, 0))
        return ctl->option_exit;
    if (read_groups(ctl, &groups, &err) != AIBOX_OK)
        return ctl_complain(&err);
    if (ctl->json)
        return ctl_print_json_take(groups);
    table_init(&table, headers, sizeof headers / sizeof headers[0]);
    json_array_foreach(groups, i, group)
    {
        char people[32];
        snprintf(people, sizeof people, "%lld", (long long)json_integer_value(json_object_get(group, "people")));
        const char *const cells[] = {json_string_value(json_object_get(group, "name")), people,
                                     json_string_value(json_object_get(group, "description"))};
        table_add(&table, cells);
    }
    json_decref(groups);
    return table_print_take(&table, stdout) ? CTL_YES : ctl_fail("out of memory");
}

const struct ctl_command ctl_groups = {
    .name = "groups",
    .arguments = "",
    .summary = "the groups and how many are in them",
    .help = "Lists the groups with the number of their members.\n",
    .run = run_groups,
};
