#include "enrol.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "text.h"

#define USERS "/SophonFogSys/api/users"
#define FIQA  "/SophonFace/api/FIQA"

struct run {
    const struct folder *folder;
    const struct enrol_options *options;
    const atomic_bool *stop;

    pthread_mutex_t mu; /* guards what follows */
    size_t next;        /* picture at which the next person begins */
    struct progress progress;
    struct enrol_result *result;
    bool ended; /* by a fatal error */
};

/* ---- one picture ---- */

static void add_text(json_t *object, const char *key, const char *value)
{
    if (value[0] != '\0')
        json_object_set_new(object, key, json_string(value));
}

static json_t *info_of(const struct photo_name *photo)
{
    json_t *info = json_object(), *more = json_object();
    add_text(info, "name", photo->name);
    if (photo->type != 0)
        json_object_set_new(info, "type", json_integer(photo->type));
    add_text(more, "department", photo->department);
    add_text(more, "visit_card_number", photo->card);
    add_text(more, "descriptor", photo->description);
    if (json_object_size(more) > 0)
        json_object_set(info, "ext_info", more);
    json_decref(more);
    return info;
}

static enum aibox_status send_photo(struct box *box, const struct enrol_options *options,
                                    const struct photo_name *photo, json_t *picture, bool exists,
                                    struct aibox_error *err)
{
    json_t *body = json_pack("{s:s, s:s, s:O, s:b, s:s, s:b, s:o}", "identity_id", photo->id, "group_name",
                             options->groups, "reg_photo", picture, "ignore_exist", (int)exists, "fiqa_level",
                             options->fiqa_level, "need_reg_photo", 0, "info", info_of(photo));
    if (body == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = box_call(box, "POST", USERS, body, NULL, err);
    json_decref(body);
    return status;
}

/* The names of the failed items, separated by ", ". */
static void join_items(const json_t *items, char *out, size_t size)
{
    struct buffer text;
    size_t i;
    const json_t *item;
    buffer_init(&text, size - 1);
    json_array_foreach(items, i, item)
    {
        buffer_appendf(&text, "%s%s", i > 0 ? ", " : "", json_is_string(item) ? json_string_value(item) : "?");
    }
    snprintf(out, size, "%s", text.data == NULL ? "" : (const char *)text.data);
    buffer_free(&text);
}

static enum aibox_status judge_photo(struct box *box, const struct enrol_options *options, json_t *picture,
                                     struct aibox_error *err)
{
    json_t *answer = NULL;
    json_t *body = json_pack("{s:O, s:s}", "image_base64_str", picture, "fiqa_level", options->fiqa_level);
    if (body == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = box_call(box, "POST", FIQA, body, &answer, err);
    json_decref(body);
    const json_t *face = json_array_get(json_object_get(answer, "data"), 0);
    if (status == AIBOX_OK && !json_is_true(json_object_get(face, "fiqa_result"))) {
        char items[256];
        join_items(json_object_get(face, "fails"), items, sizeof items);
        status = error_set(err, AIBOX_LOW_QUALITY, "the face's quality is too low: %s (%d)", items,
                           status_code(AIBOX_LOW_QUALITY));
    }
    json_decref(answer);
    return status;
}

/* IDENTITY_EXISTS, when the person is on the box already. */
static enum aibox_status look_up(struct box *box, const char *id, struct aibox_error *err)
{
    struct buffer path;
    buffer_init(&path, 4096);
    buffer_append_text(&path, USERS);
    box_path_query(&path, "identity_id", id);
    box_path_query(&path, "need_reg_photo", "false");
    enum aibox_status status = box_call(box, "GET", (const char *)path.data, NULL, NULL, err);
    buffer_free(&path);
    if (status == AIBOX_OK)
        return error_set(err, AIBOX_IDENTITY_EXISTS, "identity_id: %s exists already (%d)", id,
                         status_code(AIBOX_IDENTITY_EXISTS));
    return status == AIBOX_ID_NOT_FOUND ? AIBOX_OK : status;
}

static enum aibox_status enrol_picture(struct box *box, const struct enrol_options *options,
                                       const struct folder_picture *picture, bool exists, struct aibox_error *err)
{
    struct photo_name photo;
    json_t *base64 = NULL;
    folder_name_of(picture, &photo);
    enum aibox_status status = options->dry_run && !exists ? look_up(box, photo.id, err) : AIBOX_OK;
    if (status == AIBOX_OK)
        status = ctl_picture(picture->path, &base64, err);
    if (status == AIBOX_OK)
        status = options->dry_run ? judge_photo(box, options, base64, err)
                                  : send_photo(box, options, &photo, base64, exists, err);
    json_decref(base64);
    return status;
}

/* ---- one person ---- */

/* Errors that the next picture would meet as well. */
static bool is_fatal(enum aibox_status status)
{
    return status == AIBOX_REMOTE_FAILED || status == AIBOX_REMOTE_DATA || status == AIBOX_UNAUTHORIZED ||
           status == AIBOX_FORBIDDEN || status == AIBOX_GALLERY_FULL || status == AIBOX_GROUP_NOT_LOADED;
}

/* `aloud`: on stderr too, not only in the list. */
static void note_failure(struct run *run, const char *path, enum aibox_status status, const char *message, bool aloud)
{
    char clean[PATH_MAX];
    text_clean(path, clean, sizeof clean);
    run->result->failed++;
    json_array_append_new(run->result->failures,
                          json_pack("{s:s, s:i, s:s}", "file", clean, "code", status_code(status), "message", message));
    if (aloud)
        progress_tell(&run->progress, path, message);
    progress_step(&run->progress, true);
}

/* Returns whether the run goes on. */
static bool note_picture(struct run *run, size_t picture, enum aibox_status status, const struct aibox_error *err,
                         bool aloud)
{
    pthread_mutex_lock(&run->mu);
    if (status == AIBOX_OK) {
        run->result->pictures++;
        progress_step(&run->progress, false);
    } else if (is_fatal(status)) {
        if (!run->ended)
            run->result->fatal = *err;
        run->ended = true;
    } else {
        note_failure(run, run->folder->pictures[picture].path, status, err->message, aloud);
    }
    bool goes_on = !run->ended;
    pthread_mutex_unlock(&run->mu);
    return goes_on && !atomic_load(run->stop);
}

static void enrol_person(struct run *run, struct box *box, size_t first, size_t end)
{
    bool exists = run->options->update;
    bool refused = false; /* the id is taken: so are the other pictures */
    size_t taken = 0;
    enum aibox_status status = AIBOX_OK;
    struct aibox_error err = {0};
    for (size_t i = first; i < end; i++) {
        bool aloud = !refused; /* said once is enough */
        if (!refused)
            status = enrol_picture(box, run->options, &run->folder->pictures[i], exists, &err);
        if (status == AIBOX_OK) {
            exists = true;
            taken++;
        }
        refused = status == AIBOX_IDENTITY_EXISTS;
        if (!note_picture(run, i, status, &err, aloud))
            break;
    }
    pthread_mutex_lock(&run->mu);
    run->result->people += taken > 0 ? 1 : 0;
    pthread_mutex_unlock(&run->mu);
}

/* ---- the whole folder ---- */

static bool take_person(struct run *run, size_t *first, size_t *end)
{
    pthread_mutex_lock(&run->mu);
    bool found = !run->ended && !atomic_load(run->stop) && run->next < run->folder->n_pictures;
    if (found) {
        *first = run->next;
        *end = run->next = folder_next_person(run->folder, run->next);
    }
    pthread_mutex_unlock(&run->mu);
    return found;
}

static void *work(void *arg)
{
    struct run *run = arg;
    struct box *box = NULL;
    struct aibox_error err;
    size_t first, end;
    enum aibox_status status = box_open(run->options->address, &box, &err);
    if (status != AIBOX_OK) {
        pthread_mutex_lock(&run->mu);
        run->ended = true;
        run->result->fatal = err;
        pthread_mutex_unlock(&run->mu);
        return NULL;
    }
    while (take_person(run, &first, &end))
        enrol_person(run, box, first, end);
    box_close(box);
    return NULL;
}

static enum aibox_status run_threads(struct run *run, struct aibox_error *err)
{
    pthread_t threads[ENROL_MAX_JOBS];
    size_t started = 0;
    while (started < run->options->jobs && pthread_create(&threads[started], NULL, work, run) == 0)
        started++;
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    return started > 0 ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "can't start a thread");
}

enum aibox_status enrol_folder(const struct folder *folder, const struct enrol_options *options,
                               const atomic_bool *stop, struct enrol_result *result, struct aibox_error *err)
{
    struct run run = {.folder = folder, .options = options, .stop = stop, .result = result};
    *result = (struct enrol_result){.failures = json_array()};
    if (result->failures == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    pthread_mutex_init(&run.mu, NULL);
    progress_start(&run.progress, folder->n_pictures + folder->n_faults);
    for (size_t i = 0; i < folder->n_faults; i++)
        note_failure(&run, folder->faults[i].path, AIBOX_PARAM, folder->faults[i].message, true);
    enum aibox_status status = run_threads(&run, err);
    progress_end(&run.progress);
    pthread_mutex_destroy(&run.mu);
    result->seconds = progress_seconds(&run.progress);
    result->left = run.progress.total - run.progress.done;
    return status;
}
