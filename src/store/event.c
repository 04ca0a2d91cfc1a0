/* Events: added once, never changed. Reading one, and adding one. */
#include "store/event.h"
#include "core/log.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "store/batch.h"
#include "store/catalogue.h"
#include "store/seal_rows.h"
#include "store/stranger.h"

#define MAX_EVENT_TEXT 512 /* bytes of each short text */
#define EVENT_OTHERS   13  /* columns that are bound before the texts */

/* The text fields, in the order of the columns that hold them. */
static const struct text_field {
    const char *name;
    size_t offset;
    size_t limit;
    const char *missing; /* what stands for NULL */
} text_fields[EVENT_TEXTS] = {
    {"identity_id", offsetof(struct store_event, identity_id), MAX_EVENT_TEXT, ""},
    {"identity_name", offsetof(struct store_event, identity_name), MAX_EVENT_TEXT, ""},
    {"group_name", offsetof(struct store_event, group_name), STORE_MAX_INFO, ""},
    {"device_id", offsetof(struct store_event, device_id), MAX_EVENT_TEXT, ""},
    {"device_ip", offsetof(struct store_event, device_ip), MAX_EVENT_TEXT, ""},
    {"ep_id", offsetof(struct store_event, ep_id), MAX_EVENT_TEXT, ""},
    {"device_type", offsetof(struct store_event, device_type), MAX_EVENT_TEXT, ""},
    {"reason", offsetof(struct store_event, reason), 64, ""},
    {"action", offsetof(struct store_event, action), MAX_EVENT_TEXT, ""},
    {"best_identity_id", offsetof(struct store_event, best_identity_id), MAX_EVENT_TEXT, ""},
    {"room", offsetof(struct store_event, room), MAX_EVENT_TEXT, ""},
    {"grab_fiqa_info", offsetof(struct store_event, grab_fiqa_info), STORE_MAX_INFO, "{}"},
    {"box_fiqa_info", offsetof(struct store_event, box_fiqa_info), STORE_MAX_INFO, "{}"},
    {"supersedes", offsetof(struct store_event, supersedes), ID_ULID_SIZE - 1, ""},
};

static const char **text_of(struct store_event *event, size_t i)
{
    return (const char **)(void *)((char *)event + text_fields[i].offset);
}

static void print_uuid_column(sqlite3_stmt *stmt, int column, char out[37])
{
    out[0] = '\0';
    if (sqlite3_column_bytes(stmt, column) == UUID_BYTES)
        uuid_print(sqlite3_column_blob(stmt, column), out);
}

/* The texts of a row go into one block, `event->memory`, behind the feature (which wants alignment). */
static bool read_texts(sqlite3_stmt *stmt, struct store_event *event, size_t feature_size)
{
    const int model_set = EVENT_FEATURE + 1;
    size_t size = feature_size + (size_t)sqlite3_column_bytes(stmt, model_set) + 1;

    for (int i = 0; i < EVENT_TEXTS; i++)
        size += (size_t)sqlite3_column_bytes(stmt, EVENT_FIRST_TEXT + i) + 1;
    char *at = malloc(size);
    if (!at)
        return false;
    event->memory = at;
    at += feature_size;
    for (int i = 0; i <= EVENT_TEXTS; i++) {
        int column = i < EVENT_TEXTS ? EVENT_FIRST_TEXT + i : model_set;
        const char *text = sql_column_text(stmt, column);
        size_t length = (size_t)sqlite3_column_bytes(stmt, column);
        memcpy(at, text, length);
        at[length] = '\0';
        if (i < EVENT_TEXTS)
            *text_of(event, (size_t)i) = at;
        else
            event->model_set = at;
        at += length + 1;
    }
    return true;
}

/* The feature, if there is one, of the right length. One that was changed outside of the box is said, and left out. */
static enum aibox_status read_feature(const struct sql *sql, sqlite3_stmt *stmt, uint16_t half[STORE_DIMENSION],
                                      bool *there, struct aibox_error *err)
{
    struct seal_place place = seal_place_event(sqlite3_column_int64(stmt, 0));
    size_t size;

    *there = false;
    if (sqlite3_column_type(stmt, EVENT_FEATURE) == SQLITE_NULL)
        return AIBOX_OK;
    enum aibox_status status =
        seal_column_read(sql->ring, stmt, EVENT_FEATURE - 2, &place, half, STORE_DIMENSION * sizeof *half, &size, err);
    if (status != AIBOX_OK && seal_knows(sql->ring, sqlite3_column_int64(stmt, EVENT_FEATURE - 2))) {
        log_error("store", "the feature of an event was changed and is left out seq=%lld", (long long)place.number);
        return AIBOX_OK;
    }
    if (status == AIBOX_OK && size != STORE_DIMENSION * sizeof *half)
        status = error_set(err, AIBOX_PROCESS_FAILED, "a stored feature has %zu bytes", size);
    *there = status == AIBOX_OK;
    return status;
}

enum aibox_status event_read(const struct sql *sql, sqlite3_stmt *stmt, struct store_event *event,
                             struct aibox_error *err)
{
    uint16_t half[STORE_DIMENSION];
    bool has_feature;

    *event = (struct store_event){
        .seq = sqlite3_column_int64(stmt, 0),
        .timestamp_ms = sqlite3_column_int64(stmt, 2),
        .person_type = sqlite3_column_int(stmt, 3),
        .verdict = (enum store_verdict)sqlite3_column_int(stmt, 4),
        .score = sql_column_float(stmt, 5),
        .threshold = sql_column_float(stmt, 6),
        .margin = sql_column_float(stmt, 7),
        .best_score = sql_column_float(stmt, 8),
        .liveness = sql_column_float(stmt, 9),
        .mask = sql_column_float(stmt, 10),
        .stranger = {.stranger_id = sqlite3_column_int64(stmt, EVENT_STRANGER),
                     .visit = sqlite3_column_int64(stmt, EVENT_STRANGER + 1),
                     .first_ms = sqlite3_column_int64(stmt, EVENT_STRANGER + 2)},
    };
    sqlite3_snprintf((int)sizeof event->event_id, event->event_id, "%s", sql_column_text(stmt, 1));
    print_uuid_column(stmt, 11, event->spot_id);
    print_uuid_column(stmt, 12, event->face_id);
    print_uuid_column(stmt, 13, event->reg_id);
    enum aibox_status status = read_feature(sql, stmt, half, &has_feature, err);
    if (status != AIBOX_OK)
        return status;
    size_t feature_size = has_feature ? STORE_DIMENSION * sizeof(float) : 0;
    if (!read_texts(stmt, event, feature_size))
        return out_of_memory(err);
    if (has_feature) {
        half_to_float(half, event->memory, STORE_DIMENSION);
        event->feature = event->memory;
    }
    return AIBOX_OK;
}

void store_event_free(struct store_event *event)
{
    if (!event)
        return;
    free(event->memory);
    *event = (struct store_event){0};
}

/* ---- adding ---------------------------------------------------------------------------------------- */

struct event_picture {
    const uint8_t *bytes;
    size_t size;
    bool there;
    uint8_t id[UUID_BYTES];
    uint8_t sha256[SHA256_SIZE];
    char text[ID_UUID_SIZE];
};

struct add_job {
    struct store_event *event;
    const char *texts[EVENT_TEXTS];
    struct event_picture spot, face;
    uint8_t reg_id[UUID_BYTES];
    bool has_reg;
    uint16_t feature[STORE_DIMENSION];
    int64_t seq;
};

static void prepare_picture(struct event_picture *picture, const uint8_t *bytes, size_t size)
{
    picture->there = bytes != NULL;
    if (!bytes)
        return;
    picture->bytes = bytes;
    picture->size = size;
    id_uuid(picture->text);
    uuid_pack(picture->text, picture->id);
    crypto_hash_sha256(picture->sha256, bytes, size);
}

static enum aibox_status prepare(struct add_job *job, struct aibox_error *err)
{
    struct store_event *event = job->event;
    enum aibox_status status = text_check("event_id", event->event_id, false, ID_ULID_SIZE - 1, err);

    for (size_t i = 0; i < EVENT_TEXTS && status == AIBOX_OK; i++) {
        const char *text = *text_of(event, i);
        job->texts[i] = text ? text : text_fields[i].missing;
        status = text_check(text_fields[i].name, job->texts[i], true, text_fields[i].limit, err);
    }
    if (status != AIBOX_OK)
        return status;
    if (event->reg_id[0] && !uuid_parse(event->reg_id, job->reg_id))
        return error_set(err, AIBOX_PARAM, "reg_id is no image id");
    job->has_reg = event->reg_id[0] != '\0';
    if (event->feature && (!event->model_set || !event->model_set[0]))
        return error_set(err, AIBOX_PARAM, "a feature lacks its model set");
    if (event->feature)
        half_from_float(event->feature, job->feature, STORE_DIMENSION);
    prepare_picture(&job->spot, event->spot, event->spot_size);
    prepare_picture(&job->face, event->face, event->face_size);
    return AIBOX_OK;
}

static enum aibox_status put_picture(struct batch *batch, const struct event_picture *picture, struct aibox_error *err)
{
    if (!picture->there)
        return AIBOX_OK;
    enum aibox_status status = batch_put_picture(batch, picture->sha256, picture->bytes, picture->size, err);
    return status == AIBOX_OK ? batch_add_image(batch, picture->id, picture->sha256, true, picture->size, err) : status;
}

static enum aibox_status put_feature(struct batch *batch, const struct add_job *job, struct aibox_error *err)
{
    struct seal_place place = seal_place_event(job->seq);
    uint8_t nonce[SEAL_NONCE_SIZE], sealed[sizeof job->feature + SEAL_EXTRA];
    int64_t model_set_id;

    if (!job->event->feature)
        return AIBOX_OK;
    enum aibox_status status = batch_model_set(batch, job->event->model_set, &model_set_id, err);
    if (status != AIBOX_OK)
        return status;
    seal_bytes(batch->main.ring, &place, job->feature, sizeof job->feature, nonce, sealed);
    return sql_run(&batch->main,
                   "INSERT INTO event_feature (seq, model_set_id, key_id, nonce, feature) VALUES (?, ?, ?, ?, ?)", err,
                   sql_int(job->seq), sql_int(model_set_id), sql_int(seal_key_id(batch->main.ring)),
                   sql_blob(nonce, sizeof nonce), sql_blob(sealed, sizeof sealed));
}

static struct sql_value uuid_value(const uint8_t id[UUID_BYTES], bool there)
{
    return there ? sql_blob(id, UUID_BYTES) : sql_null();
}

static enum aibox_status put_row(struct batch *batch, struct add_job *job, struct aibox_error *err)
{
    const struct store_event *event = job->event;
    struct sql_value values[EVENT_OTHERS + EVENT_TEXTS] = {
        sql_text(event->event_id),
        sql_int(event->timestamp_ms),
        sql_int(event->person_type),
        sql_int(event->verdict),
        sql_real(event->score),
        sql_real(event->threshold),
        sql_real(event->margin),
        sql_real(event->best_score),
        sql_real(event->liveness),
        sql_real(event->mask),
        uuid_value(job->spot.id, job->spot.there),
        uuid_value(job->face.id, job->face.there),
        uuid_value(job->reg_id, job->has_reg),
    };

    for (size_t i = 0; i < EVENT_TEXTS; i++)
        values[EVENT_OTHERS + i] = sql_text(job->texts[i]);
    enum aibox_status status =
        sql_run_values(&batch->main,
                       "INSERT INTO event (event_id, timestamp_ms, person_type, verdict, score, threshold, margin,"
                       " best_score, liveness, mask, spot_id, face_id, reg_id, identity_id, identity_name, group_name,"
                       " device_id, device_ip, ep_id, device_type, reason, action, best_identity_id, room,"
                       " grab_fiqa_info, box_fiqa_info, supersedes)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       err, values, sizeof values / sizeof values[0]);
    job->seq = sqlite3_last_insert_rowid(batch->main.db);
    return status;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static void note_added(struct batch *batch, const struct add_job *job)
{
    const struct store_event *event = job->event;

    catalogue_note_added(batch->store->catalogue,
                         &(struct catalogue_event){.seq = job->seq,
                                                   .timestamp_ms = event->timestamp_ms,
                                                   .identity_name = or_empty(event->identity_name),
                                                   .group_name = or_empty(event->group_name),
                                                   .room = or_empty(event->room),
                                                   .device_id = or_empty(event->device_id),
                                                   .ep_id = or_empty(event->ep_id),
                                                   .reason = or_empty(event->reason),
                                                   .person_type = event->person_type,
                                                   .score = event->score});
}

static enum aibox_status run_add(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct add_job *job = arg;
    int64_t one;
    bool taken;
    enum aibox_status status = sql_get(&batch->main, "SELECT 1 FROM event WHERE event_id = ?", &one, &taken, err,
                                       sql_text(job->event->event_id));

    if (status == AIBOX_OK && taken)
        status = error_set(err, AIBOX_PARAM, "there is an event %s already", job->event->event_id);
    if (status == AIBOX_OK)
        status = put_row(batch, job, err);
    if (status == AIBOX_OK)
        status = put_feature(batch, job, err);
    if (status == AIBOX_OK && job->event->supersedes && job->event->supersedes[0])
        status = stranger_mistaken(batch, job->event->supersedes, err);
    if (status == AIBOX_OK)
        status = stranger_seen(batch, job->event, job->seq, err);
    if (status == AIBOX_OK)
        status = put_picture(batch, &job->spot, err);
    if (status == AIBOX_OK)
        status = put_picture(batch, &job->face, err);
    if (status != AIBOX_OK)
        return status;
    note_added(batch, job);
    batch->events_added++;
    batch->newest_event = job->seq;
    return AIBOX_OK;
}

enum aibox_status store_event_add(struct store *store, struct store_event *event, struct aibox_error *err)
{
    struct add_job job = {.event = event};
    enum aibox_status status = prepare(&job, err);

    if (status == AIBOX_OK)
        status = writer_do(store->writer, CHANGE_SHARED, run_add, &job, err);
    if (status != AIBOX_OK)
        return status;
    event->seq = job.seq;
    memcpy(event->spot_id, job.spot.text, sizeof event->spot_id);
    memcpy(event->face_id, job.face.text, sizeof event->face_id);
    return AIBOX_OK;
}

/* ---- counters of reasons ----------------------------------------------------------------------------- */

enum aibox_status store_event_reasons_each(struct store *store,
                                           void (*each)(void *ctx, const char *reason, uint64_t count), void *ctx,
                                           struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    bool row;

    if (!reader)
        return status;
    sqlite3_stmt *stmt = sql_begin_values(
        &reader->main,
        "SELECT substr(name, 8), value FROM counter WHERE name >= 'reason.' AND name < 'reason/' ORDER BY name", err,
        NULL, 0);
    while (stmt && (status = sql_step(&reader->main, stmt, &row, err)) == AIBOX_OK && row)
        each(ctx, sql_column_text(stmt, 0), (uint64_t)sqlite3_column_int64(stmt, 1));
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}
