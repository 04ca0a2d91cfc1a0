/* The benchmarks that are programs of their own: bench-store, bench-gallery, bench-accuracy. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define OUTPUT_MAX    ((size_t)1024 * 1024)
#define EVENTS_TARGET 2000

static enum aibox_status read_output(int from, struct buffer *out)
{
    char chunk[4096];
    ssize_t n;
    while ((n = read(from, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0)
            buffer_append(out, chunk, (size_t)n);
    }
    return out->failed || out->size == 0 ? AIBOX_PROCESS_FAILED : AIBOX_OK;
}

/* Runs it and reads the JSON it prints: a new reference. `argv` ends with NULL. NOT_FOUND: it isn't built. */
static enum aibox_status run_program(const struct bench *bench, char *const *argv, json_t **out,
                                     struct aibox_error *err)
{
    char path[PATH_MAX + 64];
    struct buffer output;
    int ends[2], left = 0;
    snprintf(path, sizeof path, "%s/%s", bench->programs, argv[0]);
    if (access(path, X_OK) != 0)
        return error_set(err, AIBOX_NOT_FOUND, "%s is not built here", argv[0]);
    if (pipe(ends) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "pipe: %s", strerror(errno));
    fprintf(stderr, "aibox-bench: running %s\n", argv[0]);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execv(path, argv);
        _exit(127);
    }
    close(ends[1]);
    buffer_init(&output, OUTPUT_MAX);
    enum aibox_status status = pid < 0 ? AIBOX_PROCESS_FAILED : read_output(ends[0], &output);
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &left, 0) < 0 && errno == EINTR) {
    }
    *out = status == AIBOX_OK ? json_loadb((const char *)output.data, output.size, 0, NULL) : NULL;
    buffer_free(&output);
    if (*out == NULL || left != 0) {
        json_decref(*out);
        *out = NULL;
        return error_set(err, AIBOX_PROCESS_FAILED, "%s failed", argv[0]);
    }
    return AIBOX_OK;
}

/* "a.b.c" in nested objects; NAN when there is no such number. */
static double number_at(const json_t *root, const char *path)
{
    char part[64];
    while (root != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)length, path);
        root = json_object_get(root, part);
        path += length + (path[length] == '.' ? 1 : 0);
    }
    return json_is_number(root) ? json_number_value(root) : NAN;
}

/* ---- the store ---- */

enum aibox_status measure_store(struct bench *bench, struct aibox_error *err)
{
    static const char *const names[] = {"durable events, 1 thread", "durable events, 8 threads",
                                        "durable events, 64 threads"};
    char *const argv[] = {"bench-store", "--dir", bench->data, "--json", NULL};
    json_t *rows = NULL;
    const json_t *row;
    size_t i;
    double best = NAN;
    enum aibox_status status = run_program(bench, argv, &rows, err);
    json_array_foreach(rows, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        for (size_t n = 0; name != NULL && n < sizeof names / sizeof names[0]; n++) {
            if (strcmp(name, names[n]) != 0)
                continue;
            double rate = number_at(row, "per_second");
            report_plain(&bench->report, names[n], rate, "a second");
            best = isnan(best) ? rate : fmax(best, rate);
        }
    }
    if (status == AIBOX_OK)
        report_at_least(&bench->report, "durable events, at best", best, EVENTS_TARGET, "a second");
    json_decref(rows);
    return status;
}

/* ---- 1:N search ---- */

static void report_search(struct report *report, const json_t *row)
{
    char name[REPORT_TEXT];
    double rows = number_at(row, "rows");
    snprintf(name, sizeof name, "1:N search, %.0f people, one thread, p50", rows);
    report_at_most(report, name, number_at(row, "search_p50_ms"), rows > 100000 ? 10 : 0.5, "ms");
    report_at_least(report, "... recall of the exact best", number_at(row, "recall_at_1") * 100, 99.9, "%");
    report_at_least(report, "... times as fast as FAISS flat", number_at(row, "ratio"), 20, "×");
}

enum aibox_status measure_gallery(struct bench *bench, struct aibox_error *err)
{
    static char *const argv[] = {"bench-gallery", "--json", NULL};
    json_t *rows = NULL;
    const json_t *row;
    size_t i;
    enum aibox_status status = run_program(bench, argv, &rows, err);
    json_array_foreach(rows, i, row)
    {
        report_search(&bench->report, row);
    }
    json_decref(rows);
    return status;
}

/* ---- accuracy ---- */

static void report_masks(struct report *report, const json_t *root)
{
    report_plain(report, "probes with mask: LFW verification", number_at(root, "with_mask.verification") * 100, "%");
    report_plain(report, "... FNIR at FPIR 1 %", number_at(root, "with_mask.fnir_at_fpir_1e-2") * 100, "%");
    report_plain(report, "... strangers taken, 1 % wanted", number_at(root, "with_mask.strangers_taken") * 100, "%");
    report_plain(report, "... masks told", number_at(root, "with_mask.masked_told") * 100, "%");
    report_at_most(report, "... bare faces called masked", number_at(root, "with_mask.bare_called_masked") * 100, 1,
                   "%");
}

/* Rows of what bench-accuracy prints, all of them shares. */
static const struct accuracy_row {
    const char *name, *path;
    double target; /* %; 0: none */
    bool at_most;
} accuracy_rows[] = {
    {"LFW verification", "verification.pairs.accuracy", 0, false},
    {"... all pairs, TAR at FAR 1e-3", "verification.far_1e-3.tar", 0, false},
    {"... at 1e-4", "verification.far_1e-4.tar", 97.0, false},
    {"... at 1e-5", "verification.far_1e-5.tar", 0, false},
    {"... probes 48 px high", "sizes.48_px.verification_one_small", 0, false},
    {"... 32 px", "sizes.32_px.verification_one_small", 98.8, false},
    {"... 24 px", "sizes.24_px.verification_one_small", 0, false},
    {"LFW identification, rank 1", "identification.one_photo.rank1", 98.4, false},
    {"... FNIR at FPIR 1 %", "identification.one_photo.fnir_at_fpir_1e-2", 5.7, true},
    {"... at FPIR 0.1 %", "identification.one_photo.fnir_at_fpir_1e-3", 0, true},
    {"... at FPIR 1 %, the worst 5 % refused", "identification.gated.fnir_at_fpir_1e-2", 3.5, true},
    {"... refused at the door only", "identification.gated_probes.fnir_at_fpir_1e-2", 0, true},
    {"... people of many pictures, 1 photo enrolled", "identification.many_pictures_1_photo.fnir_at_fpir_1e-2", 0,
     true},
    {"... 3 photos", "identification.many_pictures_3_photos.fnir_at_fpir_1e-2", 0, true},
    {"... 5 photos", "identification.many_pictures_5_photos.fnir_at_fpir_1e-2", 0, true},
    {"LFW spoilt, TAR at 1e-4: as it is", "spoilt.as_it_is.tar", 0, false},
    {"... JPEG quality 30", "spoilt.jpeg_quality_30.tar", 0, false},
    {"... turned by 20 degrees", "spoilt.roll_20.tar", 0, false},
    {"... by -20 degrees", "spoilt.roll_-20.tar", 0, false},
    {"... by 45 degrees", "spoilt.roll_45.tar", 0, false},
    {"... by 90 degrees", "spoilt.roll_90.tar", 0, false},
    {"... 15 % of the light", "spoilt.light_15_percent.tar", 0, false},
    {"... noise of 20 levels", "spoilt.noise_20.tar", 0, false},
};

enum aibox_status measure_accuracy(struct bench *bench, struct aibox_error *err)
{
    char plot[PATH_MAX + 16];
    char pairs[PATH_MAX + 16];
    char *const argv[] = {"bench-accuracy", "--faces", bench->faces, "--models", bench->models,
                          "--plot",         plot,      "--json",     NULL};
    json_t *root = NULL;
    snprintf(pairs, sizeof pairs, "%s/pairs.txt", bench->faces);
    snprintf(plot, sizeof plot, "%s/scores.svg", bench->programs);
    if (access(pairs, R_OK) != 0)
        return error_set(err, AIBOX_NOT_FOUND, "no LFW here (--faces DIR with lfw/ and pairs.txt)");
    enum aibox_status status = run_program(bench, argv, &root, err);
    if (status != AIBOX_OK)
        return status;
    for (size_t i = 0; i < sizeof accuracy_rows / sizeof accuracy_rows[0]; i++) {
        const struct accuracy_row *row = &accuracy_rows[i];
        double percent = number_at(root, row->path) * 100;
        if (row->target == 0)
            report_plain(&bench->report, row->name, percent, "%");
        else if (row->at_most)
            report_at_most(&bench->report, row->name, percent, row->target, "%");
        else
            report_at_least(&bench->report, row->name, percent, row->target, "%");
    }
    report_masks(&bench->report, root);
    json_decref(root);
    fprintf(stderr, "aibox-bench: the scores of all pairs are drawn in %s\n", plot);
    return AIBOX_OK;
}
