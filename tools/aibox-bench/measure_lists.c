/*
 * The lists of the console and of the wire over a long history: every filter, near and far pages, alone and while
 * events are being written; an export; and what dropping many old events costs a door.
 */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "bench.h"
#include "core/clock.h"
#include "populate.h"
#include "samples.h"
#include "vision/model_set.h"

#define CALLS          40 /* of each list */
#define TARGET_MS      100
#define WRITE_MS       20 /* between two events: 50 a second */
#define WRITERS        2
#define MAX_LISTS      64
#define EXPORT_ROWS    10000
#define EXPORTS        5
#define DROP_PARTS     10 /* a tenth of the events is dropped */
#define DROP_LOOK_MS   100
#define DROP_GIVE_UP_S 300
#define DAY_S          INT64_C(86400)

struct list {
    char name[64];
    char path[256];
};

struct lists {
    struct list items[MAX_LISTS];
    size_t count;
};

__attribute__((format(printf, 3, 4))) static void add(struct lists *lists, const char *name, const char *format, ...)
{
    va_list args;
    if (lists->count == MAX_LISTS)
        return;
    struct list *list = &lists->items[lists->count++];
    snprintf(list->name, sizeof list->name, "%s", name);
    va_start(args, format);
    vsnprintf(list->path, sizeof list->path, format, args);
    va_end(args);
}

#define EVENTS "/SophonFace/api/events?per_page=20"

static void add_event_lists(struct lists *lists, const struct bench *bench, int64_t now_s)
{
    size_t pages = bench->events / 20;
    add(lists, "events: first page", EVENTS);
    add(lists, "events: the page in the middle", EVENTS "&page=%zu", pages / 2);
    add(lists, "events: the last page", EVENTS "&page=%zu", pages - 1);
    add(lists, "events: of an hour", EVENTS "&datetime_gte=%" PRId64 "&datetime_lte=%" PRId64, now_s - 8 * DAY_S,
        now_s - 8 * DAY_S + 3600);
    add(lists, "events: of 7 days", EVENTS "&datetime_gte=%" PRId64, now_s - 7 * DAY_S);
    add(lists, "events: of 60 days, far page", EVENTS "&datetime_gte=%" PRId64 "&page=%zu", now_s - 60 * DAY_S,
        pages / 2);
    add(lists, "events: part of a name", EVENTS "&name=person%%204242");
    add(lists, "events: part of most names", EVENTS "&name=erson");
    add(lists, "events: part of no name", EVENTS "&name=zzz");
    add(lists, "events: of a person", EVENTS "&identity_id=bench-0000042");
    add(lists, "events: of a camera", EVENTS "&streams=0x001122334455__10.0.0.7");
    add(lists, "events: of a camera, far page", EVENTS "&streams=0x001122334455__10.0.0.7&page=%zu",
        pages / BENCH_CAMERAS / 2);
    add(lists, "events: of a group", EVENTS "&groups=site-3");
    add(lists, "events: of strangers", EVENTS "&userType=4");
    add(lists, "events: of the blacklist", EVENTS "&userType=3");
    add(lists, "events: passed, far page", EVENTS "&reason=passed&page=%zu", pages / 2);
    add(lists, "events: uncertain", EVENTS "&reason=uncertain");
    add(lists, "events: of a room that there isn't", EVENTS "&room=none");
    add(lists, "events: score from 0.6", EVENTS "&score_min=0.6");
    add(lists, "events: score 0.94 to 0.95", EVENTS "&score_min=0.94&score_max=0.95");
    add(lists, "events: 7 days, name, group, type, score",
        EVENTS "&datetime_gte=%" PRId64 "&name=Person%%201&groups=site-3&userType=1&score_min=0.7", now_s - 7 * DAY_S);
    add(lists, "overview: counts of a day", "/api/overview?from=%" PRId64 "&to=%" PRId64, (now_s - DAY_S) * 1000,
        now_s * 1000);
    add(lists, "overview: counts of 30 days", "/api/overview?from=%" PRId64 "&to=%" PRId64, (now_s - 30 * DAY_S) * 1000,
        now_s * 1000);
}

static void add_other_lists(struct lists *lists, const struct bench *bench)
{
    size_t last = bench->people > 20 ? bench->people - 20 : 0;
    add(lists, "people: first page", "/api/people?limit=20");
    add(lists, "people: the last page", "/api/people?limit=20&skip_num=%zu", last);
    add(lists, "people: part of a name", "/api/people?limit=20&q=erson%%204242");
    add(lists, "people: part of an id", "/api/people?limit=20&q=bench-00042");
    add(lists, "people: part of nothing", "/api/people?limit=20&q=zzz");
    add(lists, "people: of a group, last page", "/api/people?limit=20&group_name=default_group&skip_num=%zu", last);
    add(lists, "people: of a permission group", "/api/people?limit=20&permission_name=0");
    add(lists, "people: of a type", "/api/people?limit=20&type=1");
    add(lists, "people: text, group and type", "/api/people?limit=20&q=42&group_name=default_group&type=1");
    add(lists, "users: a far page", "/SophonFogSys/api/users?limit=10&need_reg_photo=false&skip_num=%zu", last);
    add(lists, "users: by name", "/SophonFogSys/api/users?identity_name=Person%%204242&need_reg_photo=false");
    add(lists, "users: of a group, far page",
        "/SophonFogSys/api/users?group_name=default_group&limit=10&need_reg_photo=false&skip_num=%zu", last);
    add(lists, "groups", "/SophonFogSys/api/groups?limit=1000");
    add(lists, "devices", "/SophonDevice/api/Devices");
    add(lists, "audit log: first page", "/api/audit?per_page=20");
    add(lists, "audit log: a far page", "/api/audit?per_page=20&page=2000");
}

/* ---- events meanwhile ---------------------------------------------------------------------------------- */

/* Decisions at a steady pace: each makes an event. */
struct doors {
    struct bench *bench;
    atomic_bool stop;
    atomic_size_t decided;
    pthread_t threads[WRITERS];
    size_t started;
    struct samples *took; /* of the first thread; may be NULL */
    enum aibox_status status;
    struct aibox_error err;
};

static void decide_until_stopped(struct doors *doors, struct samples *took)
{
    struct connection connection;
    struct aibox_error err;
    int64_t next_us = clock_monotonic_us();
    enum aibox_status status = connection_open(&doors->bench->daemon, &connection, &err);
    const struct pictures *pictures = &doors->bench->pictures;
    for (size_t i = 0; status == AIBOX_OK && !atomic_load(&doors->stop); i++) {
        struct buffer request;
        struct answer answer = {0};
        request_match(&request, doors->bench, pictures->items[i % pictures->count].frame);
        int64_t start_us = clock_monotonic_us();
        status = connection_call(&connection, &request, &answer, &err);
        if (status == AIBOX_OK)
            status = check_answer(&answer, &err);
        if (took != NULL && status == AIBOX_OK)
            samples_add(took, (double)(clock_monotonic_us() - start_us) / 1000);
        buffer_free(&request);
        atomic_fetch_add(&doors->decided, 1);
        next_us += WRITERS * WRITE_MS * 1000;
        int64_t left_us = next_us - clock_monotonic_us();
        if (left_us > 0)
            nanosleep(&(struct timespec){.tv_nsec = left_us * 1000}, NULL);
    }
    connection_close(&connection);
    if (took != NULL && status != AIBOX_OK) {
        doors->status = status;
        doors->err = err;
    }
}

static void *write_first(void *arg)
{
    struct doors *doors = arg;
    decide_until_stopped(doors, doors->took);
    return NULL;
}

static void *write_others(void *arg)
{
    decide_until_stopped(arg, NULL);
    return NULL;
}

static void doors_start(struct doors *doors, struct bench *bench, struct samples *took)
{
    *doors = (struct doors){.bench = bench, .took = took};
    for (size_t i = 0; i < WRITERS; i++)
        if (pthread_create(&doors->threads[doors->started], NULL, i == 0 ? write_first : write_others, doors) == 0)
            doors->started++;
}

static enum aibox_status doors_stop(struct doors *doors, struct aibox_error *err)
{
    atomic_store(&doors->stop, true);
    for (size_t i = 0; i < doors->started; i++)
        pthread_join(doors->threads[i], NULL);
    if (doors->status != AIBOX_OK)
        return error_set(err, doors->status, "%s", doors->err.message);
    return doors->started == WRITERS ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
}

/* ---- lists ---------------------------------------------------------------------------------------------- */

static enum aibox_status ask(struct bench *bench, struct connection *connection, const char *method, const char *path,
                             const char *body, struct answer *answer, struct aibox_error *err)
{
    struct buffer request;
    buffer_init(&request, (size_t)1 << 20);
    request_build(&request, &bench->daemon, method, path, body);
    enum aibox_status status = connection_call(connection, &request, answer, err);
    if (status == AIBOX_OK)
        status = check_answer(answer, err);
    buffer_free(&request);
    return status;
}

static enum aibox_status measure_list(struct bench *bench, struct connection *connection, const struct list *list,
                                      const char *when, struct aibox_error *err)
{
    static struct samples samples;
    char name[REPORT_TEXT];
    samples.count = 0;
    for (size_t i = 0; i < CALLS && !atomic_load(&bench_stopped); i++) {
        struct answer answer = {0};
        int64_t start_us = clock_monotonic_us();
        enum aibox_status status = ask(bench, connection, "GET", list->path, "", &answer, err);
        if (status != AIBOX_OK)
            return status;
        samples_add(&samples, (double)(clock_monotonic_us() - start_us) / 1000);
    }
    snprintf(name, sizeof name, "%s%s, p95 (p50 %.1f, at most %.1f)", list->name, when,
             samples_percentile(&samples, 0.5), samples_percentile(&samples, 1));
    report_at_most(&bench->report, name, samples_percentile(&samples, 0.95), TARGET_MS, "ms");
    return AIBOX_OK;
}

static enum aibox_status measure_all(struct bench *bench, const char *when, struct aibox_error *err)
{
    static struct lists lists;
    struct connection connection;
    enum aibox_status status = connection_open(&bench->daemon, &connection, err);
    if (status != AIBOX_OK)
        return status;
    lists.count = 0;
    add_event_lists(&lists, bench, clock_realtime_ms() / 1000);
    add_other_lists(&lists, bench);
    for (size_t i = 0; i < lists.count && status == AIBOX_OK; i++)
        status = measure_list(bench, &connection, &lists.items[i], when, err);
    connection_close(&connection);
    return status;
}

/* ---- export ------------------------------------------------------------------------------------------------ */

/* Sends the request and reads until EXPORT_ROWS lines came; the few of the answer's head are counted, too. */
static enum aibox_status export_once(struct bench *bench, const char *path, double *first_ms, double *whole_ms,
                                     struct aibox_error *err)
{
    static char chunk[65536];
    struct connection connection;
    struct buffer request;
    size_t rows = 0;
    enum aibox_status status = connection_open(&bench->daemon, &connection, err);
    if (status != AIBOX_OK)
        return status;
    buffer_init(&request, 4096);
    request_build(&request, &bench->daemon, "GET", path, "");
    int64_t start_us = clock_monotonic_us();
    bool sent = send(connection.socket, request.data, request.size, MSG_NOSIGNAL) == (ssize_t)request.size;
    *first_ms = *whole_ms = NAN;
    while (sent && rows < EXPORT_ROWS) {
        ssize_t n = recv(connection.socket, chunk, sizeof chunk, 0);
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            rows += chunk[i] == '\n' ? 1 : 0;
        if (isnan(*first_ms))
            *first_ms = (double)(clock_monotonic_us() - start_us) / 1000;
    }
    *whole_ms = (double)(clock_monotonic_us() - start_us) / 1000;
    buffer_free(&request);
    connection_close(&connection);
    return rows >= EXPORT_ROWS ? AIBOX_OK
                               : error_set(err, AIBOX_PROCESS_FAILED, "the export ended after %zu rows", rows);
}

static enum aibox_status measure_export(struct bench *bench, struct aibox_error *err)
{
    struct samples first = {0}, whole = {0};
    char path[128];
    snprintf(path, sizeof path, "/api/events/export?datetime_gte=%" PRId64, clock_realtime_ms() / 1000 - 20 * DAY_S);
    for (int i = 0; i < EXPORTS; i++) {
        double first_ms, whole_ms;
        enum aibox_status status = export_once(bench, path, &first_ms, &whole_ms, err);
        if (status != AIBOX_OK)
            return status;
        samples_add(&first, first_ms);
        samples_add(&whole, whole_ms);
    }
    report_at_most(&bench->report, "export of events as CSV, first byte, worst of 5", samples_percentile(&first, 1),
                   TARGET_MS, "ms");
    report_plain(&bench->report, "... 10,000 rows, median of 5", samples_percentile(&whole, 0.5), "ms");
    return AIBOX_OK;
}

/* ---- dropping old events ----------------------------------------------------------------------------------- */

static enum aibox_status count_events(struct bench *bench, struct connection *connection, size_t *count,
                                      struct aibox_error *err)
{
    struct answer answer = {0};
    enum aibox_status status = ask(bench, connection, "GET", "/SophonFace/api/events?per_page=1", "", &answer, err);
    const char *at = status == AIBOX_OK ? strstr(answer.body, "\"total_count\":") : NULL;
    if (status == AIBOX_OK && at == NULL)
        status = error_set(err, AIBOX_PROCESS_FAILED, "the box did not say how many events there are");
    if (status == AIBOX_OK)
        *count = strtoul(at + strlen("\"total_count\":"), NULL, 10);
    return status;
}

static enum aibox_status drop_old(struct bench *bench, struct connection *connection, double *took_ms,
                                  struct aibox_error *err)
{
    size_t keep = bench->events - bench->events / DROP_PARTS, count = SIZE_MAX;
    char body[64];
    struct answer answer = {0};
    snprintf(body, sizeof body, "{\"events.keep\":%zu}", keep);
    int64_t start_us = clock_monotonic_us();
    enum aibox_status status = ask(bench, connection, "PUT", "/api/settings", body, &answer, err);
    while (status == AIBOX_OK && count > keep && !atomic_load(&bench_stopped)) {
        nanosleep(&(struct timespec){.tv_nsec = DROP_LOOK_MS * 1000000L}, NULL);
        status = count_events(bench, connection, &count, err);
        if (status == AIBOX_OK && clock_monotonic_us() - start_us > DROP_GIVE_UP_S * INT64_C(1000000))
            status = error_set(err, AIBOX_PROCESS_FAILED, "%zu events are left after %d s", count, DROP_GIVE_UP_S);
    }
    *took_ms = (double)(clock_monotonic_us() - start_us) / 1000;
    return status;
}

static enum aibox_status measure_dropping(struct bench *bench, struct aibox_error *err)
{
    static struct samples took;
    struct doors doors;
    struct connection connection;
    char name[REPORT_TEXT];
    double took_ms = NAN;
    took.count = 0;
    enum aibox_status status = connection_open(&bench->daemon, &connection, err), stopped;
    if (status != AIBOX_OK)
        return status;
    doors_start(&doors, bench, &took);
    status = drop_old(bench, &connection, &took_ms, err);
    stopped = doors_stop(&doors, status == AIBOX_OK ? err : &(struct aibox_error){0});
    connection_close(&connection);
    if (status != AIBOX_OK || stopped != AIBOX_OK)
        return status != AIBOX_OK ? status : stopped;
    snprintf(name, sizeof name, "retention drops %zu events", bench->events / DROP_PARTS);
    report_plain(&bench->report, name, took_ms / 1000, "s");
    report_plain(&bench->report, "... decisions meanwhile, 50 a second, p50", samples_percentile(&took, 0.5), "ms");
    report_plain(&bench->report, "... p99", samples_percentile(&took, 0.99), "ms");
    return AIBOX_OK;
}

/* ---- all of it ---------------------------------------------------------------------------------------------- */

static enum aibox_status fill(struct bench *bench, struct aibox_error *err)
{
    static struct model_set models;
    char data[PATH_MAX + 16];
    daemon_stop(&bench->daemon);
    snprintf(data, sizeof data, "%s/box", bench->data);
    enum aibox_status status = model_set_read(bench->models, &models, err);
    int64_t start_ms = clock_monotonic_ms();
    fprintf(stderr, "aibox-bench: adding %zu events to the store\n", bench->events);
    if (status == AIBOX_OK)
        status = populate_events(data, models.id, bench->people, bench->events, err);
    if (status == AIBOX_OK)
        fprintf(stderr, "aibox-bench: done in %.1f s\n", (double)(clock_monotonic_ms() - start_ms) / 1000);
    if (status == AIBOX_OK)
        status = bench_start_box(bench, err);
    if (status == AIBOX_OK)
        daemon_wait_idle(&bench->daemon);
    return status;
}

enum aibox_status measure_lists(struct bench *bench, struct aibox_error *err)
{
    static struct samples took;
    struct doors doors;
    char name[REPORT_TEXT];
    took.count = 0;
    enum aibox_status status = fill(bench, err), stopped;
    if (status != AIBOX_OK)
        return status;
    snprintf(name, sizeof name, "start to ready, %zu people, %zu events", bench->people, bench->events);
    report_plain(&bench->report, name, bench->daemon.ready_ms, "ms");
    report_plain(&bench->report, "... resident memory then", daemon_resident_mib(&bench->daemon), "MiB");
    status = measure_all(bench, "", err);
    if (status == AIBOX_OK)
        status = measure_export(bench, err);
    if (status != AIBOX_OK)
        return status;
    int64_t start_us = clock_monotonic_us();
    doors_start(&doors, bench, &took);
    status = measure_all(bench, ", events written", err);
    stopped = doors_stop(&doors, status == AIBOX_OK ? err : &(struct aibox_error){0});
    double seconds = (double)(clock_monotonic_us() - start_us) / 1e6;
    if (status != AIBOX_OK || stopped != AIBOX_OK)
        return status != AIBOX_OK ? status : stopped;
    report_plain(&bench->report, "... events written meanwhile", (double)atomic_load(&doors.decided) / seconds,
                 "a second");
    report_plain(&bench->report, "... decision p50", samples_percentile(&took, 0.5), "ms");
    report_plain(&bench->report, "... p99", samples_percentile(&took, 0.99), "ms");
    return measure_dropping(bench, err);
}
