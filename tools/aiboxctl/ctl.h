/* What the commands of aiboxctl have in common: the line they are called with, and their manners. */
#ifndef AIBOXCTL_CTL_H
#define AIBOXCTL_CTL_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>

#include "box.h"
#include "core/status.h"

/* How a command ends. */
enum ctl_exit {
    CTL_YES = 0,   /* done; the person is known; both are the same */
    CTL_NO = 1,    /* some of it failed; not known; not the same */
    CTL_ERROR = 2, /* could not be done at all; said on stderr */
    CTL_INTERRUPTED = 130
};

struct ctl;

struct ctl_command {
    const char *name;
    const char *arguments;                              /* "PHOTO [--group NAME]" */
    const char *summary;                                /* one line, for the list of commands */
    const char *help;                                   /* what --help prints below the usage line */
    int (*run)(struct ctl *ctl, int argc, char **argv); /* argv[0] is the command's name */
};

struct ctl {
    struct box_address address;
    bool json;
    const struct ctl_command *command; /* the one that runs */
    int option_exit;                   /* see ctl_next_option() */
};

extern const struct ctl_command ctl_enrol, ctl_identify, ctl_compare, ctl_faces, ctl_list, ctl_show, ctl_delete,
    ctl_export, ctl_groups, ctl_events, ctl_status, ctl_settings, ctl_passwd, ctl_setup_link, ctl_key;

/* The options that may stand before the command, and behind it as well. Option values up to 31 are theirs. */
enum ctl_common {
    CTL_OPTION_URL = 1,
    CTL_OPTION_DATA,
    CTL_OPTION_KEY,
    CTL_OPTION_CERTIFICATE,
    CTL_OPTION_JSON,
    CTL_OPTION_HELP
};
#define CTL_COMMON_OPTIONS                                                                                             \
    {"url", required_argument, NULL, CTL_OPTION_URL}, {"data", required_argument, NULL, CTL_OPTION_DATA},              \
        {"key", required_argument, NULL, CTL_OPTION_KEY},                                                              \
        {"certificate", required_argument, NULL, CTL_OPTION_CERTIFICATE},                                              \
        {"json", no_argument, NULL, CTL_OPTION_JSON}, {"help", no_argument, NULL, CTL_OPTION_HELP},                    \
    {                                                                                                                  \
        NULL, 0, NULL, 0                                                                                               \
    }

/*
 * The next option of the command itself, or -1 after the last (optind is then at the first argument). '?' ends the
 * command: it returns ctl->option_exit, everything has been said.
 */
int ctl_next_option(struct ctl *ctl, int argc, char **argv, const struct option *options);

/* Takes in an option of CTL_COMMON_OPTIONS but --help: false for any other. */
bool ctl_take_common(struct ctl *ctl, int option, const char *value);

/* For commands without options of their own that take between `min` and `max` arguments (max < 0: any number). The
 * first one is argv[optind] afterwards. False as '?' of ctl_next_option(). */
bool ctl_only_arguments(struct ctl *ctl, int argc, char **argv, int min, int max);
bool ctl_check_arguments(struct ctl *ctl, int argc, int min, int max);

/* `text` as a whole number between min and max; else complains ("--limit: …") and gives false. */
bool ctl_number(const char *option, const char *text, long min, long max, long *out);

/* "aiboxctl: message" on stderr; returns CTL_ERROR. */
int ctl_complain(const struct aibox_error *err);
int ctl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One JSON value and a newline on stdout; takes over the reference. Returns CTL_YES, or CTL_ERROR for NULL. */
int ctl_print_json_take(json_t *value);

/* Reads a picture file (at most 5 MB, as the box takes them) as base64 text into a JSON string, a new reference.
 * The error names the file. NOT_FOUND, IMAGE_TOO_LARGE, IMAGE (empty), PROCESS_FAILED. */
enum aibox_status ctl_picture(const char *path, json_t **out, struct aibox_error *err);

#endif
