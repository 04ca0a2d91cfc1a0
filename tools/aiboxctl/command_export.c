/* aiboxctl export: everybody with photos into a folder that `enrol` reads back. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"
#include "file.h"
#include "flow/csv.h"
#include "flow/photo_name.h"
#include "people.h"
#include "progress.h"

#define CSV_MAX   ((size_t)256 * 1024 * 1024)
#define PHOTO_MAX ((size_t)64 * 1024 * 1024)
#define CSV_FILE  "people.csv"

struct export
{
    struct box *list;   /* walks through the people */
    struct box *photos; /* fetches their photos */
    int dir;
    struct buffer csv;
    struct buffer photo; /* the one being copied */
    size_t people, written, missing, shortened;
    struct progress progress;
    enum aibox_status status; /* why the walk ended early */
    struct aibox_error *err;
};

static enum aibox_status fetch_photo(struct export *export, const char *image_id)
{
    struct buffer path;
    buffer_init(&path, 4096);
    buffer_append_text(&path, "/SophonFace/api/images/");
    box_path_segment(&path, image_id);
    enum aibox_status status = box_get_bytes(export->photos, (const char *)path.data, &export->photo, export->err);
    buffer_free(&path);
    return status;
}

static void name_photo(const json_t *person, const char *id, struct photo_name *out)
{
    *out = (struct photo_name){.type = people_type(person)};
    snprintf(out->id, sizeof out->id, "%s", id);
    snprintf(out->name, sizeof out->name, "%s", people_info_text(person, "name"));
    snprintf(out->department, sizeof out->department, "%s", people_more_text(person, "department"));
    snprintf(out->card, sizeof out->card, "%s", people_more_text(person, "visit_card_number"));
    snprintf(out->description, sizeof out->description, "%s", people_more_text(person, "descriptor"));
}

/* Writes the photos and lists their file names, separated by ';'. */
static enum aibox_status write_photos(struct export *export, const json_t *person, struct photo_name *photo,
                                      struct buffer *names)
{
    const json_t *ids = json_object_get(json_object_get(person, "info"), "image_ids"), *image;
    size_t i;
    json_array_foreach(ids, i, image)
    {
        char file_name[PHOTO_NAME_MAX];
        const char *image_id = json_string_value(image);
        enum aibox_status status = image_id == NULL ? AIBOX_ID_NOT_FOUND : fetch_photo(export, image_id);
        if (status == AIBOX_ID_NOT_FOUND) { /* replaced a moment ago */
            export->missing++;
            continue;
        }
        photo->number = (int)i + 1;
        export->shortened += photo_name_build(photo, ".jpg", file_name) ? 0 : 1;
        if (status == AIBOX_OK)
            status = file_create(export->dir, file_name, export->photo.data, export->photo.size, export->err);
        if (status != AIBOX_OK)
            return status;
        export->written++;
        buffer_appendf(names, "%s%s", names->size > 0 ? ";" : "", file_name);
    }
    return AIBOX_OK;
}

static bool export_person(void *ctx, json_t *person)
{
    struct export *export = ctx;
    struct photo_name photo;
    struct buffer names;
    char groups[4096], type[16];
    const char *id = json_string_value(json_object_get(person, "identity_id"));
    if (id == NULL)
        return true;
    buffer_init(&names, 8192);
    name_photo(person, id, &photo);
    export->status = write_photos(export, person, &photo, &names);
    people_join(json_object_get(person, "group_name"), ";", groups, sizeof groups);
    snprintf(type, sizeof type, "%d", people_type(person));
    const char *const fields[] = {id,
                                  people_info_text(person, "name"),
                                  type,
                                  groups,
                                  people_more_text(person, "department"),
                                  people_more_text(person, "visit_card_number"),
                                  people_more_text(person, "descriptor"),
                                  (const char *)names.data};
    csv_add_line(&export->csv, fields, sizeof fields / sizeof fields[0]);
    buffer_free(&names);
    export->people++;
    progress_step(&export->progress, false);
    return export->status == AIBOX_OK;
}

static enum aibox_status export_people(struct export *export, const char *group, struct aibox_error *err)
{
    static const char *const headers[] = {"identity_id", "name", "type",        "groups",
                                          "department",  "card", "description", "photos"};
    size_t total = 0;
    enum aibox_status status = people_count(export->list, group, &total, err);
    if (status != AIBOX_OK)
        return status;
    csv_add_line(&export->csv, headers, sizeof headers / sizeof headers[0]);
    progress_start(&export->progress, total);
    status = people_each(export->list, group, export_person, export, err);
    progress_end(&export->progress);
    if (status == AIBOX_OK)
        status = export->status;
    if (status == AIBOX_OK && export->csv.failed)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (status == AIBOX_OK)
        status = file_create(export->dir, CSV_FILE, export->csv.data, export->csv.size, err);
    return status;
}

static int report(const struct ctl *ctl, const struct export *export, const char *folder)
{
    if (ctl->json)
        return ctl_print_json_take(json_pack("{s:s, s:I, s:I, s:I, s:I}", "folder", folder, "people",
                                             (json_int_t) export->people, "photos", (json_int_t) export->written,
                                             "missing", (json_int_t) export->missing, "shortened",
                                             (json_int_t) export->shortened));
    printf("%zu people with %zu photos exported to %s\n", export->people, export->written, folder);
    if (export->missing > 0)
        printf("%zu photos were replaced meanwhile and are missing\n", export->missing);
    if (export->shortened > 0)
        printf("%zu file names could not hold everything: " CSV_FILE " does\n", export->shortened);
    return CTL_YES;
}

static int export_to(const struct ctl *ctl, const char *folder, const char *group)
{
    struct aibox_error err;
    struct export export = {.dir = -1, .err = &err};
    buffer_init(&export.csv, CSV_MAX);
    buffer_init(&export.photo, PHOTO_MAX);
    enum aibox_status status = box_open(&ctl->address, &export.list, &err);
    if (status == AIBOX_OK)
        status = box_open(&ctl->address, &export.photos, &err);
    if (status == AIBOX_OK)
        status = folder_open_new(folder, &export.dir, &err);
    if (status == AIBOX_OK)
        status = export_people(&export, group, &err);
    int exit_status = status == AIBOX_OK ? report(ctl, &export, folder) : ctl_complain(&err);
    if (export.dir >= 0)
        close(export.dir);
    box_close(export.list);
    box_close(export.photos);
    buffer_free(&export.csv);
    buffer_free(&export.photo);
    return exit_status;
}

static int run_export(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"group", required_argument, NULL, 'g'}, CTL_COMMON_OPTIONS};
    const char *group = NULL;
    for (int option; (option = ctl_next_option(ctl, argc, argv, options)) != -1;) {
        if (option == '?')
            return ctl->option_exit;
        group = optarg;
    }
    return ctl_check_arguments(ctl, argc, 1, 1) ? export_to(ctl, argv[optind], group) : ctl->option_exit;
}

const struct ctl_command ctl_export = {
    .name = "export",
    .arguments = "FOLDER [--group NAME]",
    .summary = "copy everybody with photos into a folder",
    .help =
        "Writes all photos into FOLDER, which must be empty or not exist, named so that enrol reads them back, and\n"
        "people.csv with everybody, also those without a photo.\n"
        "\n"
        "  --group NAME   only the members of this group\n",
    .run = run_export,
};
