#include "receiver.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "body.h"
#include "core/clock.h"
#include "core/id.h"
#include "core/log.h"
#include "core/utf8.h"
#include "counts.h"
#include "journal.h"
#include "record.h"

/* Room for what is on record of a message besides its body; its texts are bounded. */
#define HEAD_MAX ((size_t)16 << 10)
/* Lines of one body: a form's control characters take six times their room in JSON, but who sends those. */
#define LINES_MAX (BODY_MAX * 2)

struct receiver {
    /* Constant. */
    int64_t started_ms;
    bool colours;
    struct journal *journal; /* or NULL */
    struct inbox *inbox;
    struct seen *seen;
    struct rehearsal rehearsal;

    pthread_mutex_t mu;
    struct counts counts; /* guarded by `mu` */
};

/* One message on its way. */
struct item {
    json_t *value;            /* borrowed from the body; without its pictures */
    char *text;               /* JSON of it with them, owned: canonical, keys sorted, no spaces */
    struct pictures pictures; /* owned until the inbox takes them */
    struct record record;
    bool identified; /* an event with an id: `delivery` holds */
    struct seen_delivery delivery;
};

struct post {
    const struct delivery *delivery;
    int64_t received_ms;
    enum body_format format;
    json_t *body;
    struct item *items;
    size_t count;
    enum rehearsal_act act;
    bool keep;
    struct reply *reply;
};

/* ---- life --------------------------------------------------------------------------------------------------- */

enum aibox_status receiver_open(const struct receiver_options *options, struct receiver **out, struct aibox_error *err)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    enum aibox_status status = AIBOX_OK;

    *out = NULL;
    if (!receiver || pthread_mutex_init(&receiver->mu, NULL) != 0) {
        free(receiver);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    if (!rehearsal_open(&receiver->rehearsal, &options->rehearsal)) {
        (void)pthread_mutex_destroy(&receiver->mu);
        free(receiver);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    receiver->started_ms = clock_realtime_ms();
    receiver->colours = isatty(STDOUT_FILENO);
    if (options->out)
        status = journal_open(options->out, &receiver->journal, err);
    if (status == AIBOX_OK)
        status = inbox_open(options->last, &receiver->inbox, err);
    if (status == AIBOX_OK)
        status = seen_open(SEEN_USUAL, &receiver->seen, err);
    if (status != AIBOX_OK) {
        receiver_close(receiver);
        return status;
    }
    *out = receiver;
    return AIBOX_OK;
}

void receiver_close(struct receiver *receiver)
{
    if (!receiver)
        return;
    seen_close(receiver->seen);
    inbox_close(receiver->inbox);
    journal_close(receiver->journal);
    rehearsal_close(&receiver->rehearsal);
    (void)pthread_mutex_destroy(&receiver->mu);
    free(receiver);
}

struct inbox *receiver_inbox(struct receiver *receiver)
{
    return receiver->inbox;
}

int64_t receiver_started_ms(const struct receiver *receiver)
{
    return receiver->started_ms;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static void identify(struct item *item, const char *path)
{
    const struct message *message = &item->record.message;
    struct buffer key;

    if (!message->event_id)
        return;
    buffer_init(&key, BODY_MAX);
    /* Neither kinds nor paths hold a line break that was not sent on purpose. */
    (void)buffer_appendf(&key, "%s\n%s\n", message_kind_name(message->kind), path);
    (void)buffer_append_text(&key, message->event_id);
    item->identified = !key.failed;
    if (item->identified) {
        id_sha256_hex(key.data, key.size, item->delivery.key);
        id_sha256_hex(item->text, strlen(item->text), item->delivery.content);
    }
    buffer_free(&key);
}

static enum aibox_status read_item(const struct post *post, size_t index, struct item *item, struct aibox_error *err)
{
    const struct delivery *delivery = post->delivery;
    struct message *message = &item->record.message;

    item->value = message_at(post->body, index);
    item->text = json_dumps(item->value, JSON_COMPACT | JSON_SORT_KEYS);
    if (!item->text)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (!pictures_lift(item->value, &item->pictures))
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    message_read(item->value, delivery->path, json_is_array(post->body), message);
    if (!message->event_id && post->count == 1 &&
        (message->kind == MESSAGE_REALTIME || message->kind == MESSAGE_HISTORY))
        message->event_id = delivery->idempotency_key;
    item->record.received_ms = post->received_ms;
    item->record.path = delivery->path;
    item->record.format = post->format;
    item->record.idempotency_key = delivery->idempotency_key;
    item->record.unreadable_pictures = item->pictures.unreadable;
    identify(item, delivery->path);
    return AIBOX_OK;
}

static enum aibox_status read_post(struct post *post, struct aibox_error *err)
{
    const struct delivery *delivery = post->delivery;
    enum aibox_status status;
    size_t count;

    post->body = body_parse(delivery->content_type, delivery->body, delivery->size, &post->format, err);
    if (!post->body)
        return err->status;
    status = message_count(post->body, &count, err);
    if (status != AIBOX_OK)
        return status;
    post->items = calloc(count, sizeof *post->items);
    if (!post->items)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    post->count = count;
    for (size_t i = 0; i < count && status == AIBOX_OK; i++)
        status = read_item(post, i, &post->items[i], err);
    return status;
}

static void free_post(struct post *post)
{
    for (size_t i = 0; i < post->count; i++) {
        free(post->items[i].text);
        pictures_free(&post->items[i].pictures);
    }
    free(post->items);
    json_decref(post->body);
}

/* ---- deciding ----------------------------------------------------------------------------------------------- */

static void say(struct reply *reply, unsigned status, const char *message)
{
    reply->status = status;
    (void)snprintf(reply->message, sizeof reply->message, "%s", message);
}

/* What is to be answered, and whether to keep what came. `status`: of reading it. */
static void decide(const struct receiver *receiver, struct post *post, enum aibox_status status,
                   const struct aibox_error *err)
{
    const struct rehearsal_options *options = &receiver->rehearsal.options;
    struct reply *reply = post->reply;
    bool readable = status == AIBOX_OK;

    *reply = (struct reply){.how = REPLY_SEND, .delay_ms = options->delay_ms};
    post->keep = readable;
    if (readable)
        say(reply, 200, "ok");
    else
        say(reply, (unsigned)status_http(status), err->message);
    switch (post->act) {
    case REHEARSAL_HANG:
        reply->how = REPLY_HANG;
        post->keep = false;
        break;
    case REHEARSAL_DROP:
        reply->how = REPLY_CLOSE;
        break;
    case REHEARSAL_FAIL:
        say(reply, 500, "rehearsed failure");
        post->keep = false;
        break;
    case REHEARSAL_NONE:
        if (!options->status || !readable)
            break;
        post->keep = options->status <= 299;
        say(reply, options->status, post->keep ? "ok" : "rehearsed failure");
        break;
    }
}

static void note_events(struct receiver *receiver, struct post *post)
{
    for (size_t i = 0; i < post->count; i++) {
        struct item *item = &post->items[i];

        if (item->identified)
            item->record.verdict = seen_note(receiver->seen, &item->delivery, post->keep);
    }
}

static void forget_events(struct receiver *receiver, struct post *post)
{
    for (size_t i = 0; i < post->count; i++)
        if (post->items[i].identified)
            seen_take_back(receiver->seen, &post->items[i].delivery);
}

static void complete_records(struct post *post)
{
    const struct reply *reply = post->reply;

    for (size_t i = 0; i < post->count; i++) {
        post->items[i].record.kept = post->keep;
        post->items[i].record.answer = reply->how == REPLY_SEND ? reply->status : 0;
        post->items[i].record.hangs = reply->how == REPLY_HANG;
    }
}

/* ---- storing ------------------------------------------------------------------------------------------------ */

static bool add_line(const struct item *item, struct buffer *lines)
{
    struct json_out out;
    bool done;

    json_out_init(&out, LINES_MAX);
    json_out_object_begin(&out);
    record_write(&item->record, &out);
    json_out_key(&out, "body");
    json_out_raw(&out, item->text);
    json_out_object_end(&out);
    done = json_out_complete(&out) && buffer_append(lines, out.buffer.data, out.buffer.size) &&
           buffer_append(lines, "\n", 1);
    json_out_free(&out);
    return done;
}

static enum aibox_status store(struct receiver *receiver, const struct post *post, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    struct buffer lines;

    buffer_init(&lines, LINES_MAX);
    for (size_t i = 0; i < post->count && status == AIBOX_OK; i++)
        if (!add_line(&post->items[i], &lines))
            status = error_set(err, AIBOX_PROCESS_FAILED, "the message is too large to be stored, or memory ran out");
    if (status == AIBOX_OK)
        status = journal_append(receiver->journal, lines.data, lines.size, err);
    buffer_free(&lines);
    return status;
}

/* What can't be stored isn't kept: the box shall send it again. */
static void keep(struct receiver *receiver, struct post *post)
{
    struct aibox_error err = {0};

    complete_records(post);
    if (!post->keep || !receiver->journal || store(receiver, post, &err) == AIBOX_OK)
        return;
    log_error("receiver", "%s", err.message);
    forget_events(receiver, post);
    post->keep = false;
    post->reply->how = REPLY_SEND;
    say(post->reply, 500, err.message);
    complete_records(post);
    pthread_mutex_lock(&receiver->mu);
    receiver->counts.store_errors++;
    pthread_mutex_unlock(&receiver->mu);
}

/* ---- showing ------------------------------------------------------------------------------------------------ */

static char *head_of(const struct record *record)
{
    struct json_out head;
    char *text = NULL;
    size_t size;

    json_out_init(&head, HEAD_MAX);
    json_out_object_begin(&head);
    record_write(record, &head);
    json_out_object_end(&head);
    if (json_out_complete(&head))
        text = (char *)buffer_give(&head.buffer, &size);
    json_out_free(&head);
    return text;
}

/* `value` NULL: nothing was readable. Takes what `pictures` holds. */
static void show_take(struct receiver *receiver, const json_t *value, const struct record *record,
                      struct pictures *pictures)
{
    struct inbox_entry entry = {
        .kind = record->message.kind,
        .head = head_of(record),
        .body = value ? json_dumps(value, JSON_COMPACT) : strdup("null"),
        .pictures = *pictures,
    };

    *pictures = (struct pictures){0};
    if (entry.head && entry.body) {
        inbox_put_take(receiver->inbox, &entry);
        return;
    }
    log_error("receiver", "a message can't be shown: out of memory");
    free(entry.head);
    free(entry.body);
    pictures_free(&entry.pictures);
}

/* All lines of a post in one go, so that those of others don't come between. */
static void print(const struct buffer *lines)
{
    if (lines->size > 0)
        (void)fwrite(lines->data, 1, lines->size, stdout);
    (void)fflush(stdout);
}

static void show_items(struct receiver *receiver, struct post *post)
{
    struct buffer lines;

    buffer_init(&lines, MESSAGE_BATCH_MAX * HEAD_MAX);
    for (size_t i = 0; i < post->count; i++) {
        struct item *item = &post->items[i];

        show_take(receiver, item->value, &item->record, &item->pictures);
        record_print(&item->record, receiver->colours, &lines);
    }
    print(&lines);
    buffer_free(&lines);
}

static void show_malformed(struct receiver *receiver, struct record *record, const char *why)
{
    char *note = record->message.note;
    size_t size = utf8_prefix(why, strlen(why), MESSAGE_NOTE - 1);
    struct pictures none = {0};
    struct buffer line;

    memcpy(note, why, size);
    note[size] = '\0';
    buffer_init(&line, HEAD_MAX);
    show_take(receiver, NULL, record, &none);
    record_print(record, receiver->colours, &line);
    print(&line);
    buffer_free(&line);
}

/* ---- counting ----------------------------------------------------------------------------------------------- */

static void count_post(struct receiver *receiver, const struct post *post)
{
    struct counts *counts = &receiver->counts;

    pthread_mutex_lock(&receiver->mu);
    counts->posts++;
    counts->failed += post->act == REHEARSAL_FAIL;
    counts->dropped += post->act == REHEARSAL_DROP;
    counts->hung += post->act == REHEARSAL_HANG;
    for (size_t i = 0; i < post->count; i++) {
        enum message_kind kind = post->items[i].record.message.kind;

        counts->received[kind]++;
        counts->kept[kind] += post->keep;
    }
    counts->received[MESSAGE_MALFORMED] += post->count == 0;
    pthread_mutex_unlock(&receiver->mu);
}

static struct counts take_counts(struct receiver *receiver, struct seen_counts *events)
{
    struct counts counts;

    seen_count(receiver->seen, events);
    pthread_mutex_lock(&receiver->mu);
    counts = receiver->counts;
    pthread_mutex_unlock(&receiver->mu);
    return counts;
}

void receiver_write_counts(struct receiver *receiver, struct json_out *out)
{
    struct seen_counts events;
    const struct counts counts = take_counts(receiver, &events);

    json_out_object_begin(out);
    json_out_key_int(out, "started_ms", receiver->started_ms);
    counts_write(&counts, &events, out);
    json_out_object_end(out);
}

void receiver_print_summary(struct receiver *receiver)
{
    struct seen_counts events;
    const struct counts counts = take_counts(receiver, &events);

    counts_print(&counts, &events);
}

/* ---- the walk ----------------------------------------------------------------------------------------------- */

static void take_messages(struct receiver *receiver, struct post *post)
{
    note_events(receiver, post);
    keep(receiver, post);
    count_post(receiver, post);
    show_items(receiver, post);
}

static void take_malformed(struct receiver *receiver, const struct post *post, const char *why)
{
    const struct reply *reply = post->reply;
    const struct post nothing = {.act = post->act};
    struct record record = {.received_ms = post->received_ms,
                            .path = post->delivery->path,
                            .format = post->format,
                            .message = {.kind = MESSAGE_MALFORMED},
                            .answer = reply->how == REPLY_SEND ? reply->status : 0,
                            .hangs = reply->how == REPLY_HANG};

    count_post(receiver, &nothing);
    show_malformed(receiver, &record, why);
}

void receiver_take(struct receiver *receiver, const struct delivery *delivery, struct reply *reply)
{
    struct post post = {.delivery = delivery, .received_ms = clock_realtime_ms(), .reply = reply};
    struct aibox_error err = {0};
    enum aibox_status status = read_post(&post, &err);

    post.act = rehearsal_next(&receiver->rehearsal);
    decide(receiver, &post, status, &err);
    if (status == AIBOX_OK)
        take_messages(receiver, &post);
    else
        take_malformed(receiver, &post, err.message);
    free_post(&post);
}

void receiver_refuse(struct receiver *receiver, const char *path, unsigned status, const char *message)
{
    const struct delivery delivery = {.path = path};
    struct reply reply = {.how = REPLY_SEND, .status = status};
    const struct post post = {.delivery = &delivery, .received_ms = clock_realtime_ms(), .reply = &reply};

    take_malformed(receiver, &post, message);
}
