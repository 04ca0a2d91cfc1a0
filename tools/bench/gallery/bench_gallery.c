/*
 * How fast is 1:N search, and what does it cost in answers? Against FAISS's exact scan, over synthetic embeddings with
 * the score distributions of real ones (tests/unit/gallery/synthetic.h), everything on one thread.
 *
 *   bench-gallery [--rows N[,N...]] [--probes N] [--json]
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "faiss_flat.h"
#include "gallery/gallery.h"
#include "synthetic.h"

#define SIZES_MAX         8
#define WARM_UP           20
#define FAISS_TIMES       25
#define STREAM_TIMES      25
#define CHANGES           2000
#define GROUPS            200 /* people are in group 0 and in two of these */
#define STRANGERS_PERCENT 20  /* as many probes again, of people who are not in the gallery */

struct figures {
    size_t rows;
    double search_p50, search_p99;  /* ms */
    double filtered_p50, small_p50; /* ms; a filter that all pass, one that 1 in 100 pass */
    double batch;                   /* ms per probe, all probes in one call */
    double faiss_p50;               /* ms */
    double faiss_batch;             /* ms per probe, all probes in one call */
    double stream;                  /* ms for reading 64 bytes per row once */
    double recall;                  /* of the enrolled people's probes: the same best row as FAISS */
    double recall_low;              /* the same of those whose best score is below 0.5 */
    size_t n_low;
    double recall_strangers;
    double put_p50, put_p99, remove_p50, remove_p99; /* us */
    double bytes_per_row;
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what)
{
    fprintf(stderr, "bench-gallery: %s\n", what);
    exit(1);
}

static void *take(size_t n, size_t size)
{
    void *memory = calloc(n, size);
    if (memory == NULL)
        die("out of memory");
    return memory;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(double *values, size_t n, double p)
{
    qsort(values, n, sizeof(*values), by_value);
    return values[(size_t)(p * (double)(n - 1) + 0.5)];
}

static size_t resident_bytes(void)
{
    unsigned long total = 0;
    unsigned long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu %lu", &total, &resident) != 2)
        die("no /proc/self/statm");
    fclose(file);
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void put(struct gallery *gallery, const float *vectors, size_t row)
{
    struct gallery_person person = {
        .person_id = (int64_t)row + 1, .faces = vectors + row * SYNTHETIC_DIMENSION, .n_faces = 1};
    uint64_t state = row;
    gallery_labels_add(&person.groups, 0);
    for (int i = 0; i < 2; i++)
        gallery_labels_add(&person.groups, (unsigned)(synthetic_random(&state) % GROUPS));
    if (gallery_put(gallery, &person, NULL) != AIBOX_OK)
        die("can't put");
}

/* The time that memory needs, whatever is done with the bytes: read them once, in as many streams as a core likes. */
#if defined(__x86_64__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
static uint64_t
read_all(const uint64_t *words, size_t n)
{
    uint64_t sum[64] = {0};
    uint64_t all = 0;
    for (size_t i = 0; i + 64 <= n; i += 64) {
        for (size_t j = 0; j < 64; j++)
            sum[j] |= words[i + j];
    }
    for (size_t j = 0; j < 64; j++)
        all |= sum[j];
    return all;
}

static double stream_ms(size_t rows)
{
    double times[STREAM_TIMES];
    uint64_t seen = 0;
    size_t n = rows * 8;
    uint64_t *words = take(n, sizeof(*words));
    memset(words, 1, n * sizeof(*words));
    for (size_t i = 0; i < STREAM_TIMES; i++) {
        double start = now_us();
        seen |= read_all(words, n);
        times[i] = (now_us() - start) / 1e3;
    }
    free(words);
    if (seen == 0) /* so that the reading is not left out */
        die("memory does not keep what is written");
    return percentile(times, STREAM_TIMES, 0.5);
}

/* Searches every probe by itself; best[i] is the person found. Returns times in ms. */
static void time_searches(const struct gallery *gallery, const float *probes, size_t n,
                          const struct gallery_filter *filter, int64_t *best, double *times)
{
    static struct gallery_result result;
    for (size_t i = 0; i < WARM_UP; i++)
        gallery_search(gallery, probes + i % n * SYNTHETIC_DIMENSION, filter, 1, &result, NULL);
    for (size_t i = 0; i < n; i++) {
        double start = now_us();
        if (gallery_search(gallery, probes + i * SYNTHETIC_DIMENSION, filter, 1, &result, NULL) != AIBOX_OK)
            die("can't search");
        times[i] = (now_us() - start) / 1e3;
        if (best != NULL)
            best[i] = result.count > 0 ? result.best[0].person_id : 0;
    }
}

static void time_faiss(const struct faiss_flat *flat, const float *probes, size_t n, struct figures *out)
{
    double times[FAISS_TIMES];
    float score;
    int64_t row;
    for (size_t i = 0; i < FAISS_TIMES; i++) {
        double start = now_us();
        if (faiss_flat_search(flat, probes + i % n * SYNTHETIC_DIMENSION, 1, 1, &score, &row) != 0)
            die("FAISS can't search");
        times[i] = (now_us() - start) / 1e3;
    }
    out->faiss_p50 = percentile(times, FAISS_TIMES, 0.5);
}

static void time_changes(struct gallery *gallery, const float *vectors, size_t rows, struct figures *out)
{
    double *times = take(CHANGES, sizeof(*times));
    uint64_t state = 99;
    for (size_t i = 0; i < CHANGES; i++) {
        size_t row = synthetic_random(&state) % rows;
        double start = now_us();
        put(gallery, vectors, row);
        times[i] = now_us() - start;
    }
    out->put_p50 = percentile(times, CHANGES, 0.5);
    out->put_p99 = percentile(times, CHANGES, 0.99);
    for (size_t i = 0; i < CHANGES; i++) {
        size_t row = synthetic_random(&state) % rows;
        double start = now_us();
        gallery_remove(gallery, (int64_t)row + 1);
        times[i] = now_us() - start;
        put(gallery, vectors, row);
    }
    out->remove_p50 = percentile(times, CHANGES, 0.5);
    out->remove_p99 = percentile(times, CHANGES, 0.99);
    free(times);
}

static void compare(const struct faiss_flat *flat, const float *probes, const int64_t *best, size_t n,
                    size_t n_strangers, struct figures *out)
{
    float *scores = take(n + n_strangers, sizeof(*scores));
    int64_t *rows = take(n + n_strangers, sizeof(*rows));
    size_t same[3] = {0}; /* all, low, strangers */
    double start = now_us();
    if (faiss_flat_search(flat, probes, n + n_strangers, 1, scores, rows) != 0)
        die("FAISS can't search");
    out->faiss_batch = (now_us() - start) / 1e3 / (double)(n + n_strangers);
    for (size_t i = 0; i < n + n_strangers; i++) {
        bool equal = rows[i] + 1 == best[i];
        if (i >= n) {
            same[2] += equal;
            continue;
        }
        same[0] += equal;
        same[1] += equal && scores[i] < 0.5F;
        out->n_low += scores[i] < 0.5F;
    }
    out->recall = (double)same[0] / (double)n;
    out->recall_low = out->n_low > 0 ? (double)same[1] / (double)out->n_low : NAN;
    out->recall_strangers = n_strangers > 0 ? (double)same[2] / (double)n_strangers : NAN;
    free(scores);
    free(rows);
}

static void time_gallery(const struct gallery *gallery, const float *probes, size_t n, size_t n_all, int64_t *best,
                         struct figures *out)
{
    double *times = take(n_all, sizeof(*times));
    struct gallery_labels everybody = {0};
    struct gallery_labels few = {0};
    struct gallery_result *results = take(n, sizeof(*results));
    gallery_labels_add(&everybody, 0);
    gallery_labels_add(&few, 1);
    time_searches(gallery, probes, n_all, NULL, best, times);
    out->search_p50 = percentile(times, n_all, 0.5);
    out->search_p99 = percentile(times, n_all, 0.99);
    time_searches(gallery, probes, n, &(struct gallery_filter){.groups = &everybody}, NULL, times);
    out->filtered_p50 = percentile(times, n, 0.5);
    time_searches(gallery, probes, n, &(struct gallery_filter){.groups = &few}, NULL, times);
    out->small_p50 = percentile(times, n, 0.5);
    double start = now_us();
    if (gallery_search_batch(gallery, probes, n, NULL, 1, results, NULL) != AIBOX_OK)
        die("can't search");
    out->batch = (now_us() - start) / 1e3 / (double)n;
    for (size_t i = 0; i < n; i++) {
        if (results[i].best[0].person_id != best[i])
            die("batch and single search differ");
    }
    free(results);
    free(times);
}

static struct figures measure(const struct synthetic *model, size_t rows, size_t n_probes)
{
    struct figures out = {.rows = rows};
    size_t n_strangers = n_probes * STRANGERS_PERCENT / 100;
    size_t n_all = n_probes + n_strangers;
    float *vectors = take(rows, SYNTHETIC_DIMENSION * sizeof(*vectors));
    float *probes = take(n_all, SYNTHETIC_DIMENSION * sizeof(*probes));
    int64_t *best = take(n_all, sizeof(*best));
    struct gallery *gallery = NULL;
    uint64_t state = 7;
    for (size_t i = 0; i < rows; i++)
        synthetic_face(model, i, 0, vectors + i * SYNTHETIC_DIMENSION);
    for (size_t i = 0; i < n_all; i++)
        synthetic_face(model, i < n_probes ? synthetic_random(&state) % rows : rows + i, 1,
                       probes + i * SYNTHETIC_DIMENSION);
    if (gallery_open(rows, &gallery, NULL) != AIBOX_OK)
        die("can't open a gallery");
    size_t before = resident_bytes();
    for (size_t i = 0; i < rows; i++)
        put(gallery, vectors, i);
    out.bytes_per_row = (double)(resident_bytes() - before) / (double)rows;

    struct faiss_flat *flat = faiss_flat_open(vectors, rows, SYNTHETIC_DIMENSION);
    if (flat == NULL)
        die("FAISS can't index");
    out.stream = stream_ms(rows);
    time_gallery(gallery, probes, n_probes, n_all, best, &out);
    time_faiss(flat, probes, n_all, &out);
    compare(flat, probes, best, n_probes, n_strangers, &out);
    time_changes(gallery, vectors, rows, &out);

    faiss_flat_close(flat);
    gallery_close(gallery);
    free(vectors);
    free(probes);
    free(best);
    return out;
}

static void print_table(const struct figures *f, size_t n_probes)
{
    printf("\n%zu rows, %zu probes of enrolled people, kernel %s, one thread\n", f->rows, n_probes,
           gallery_kernel_name());
    printf("  search               p50 %9.3f ms   p99 %9.3f ms\n", f->search_p50, f->search_p99);
    printf("  ... all in the group p50 %9.3f ms\n", f->filtered_p50);
    printf("  ... 1 %% in the group p50 %9.3f ms\n", f->small_p50);
    printf("  ... in one batch         %9.3f ms per probe\n", f->batch);
    printf("  reading 64 B per row p50 %9.3f ms   (%.1f GB/s)\n", f->stream, (double)f->rows * 64e-6 / f->stream);
    printf("  FAISS IndexFlatIP    p50 %9.3f ms   %.0f times ours\n", f->faiss_p50, f->faiss_p50 / f->search_p50);
    printf("  ... in one batch         %9.3f ms per probe, %.1f times ours\n", f->faiss_batch,
           f->faiss_batch / f->batch);
    printf("  recall@1 %.2f %%; best score under 0.5: %.2f %% of %zu; strangers: %.2f %%\n", f->recall * 100,
           f->recall_low * 100, f->n_low, f->recall_strangers * 100);
    printf("  replace p50 %.2f us p99 %.2f us   remove p50 %.2f us p99 %.2f us   %.0f bytes per row\n", f->put_p50,
           f->put_p99, f->remove_p50, f->remove_p99, f->bytes_per_row);
}

static void print_json(const struct figures *f, bool first)
{
    printf("%s\n  {\"rows\": %zu, \"kernel\": \"%s\", \"search_p50_ms\": %.4f, \"search_p99_ms\": %.4f, "
           "\"filter_all_p50_ms\": %.4f, \"filter_1_percent_p50_ms\": %.4f, \"batch_ms_per_probe\": %.4f, "
           "\"stream_p50_ms\": %.4f, \"faiss_flat_p50_ms\": %.4f, \"faiss_flat_batch_ms_per_probe\": %.4f, \"ratio\": "
           "%.1f, \"recall_at_1\": %.5f, "
           "\"put_p50_us\": %.2f, \"put_p99_us\": %.2f, \"remove_p50_us\": %.2f, \"remove_p99_us\": %.2f, "
           "\"bytes_per_row\": %.0f}",
           first ? "[" : ",", f->rows, gallery_kernel_name(), f->search_p50, f->search_p99, f->filtered_p50,
           f->small_p50, f->batch, f->stream, f->faiss_p50, f->faiss_batch, f->faiss_p50 / f->search_p50, f->recall,
           f->put_p50, f->put_p99, f->remove_p50, f->remove_p99, f->bytes_per_row);
}

static size_t parse_count(const char *text, char **end)
{
    unsigned long long value = strtoull(text, end, 10);
    if (*end == text || value == 0 || value > 100000000)
        die("--rows and --probes want numbers from 1 to 100000000");
    return (size_t)value;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"rows", required_argument, NULL, 'r'},
        {"probes", required_argument, NULL, 'p'},
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    static struct synthetic model;
    size_t sizes[SIZES_MAX] = {50000, 1000000};
    size_t n_sizes = 2;
    size_t n_probes = 2000;
    bool json = false;
    char *end;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'r':
            n_sizes = 0;
            for (const char *at = optarg; n_sizes < SIZES_MAX; at = end + 1) {
                sizes[n_sizes++] = parse_count(at, &end);
                if (*end != ',')
                    break;
            }
            break;
        case 'p':
            n_probes = parse_count(optarg, &end);
            break;
        case 'j':
            json = true;
            break;
        default:
            return 2;
        }
    }
    synthetic_init(&model, 1);
    for (size_t i = 0; i < n_sizes; i++) {
        struct figures figures = measure(&model, sizes[i], n_probes);
        if (json)
            print_json(&figures, i == 0);
        else
            print_table(&figures, n_probes);
        fflush(stdout);
    }
    if (json)
        printf("\n]\n");
    return 0;
}
