/*
 * aiboxctl: the box from a terminal or a script, over its REST API. A command is a row of the table below and a file
 * command_*.c; docs/aiboxctl.md shows them at work.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "text.h"

static const struct ctl_command *const commands[] = {
    &ctl_enrol,  &ctl_identify, &ctl_compare, &ctl_faces,    &ctl_list,   &ctl_show,       &ctl_delete, &ctl_export,
    &ctl_groups, &ctl_events,   &ctl_status,  &ctl_settings, &ctl_passwd, &ctl_setup_link, &ctl_key,
};
#define N_COMMANDS (sizeof commands / sizeof commands[0])

static void print_help(FILE *to)
{
    fputs("Usage: aiboxctl [--url URL | --data DIR] [--key KEY] [--json] COMMAND ...\n\nCommands:\n", to);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\naiboxctl COMMAND --help tells more.\n"
          "\n"
          "  --url URL   the box (also AIBOX_URL)\n"
          "  --data DIR  a box of this computer, by its data folder (also AIBOX_DATA): no key is needed by its user\n"
          "              and root. Without both: ./var, /var/lib/aibox, else " BOX_DEFAULT_URL "\n"
          "  --key KEY   the key to call it with (also AIBOX_KEY, which other users of the computer can't see)\n"
          "  --certificate FILE\n"
          "              certificate of a box with https that no authority has signed (also AIBOX_CERTIFICATE)\n"
          "  --json      answer in JSON\n"
          "  --version   print the version\n",
          to);
}

static const struct ctl_command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* An empty variable counts as none. */
static const char *environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

/* Options before the command. Returns -1 to go on, else the exit status. */
static int read_options(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"version", no_argument, NULL, 'v'}, CTL_COMMON_OPTIONS};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
        if (ctl_take_common(ctl, option, optarg))
            continue;
        switch (option) {
        case CTL_OPTION_HELP:
            print_help(stdout);
            return CTL_YES;
        case 'v':
            puts("aiboxctl " AIBOX_VERSION);
            return CTL_YES;
        default:
            return ctl_fail(option == ':' ? "%s needs a value" : "no option %s; see aiboxctl --help", argv[optind - 1]);
        }
    }
    return -1;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    int exit_status = read_options(ctl, argc, argv);
    if (exit_status >= 0)
        return exit_status;
    if (optind == argc) {
        print_help(stderr);
        return CTL_ERROR;
    }
    ctl->command = find_command(argv[optind]);
    if (ctl->command == NULL)
        return ctl_fail("no command %s; see aiboxctl --help", argv[optind]);
    int first = optind;
    optind = 0; /* GNU: begin anew with other arguments */
    return ctl->command->run(ctl, argc - first, argv + first);
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.address = {.url = environment("AIBOX_URL", NULL),
                                  .data = environment("AIBOX_DATA", NULL),
                                  .key = environment("AIBOX_KEY", NULL),
                                  .certificate = environment("AIBOX_CERTIFICATE", NULL)}};
    text_set_up();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return ctl_fail("curl could not be set up");
    int exit_status = run(&ctl, argc, argv);
    curl_global_cleanup();
    /* A full disk behind a pipe shows only now. */
    if (fflush(stdout) != 0 || ferror(stdout))
        return ctl_fail("can't write the answer");
    return exit_status;
}
