/* aiboxctl identify, compare: who is this, and are these the same? */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "quality_words.h"
#include "text.h"

#define LABEL "%-11s"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void print_line(const char *label, const char *text)
{
    char clean[1024];
    text_clean(text, clean, sizeof clean);
    printf(LABEL "%s\n", label, clean);
}

static int call_and_drop(const struct ctl *ctl, const char *path, json_t *body, json_t **answer)
{
    struct box *box = NULL;
    struct aibox_error err;
    enum aibox_status status =
        body == NULL ? error_set(&err, AIBOX_PARAM, "an argument is not UTF-8") : box_open(&ctl->address, &box, &err);
    if (status == AIBOX_OK)
        status = box_call(box, "POST", path, body, answer, &err);
    json_decref(body);
    box_close(box);
    return status == AIBOX_OK ? CTL_YES : ctl_complain(&err);
}

/* ---- identify ---- */

static void print_match(const json_t *match)
{
    const char *verdict = text_of(match, "verdict"), *reason = text_of(match, "reason");
    bool known = strcmp(verdict, "known") == 0;
    const char *nearest = text_of(json_object_get(match, "best"), "identity_id");
    enum text_colour colour = known ? TEXT_GOOD : strcmp(verdict, "uncertain") == 0 ? TEXT_WARN : TEXT_BAD;
    char words[512];
    quality_words(json_object_get(match, "quality"), words, sizeof words);
    printf(LABEL "%s%s%s\n", "verdict", text_colour(colour, stdout),
           strcmp(reason, "no_face") == 0 ? "no face found" : verdict, text_colour(TEXT_PLAIN, stdout));
    if (strcmp(reason, "no_face") == 0)
        return;
    if (known) {
        print_line("name", text_of(match, "name"));
        print_line("id", text_of(match, "identity_id"));
    } else if (nearest[0] != '\0') {
        print_line("nearest", nearest);
    }
    printf(LABEL "%.3f\n", "score", number_of(match, "score"));
    printf(LABEL "%.3f\n", "threshold", number_of(match, "threshold"));
    printf(LABEL "%.3f\n", "margin", number_of(match, "margin"));
    print_line("reason", reason);
    print_line("quality", words);
    print_line("event", text_of(match, "event_id"));
}

static int identify(const struct ctl *ctl, const char *path, const char *group)
{
    struct aibox_error err;
    json_t *picture = NULL, *answer = NULL;
    if (ctl_picture(path, &picture, &err) != AIBOX_OK)
        return ctl_complain(&err);
    int exit_status = call_and_drop(
        ctl, "/SophonMatch/api/PictureMatch",
        json_pack("{s:o, s:s, s:b}", "rgb_image_base64", picture, "group_name", group, "need_register_photo", 0),
        &answer);
    if (exit_status != CTL_YES)
        return exit_status;
    const json_t *match = json_object_get(answer, "data");
    exit_status = strcmp(text_of(match, "verdict"), "known") == 0 ? CTL_YES : CTL_NO;
    if (ctl->json)
        exit_status = ctl_print_json_take(json_deep_copy(match)) == CTL_YES ? exit_status : CTL_ERROR;
    else
        print_match(match);
    json_decref(answer);
    return exit_status;
}

static int run_identify(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"group", required_argument, NULL, 'g'}, CTL_COMMON_OPTIONS};
    const char *group = "default_group";
    for (int option; (option = ctl_next_option(ctl, argc, argv, options)) != -1;) {
        if (option == '?')
            return ctl->option_exit;
        group = optarg;
    }
    return ctl_check_arguments(ctl, argc, 1, 1) ? identify(ctl, argv[optind], group) : ctl->option_exit;
}

const struct ctl_command ctl_identify = {
    .name = "identify",
    .arguments = "PHOTO [--group NAME]",
    .summary = "who is on this picture?",
    .help = "Recognises the largest face of PHOTO as a gate would, and keeps an event of it.\n"
            "\n"
            "  --group NAME   the people to search (default default_group)\n"
            "\n"
            "Exit status 0: known; 1: unknown, uncertain or no face; 2: it could not be done.\n",
    .run = run_identify,
};

/* ---- compare ---- */

static enum aibox_status comparison_body(const char *first, const char *second, const char *person, json_t **out,
                                         struct aibox_error *err)
{
    json_t *one = NULL, *other = NULL;
    enum aibox_status status = ctl_picture(first, &one, err);
    if (status == AIBOX_OK && second != NULL)
        status = ctl_picture(second, &other, err);
    if (status == AIBOX_OK)
        *out =
            json_pack("{s:O, s:O*, s:s*}", "face_image_base64", one, "card_image_base64", other, "identity_id", person);
    json_decref(one);
    json_decref(other);
    return status;
}

static void print_comparison(const json_t *result, bool same)
{
    printf(LABEL "%s%s%s\n", "verdict", text_colour(same ? TEXT_GOOD : TEXT_BAD, stdout),
           same ? "the same person" : "different people", text_colour(TEXT_PLAIN, stdout));
    if (text_of(result, "name")[0] != '\0')
        print_line("name", text_of(result, "name"));
    printf(LABEL "%.3f\n", "score", number_of(result, "score"));
    printf(LABEL "%.3f\n", "threshold", number_of(result, "threshold"));
}

static int compare(const struct ctl *ctl, const char *first, const char *second, const char *person)
{
    struct aibox_error err;
    json_t *body = NULL, *answer = NULL;
    if (comparison_body(first, second, person, &body, &err) != AIBOX_OK)
        return ctl_complain(&err);
    int exit_status = call_and_drop(ctl, "/SophonMatch/api/compare", body, &answer);
    if (exit_status != CTL_YES)
        return exit_status;
    const json_t *result = json_object_get(answer, "data");
    bool same = strcmp(text_of(result, "retcode"), "1") == 0;
    exit_status = same ? CTL_YES : CTL_NO;
    if (ctl->json)
        exit_status = ctl_print_json_take(json_deep_copy(result)) == CTL_YES ? exit_status : CTL_ERROR;
    else
        print_comparison(result, same);
    json_decref(answer);
    return exit_status;
}

static int run_compare(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"person", required_argument, NULL, 'p'}, CTL_COMMON_OPTIONS};
    const char *person = NULL;
    for (int option; (option = ctl_next_option(ctl, argc, argv, options)) != -1;) {
        if (option == '?')
            return ctl->option_exit;
        person = optarg;
    }
    int pictures = person == NULL ? 2 : 1;
    if (!ctl_check_arguments(ctl, argc, pictures, pictures))
        return ctl->option_exit;
    return compare(ctl, argv[optind], person == NULL ? argv[optind + 1] : NULL, person);
}

const struct ctl_command ctl_compare = {
    .name = "compare",
    .arguments = "PHOTO PHOTO | PHOTO --person ID",
    .summary = "are two faces the same person?",
    .help = "Compares the largest faces of two pictures, or of a picture and an enrolled person.\n"
            "\n"
            "  --person ID   the enrolled person\n"
            "\n"
            "Exit status 0: the same; 1: not the same; 2: it could not be done.\n",
    .run = run_compare,
};
