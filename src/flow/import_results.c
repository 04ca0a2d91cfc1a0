#include "flow/import_results.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json_out.h"

/* A line: "ITEM OUTCOME JSON\n", OUTCOME a letter of this list. */
static const char letters[] = {[IMPORT_PENDING] = 'p',
                               [IMPORT_CREATED] = 'c',
                               [IMPORT_UPDATED] = 'u',
                               [IMPORT_UNCHANGED] = 's',
                               [IMPORT_FAILED] = 'f'};
static const char *const words[] = {[IMPORT_PENDING] = "pending",
                                    [IMPORT_CREATED] = "created",
                                    [IMPORT_UPDATED] = "updated",
                                    [IMPORT_UNCHANGED] = "unchanged",
                                    [IMPORT_FAILED] = "failed"};

#define MAX_LINE 16384 /* bytes */

struct entry {
    uint64_t at : 56; /* of its last line in the file */
    uint64_t outcome : 8;
};

struct import_results {
    int fd;
    size_t total;
    uint64_t end; /* bytes of the file; the adding thread's */

    pthread_mutex_t mu; /* guards what follows */
    size_t done, failed;
    struct entry entries[];
};

static enum aibox_status io_failed(const char *what, struct aibox_error *err)
{
    return error_set(err, AIBOX_PROCESS_FAILED, "the import's results can't be %s: %s", what, strerror(errno));
}

/* ---- in memory ---------------------------------------------------------------------------------------------- */

static void count_one(struct import_results *results, unsigned outcome, size_t by)
{
    if (outcome == IMPORT_FAILED)
        results->failed += by;
    else if (outcome != IMPORT_PENDING)
        results->done += by;
}

static void note(struct import_results *results, size_t item, enum import_outcome outcome, uint64_t at)
{
    struct entry *entry = &results->entries[item];

    pthread_mutex_lock(&results->mu);
    count_one(results, entry->outcome, (size_t)-1);
    count_one(results, outcome, 1);
    entry->at = at & ((UINT64_C(1) << 56) - 1);
    entry->outcome = (uint8_t)outcome;
    pthread_mutex_unlock(&results->mu);
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

/* Item and outcome of a line; false when it is none of ours. `*json` (may be NULL) is where the rest begins. */
static bool parse_line(const char *line, size_t total, size_t *item, enum import_outcome *outcome, const char **json)
{
    char *end;
    unsigned long number = strtoul(line, &end, 10);
    const char *letter = end[0] == ' ' && end[1] != '\0' ? memchr(letters, end[1], sizeof letters) : NULL;

    if (end == line || !letter || number >= total)
        return false;
    *item = number;
    *outcome = (enum import_outcome)(letter - letters);
    if (json)
        *json = end[2] == ' ' ? end + 3 : "";
    return true;
}

static enum aibox_status read_all(struct import_results *results, struct aibox_error *err)
{
    FILE *file;
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int fd = dup(results->fd);

    if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0 || !(file = fdopen(fd, "r"))) {
        if (fd >= 0)
            (void)close(fd);
        return io_failed("read", err);
    }
    while ((size = getline(&line, &room, file)) > 0 && line[size - 1] == '\n') {
        enum import_outcome outcome;
        size_t item;

        if (parse_line(line, results->total, &item, &outcome, NULL))
            note(results, item, outcome, results->end);
        results->end += (uint64_t)size;
    }
    free(line);
    (void)fclose(file);
    return AIBOX_OK;
}

enum aibox_status import_results_open(const char *path, size_t total, struct import_results **out,
                                      struct aibox_error *err)
{
    struct import_results *results = calloc(1, sizeof *results + total * sizeof results->entries[0]);
    enum aibox_status status;

    *out = NULL;
    if (!results)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    results->total = total;
    results->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (results->fd < 0) {
        free(results);
        return io_failed("opened", err);
    }
    if (pthread_mutex_init(&results->mu, NULL) != 0) {
        (void)close(results->fd);
        free(results);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    status = read_all(results, err);
    if (status != AIBOX_OK) {
        import_results_close(results);
        return status;
    }
    *out = results;
    return AIBOX_OK;
}

void import_results_close(struct import_results *results)
{
    if (!results)
        return;
    (void)close(results->fd);
    (void)pthread_mutex_destroy(&results->mu);
    free(results);
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

/* Writes at the end of what is known to be whole, over whatever a crash has left there. */
static enum aibox_status append(struct import_results *results, const void *bytes, size_t size, struct aibox_error *err)
{
    const char *at = bytes;
    uint64_t offset = results->end;

    while (size > 0) {
        ssize_t done = pwrite(results->fd, at, size, (off_t)offset);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            (void)!ftruncate(results->fd, (off_t)results->end);
            return io_failed("written", err);
        }
        at += done;
        size -= (size_t)done;
        offset += (uint64_t)done;
    }
    results->end = offset;
    return AIBOX_OK;
}

static void print(struct json_out *out, const struct import_result *result)
{
    json_out_object_begin(out);
    json_out_key_text(out, "file", result->file);
    json_out_key_text(out, "identity_id", result->identity_id);
    json_out_key_text(out, "outcome", words[result->outcome]);
    json_out_key_int(out, "code", status_code(result->status));
    json_out_key_text(out, "status", status_name(result->status));
    json_out_key_text(out, "message", result->message);
    if (result->duplicate && result->duplicate->found) {
        json_out_key(out, "duplicate");
        json_out_object_begin(out);
        json_out_key_text(out, "identity_id", result->duplicate->identity_id);
        json_out_key_text(out, "name", result->duplicate->name);
        json_out_key_float(out, "score", (double)result->duplicate->score);
        json_out_object_end(out);
    }
    json_out_object_end(out);
}

enum aibox_status import_results_add(struct import_results *results, const struct import_result *result,
                                     struct aibox_error *err)
{
    uint64_t at = results->end;
    enum aibox_status status;
    struct json_out out;

    json_out_init(&out, MAX_LINE - 1);
    (void)buffer_appendf(&out.buffer, "%zu %c ", result->item, letters[result->outcome]);
    print(&out, result);
    (void)buffer_append(&out.buffer, "\n", 1);
    if (out.buffer.failed)
        status = error_set(err, AIBOX_PROCESS_FAILED, "a result is too long, or memory ran out");
    else
        status = append(results, out.buffer.data, out.buffer.size, err);
    if (status == AIBOX_OK)
        note(results, result->item, result->outcome, at);
    json_out_free(&out);
    return status;
}

enum aibox_status import_results_reopen_failed(struct import_results *results, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    for (size_t item = 0; item < results->total && status == AIBOX_OK; item++) {
        char line[32];
        int size;

        /* Nobody else adds. */
        if (results->entries[item].outcome != IMPORT_FAILED)
            continue;
        size = snprintf(line, sizeof line, "%zu %c\n", item, letters[IMPORT_PENDING]);
        status = append(results, line, (size_t)size, err);
        if (status == AIBOX_OK)
            note(results, item, IMPORT_PENDING, 0);
    }
    return status == AIBOX_OK ? import_results_sync(results, err) : status;
}

enum aibox_status import_results_sync(struct import_results *results, struct aibox_error *err)
{
    return fdatasync(results->fd) == 0 ? AIBOX_OK : io_failed("written", err);
}

/* ---- asking ------------------------------------------------------------------------------------------------- */

static struct entry entry_of(struct import_results *results, size_t item)
{
    struct entry entry;

    pthread_mutex_lock(&results->mu);
    entry = results->entries[item];
    pthread_mutex_unlock(&results->mu);
    return entry;
}

bool import_results_pending(struct import_results *results, size_t item)
{
    return entry_of(results, item).outcome == IMPORT_PENDING;
}

void import_results_count(struct import_results *results, size_t *done, size_t *failed)
{
    pthread_mutex_lock(&results->mu);
    *done = results->done;
    *failed = results->failed;
    pthread_mutex_unlock(&results->mu);
}

static enum aibox_status show(struct import_results *results, const struct entry *entry,
                              void (*each)(void *ctx, const char *json), void *ctx, struct aibox_error *err)
{
    char line[MAX_LINE + 1];
    ssize_t size = pread(results->fd, line, MAX_LINE, (off_t)entry->at);
    enum import_outcome outcome;
    const char *json;
    size_t item;

    if (size < 0)
        return io_failed("read", err);
    line[size] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (!parse_line(line, results->total, &item, &outcome, &json))
        return error_set(err, AIBOX_PROCESS_FAILED, "the import's results are damaged");
    each(ctx, json);
    return AIBOX_OK;
}

enum aibox_status import_results_page(struct import_results *results, bool only_failed, size_t skip, size_t limit,
                                      void (*each)(void *ctx, const char *json), void *ctx, size_t *total,
                                      struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    *total = 0;
    for (size_t item = 0; item < results->total && status == AIBOX_OK; item++) {
        struct entry entry = entry_of(results, item);

        if (entry.outcome == IMPORT_PENDING || (only_failed && entry.outcome != IMPORT_FAILED))
            continue;
        if (*total >= skip && *total - skip < limit)
            status = show(results, &entry, each, ctx, err);
        ++*total;
    }
    return status;
}
