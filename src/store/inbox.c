/* The inbox: commands from their receipt to their result. */
#include "store/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "store/answered.h"
#include "store/commands.h"
#include "store/outbox.h"

/* "Just done", for a command without message id that the broker delivers again: what it delivers again can only be one
 * of those that it had not seen acknowledged, and of these there are never more than the link prefetches. */
#define JUST_DONE 32

/* ---- receiving ------------------------------------------------------------------------------------------- */

struct add_job {
    const struct store_command *command;
    uint8_t key[SHA256_SIZE];
    enum store_inbox_outcome outcome;
};

/* Is it one that was received before? */
static enum aibox_status find_same(struct batch *batch, struct add_job *job, struct aibox_error *err)
{
    bool with_id = job->command->message_id[0] != '\0';
    int64_t one;
    bool found;

    if (!with_id && !job->command->redelivered)
        return AIBOX_OK;
    enum aibox_status status = sql_get(&batch->main, "SELECT 1 FROM inbox WHERE command_key = ? LIMIT 1", &one, &found,
                                       err, sql_blob(job->key, SHA256_SIZE));
    if (status == AIBOX_OK && found) {
        job->outcome = STORE_INBOX_WAITING;
        return AIBOX_OK;
    }
    if (status == AIBOX_OK)
        status = answered_again(batch, job->key, with_id ? 0 : JUST_DONE, &found, err);
    if (status == AIBOX_OK && found)
        job->outcome = STORE_INBOX_ANSWERED;
    return status;
}

static enum aibox_status check_room(struct batch *batch, const struct store_command *command, struct aibox_error *err)
{
    bool row;
    sqlite3_stmt *stmt = sql_begin(&batch->main, "SELECT count(*), coalesce(sum(size), 0) FROM inbox WHERE queue = ?",
                                   err, sql_int(command->queue));
    enum aibox_status status = stmt ? sql_step(&batch->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    int64_t count = status == AIBOX_OK ? sqlite3_column_int64(stmt, 0) : 0;
    uint64_t bytes = status == AIBOX_OK ? (uint64_t)sqlite3_column_int64(stmt, 1) : 0;

    sql_end(stmt);
    if (status == AIBOX_OK &&
        (count >= STORE_INBOX_MAX || (count > 0 && bytes + command->size > STORE_INBOX_MAX_BYTES)))
        status = error_set(err, AIBOX_TOO_MANY_REQUESTS, "%lld commands wait already, the most that are kept",
                           (long long)count);
    return status;
}

/* Another command of that id was received: both are executed, but somebody will want to know. */
static enum aibox_status tell_of_other_body(struct batch *batch, const char *message_id, struct aibox_error *err)
{
    int64_t one;
    bool found;
    enum aibox_status status = sql_get(&batch->main, "SELECT 1 FROM inbox WHERE message_id = ? LIMIT 1", &one, &found,
                                       err, sql_text(message_id));

    if (status == AIBOX_OK && !found)
        status = answered_message(batch, message_id, &found, err);
    if (status == AIBOX_OK && found)
        log_warn("store", "a message id came again with another body, which is a new command message_id=\"%s\"",
                 message_id);
    return status;
}

static enum aibox_status run_add(struct batch *batch, void *arg, struct aibox_error *err)
{
    struct add_job *job = arg;
    const struct store_command *command = job->command;

    job->outcome = STORE_INBOX_NEW;
    enum aibox_status status = find_same(batch, job, err);
    if (status != AIBOX_OK || job->outcome != STORE_INBOX_NEW)
        return status;
    status = check_room(batch, command, err);
    if (status == AIBOX_OK && command->message_id[0])
        status = tell_of_other_body(batch, command->message_id, err);
    if (status == AIBOX_OK)
        status = sql_run(&batch->main,
                         "INSERT INTO inbox (queue, message_id, command_key, received_ms, size, body)"
                         " VALUES (?, ?, ?, ?, ?, ?)",
                         err, sql_int(command->queue), sql_text(command->message_id), sql_blob(job->key, SHA256_SIZE),
                         sql_int(clock_realtime_ms()), sql_int((int64_t)command->size),
                         sql_blob(command->body ? command->body : "", command->size));
    return status;
}

enum aibox_status store_inbox_add(struct store *store, const struct store_command *command,
                                  enum store_inbox_outcome *outcome, struct aibox_error *err)
{
    struct add_job job = {.command = command};

    *outcome = STORE_INBOX_NEW;
    enum aibox_status status = text_check("messageId", command->message_id, true, STORE_MAX_MESSAGE_ID, err);
    if (status == AIBOX_OK && command->size > STORE_MAX_COMMAND)
        status = error_set(err, AIBOX_PARAM, "a command is longer than %zu bytes", STORE_MAX_COMMAND);
    if (status != AIBOX_OK)
        return status;
    answered_command_key(command->message_id, command->body, command->size, job.key);
    status = writer_do(store->writer, CHANGE_SHARED, run_add, &job, err);
    if (status == AIBOX_OK)
        *outcome = job.outcome;
    return status;
}

/* ---- executing ------------------------------------------------------------------------------------------- */

/* Message id and body lie behind one another in `memory`. */
static enum aibox_status read_command(sqlite3_stmt *stmt, struct store_command *out, struct aibox_error *err)
{
    const void *body = sqlite3_column_blob(stmt, 3);
    size_t size = (size_t)sqlite3_column_bytes(stmt, 3);
    const char *message_id = sql_column_text(stmt, 1);
    size_t id_size = strlen(message_id) + 1;
    char *memory = malloc(id_size + size + 1);

    if (!memory)
        return out_of_memory(err);
    memcpy(memory, message_id, id_size);
    if (size > 0)
        memcpy(memory + id_size, body, size);
    memory[id_size + size] = '\0';
    *out = (struct store_command){.inbox_id = sqlite3_column_int64(stmt, 0),
                                  .message_id = memory,
                                  .body = memory + id_size,
                                  .size = size,
                                  .received_ms = sqlite3_column_int64(stmt, 2),
                                  .memory = memory};
    return AIBOX_OK;
}

enum aibox_status store_inbox_next(struct store *store, enum store_inbox_queue queue, struct store_command *out,
                                   struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = false;

    *out = (struct store_command){.queue = queue};
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt = sql_begin(&reader->main,
                                   "SELECT inbox_id, message_id, received_ms, body FROM inbox WHERE queue = ?"
                                   " ORDER BY inbox_id LIMIT 1",
                                   err, sql_int(queue));
    enum aibox_status status = stmt ? sql_step(&reader->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && row)
        status = read_command(stmt, out, err);
    out->queue = queue;
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

void store_command_free(struct store_command *command)
{
    free(command->memory);
    *command = (struct store_command){0};
}

enum aibox_status inbox_finish(struct batch *batch, int64_t inbox_id, const struct store_message *result,
                               struct aibox_error *err)
{
    uint8_t key[SHA256_SIZE];
    char *message_id = NULL;
    bool row = false;

    sqlite3_stmt *stmt =
        sql_begin(&batch->main, "SELECT command_key, message_id FROM inbox WHERE inbox_id = ?", err, sql_int(inbox_id));
    enum aibox_status status = stmt ? sql_step(&batch->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && !row)
        status = error_set(err, AIBOX_NOT_FOUND, "the command is no longer in the inbox");
    if (status == AIBOX_OK && sqlite3_column_bytes(stmt, 0) != SHA256_SIZE)
        status = error_set(err, AIBOX_PROCESS_FAILED, "a command's key is damaged");
    if (status == AIBOX_OK) {
        memcpy(key, sqlite3_column_blob(stmt, 0), SHA256_SIZE);
        message_id = sql_column_copy(stmt, 1);
        status = message_id ? AIBOX_OK : out_of_memory(err);
    }
    sql_end(stmt);
    if (status == AIBOX_OK)
        status = answered_add(batch, key, message_id, result, err);
    if (status == AIBOX_OK) /* by hand: a wipe switches foreign keys off */
        status = sql_run(&batch->main, "DELETE FROM inbox_progress WHERE inbox_id = ?", err, sql_int(inbox_id));
    if (status == AIBOX_OK)
        status = sql_run(&batch->main, "DELETE FROM inbox WHERE inbox_id = ?", err, sql_int(inbox_id));
    if (status == AIBOX_OK && result)
        status = outbox_put(batch, result, 1, err);
    batch->deleted = true; /* a command names people */
    free(message_id);
    return status;
}

struct finish_job {
    int64_t inbox_id;
    const struct store_message *result;
};

static enum aibox_status run_finish(struct batch *batch, void *arg, struct aibox_error *err)
{
    const struct finish_job *job = arg;

    return inbox_finish(batch, job->inbox_id, job->result, err);
}

enum aibox_status store_inbox_finish(struct store *store, int64_t inbox_id, const struct store_message *result,
                                     struct aibox_error *err)
{
    struct finish_job job = {inbox_id, result};
    enum aibox_status status = outbox_check(result, result ? 1 : 0, err);

    return status == AIBOX_OK ? writer_do(store->writer, CHANGE_SHARED, run_finish, &job, err) : status;
}

enum aibox_status inbox_answer(struct batch *batch, const struct store_answer *answer, struct aibox_error *err)
{
    if (!answer)
        return AIBOX_OK;
    const struct store_message *result = answer->compose(answer->ctx);
    enum aibox_status status = outbox_check(result, result ? 1 : 0, err);
    return status == AIBOX_OK ? inbox_finish(batch, answer->inbox_id, result, err) : status;
}

/* ---- progress --------------------------------------------------------------------------------------------- */

enum aibox_status inbox_check_progress(const struct store_progress *progress, struct aibox_error *err)
{
    if (!progress)
        return AIBOX_OK;
    enum aibox_status status = text_check("part", progress->part, true, STORE_MAX_NAME, err);
    return status == AIBOX_OK ? text_check("outcome", progress->outcome, true, STORE_MAX_OUTCOME, err) : status;
}

enum aibox_status inbox_put_progress(struct batch *batch, const struct store_progress *progress,
                                     struct aibox_error *err)
{
    if (!progress)
        return AIBOX_OK;
    return sql_run(&batch->main, "INSERT OR REPLACE INTO inbox_progress (inbox_id, part, outcome) VALUES (?, ?, ?)",
                   err, sql_int(progress->inbox_id), sql_text(progress->part), sql_text(progress->outcome));
}

static enum aibox_status run_progress(struct batch *batch, void *arg, struct aibox_error *err)
{
    return inbox_put_progress(batch, arg, err);
}

enum aibox_status store_inbox_progress_put(struct store *store, const struct store_progress *progress,
                                           struct aibox_error *err)
{
    struct store_progress job = *progress;
    enum aibox_status status = inbox_check_progress(progress, err);

    return status == AIBOX_OK ? writer_do(store->writer, CHANGE_SHARED, run_progress, &job, err) : status;
}

enum aibox_status store_inbox_progress_get(struct store *store, int64_t inbox_id, const char *part, char **outcome,
                                           struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = false;

    *outcome = NULL;
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt = sql_begin(&reader->main, "SELECT outcome FROM inbox_progress WHERE inbox_id = ? AND part = ?",
                                   err, sql_int(inbox_id), sql_text(part));
    enum aibox_status status = stmt ? sql_step(&reader->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && row && !(*outcome = sql_column_copy(stmt, 0)))
        status = out_of_memory(err);
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}

/* ---- figures ---------------------------------------------------------------------------------------------- */

enum aibox_status store_inbox_count(struct store *store, enum store_inbox_queue queue, size_t *count,
                                    int64_t *oldest_ms, struct aibox_error *err)
{
    struct reader *reader = reader_take(store->readers, err);
    bool row = false;

    *count = 0;
    *oldest_ms = 0;
    if (!reader)
        return AIBOX_PROCESS_FAILED;
    sqlite3_stmt *stmt =
        sql_begin(&reader->main, "SELECT count(*), min(received_ms) FROM inbox WHERE queue = ?", err, sql_int(queue));
    enum aibox_status status = stmt ? sql_step(&reader->main, stmt, &row, err) : AIBOX_PROCESS_FAILED;
    if (status == AIBOX_OK && row) {
        *count = (size_t)sqlite3_column_int64(stmt, 0);
        *oldest_ms = sqlite3_column_int64(stmt, 1);
    }
    sql_end(stmt);
    reader_return(store->readers, reader);
    return status;
}
