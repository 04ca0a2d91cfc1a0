#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "accuracy.h"

struct job {
    const struct vision *vision;
    size_t count;
    bool (*look)(void *ctx, struct vision_worker *worker, size_t picture);
    void *ctx;
    atomic_size_t next;
    atomic_bool failed;
};

static void *run(void *arg)
{
    struct job *job = arg;
    struct vision_worker *worker = NULL;
    struct aibox_error err = {0};
    if (vision_worker_open(job->vision, &worker, &err) != AIBOX_OK) {
        (void)fprintf(stderr, "%s: %s\n", program_invocation_short_name, err.message);
        atomic_store(&job->failed, true);
        return NULL;
    }
    for (size_t i = atomic_fetch_add(&job->next, 1); i < job->count && !atomic_load(&job->failed);
         i = atomic_fetch_add(&job->next, 1)) {
        if (!job->look(job->ctx, worker, i)) {
            atomic_store(&job->failed, true);
        }
    }
    vision_worker_close(worker);
    return NULL;
}

bool each_picture(const struct vision *vision, size_t count, size_t threads,
                  bool (*look)(void *ctx, struct vision_worker *worker, size_t picture), void *ctx)
{
    struct job job = {.vision = vision, .count = count, .look = look, .ctx = ctx};
    pthread_t *ids = calloc(threads, sizeof *ids);
    size_t started = 0;
    while (ids && started < threads && pthread_create(&ids[started], NULL, run, &job) == 0) {
        started++;
    }
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(ids[i], NULL);
    }
    free(ids);
    return started == threads && !atomic_load(&job.failed);
}

bool find_central(struct vision_worker *worker, const struct image *image, struct vision_face *out,
                  struct aibox_error *err, enum aibox_status *status)
{
    struct vision_face faces[VISION_MAX_FACES];
    struct vision_detect_options options = {0};
    size_t count = 0;
    *status = vision_detect(worker, image, &options, faces, VISION_MAX_FACES, &count, err);
    const struct vision_face *face = *status == AIBOX_OK ? central_face(image, faces, count) : NULL;
    if (!face) {
        return false;
    }
    *out = *face;
    *status = vision_locate(worker, image, out, err);
    return *status == AIBOX_OK;
}
