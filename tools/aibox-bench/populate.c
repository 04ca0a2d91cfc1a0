#include "populate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/store.h"
#include "synthetic.h"

/* Callers at a time: what they ask for together becomes durable together. */
#define THREADS  64
#define CAPACITY 5000000

struct job {
    struct store *store;
    const struct synthetic *model;
    const char *model_set;
    size_t people;
    atomic_size_t next;
    atomic_bool failed;
    struct aibox_error err; /* of the thread that set `failed` first */
};

static enum aibox_status save(struct job *job, size_t index, struct aibox_error *err)
{
    float feature[STORE_DIMENSION];
    char id[32], info[96];
    struct store_new_face face = {.feature = feature, .model_set = job->model_set, .norm = 8, .quality = 0.8f};
    struct store_person_change change = {.mode = STORE_CREATE,
                                         .identity_id = id,
                                         .info = info,
                                         .faces_mode = STORE_FACES_ADD,
                                         .faces = &face,
                                         .n_faces = 1};
    synthetic_face(job->model, index, 0, feature);
    snprintf(id, sizeof id, "bench-%07zu", index);
    snprintf(info, sizeof info, "{\"name\": \"Person %zu\", \"type\": 1}", index);
    return store_person_save(job->store, &change, NULL, NULL, err);
}

static void *work(void *arg)
{
    struct job *job = arg;
    struct aibox_error err;
    for (size_t i; !atomic_load(&job->failed) && (i = atomic_fetch_add(&job->next, 1)) < job->people;) {
        bool before = false;
        if (save(job, i, &err) != AIBOX_OK && atomic_compare_exchange_strong(&job->failed, &before, true))
            job->err = err;
    }
    return NULL;
}

enum aibox_status populate(const char *data, const char *model_set, size_t people, struct aibox_error *err)
{
    pthread_t threads[THREADS];
    size_t started = 0;
    struct synthetic *model = calloc(1, sizeof *model);
    struct job job = {.model = model, .model_set = model_set, .people = people};
    enum aibox_status status = model == NULL ? error_set(err, AIBOX_PROCESS_FAILED, "out of memory")
                                             : store_open(data, CAPACITY, &job.store, err);
    if (status == AIBOX_OK) {
        synthetic_init(model, 1);
        while (started < THREADS && pthread_create(&threads[started], NULL, work, &job) == 0)
            started++;
        for (size_t i = 0; i < started; i++)
            pthread_join(threads[i], NULL);
        if (started == 0)
            status = error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
        else if (atomic_load(&job.failed))
            status = error_set(err, job.err.status, "%s", job.err.message);
        store_close(job.store);
    }
    free(model);
    return status;
}
