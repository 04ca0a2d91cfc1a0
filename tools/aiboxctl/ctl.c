#include "ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "file.h"
#include "text.h"

#define PICTURE_MAX_BYTES (5u * 1024 * 1024)

static void print_command_help(const struct ctl_command *command)
{
    printf("Usage: aiboxctl [--url URL | --data DIR] [--key KEY] [--json] %s %s\n\n%s", command->name,
           command->arguments, command->help);
}

bool ctl_take_common(struct ctl *ctl, int option, const char *value)
{
    switch (option) {
    case CTL_OPTION_URL:
        ctl->address.url = value;
        ctl->address.data = NULL;
        return true;
    case CTL_OPTION_DATA:
        ctl->address.data = value;
        ctl->address.url = NULL;
        return true;
    case CTL_OPTION_KEY:
        ctl->address.key = value;
        return true;
    case CTL_OPTION_CERTIFICATE:
        ctl->address.certificate = value;
        return true;
    case CTL_OPTION_JSON:
        ctl->json = true;
        return true;
    default:
        return false;
    }
}

int ctl_next_option(struct ctl *ctl, int argc, char **argv, const struct option *options)
{
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (ctl_take_common(ctl, option, optarg))
            continue;
        switch (option) {
        case CTL_OPTION_HELP:
            print_command_help(ctl->command);
            ctl->option_exit = CTL_YES;
            return '?';
        case '?':
            ctl->option_exit = ctl_fail("%s: no option %s; see aiboxctl %s --help", ctl->command->name,
                                        argv[optind - 1], ctl->command->name);
            return '?';
        case ':':
            ctl->option_exit = ctl_fail("%s: %s needs a value", ctl->command->name, argv[optind - 1]);
            return '?';
        default:
            return option;
        }
    }
    return -1;
}

bool ctl_check_arguments(struct ctl *ctl, int argc, int min, int max)
{
    int given = argc - optind;
    if (given >= min && (max < 0 || given <= max))
        return true;
    ctl->option_exit = ctl_fail("usage: aiboxctl %s %s", ctl->command->name, ctl->command->arguments);
    return false;
}

bool ctl_only_arguments(struct ctl *ctl, int argc, char **argv, int min, int max)
{
    static const struct option options[] = {CTL_COMMON_OPTIONS};
    return ctl_next_option(ctl, argc, argv, options) == -1 && ctl_check_arguments(ctl, argc, min, max);
}

bool ctl_number(const char *option, const char *text, long min, long max, long *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *out >= min && *out <= max)
        return true;
    ctl_fail("%s: a number from %ld to %ld is expected, not %s", option, min, max, text);
    return false;
}

int ctl_complain(const struct aibox_error *err)
{
    return ctl_fail("%s", err->message);
}

int ctl_fail(const char *format, ...)
{
    char message[1024], clean[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    text_clean(message, clean, sizeof clean);
    fprintf(stderr, "aiboxctl: %s\n", clean);
    return CTL_ERROR;
}

int ctl_print_json_take(json_t *value)
{
    if (value == NULL)
        return ctl_fail("out of memory");
    int failed = json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(7) | JSON_ENCODE_ANY);
    json_decref(value);
    putchar('\n');
    return failed == 0 ? CTL_YES : ctl_fail("can't write the answer");
}

enum aibox_status ctl_picture(const char *path, json_t **out, struct aibox_error *err)
{
    struct buffer bytes;
    buffer_init(&bytes, PICTURE_MAX_BYTES);
    enum aibox_status status = file_read(path, &bytes, err);
    char *text = NULL;
    if (status == AIBOX_OK && bytes.size == 0)
        status = error_set(err, AIBOX_IMAGE, "%s: the file is empty", path);
    if (status == AIBOX_OK) {
        text = malloc(base64_encoded_size(bytes.size) + 1);
        if (text != NULL)
            base64_encode(bytes.data, bytes.size, text);
        *out = text == NULL ? NULL : json_string_nocheck(text);
        if (*out == NULL)
            status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    free(text);
    buffer_free(&bytes);
    return status;
}
