/*
 * bench-store: what the store does in a second, on the disk of a folder that it makes and removes.
 *
 *   bench-store [--dir PARENT] [--people N] [--seconds S] [--photo BYTES] [--spot BYTES] [--face BYTES] [--json]
 *
 * Rows: name, operations a second, and the wait of a single caller in milliseconds (median, 99 %, worst).
 */
#include <dirent.h>
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/id.h"
#include "core/log.h"
#include "store/store.h"

#define MODEL_SET   "bench"
#define MAX_THREADS 64
#define MAX_SAMPLES 2000000

static struct {
    const char *parent;
    size_t people, photo_size, spot_size, face_size;
    int seconds;
    bool json;
} options = {"/tmp", 50000, 4096, 30000, 8000, 3, false};

static struct store *store;
static uint32_t *samples; /* microseconds */
static atomic_size_t n_samples;
static atomic_size_t next_person;
static atomic_bool stop;
static bool first_row = true;

static void die(const char *what, const struct aibox_error *err)
{
    fprintf(stderr, "bench-store: %s: %s\n", what, err->message);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void sample(int64_t start_us)
{
    size_t i = atomic_fetch_add(&n_samples, 1);

    if (i < MAX_SAMPLES)
        samples[i] = (uint32_t)(clock_monotonic_us() - start_us);
}

static void report(const char *name, int64_t elapsed_us)
{
    size_t n = atomic_load(&n_samples);
    size_t kept = n < MAX_SAMPLES ? n : MAX_SAMPLES;
    double rate = (double)n / ((double)elapsed_us / 1e6);

    qsort(samples, kept, sizeof samples[0], by_value);
    double median = kept ? samples[kept / 2] / 1e3 : 0, high = kept ? samples[kept * 99 / 100] / 1e3 : 0;
    double worst = kept ? samples[kept - 1] / 1e3 : 0;
    if (options.json)
        printf(
            "%s\n  {\"name\": \"%s\", \"per_second\": %.1f, \"median_ms\": %.3f, \"p99_ms\": %.3f, \"worst_ms\": %.3f}",
            first_row ? "[" : ",", name, rate, median, high, worst);
    else
        printf("%-44s %10.0f /s   %9.3f %9.3f %9.3f\n", name, rate, median, high, worst);
    first_row = false;
    fflush(stdout);
    atomic_store(&n_samples, 0);
}

/* Runs `work` on `threads` threads; with `timed` for the seconds asked for, else until each returns. */
static void run(const char *name, size_t threads, bool timed, void *(*work)(void *))
{
    pthread_t ids[MAX_THREADS];
    int64_t start_us = clock_monotonic_us();

    atomic_store(&stop, false);
    for (size_t i = 0; i < threads; i++) {
        if (pthread_create(&ids[i], NULL, work, (void *)(uintptr_t)(i + 1)) != 0) {
            fprintf(stderr, "bench-store: no thread\n");
            exit(1);
        }
    }
    if (timed)
        sleep((unsigned)options.seconds);
    atomic_store(&stop, true);
    for (size_t i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    report(name, clock_monotonic_us() - start_us);
}

static void fill(void *bytes, size_t size, uint64_t seed)
{
    uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        at[i] = (uint8_t)(seed >> 56);
    }
}

static void fill_feature(float feature[STORE_DIMENSION], uint64_t seed)
{
    for (size_t i = 0; i < STORE_DIMENSION; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        feature[i] = (float)(seed >> 40) / 16777216.0F - 0.5F;
    }
}

static void *insert_people(void *arg)
{
    uint8_t *photo = malloc(options.photo_size + 1);
    float feature[STORE_DIMENSION];
    const char *groups[] = {STORE_DEFAULT_GROUP, "staff"};

    (void)arg;
    for (size_t i; photo && (i = atomic_fetch_add(&next_person, 1)) < options.people;) {
        struct aibox_error err = {0};
        char id[24], info[160];
        snprintf(id, sizeof id, "%08zu", i * 7919 % options.people); /* in no order */
        snprintf(
            info, sizeof info,
            "{\"name\":\"Person %zu\",\"type\":1,\"ext_info\":{\"mobile\":\"13800000000\",\"department\":\"R&D\"}}", i);
        fill_feature(feature, i);
        fill(photo, options.photo_size, i);
        struct store_new_face face = {.feature = feature,
                                      .model_set = MODEL_SET,
                                      .norm = 10,
                                      .quality = 0.7F,
                                      .photo = options.photo_size ? photo : NULL,
                                      .photo_size = options.photo_size};
        struct store_person_change change = {.mode = STORE_CREATE,
                                             .identity_id = id,
                                             .info = info,
                                             .groups = groups,
                                             .n_groups = i % 2 ? 2 : 1,
                                             .faces_mode = STORE_FACES_ADD,
                                             .faces = &face,
                                             .n_faces = 1};
        int64_t start_us = clock_monotonic_us();
        if (store_person_save(store, &change, NULL, NULL, &err) != AIBOX_OK)
            die("person", &err);
        sample(start_us);
    }
    free(photo);
    return NULL;
}

static void *add_events(void *arg)
{
    uint8_t *spot = malloc(options.spot_size + 1), *face = malloc(options.face_size + 1);
    float feature[STORE_DIMENSION];
    uint64_t seed = (uintptr_t)arg * UINT64_C(1000003);

    if (spot && face) {
        fill(spot, options.spot_size, seed);
        fill(face, options.face_size, seed + 1);
    }
    fill_feature(feature, seed);
    while (spot && face && !atomic_load(&stop)) {
        struct aibox_error err = {0};
        struct store_event event = {.timestamp_ms = clock_realtime_ms(),
                                    .identity_id = "00000042",
                                    .identity_name = "Person 42",
                                    .person_type = 1,
                                    .group_name = STORE_DEFAULT_GROUP,
                                    .device_id = "device-1",
                                    .device_ip = "192.168.1.20",
                                    .ep_id = "0x001122334455__192.168.1.20",
                                    .device_type = "0",
                                    .reason = "passed",
                                    .verdict = STORE_KNOWN,
                                    .score = 0.8F,
                                    .threshold = 0.5F,
                                    .margin = 0.2F,
                                    .best_score = NAN,
                                    .liveness = NAN,
                                    .mask = -1,
                                    .grab_fiqa_info = "{\"confidence\":0.99,\"face_id\":\"1\"}",
                                    .box_fiqa_info = "{\"age\":30,\"sex\":0,\"info\":{\"clarity\":0.9}}",
                                    .feature = feature,
                                    .model_set = MODEL_SET,
                                    .spot = options.spot_size ? spot : NULL,
                                    .spot_size = options.spot_size,
                                    .face = options.face_size ? face : NULL,
                                    .face_size = options.face_size};
        seed++;
        memcpy(spot, &seed, options.spot_size < sizeof seed ? options.spot_size : sizeof seed); /* no two alike */
        memcpy(face, &seed, options.face_size < sizeof seed ? options.face_size : sizeof seed);
        id_ulid(event.event_id);
        int64_t start_us = clock_monotonic_us();
        if (store_event_add(store, &event, &err) != AIBOX_OK)
            die("event", &err);
        sample(start_us);
    }
    free(spot);
    free(face);
    return NULL;
}

static void list_pages(const struct store_person_query *query)
{
    while (!atomic_load(&stop)) {
        struct store_person_list list;
        struct aibox_error err = {0};
        int64_t start_us = clock_monotonic_us();
        if (store_person_list(store, query, &list, &err) != AIBOX_OK)
            die("list", &err);
        store_person_list_free(&list);
        sample(start_us);
    }
}

static void *list_first(void *arg)
{
    (void)arg;
    list_pages(&(struct store_person_query){.limit = 10});
    return NULL;
}

static void *list_middle(void *arg)
{
    (void)arg;
    list_pages(&(struct store_person_query){.limit = 10, .skip = options.people / 2});
    return NULL;
}

static void *list_group(void *arg)
{
    (void)arg;
    list_pages(&(struct store_person_query){.limit = 10, .group = "staff"});
    return NULL;
}

static void *list_text(void *arg)
{
    (void)arg;
    list_pages(&(struct store_person_query){.limit = 10, .text = "son 4999"});
    return NULL;
}

static void *get_people(void *arg)
{
    uint64_t seed = (uintptr_t)arg;

    while (!atomic_load(&stop)) {
        struct store_person person;
        struct aibox_error err = {0};
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int64_t id = (int64_t)((seed >> 33) % options.people) + 1;
        int64_t start_us = clock_monotonic_us();
        if (store_person_get_by_id(store, id, &person, &err) != AIBOX_OK)
            die("get", &err);
        store_person_free(&person);
        sample(start_us);
    }
    return NULL;
}

static void *list_events(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop)) {
        struct store_event_list list;
        struct aibox_error err = {0};
        struct store_event_query query = {.score_min = NAN, .score_max = NAN, .limit = 10};
        int64_t start_us = clock_monotonic_us();
        if (store_event_list(store, &query, &list, &err) != AIBOX_OK)
            die("events", &err);
        store_event_list_free(&list);
        sample(start_us);
    }
    return NULL;
}

static bool touch(void *ctx, const struct store_template *state)
{
    double *sum = ctx;

    *sum += (double)state->features[0];
    return true;
}

static void *scan(void *arg)
{
    struct aibox_error err = {0};
    double sum = 0;
    int64_t start_us = clock_monotonic_us();

    (void)arg;
    if (store_templates_scan(store, MODEL_SET, touch, &sum, &err) != AIBOX_OK)
        die("scan", &err);
    sample(start_us);
    return NULL;
}

static double memory_mb(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0;

    if (!file)
        return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    char file[800];

    while (folder && (entry = readdir(folder))) {
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(file);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

static size_t number(const char *text)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (*end || end == text) {
        fprintf(stderr, "bench-store: not a number: %s\n", text);
        exit(2);
    }
    return (size_t)value;
}

static void read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"dir", required_argument, NULL, 'd'},     {"people", required_argument, NULL, 'p'},
        {"seconds", required_argument, NULL, 's'}, {"photo", required_argument, NULL, 'h'},
        {"spot", required_argument, NULL, 'o'},    {"face", required_argument, NULL, 'f'},
        {"json", no_argument, NULL, 'j'},          {NULL, 0, NULL, 0},
    };

    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (c) {
        case 'd':
            options.parent = optarg;
            break;
        case 'p':
            options.people = number(optarg);
            break;
        case 's':
            options.seconds = (int)number(optarg);
            break;
        case 'h':
            options.photo_size = number(optarg);
            break;
        case 'o':
            options.spot_size = number(optarg);
            break;
        case 'f':
            options.face_size = number(optarg);
            break;
        case 'j':
            options.json = true;
            break;
        default:
            fprintf(stderr,
                    "usage: bench-store [--dir PARENT] [--people N] [--seconds S] [--photo BYTES] [--spot BYTES]"
                    " [--face BYTES] [--json]\n");
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    struct aibox_error err = {0};
    char path[512];

    read_options(argc, argv);
    log_set_level(LOG_LEVEL_WARN);
    samples = calloc(MAX_SAMPLES, sizeof *samples);
    snprintf(path, sizeof path, "%s/bench-store-XXXXXX", options.parent);
    if (!samples || !mkdtemp(path)) {
        perror("bench-store");
        return 1;
    }
    if (store_open(path, options.people, &store, &err) != AIBOX_OK)
        die("open", &err);
    store_set_retention(store, 10000, 0); /* a box's own: from then on each event drops another */
    if (store_label_create(store, STORE_GROUP, NULL, "staff", "", NULL, NULL, &err) != AIBOX_OK)
        die("group", &err);
    if (!options.json)
        printf("%-44s %10s      %9s %9s %9s\n", "", "rate", "median ms", "99 % ms", "worst ms");
    run("insert people, 8 threads", 8, false, insert_people);
    run("scan all templates", 1, false, scan);
    run("person by id, 1 thread", 1, true, get_people);
    run("person by id, 2 threads", 2, true, get_people);
    run("page of 10 people, first, 1 thread", 1, true, list_first);
    run("page of 10 people, first, 2 threads", 2, true, list_first);
    run("page of 10 people, middle, 1 thread", 1, true, list_middle);
    run("page of 10 people, of a group, 1 thread", 1, true, list_group);
    run("page of 10 people, part of name, 1 thread", 1, true, list_text);
    run("durable events, 1 thread", 1, true, add_events);
    run("durable events, 8 threads", 8, true, add_events);
    run("durable events, 64 threads", 64, true, add_events);
    run("page of 10 events, 1 thread", 1, true, list_events);
    double memory = memory_mb() - (double)(MAX_SAMPLES * sizeof *samples) / 1e6;
    if (options.json)
        printf(",\n  {\"name\": \"memory\", \"mb\": %.1f}\n]\n", memory);
    else
        printf("%-44s %10.1f MB\n", "memory, without the bench's samples", memory);
    store_close(store);
    remove_folder(path);
    free(samples);
    return 0;
}
