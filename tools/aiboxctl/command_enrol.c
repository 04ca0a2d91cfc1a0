/* aiboxctl enrol: a folder of pictures becomes people. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "enrol.h"
#include "text.h"

#define GROUPS           "/SophonFogSys/api/groups"
#define GROUPS_MAX       65536
#define RATE_MIN_SECONDS 0.5 /* in less a rate means nothing */

/* Set by the first Ctrl-C; a second one ends the program as ever. */
static atomic_bool stop;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

struct arguments {
    const char *folder;
    struct enrol_options enrol;
    struct buffer groups;
};

static bool read_arguments(struct ctl *ctl, int argc, char **argv, struct arguments *out)
{
    static const struct option options[] = {
        {"group", required_argument, NULL, 'g'}, {"fiqa-level", required_argument, NULL, 'q'},
        {"update", no_argument, NULL, 'u'},      {"jobs", required_argument, NULL, 'j'},
        {"dry-run", no_argument, NULL, 'n'},     CTL_COMMON_OPTIONS};
    long jobs = 4;
    out->enrol.fiqa_level = "high";
    for (int option; (option = ctl_next_option(ctl, argc, argv, options)) != -1;) {
        ctl->option_exit = option == '?' ? ctl->option_exit : CTL_ERROR;
        if (option == 'g')
            buffer_appendf(&out->groups, "%s%s", out->groups.size > 0 ? "," : "", optarg);
        else if (option == 'q')
            out->enrol.fiqa_level = optarg;
        else if (option == 'u')
            out->enrol.update = true;
        else if (option == 'n')
            out->enrol.dry_run = true;
        else if (option == '?' || !ctl_number("--jobs", optarg, 1, ENROL_MAX_JOBS, &jobs))
            return false;
    }
    if (!ctl_check_arguments(ctl, argc, 1, 1))
        return false;
    out->folder = argv[optind];
    out->enrol.jobs = (size_t)jobs;
    out->enrol.address = &ctl->address;
    out->enrol.groups = out->groups.size > 0 ? (const char *)out->groups.data : "";
    return true;
}

static enum aibox_status create_group(struct box *box, const char *name, struct aibox_error *err)
{
    struct buffer path;
    buffer_init(&path, 4096);
    buffer_append_text(&path, GROUPS);
    box_path_query(&path, "group_name", name);
    enum aibox_status status = box_call(box, "GET", (const char *)path.data, NULL, NULL, err);
    buffer_free(&path);
    if (status != AIBOX_NOT_FOUND)
        return status;
    json_t *body = json_pack("{s:s, s:s}", "group_name", name, "description", "");
    if (body == NULL)
        return error_set(err, AIBOX_PARAM, "--group: not UTF-8");
    status = box_call(box, "POST", GROUPS, body, NULL, err);
    json_decref(body);
    if (status == AIBOX_OK)
        fprintf(stderr, "group %s created\n", name);
    return status;
}

/* Those of --group that are missing. */
static enum aibox_status create_groups(const struct box_address *address, const char *groups, struct aibox_error *err)
{
    struct box *box = NULL;
    char *names = strdup(groups), *rest = names;
    enum aibox_status status = names == NULL ? error_set(err, AIBOX_PROCESS_FAILED, "out of memory") : AIBOX_OK;
    if (status == AIBOX_OK)
        status = box_open(address, &box, err);
    for (const char *name; status == AIBOX_OK && (name = strsep(&rest, ",")) != NULL;)
        if (name[0] != '\0')
            status = create_group(box, name, err);
    box_close(box);
    free(names);
    return status;
}

static const char *plural(size_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

static void print_summary(const struct folder *folder, const struct enrol_options *options,
                          const struct enrol_result *result)
{
    printf("%s%zu %s with %zu %s in %.1f s", options->dry_run ? "would enrol " : "enrolled ", result->people,
           plural(result->people, "person", "people"), result->pictures,
           plural(result->pictures, "picture", "pictures"), result->seconds);
    if (result->pictures > 0 && result->seconds >= RATE_MIN_SECONDS)
        printf(" (%.0f a second)", (double)result->pictures / result->seconds);
    putchar('\n');
    if (result->failed > 0)
        printf("%s%zu %s failed%s\n", text_colour(TEXT_BAD, stdout), result->failed,
               plural(result->failed, "picture", "pictures"), text_colour(TEXT_PLAIN, stdout));
    if (result->left > 0)
        printf("%zu of %zu pictures were not tried\n", result->left, folder->n_pictures);
    if (folder->n_ignored > 0)
        printf("%zu other %s ignored\n", folder->n_ignored, plural(folder->n_ignored, "file was", "files were"));
}

static json_t *summary_json(const struct folder *folder, const struct enrol_options *options,
                            const struct enrol_result *result)
{
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:f, s:O}", "dry_run", (int)options->dry_run, "people",
                     (json_int_t)result->people, "pictures", (json_int_t)result->pictures, "failed",
                     (json_int_t)result->failed, "not_tried", (json_int_t)result->left, "ignored",
                     (json_int_t)folder->n_ignored, "seconds", result->seconds, "failures", result->failures);
}

static int report(const struct ctl *ctl, const struct folder *folder, const struct enrol_options *options,
                  const struct enrol_result *result)
{
    int exit_status = result->failed > 0 ? CTL_NO : CTL_YES;
    if (ctl->json)
        exit_status = ctl_print_json_take(summary_json(folder, options, result)) == CTL_YES ? exit_status : CTL_ERROR;
    else
        print_summary(folder, options, result);
    if (result->fatal.status != AIBOX_OK)
        return ctl_complain(&result->fatal);
    if (atomic_load(&stop) && result->left > 0) {
        ctl_fail("stopped by a signal");
        return CTL_INTERRUPTED;
    }
    return exit_status;
}

static int run_enrol(struct ctl *ctl, int argc, char **argv)
{
    struct arguments arguments = {0};
    struct folder folder = {0};
    struct enrol_result result = {0};
    struct aibox_error err = {0};
    int exit_status = CTL_ERROR;
    buffer_init(&arguments.groups, GROUPS_MAX);
    if (!read_arguments(ctl, argc, argv, &arguments)) {
        exit_status = ctl->option_exit;
        goto out;
    }
    if (folder_read(arguments.folder, &folder, &err) != AIBOX_OK) {
        ctl_complain(&err);
        goto out;
    }
    if (folder.n_pictures == 0 && folder.n_faults == 0) {
        ctl_fail("%s: no pictures (jpg, jpeg, png, webp) in this folder", arguments.folder);
        goto out;
    }
    catch_signals();
    enum aibox_status status = AIBOX_OK;
    if (!arguments.enrol.dry_run)
        status = create_groups(&ctl->address, arguments.enrol.groups, &err);
    if (status == AIBOX_OK)
        status = enrol_folder(&folder, &arguments.enrol, &stop, &result, &err);
    exit_status = status == AIBOX_OK ? report(ctl, &folder, &arguments.enrol, &result) : ctl_complain(&err);
out:
    json_decref(result.failures);
    folder_free(&folder);
    buffer_free(&arguments.groups);
    return exit_status;
}

const struct ctl_command ctl_enrol = {
    .name = "enrol",
    .arguments = "FOLDER [--group NAME]... [--fiqa-level LEVEL] [--update] [--jobs N] [--dry-run]",
    .summary = "make people of a folder of pictures",
    .help = "Enrols every picture (jpg, jpeg, png, webp) of FOLDER:\n"
            "  name-id-department-type-card-description.jpg   all from department on may be left out\n"
            "  name.jpg                                       the name is the id as well\n"
            "  NAME/anything.jpg                              a folder per person, several faces each\n"
            "\n"
            "  --group NAME        put them into this group, which is made when it is missing (repeatable)\n"
            "  --fiqa-level LEVEL  how good the photo must be: high (default), middle, low, custom, no\n"
            "  --update            people who exist already get the pictures as further faces (else they fail)\n"
            "  --jobs N            connections at a time, 1 to 64 (default 4)\n"
            "  --dry-run           only judge the pictures and look up the ids\n"
            "\n"
            "Ctrl-C ends it after the pictures under way. Exit status 0: all pictures were taken; 1: some were not;\n"
            "2: it could not be done; 130: stopped.\n",
    .run = run_enrol,
};
