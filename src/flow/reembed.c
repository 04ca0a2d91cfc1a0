#include "flow/reembed.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "flow/flow_internal.h"

#define DOCUMENT "model_set" /* {"active": NAME, "prepared": NAME} */
#define LOOK_MS  1000        /* between looks for a changed setting and for new faces */
#define PAGE     32
#define NICENESS 10

struct reembed {
    struct flow *flow; /* not owned */
    char *models_dir;
    pthread_t thread;

    /* The thread's. */
    struct vision *vision; /* of the wanted set; NULL: that of the generation in force */
    struct vision_worker *worker;
    struct generation *generation; /* in force */
    int64_t after;                 /* faces up to this row were looked at */

    pthread_mutex_t mu; /* guards what follows */
    pthread_cond_t wake;
    bool closing;
    struct flow_model_sets state;
};

const char *const flow_model_set_states[] = {"idle", "preparing", "ready", "failed"};

/* ---- which set ------------------------------------------------------------------------------------------------ */

/* "" is the models folder itself. False: no plain name, or too long. */
static bool set_folder(const char *models_dir, const char *name, char *out, size_t size)
{
    if (strchr(name, '/') != NULL || name[0] == '.')
        return false;
    int length = snprintf(out, size, "%s%s%s", models_dir, name[0] ? "/" : "", name);
    return length > 0 && (size_t)length < size;
}

static void copy_name(const json_t *object, const char *key, char out[FLOW_MODEL_SET_NAME])
{
    const char *text = json_string_value(json_object_get(object, key));
    (void)snprintf(out, FLOW_MODEL_SET_NAME, "%s", text ? text : "");
}

/* *known false: nothing was written down so far. */
static enum aibox_status read_names(struct store *store, char active[FLOW_MODEL_SET_NAME],
                                    char prepared[FLOW_MODEL_SET_NAME], bool *known, struct aibox_error *err)
{
    char *text = NULL;
    enum aibox_status status = store_document_get(store, DOCUMENT, &text, err);
    json_t *object = text ? json_loads(text, 0, NULL) : NULL;
    *known = object != NULL;
    copy_name(object, "active", active);
    copy_name(object, "prepared", prepared);
    json_decref(object);
    free(text);
    return status;
}

static enum aibox_status write_names(struct store *store, const char *active, const char *prepared,
                                     struct aibox_error *err)
{
    json_t *object = json_pack("{s:s, s:s}", "active", active, "prepared", prepared);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    enum aibox_status status =
        text ? store_document_put(store, DOCUMENT, text, err) : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    free(text);
    json_decref(object);
    return status;
}

enum aibox_status reembed_choose(struct settings *settings, struct store *store, const char *models_dir, char *out,
                                 size_t size, struct aibox_error *err)
{
    char wanted[FLOW_MODEL_SET_NAME], active[FLOW_MODEL_SET_NAME], prepared[FLOW_MODEL_SET_NAME];
    bool known;
    settings_text(settings, "recognition.model_set", wanted, sizeof wanted);
    enum aibox_status status = read_names(store, active, prepared, &known, err);
    if (status != AIBOX_OK)
        return status;
    /* Nobody is enrolled before the first start. */
    bool take = !known ? store_person_count(store) == 0 : strcmp(wanted, prepared) == 0;
    if (strcmp(wanted, active) != 0 && take)
        memcpy(active, wanted, sizeof active);
    if (!set_folder(models_dir, active, out, size))
        return error_set(err, AIBOX_PROCESS_FAILED, "recognition.model_set: the name of a folder is expected");
    if (strcmp(wanted, active) != 0)
        log_info("flow",
                 "going on with the former model set until the wanted one is prepared active=\"%s\" wanted=\"%s\"",
                 active, wanted);
    return write_names(store, active, prepared, err);
}

static const struct vision *target(const struct reembed *reembed)
{
    return reembed->vision ? reembed->vision : reembed->generation->vision;
}

/* ---- the work ------------------------------------------------------------------------------------------------- */

static bool is_closing(struct reembed *reembed)
{
    pthread_mutex_lock(&reembed->mu);
    bool closing = reembed->closing;
    pthread_mutex_unlock(&reembed->mu);
    return closing;
}

/* The photo of a face; NULL: there is none any more, or never was. */
static uint8_t *read_photo(struct store *store, const struct store_lacking_face *face, size_t *size)
{
    struct store_person person = {0};
    uint8_t *bytes = NULL;
    if (store_person_get_by_id(store, face->person_id, &person, NULL) != AIBOX_OK)
        return NULL;
    for (size_t i = 0; i < person.n_faces; i++)
        if (strcmp(person.faces[i].face_id, face->face_id) == 0 && person.faces[i].image_id[0] != '\0' &&
            store_picture_get(store, person.faces[i].image_id, &bytes, size, NULL) != AIBOX_OK)
            bytes = NULL;
    store_person_free(&person);
    return bytes;
}

static void count(struct reembed *reembed, size_t *counter)
{
    pthread_mutex_lock(&reembed->mu);
    ++*counter;
    pthread_mutex_unlock(&reembed->mu);
}

static void embed_face(struct reembed *reembed, const struct store_lacking_face *face)
{
    struct flow *flow = reembed->flow;
    float embedding[VISION_DIMENSION];
    struct aibox_error err = {0};
    size_t size = 0;
    uint8_t *photo = read_photo(flow->store, face, &size);
    if (photo == NULL) {
        count(reembed, &reembed->state.without_photo);
        return;
    }
    enum aibox_status status = look_embedding(flow, reembed->worker, photo, size, embedding, &err);
    free(photo);
    if (status == AIBOX_OK)
        status = store_face_feature_add(flow->store, face->person_id, face->face_id, vision_model_set(target(reembed)),
                                        embedding, &err);
    if (status == AIBOX_ID_NOT_FOUND) /* deleted meanwhile */
        return;
    count(reembed, status == AIBOX_OK ? &reembed->state.done : &reembed->state.failed);
    if (status != AIBOX_OK)
        log_warn("flow", "a face could not be embedded anew person_id=%lld reason=\"%s\"", (long long)face->person_id,
                 err.message);
}

/* All faces behind the last one looked at. False: it was interrupted, or the store can't be read. */
static bool work(struct reembed *reembed)
{
    struct store_lacking_face faces[PAGE];
    struct aibox_error err;
    size_t n = PAGE;
    while (n == PAGE) {
        if (store_faces_lacking(reembed->flow->store, vision_model_set(target(reembed)), reembed->after, PAGE, faces,
                                &n, &err) != AIBOX_OK)
            return false;
        for (size_t i = 0; i < n; i++) {
            if (is_closing(reembed))
                return false;
            embed_face(reembed, &faces[i]);
            reembed->after = faces[i].face_row;
        }
    }
    return true;
}

/* ---- states --------------------------------------------------------------------------------------------------- */

static void let_go(struct reembed *reembed)
{
    vision_worker_close(reembed->worker);
    vision_close(reembed->vision);
    reembed->worker = NULL;
    reembed->vision = NULL;
}

static void fail(struct reembed *reembed, const struct aibox_error *err)
{
    log_error("flow", "the wanted model set can't be used reason=\"%s\"", err->message);
    let_go(reembed);
    pthread_mutex_lock(&reembed->mu);
    reembed->state.state = FLOW_MODEL_SET_FAILED;
    (void)snprintf(reembed->state.reason, sizeof reembed->state.reason, "%s", err->message);
    pthread_mutex_unlock(&reembed->mu);
}

/* Begins anew with what the setting says. */
static void begin(struct reembed *reembed, const char *wanted)
{
    char folder[4096];
    struct aibox_error err = {0};
    size_t lacking = 0;
    let_go(reembed);
    reembed->after = 0;
    pthread_mutex_lock(&reembed->mu);
    bool same = strcmp(wanted, reembed->state.active) == 0;
    (void)snprintf(reembed->state.wanted, sizeof reembed->state.wanted, "%s", wanted);
    reembed->state.state = same ? FLOW_MODEL_SET_IDLE : FLOW_MODEL_SET_PREPARING;
    reembed->state.faces = reembed->state.done = reembed->state.failed = reembed->state.without_photo = 0;
    reembed->state.reason[0] = '\0';
    pthread_mutex_unlock(&reembed->mu);
    enum aibox_status status = AIBOX_OK;
    if (!same && !set_folder(reembed->models_dir, wanted, folder, sizeof folder))
        status = error_set(&err, AIBOX_PARAM, "the name of a folder is expected");
    else if (!same)
        status = vision_open(folder, &reembed->vision, &err);
    if (status == AIBOX_OK)
        status = store_faces_lacking_count(reembed->flow->store, vision_model_set(target(reembed)), &lacking, &err);
    if (status == AIBOX_OK && (!same || lacking > 0))
        status = vision_worker_open(target(reembed), &reembed->worker, &err);
    if (status != AIBOX_OK) {
        fail(reembed, &err);
        return;
    }
    pthread_mutex_lock(&reembed->mu);
    reembed->state.faces = lacking;
    pthread_mutex_unlock(&reembed->mu);
    if (reembed->worker != NULL)
        log_info("flow", "faces are embedded anew model_set=%s faces=%zu", vision_model_set(target(reembed)), lacking);
}

/* All that can be done is done. */
static void finish(struct reembed *reembed)
{
    struct aibox_error err;
    struct flow_model_sets now;
    reembed_get(reembed, &now);
    if (now.state == FLOW_MODEL_SET_IDLE && reembed->worker != NULL) {
        log_info("flow", "faces were embedded anew done=%zu without_photo=%zu failed=%zu", now.done, now.without_photo,
                 now.failed);
        let_go(reembed); /* who is enrolled from now on has a feature of the set in force */
    }
    if (now.state != FLOW_MODEL_SET_PREPARING)
        return;
    if (write_names(reembed->flow->store, now.active, now.wanted, &err) != AIBOX_OK) {
        log_warn("flow", "a prepared model set is not written down reason=\"%s\"", err.message);
        return; /* tried again */
    }
    log_info("flow",
             "the model set is prepared, and used from the next start wanted=\"%s\" done=%zu without_photo=%zu "
             "failed=%zu",
             now.wanted, now.done, now.without_photo, now.failed);
    pthread_mutex_lock(&reembed->mu);
    reembed->state.state = FLOW_MODEL_SET_READY;
    pthread_mutex_unlock(&reembed->mu);
}

static void *run(void *arg)
{
    struct reembed *reembed = arg;
    char wanted[FLOW_MODEL_SET_NAME];
    bool begun = false;
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
    while (!is_closing(reembed)) {
        settings_text(reembed->flow->settings, "recognition.model_set", wanted, sizeof wanted);
        if (flow_ready(reembed->flow) && (!begun || strcmp(wanted, reembed->state.wanted) != 0)) {
            begin(reembed, wanted);
            begun = true;
        }
        if (reembed->worker != NULL && work(reembed))
            finish(reembed);
        struct timespec deadline = clock_deadline(LOOK_MS);
        pthread_mutex_lock(&reembed->mu);
        while (!reembed->closing && pthread_cond_timedwait(&reembed->wake, &reembed->mu, &deadline) == 0) {
        }
        pthread_mutex_unlock(&reembed->mu);
    }
    let_go(reembed);
    return NULL;
}

enum aibox_status reembed_open(struct flow *flow, const char *models_dir, struct reembed **out, struct aibox_error *err)
{
    struct reembed *reembed = calloc(1, sizeof *reembed);
    char prepared[FLOW_MODEL_SET_NAME];
    bool known;
    if (reembed == NULL || (reembed->models_dir = strdup(models_dir)) == NULL) {
        free(reembed);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    reembed->flow = flow;
    enum aibox_status status = read_names(flow->store, reembed->state.active, prepared, &known, err);
    memcpy(reembed->state.wanted, reembed->state.active, sizeof reembed->state.wanted);
    (void)pthread_mutex_init(&reembed->mu, NULL);
    (void)clock_cond_init(&reembed->wake);
    reembed->generation = generation_use(flow->generations);
    if (status == AIBOX_OK && pthread_create(&reembed->thread, NULL, run, reembed) != 0)
        status = error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
    if (status == AIBOX_OK) {
        *out = reembed;
        return AIBOX_OK;
    }
    generation_done(flow->generations, reembed->generation);
    (void)pthread_cond_destroy(&reembed->wake);
    (void)pthread_mutex_destroy(&reembed->mu);
    free(reembed->models_dir);
    free(reembed);
    return status;
}

void reembed_close(struct reembed *reembed)
{
    if (reembed == NULL)
        return;
    pthread_mutex_lock(&reembed->mu);
    reembed->closing = true;
    (void)pthread_cond_broadcast(&reembed->wake);
    pthread_mutex_unlock(&reembed->mu);
    (void)pthread_join(reembed->thread, NULL);
    (void)pthread_cond_destroy(&reembed->wake);
    (void)pthread_mutex_destroy(&reembed->mu);
    free(reembed->models_dir);
    free(reembed);
}

void reembed_get(struct reembed *reembed, struct flow_model_sets *out)
{
    pthread_mutex_lock(&reembed->mu);
    *out = reembed->state;
    pthread_mutex_unlock(&reembed->mu);
}
