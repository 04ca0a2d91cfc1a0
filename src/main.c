/*
 * aiboxd: opens the rooms in order, waits for a signal, closes them in reverse. The only file that knows them all.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/accounts.h"
#include "access/terminals.h"
#include "api/api.h"
#include "backup/backup.h"
#include "cloud/cloud.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/settings.h"
#include "door/door.h"
#include "door/react.h"
#include "flow/feed.h"
#include "flow/flow.h"
#include "flow/jobs.h"
#include "flow/report_config.h"
#include "intake/intake.h"
#include "report/report.h"
#include "store/store.h"

/* An orderly stop is promised within 3 s; running requests get most of that. */
#define STOP_GRACE_MS 2000
/* Beside the exit statuses of run(): the box is to start anew. */
#define START_ANEW       (-1)
#define INSTALLED_MODELS "/usr/share/aibox/models"

struct command_line {
    const char *data_dir;
    const char *listen;
    const char *models_dir; /* NULL: found from the program's place */
    const char *config;
    const char *key_file; /* NULL: in its usual place */
    bool check_config;
};

static void print_usage(FILE *to)
{
    fputs("Usage: aiboxd [--data DIR] [--listen ADDR:PORT] [--models DIR] [--config FILE]\n"
          "              [--key-file FILE] [--set KEY=VALUE]... [--check-config] [--version] [--help]\n"
          "\n"
          "  --data DIR          folder of database and pictures (default ./var)\n"
          "  --listen ADDR:PORT  address of REST API and console (default 127.0.0.1:5555)\n"
          "  --models DIR        folder of the model set\n"
          "  --config FILE       settings, one `key = value` a line\n"
          "  --key-file FILE     key of the stored secrets (default seal.key in the data folder)\n"
          "  --set KEY=VALUE     one setting; wins over stored settings and file\n"
          "  --check-config      only check settings and exit\n",
          to);
}

static int complain(const struct aibox_error *err)
{
    fprintf(stderr, "aiboxd: %s\n", err->message);
    return EXIT_FAILURE;
}

static bool put_option(struct settings *settings, const char *text, struct aibox_error *err)
{
    char key[128];
    const char *equals = strchr(text, '=');
    if (equals == NULL || (size_t)(equals - text) >= sizeof key) {
        error_set(err, AIBOX_PARAM, "--set %s: KEY=VALUE is expected", text);
        return false;
    }
    memcpy(key, text, (size_t)(equals - text));
    key[equals - text] = '\0';
    if (settings_put(settings, SETTINGS_SET, key, equals + 1, err) == AIBOX_OK)
        return true;
    error_prefix(err, "--set");
    return false;
}

/* Returns 0 to go on, else 1 + the exit status. */
static int read_command_line(int argc, char **argv, struct settings *settings, struct command_line *line)
{
    static const struct option options[] = {
        {"data", required_argument, NULL, 'd'},     {"listen", required_argument, NULL, 'l'},
        {"models", required_argument, NULL, 'm'},   {"config", required_argument, NULL, 'c'},
        {"key-file", required_argument, NULL, 'f'}, {"set", required_argument, NULL, 's'},
        {"check-config", no_argument, NULL, 'k'},   {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
    };
    struct aibox_error err;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'd':
            line->data_dir = optarg;
            break;
        case 'l':
            line->listen = optarg;
            break;
        case 'm':
            line->models_dir = optarg;
            break;
        case 'c':
            line->config = optarg;
            break;
        case 'f':
            line->key_file = optarg;
            break;
        case 's':
            if (!put_option(settings, optarg, &err))
                return 1 + complain(&err);
            break;
        case 'k':
            line->check_config = true;
            break;
        case 'v':
            printf("aiboxd %s\n", AIBOX_VERSION);
            return 1 + EXIT_SUCCESS;
        case 'h':
            print_usage(stdout);
            return 1 + EXIT_SUCCESS;
        default:
            print_usage(stderr);
            return 1 + EXIT_FAILURE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "aiboxd: unexpected argument '%s'\n", argv[optind]);
        return 1 + EXIT_FAILURE;
    }
    return 0;
}

static bool is_folder_of_models(const char *dir)
{
    char manifest[PATH_MAX];
    int n = snprintf(manifest, sizeof manifest, "%s/manifest.json", dir);
    return n > 0 && (size_t)n < sizeof manifest && access(manifest, R_OK) == 0;
}

/* In the tree the models lie in build/models, beside the folder of the program; installed they have a fixed place. */
static const char *find_models(char *buffer, size_t size)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0) {
        program[length] = '\0';
        char *slash = strrchr(program, '/');
        if (slash != NULL) {
            *slash = '\0';
            int n = snprintf(buffer, size, "%s/../models", program);
            if (n > 0 && (size_t)n < size && is_folder_of_models(buffer))
                return buffer;
        }
    }
    return INSTALLED_MODELS;
}

static void take_stored(void *ctx, const char *key, const char *value)
{
    struct aibox_error err;
    if (settings_put(ctx, SETTINGS_STORED, key, value, &err) != AIBOX_OK)
        log_warn("main", "a stored setting is not used reason=\"%s\"", err.message);
}

static void apply_log_level(const struct settings *settings)
{
    char word[16];
    settings_text(settings, "log.level", word, sizeof word);
    for (int i = 0; i < LOG_LEVELS; i++)
        if (strcmp(word, log_level_names[i]) == 0)
            log_set_level((enum log_level)i);
}

struct rooms {
    struct settings *settings;
    struct store *store;
    struct backup *backup;
    struct report_config *reports;
    struct flow *flow;
    struct feed *feed;
    struct report *report;
    struct door *door;
    struct intake *intake;
    struct jobs *jobs;
    struct cloud *cloud;
    struct accounts *accounts;
    struct terminals *terminals;
    struct api *api;
};

static void apply_retention(struct rooms *rooms)
{
    store_set_retention(rooms->store, (size_t)settings_int(rooms->settings, "events.keep"),
                        (unsigned)settings_int(rooms->settings, "events.keep_days"));
    store_set_disk_share(rooms->store, settings_float(rooms->settings, "events.max_disk_share"));
}

static void on_setting(void *ctx, const char *key)
{
    struct rooms *rooms = ctx;
    if (strcmp(key, "log.level") == 0)
        apply_log_level(rooms->settings);
    else if (strncmp(key, "events.", strlen("events.")) == 0)
        apply_retention(rooms);
    else if (strncmp(key, "recognition.stranger_", strlen("recognition.stranger_")) == 0)
        flow_strangers_apply(rooms->flow);
    report_setting_changed(rooms->report, key);
}

static enum aibox_status open_report(struct rooms *rooms, const char *data_dir, struct aibox_error *err)
{
    struct report_context context = {.settings = rooms->settings,
                                     .store = rooms->store,
                                     .flow = rooms->flow,
                                     .config = rooms->reports,
                                     .feed = rooms->feed,
                                     .data_dir = data_dir};
    return report_open(&context, &rooms->report, err);
}

static const char *react(void *ctx, const struct device *device, const struct flow_decision *decision)
{
    return door_react(ctx, device, decision);
}

static enum aibox_status open_intake(struct rooms *rooms, const char *data_dir, struct aibox_error *err)
{
    struct intake_context context = {.settings = rooms->settings,
                                     .store = rooms->store,
                                     .flow = rooms->flow,
                                     .data_dir = data_dir,
                                     .react = react,
                                     .react_ctx = rooms->door};
    return intake_open(&context, &rooms->intake, err);
}

static void request_restart(void)
{
    (void)kill(getpid(), SIGUSR1);
}

static enum aibox_status open_cloud(struct rooms *rooms, const char *data_dir, struct aibox_error *err)
{
    struct cloud_context context = {.settings = rooms->settings,
                                    .store = rooms->store,
                                    .flow = rooms->flow,
                                    .jobs = rooms->jobs,
                                    .reports = rooms->reports,
                                    .feed = rooms->feed,
                                    .data_dir = data_dir};
    return cloud_open(&context, &rooms->cloud, err);
}

static enum aibox_status open_rooms(struct rooms *rooms, const struct command_line *line, struct aibox_error *err)
{
    char found[PATH_MAX];
    enum aibox_status status;
    size_t capacity = (size_t)settings_int(rooms->settings, "gallery.capacity");
    if ((status = store_open_keyed(line->data_dir, line->key_file, capacity, &rooms->store, err)) != AIBOX_OK ||
        (status = store_settings_each(rooms->store, take_stored, rooms->settings, err)) != AIBOX_OK)
        return status;
    settings_freeze(rooms->settings);
    /* Settings that the store itself keeps may say something else. */
    store_set_capacity(rooms->store, (size_t)settings_int(rooms->settings, "gallery.capacity"));
    apply_log_level(rooms->settings);
    apply_retention(rooms);
    settings_listen(rooms->settings, on_setting, rooms);
    const char *models = line->models_dir != NULL ? line->models_dir : find_models(found, sizeof found);
    if ((status = report_config_open(rooms->store, &rooms->reports, err)) != AIBOX_OK ||
        (status = flow_open(rooms->settings, rooms->store, models, &rooms->flow, err)) != AIBOX_OK ||
        (status = feed_open(rooms->store, &rooms->feed, err)) != AIBOX_OK ||
        (status = open_report(rooms, line->data_dir, err)) != AIBOX_OK ||
        (status = door_open(rooms->settings, &rooms->door, err)) != AIBOX_OK ||
        (status = open_intake(rooms, line->data_dir, err)) != AIBOX_OK ||
        (status = jobs_open(rooms->settings, rooms->store, rooms->flow, line->data_dir, &rooms->jobs, err)) !=
            AIBOX_OK ||
        (status = backup_open(rooms->settings, rooms->store, line->data_dir, &rooms->backup, err)) != AIBOX_OK ||
        (status = open_cloud(rooms, line->data_dir, err)) != AIBOX_OK ||
        (status = accounts_open(rooms->settings, rooms->store, &rooms->accounts, err)) != AIBOX_OK ||
        (status = terminals_open(rooms->store, &rooms->terminals, err)) != AIBOX_OK)
        return status;
    struct api_context context = {.settings = rooms->settings,
                                  .store = rooms->store,
                                  .flow = rooms->flow,
                                  .door = rooms->door,
                                  .intake = rooms->intake,
                                  .cloud = rooms->cloud,
                                  .reports = rooms->reports,
                                  .report = rooms->report,
                                  .feed = rooms->feed,
                                  .jobs = rooms->jobs,
                                  .backup = rooms->backup,
                                  .restart = request_restart,
                                  .accounts = rooms->accounts,
                                  .terminals = rooms->terminals,
                                  .data_dir = line->data_dir,
                                  .upload_dir = jobs_upload_dir(rooms->jobs)};
    return api_open(&context, line->listen, &rooms->api, err);
}

static void close_rooms(struct rooms *rooms)
{
    feed_end(rooms->feed); /* who watches would keep the API open */
    intake_end(rooms->intake);
    report_end(rooms->report);
    api_close(rooms->api, STOP_GRACE_MS);
    backup_close(rooms->backup);
    cloud_close(rooms->cloud);
    terminals_close(rooms->terminals);
    accounts_close(rooms->accounts);
    jobs_close(rooms->jobs);
    intake_close(rooms->intake);
    door_close(rooms->door);
    report_close(rooms->report);
    feed_close(rooms->feed);
    flow_close(rooms->flow);
    report_config_close(rooms->reports);
    store_close(rooms->store);
}

/* So that who calls first can compare. */
static void print_fingerprint(const struct rooms *rooms)
{
    const char *fingerprint = api_fingerprint(rooms->api);

    if (fingerprint[0] == '\0')
        return;
    printf("aiboxd: SHA-256 fingerprint of the certificate %s\n", fingerprint);
    log_info("main", "serving TLS fingerprint=%s", fingerprint);
}

/* Who opens the link makes the first administrator. Until then a new one is made at each start: the one before is not
 * known any more, only its hash was. */
static void print_setup_link(struct rooms *rooms)
{
    char mode[16], token[ACCOUNTS_TOKEN_SIZE];

    settings_text(rooms->settings, "access.mode", mode, sizeof mode);
    if (strcmp(mode, "open") == 0 || !accounts_make_setup_token(rooms->accounts, token))
        return;
    printf("aiboxd: set up the box at %s/#/setup?token=%s\n", api_url(rooms->api), token);
    log_private("access", "the box waits to be set up url=%s/#/setup?token=%s", api_url(rooms->api), token);
}

/* Signals are blocked in every thread and taken here. SIGUSR1, from the box itself, and SIGHUP, from the operator, have
 * it start anew: with new certificates, configuration and program. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGUSR1);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int run(const struct command_line *line, struct settings *settings)
{
    struct aibox_error err;
    struct rooms rooms = {.settings = settings};
    sigset_t set;
    int exit_status = EXIT_SUCCESS;
    block_signals(&set);
    if (open_rooms(&rooms, line, &err) != AIBOX_OK) {
        exit_status = complain(&err);
    } else if (!flow_wait_ready(rooms.flow)) {
        fputs("aiboxd: the gallery could not be loaded\n", stderr);
        exit_status = EXIT_FAILURE;
    } else {
        printf("aiboxd: ready on %s\n", api_url(rooms.api));
        print_fingerprint(&rooms);
        print_setup_link(&rooms);
        fflush(stdout);
        int signal_number = 0;
        sigwait(&set, &signal_number);
        log_info("main", "stopping signal=%d", signal_number);
        if (signal_number == SIGUSR1 || signal_number == SIGHUP)
            exit_status = START_ANEW;
    }
    close_rooms(&rooms);
    return exit_status;
}

int main(int argc, char **argv)
{
    struct command_line line = {.data_dir = "./var", .listen = "127.0.0.1:5555"};
    struct aibox_error err;
    struct settings *settings = NULL;
    if (settings_open(&settings, &err) != AIBOX_OK)
        return complain(&err);
    int left = read_command_line(argc, argv, settings, &line);
    int exit_status = left - 1;
    if (left == 0) {
        if (line.config != NULL && settings_load_file(settings, line.config, &err) != AIBOX_OK) {
            exit_status = complain(&err);
        } else if (line.check_config) {
            puts("aiboxd: the settings are fine");
            exit_status = EXIT_SUCCESS;
        } else {
            exit_status = run(&line, settings);
        }
    }
    settings_close(settings);
    if (exit_status == START_ANEW) {
        execv("/proc/self/exe", argv);
        perror("aiboxd: can't start anew");
        exit_status = EXIT_FAILURE;
    }
    return exit_status;
}
