#include "record.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/utf8.h"
#include "text.h"

#define TEXT_MAX 256

/* ---- as JSON ---------------------------------------------------------------------------------------------- */

static void put_text(struct json_out *out, const char *key, const char *text)
{
    char cut[TEXT_MAX + 1];
    size_t size = text ? utf8_prefix(text, strlen(text), TEXT_MAX) : 0;

    if (size > 0)
        memcpy(cut, text, size);
    cut[size] = '\0';
    json_out_key_text(out, key, text ? cut : NULL);
}

void record_write(const struct record *record, struct json_out *out)
{
    const struct message *message = &record->message;

    json_out_key_int(out, "received_ms", record->received_ms);
    json_out_key_text(out, "kind", message_kind_name(message->kind));
    put_text(out, "path", record->path);
    json_out_key_text(out, "format", record->format == BODY_FORM ? "form" : "json");
    put_text(out, "idempotency_key", record->idempotency_key);
    put_text(out, "event_id", message->event_id);
    put_text(out, "identity_id", message->identity_id);
    put_text(out, "person", message->person);
    put_text(out, "device", message->device);
    json_out_key(out, "score");
    if (message->has_score)
        json_out_float(out, message->score);
    else
        json_out_null(out);
    put_text(out, "note", message->note);
    json_out_key_text(out, "duplicate", seen_verdict_name(record->verdict));
    json_out_key_bool(out, "kept", record->kept);
    json_out_key_int(out, "answer", record->answer);
    json_out_key_int(out, "unreadable_pictures", (int64_t)record->unreadable_pictures);
}

/* ---- as a line -------------------------------------------------------------------------------------------- */

static void print_time(int64_t unix_ms, struct buffer *out)
{
    const time_t seconds = (time_t)(unix_ms / 1000);
    struct tm local;
    char text[16] = "";

    if (localtime_r(&seconds, &local))
        (void)strftime(text, sizeof text, "%H:%M:%S", &local);
    (void)buffer_appendf(out, "%s.%03d", text, (int)(unix_ms % 1000));
}

static void print_text(const char *text, struct buffer *out)
{
    char clean[TEXT_MAX + 1];

    (void)text_clean(text ? text : "-", clean, sizeof clean);
    (void)buffer_append_text(out, clean);
}

static void print_person(const struct message *message, struct buffer *out)
{
    print_text(message->person ? message->person : message->identity_id, out);
    if (message->person && message->identity_id) {
        (void)buffer_append_text(out, " (");
        print_text(message->identity_id, out);
        (void)buffer_append_text(out, ")");
    }
}

static void print_remark(const char *remark, enum text_colour colour, bool colours, struct buffer *out)
{
    (void)buffer_appendf(out, "  %s%s%s", colours ? text_colour(colour, stdout) : "", remark,
                         colours ? text_colour(TEXT_PLAIN, stdout) : "");
}

static void print_remarks(const struct record *record, bool colours, struct buffer *out)
{
    char answer[16];

    if (record->verdict == SEEN_DIFFERENT)
        print_remark("!! DIFFERENT CONTENT for an event that came before", TEXT_BAD, colours, out);
    else if (record->verdict == SEEN_DUPLICATE)
        print_remark("DUPLICATE", TEXT_WARN, colours, out);
    else if (record->verdict == SEEN_RETRY)
        print_remark("retry", TEXT_DIM, colours, out);
    if (record->unreadable_pictures > 0)
        print_remark("a picture can't be read", TEXT_BAD, colours, out);
    if (record->answer >= 200 && record->answer <= 299)
        return;
    (void)snprintf(answer, sizeof answer, "-> %u", record->answer);
    print_remark(record->answer ? answer : record->hangs ? "-> no answer" : "-> closed", TEXT_WARN, colours, out);
}

void record_print(const struct record *record, bool colours, struct buffer *out)
{
    const struct message *message = &record->message;

    print_time(record->received_ms, out);
    (void)buffer_appendf(out, "  %s  ", message_kind_name(message->kind));
    print_text(record->path, out);
    (void)buffer_append_text(out, "  ");
    print_person(message, out);
    if (message->has_score)
        (void)buffer_appendf(out, "  %.3f  ", message->score);
    else
        (void)buffer_append_text(out, "  -  ");
    print_text(message->device, out);
    (void)buffer_append_text(out, "  ");
    print_text(message->event_id, out);
    if (message->note[0]) {
        (void)buffer_append_text(out, "  ");
        print_text(message->note, out);
    }
    print_remarks(record, colours, out);
    (void)buffer_append_text(out, "\n");
}
