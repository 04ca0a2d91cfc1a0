/* aiboxctl settings: what is set on the box, and setting it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "table.h"
#include "text.h"

#define SETTINGS       "/api/settings"
#define VALUE_MAX_SIZE 4096

/* A JSON value as one would type it. */
static void value_words(const json_t *value, char *out, size_t size)
{
    if (json_is_string(value)) {
        snprintf(out, size, "%s", json_string_value(value));
    } else if (json_is_real(value)) {
        snprintf(out, size, "%g", json_real_value(value));
    } else {
        char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        snprintf(out, size, "%s", text == NULL ? "" : text);
        free(text);
    }
}

/* ---- reading ---- */

static int print_all(json_t *settings)
{
    static const char *const headers[] = {"SETTING", "VALUE", "SET BY"};
    struct table table;
    const char *key;
    json_t *setting;
    table_init(&table, headers, sizeof headers / sizeof headers[0]);
    json_object_foreach(settings, key, setting)
    {
        char value[VALUE_MAX_SIZE];
        value_words(json_object_get(setting, "value"), value, sizeof value);
        const char *source = json_string_value(json_object_get(setting, "source"));
        const char *const cells[] = {key, value, source != NULL && strcmp(source, "set") == 0 ? "--set" : source};
        table_add(&table, cells);
    }
    return table_print_take(&table, stdout) ? CTL_YES : ctl_fail("out of memory");
}

static void print_line(const char *label, const char *text)
{
    char clean[2 * VALUE_MAX_SIZE];
    text_clean(text, clean, sizeof clean);
    if (clean[0] != '\0')
        printf("%-9s%s\n", label, clean);
}

static void print_range(const json_t *setting)
{
    char least[64], most[64], words[VALUE_MAX_SIZE] = "";
    const json_t *choices = json_object_get(setting, "choices"), *choice;
    size_t i;
    value_words(json_object_get(setting, "min"), least, sizeof least);
    value_words(json_object_get(setting, "max"), most, sizeof most);
    if (least[0] != '\0')
        snprintf(words, sizeof words, "%s to %s", least, most);
    json_array_foreach(choices, i, choice)
    {
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s", i > 0 ? ", " : "", json_string_value(choice));
    }
    print_line("range", words);
}

static void print_one(const char *key, const json_t *setting)
{
    char value[VALUE_MAX_SIZE];
    const char *help = json_string_value(json_object_get(setting, "help"));
    print_line("setting", key);
    value_words(json_object_get(setting, "value"), value, sizeof value);
    print_line("value", value);
    value_words(json_object_get(setting, "default"), value, sizeof value);
    print_line("default", value);
    print_range(setting);
    if (json_is_true(json_object_get(setting, "restart")))
        print_line("applies", json_is_true(json_object_get(setting, "needs_restart"))
                                  ? "after the next start, which it is waiting for"
                                  : "after the next start");
    print_line("help", help == NULL ? "" : help);
}

static int show(const struct ctl *ctl, const char *key, json_t *settings)
{
    if (ctl->json)
        return ctl_print_json_take(json_deep_copy(settings));
    if (key == NULL)
        return print_all(settings);
    print_one(key, json_object_get(settings, key));
    return CTL_YES;
}

static enum aibox_status read_settings(struct box *box, const char *key, json_t **answer, struct aibox_error *err)
{
    struct buffer path;
    buffer_init(&path, 8192);
    buffer_append_text(&path, SETTINGS);
    if (key != NULL)
        box_path_query(&path, "key", key);
    enum aibox_status status = path.failed ? error_set(err, AIBOX_PARAM, "no setting has such a long name")
                                           : box_call(box, "GET", (const char *)path.data, NULL, answer, err);
    buffer_free(&path);
    return status;
}

/* ---- changing ---- */

static enum aibox_status put_setting(struct box *box, const char *key, const char *value, json_t **answer,
                                     struct aibox_error *err)
{
    json_t *body = json_object();
    enum aibox_status status = AIBOX_OK;
    if (body == NULL || json_object_set_new(body, key, json_string(value)) != 0)
        status = error_set(err, AIBOX_PARAM, "key and value must be UTF-8");
    if (status == AIBOX_OK)
        status = box_call(box, "PUT", SETTINGS, body, answer, err);
    json_decref(body);
    return status;
}

static int run_settings(struct ctl *ctl, int argc, char **argv)
{
    struct box *box = NULL;
    struct aibox_error err;
    json_t *answer = NULL;
    if (!ctl_only_arguments(ctl, argc, argv, 0, 2))
        return ctl->option_exit;
    const char *key = optind < argc ? argv[optind] : NULL;
    const char *value = optind + 1 < argc ? argv[optind + 1] : NULL;
    enum aibox_status status = box_open(&ctl->address, &box, &err);
    if (status == AIBOX_OK)
        status = value == NULL ? read_settings(box, key, &answer, &err) : put_setting(box, key, value, &answer, &err);
    box_close(box);
    if (status != AIBOX_OK)
        return ctl_complain(&err);
    int exit_status = show(ctl, key, json_object_get(answer, "data"));
    json_decref(answer);
    return exit_status;
}

const struct ctl_command ctl_settings = {
    .name = "settings",
    .arguments = "[KEY [VALUE]]",
    .summary = "read and change the box's settings",
    .help =
        "Without KEY all settings; with KEY one of them, its range and what it does; with VALUE it is changed, for\n"
        "good and at once, or after the next start where it says so.\n",
    .run = run_settings,
};
