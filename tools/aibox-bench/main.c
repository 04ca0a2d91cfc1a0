/*
 * aibox-bench: how fast is the box, against what it promises? Fills a data folder of its own, starts an aiboxd on it,
 * measures it over HTTP, and runs the benchmarks of store, gallery and accuracy.
 *
 *   aibox-bench [--only NAME]... [--people N] [--events N] [--faces DIR] [--models DIR] [--json]
 *
 * One table: figure, measured, target. Exit status 1: something asked for could not be measured.
 */
#include <errno.h>
#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "core/clock.h"
#include "populate.h"
#include "text.h"
#include "vision/model_set.h"

#define MAX_PEOPLE       5000000
#define MIN_EVENTS       100000 /* of 20 days an export takes 10,000 */
#define MAX_EVENTS       9000000
#define PICTURES         300
#define DEFAULT_CAPACITY 100000 /* of gallery.capacity */
#define SPARE_PEOPLE     10000  /* room for those who are enrolled while measuring */

atomic_bool bench_stopped;

static const struct measurement {
    const char *name;
    enum aibox_status (*measure)(struct bench *bench, struct aibox_error *err);
    bool on_box; /* a box with people in it must run */
    bool with_pictures;
} measurements[] = {
    {"start", measure_start, true, false},
    {"pad", measure_pad, true, true},
    {"pads", measure_pads, true, true},
    {"reports", measure_reports, true, true},
    {"reads", measure_reads, true, false},
    {"memory", measure_memory, true, true},
    {"recognisable", measure_recognisable, true, true},
    {"enrolment", measure_enrolment, true, true},
    {"store", measure_store, false, false},
    {"gallery", measure_gallery, false, false},
    {"accuracy", measure_accuracy, false, false},
    {"lists", measure_lists, true, true}, /* the last: it adds a long history to the box */
};
#define N_MEASUREMENTS (sizeof measurements / sizeof measurements[0])

struct options {
    bool chosen[N_MEASUREMENTS];
    bool any_chosen, json;
    const char *models;
};

static void print_usage(FILE *to)
{
    fputs("Usage: aibox-bench [--only NAME]... [--people N] [--events N] [--faces DIR] [--models DIR] "
          "[--json]\n"
          "\n"
          "  --only NAME    measure only this:",
          to);
    for (size_t i = 0; i < N_MEASUREMENTS; i++)
        fprintf(to, " %s", measurements[i].name);
    fputs("\n"
          "  --people N     in the gallery (default 50000)\n"
          "  --events N     in the history that lists walk (default 1000000)\n"
          "  --faces DIR    pictures to measure with: lfw/ and pairs.txt (default shared/faces beside the checkout; "
          "where\n"
          "                 there is none, the sample pictures, and accuracy is skipped)\n"
          "  --models DIR   the model set (default ../models, seen from this program)\n"
          "  --json         print JSON\n",
          to);
}

/* ---- command line ---- */

static bool choose(struct options *options, const char *name)
{
    for (size_t i = 0; i < N_MEASUREMENTS; i++) {
        if (strcmp(measurements[i].name, name) == 0)
            return options->any_chosen = options->chosen[i] = true;
    }
    fprintf(stderr, "aibox-bench: nothing is called %s\n", name);
    return false;
}

static bool read_number(const char *name, unsigned long least, unsigned long most, size_t *out)
{
    char *end = NULL;
    unsigned long value = strtoul(optarg, &end, 10);
    *out = value;
    if (end != optarg && *end == '\0' && value >= least && value <= most)
        return true;
    fprintf(stderr, "aibox-bench: %s: a number from %lu to %lu is expected\n", name, least, most);
    return false;
}

/* -1 to go on, else the exit status. */
static int read_command_line(int argc, char **argv, struct options *options, struct bench *bench)
{
    static const struct option known[] = {
        {"only", required_argument, NULL, 'o'},   {"people", required_argument, NULL, 'p'},
        {"events", required_argument, NULL, 'e'}, {"faces", required_argument, NULL, 'f'},
        {"models", required_argument, NULL, 'm'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == 'o' && !choose(options, optarg))
            return 2;
        if (option == 'p' && !read_number("--people", 1, MAX_PEOPLE, &bench->people))
            return 2;
        if (option == 'e' && !read_number("--events", MIN_EVENTS, MAX_EVENTS, &bench->events))
            return 2;
        if (option == 'f')
            snprintf(bench->faces, sizeof bench->faces, "%s", optarg);
        if (option == 'm')
            options->models = optarg;
        if (option == 'j')
            options->json = true;
        if (option == 'h' || option == '?') {
            print_usage(option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    return -1;
}

/* ---- the machine ---- */

static void describe_machine(char *out, size_t size)
{
    char line[256], model[128] = "unknown processor";
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", strlen("model name")) == 0 && colon != NULL) {
            snprintf(model, sizeof model, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
    long memory = sysconf(_SC_PHYS_PAGES) / 1024 * sysconf(_SC_PAGESIZE) / 1024;
    snprintf(out, size, "%s, %ld cores, %ld MiB; client and box on this machine", model, sysconf(_SC_NPROCESSORS_ONLN),
             memory);
}

/* ---- places ---- */

static enum aibox_status find_places(struct bench *bench, const char *models, struct aibox_error *err)
{
    ssize_t length = readlink("/proc/self/exe", bench->programs, sizeof bench->programs - 1);
    char *slash = length < 0 ? NULL : strrchr(bench->programs, '/');
    if (slash == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "can't find this program's own folder");
    *slash = '\0';
    int n = models != NULL ? snprintf(bench->models, sizeof bench->models, "%s", models)
                           : snprintf(bench->models, sizeof bench->models, "%s/../models", bench->programs);
    int m = snprintf(bench->data, sizeof bench->data, "%s/bench-data-XXXXXX", bench->programs);
    if (n < 0 || m < 0 || (size_t)n >= sizeof bench->models || (size_t)m >= sizeof bench->data)
        return error_set(err, AIBOX_PROCESS_FAILED, "a path is too long");
    if (bench->faces[0] == '\0')
        snprintf(bench->faces, sizeof bench->faces, "%.*s/../../../shared/faces", PATH_MAX - 32, bench->programs);
    /* Beside the programs: on a disk, unlike /tmp on many machines. */
    if (mkdtemp(bench->data) == NULL) {
        bench->data[0] = '\0';
        return error_set(err, AIBOX_PROCESS_FAILED, "can't make a data folder: %s", strerror(errno));
    }
    return AIBOX_OK;
}

static int drop(const char *path, const struct stat *what, int flag, struct FTW *walk)
{
    (void)what;
    (void)flag;
    (void)walk;
    return remove(path);
}

enum aibox_status bench_start_box(struct bench *bench, struct aibox_error *err)
{
    char program[PATH_MAX + 16], data[PATH_MAX + 16];
    snprintf(program, sizeof program, "%s/aiboxd", bench->programs);
    snprintf(data, sizeof data, "%s/box", bench->data);
    size_t capacity = bench->people + SPARE_PEOPLE > DEFAULT_CAPACITY ? bench->people + SPARE_PEOPLE : DEFAULT_CAPACITY;
    return daemon_start(program, bench->models, data, capacity, &bench->daemon, err);
}

static enum aibox_status fill_box(struct bench *bench, struct aibox_error *err)
{
    char data[PATH_MAX + 16];
    static struct model_set models;
    snprintf(data, sizeof data, "%s/box", bench->data);
    enum aibox_status status = model_set_read(bench->models, &models, err);
    if (status != AIBOX_OK)
        return status;
    fprintf(stderr, "aibox-bench: enrolling %zu people in the store\n", bench->people);
    int64_t start = clock_monotonic_ms();
    status = populate(data, models.id, bench->people, err);
    if (status == AIBOX_OK)
        fprintf(stderr, "aibox-bench: done in %.1f s\n", (double)(clock_monotonic_ms() - start) / 1000);
    return status;
}

/* ---- measuring ---- */

static enum aibox_status prepare(struct bench *bench, const struct measurement *what, struct aibox_error *err)
{
    char samples[PATH_MAX + 16];
    snprintf(samples, sizeof samples, "%s/../samples", bench->programs);
    if (!what->on_box) {
        daemon_stop(&bench->daemon);
        return AIBOX_OK;
    }
    if (what->with_pictures && bench->pictures.count == 0 &&
        (pictures_load(bench->faces, samples, bench->models, PICTURES, &bench->pictures, err) != AIBOX_OK))
        return err->status;
    if (what->with_pictures && bench->pictures.count == 0)
        return error_set(err, AIBOX_NOT_FOUND, "no pictures: make models, or --faces DIR");
    return bench->daemon.pid > 0 ? AIBOX_OK : bench_start_box(bench, err);
}

static void measure_all(struct bench *bench, const struct options *options)
{
    for (size_t i = 0; i < N_MEASUREMENTS && !atomic_load(&bench_stopped); i++) {
        const struct measurement *what = &measurements[i];
        struct aibox_error err;
        if (options->any_chosen && !options->chosen[i])
            continue;
        fprintf(stderr, "aibox-bench: measuring %s\n", what->name);
        enum aibox_status status = prepare(bench, what, &err);
        if (status == AIBOX_OK)
            status = what->measure(bench, &err);
        if (status != AIBOX_OK)
            report_missing(&bench->report, what->name, status == AIBOX_NOT_FOUND ? REPORT_SKIPPED : REPORT_FAILED,
                           err.message);
    }
    daemon_stop(&bench->daemon);
}

static bool needs_box(const struct options *options)
{
    for (size_t i = 0; i < N_MEASUREMENTS; i++)
        if (measurements[i].on_box && (!options->any_chosen || options->chosen[i]))
            return true;
    return false;
}

static void print_result(struct bench *bench, const struct options *options, const char *command)
{
    char machine[512];
    describe_machine(machine, sizeof machine);
    if (!options->json) {
        printf("%s\n", command);
        report_print(&bench->report, machine);
        return;
    }
    json_t *root =
        json_pack("{s:s, s:s, s:o}", "command", command, "machine", machine, "figures", report_json(&bench->report));
    if (root == NULL || json_dumpf(root, stdout, JSON_INDENT(2)) != 0)
        fputs("aibox-bench: can't write the result\n", stderr);
    putchar('\n');
    json_decref(root);
}

static void on_signal(int number)
{
    (void)number;
    atomic_store(&bench_stopped, true);
}

static void join_arguments(int argc, char **argv, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "aibox-bench");
    for (int i = 1; i < argc && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, " %s", argv[i]);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct options options = {0};
    struct aibox_error err;
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: what waits is woken */
    char command[1024];
    bench.people = 50000;
    bench.events = 1000000;
    text_set_up();
    int exit_status = read_command_line(argc, argv, &options, &bench);
    if (exit_status >= 0)
        return exit_status;
    exit_status = EXIT_FAILURE;
    join_arguments(argc, argv, command, sizeof command);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (find_places(&bench, options.models, &err) != AIBOX_OK ||
        (needs_box(&options) && fill_box(&bench, &err) != AIBOX_OK)) {
        fprintf(stderr, "aibox-bench: %s\n", err.message);
    } else {
        measure_all(&bench, &options);
        print_result(&bench, &options, command);
        exit_status = report_is_whole(&bench.report) && !atomic_load(&bench_stopped) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    pictures_free(&bench.pictures);
    if (bench.data[0] != '\0')
        nftw(bench.data, drop, 16, FTW_DEPTH | FTW_PHYS);
    return exit_status;
}
