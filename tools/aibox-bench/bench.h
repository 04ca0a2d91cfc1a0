/* What the measurements share. */
#ifndef AIBOX_BENCH_BENCH_H
#define AIBOX_BENCH_BENCH_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "connection.h"
#include "core/status.h"
#include "daemon.h"
#include "pictures.h"
#include "report.h"

struct bench {
    char programs[PATH_MAX]; /* folder of aiboxd and the other benchmarks: this program's own */
    char models[PATH_MAX];
    char data[PATH_MAX];  /* folder of the box; removed at the end */
    char faces[PATH_MAX]; /* research pictures; may not be there */
    size_t people, events;
    struct pictures pictures;
    struct daemon daemon;
    struct report report;
};

extern atomic_bool bench_stopped; /* a signal came: measure no more */

/* One figure or a few that belong together. The box runs, unless said otherwise. */
enum aibox_status measure_start(struct bench *bench, struct aibox_error *err);
enum aibox_status measure_pad(struct bench *bench, struct aibox_error *err);
enum aibox_status measure_pads(struct bench *bench, struct aibox_error *err);
enum aibox_status measure_reports(struct bench *bench, struct aibox_error *err);
enum aibox_status measure_reads(struct bench *bench, struct aibox_error *err);
enum aibox_status measure_memory(struct bench *bench, struct aibox_error *err);
enum aibox_status measure_recognisable(struct bench *bench, struct aibox_error *err);
enum aibox_status measure_enrolment(struct bench *bench, struct aibox_error *err);
/* Adds bench->events events to the box's folder first. */
enum aibox_status measure_lists(struct bench *bench, struct aibox_error *err);
/* Those that run another program; no box runs meanwhile. */
enum aibox_status measure_store(struct bench *bench, struct aibox_error *err);
enum aibox_status measure_gallery(struct bench *bench, struct aibox_error *err);
enum aibox_status measure_accuracy(struct bench *bench, struct aibox_error *err);

/* Starts the box on bench->data, or stops it. */
enum aibox_status bench_start_box(struct bench *bench, struct aibox_error *err);

/* ---- calls.c ---- */

/* POST users with a photo at level no; PROCESS_FAILED with the box's own message unless it answers 200. */
enum aibox_status call_enrol(struct bench *bench, struct connection *connection, const char *id, const char *photo,
                             struct aibox_error *err);
/* Enrols the first pictures, at most `max`, as "<prefix>-0" …, so that they are known; *n: how many. */
enum aibox_status call_enrol_some(struct bench *bench, struct connection *connection, const char *prefix, size_t max,
                                  size_t *n, struct aibox_error *err);
/* The request of a PAD: PictureMatch in default_group. */
void request_match(struct buffer *request, const struct bench *bench, const char *frame);
/* The person that the answer to it names best; "" for nobody. */
void answer_best(const struct answer *answer, char *out, size_t size);
/* Deletes `n` people "<prefix>-0" … */
enum aibox_status call_delete(struct bench *bench, const char *prefix, size_t n, struct aibox_error *err);
/* PROCESS_FAILED unless the answer is a 200. */
enum aibox_status check_answer(const struct answer *answer, struct aibox_error *err);
/* Monotonic; at once when it is over, or a signal comes. */
void bench_sleep_until(int64_t at_us);

#endif
