#include "show.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"

#define TYPE_JSON    "application/json"
#define LIMIT_USUAL  100
#define LIMIT_MAX    1000
#define ANSWER_MAX   (INBOX_ANSWER * 2)
#define RECEIVED     "/api/received"
#define RECEIVED_ONE "/api/received/"
#define PICTURES     "/api/pictures/"

static void show_text(struct shown *out, unsigned status, const char *type, const char *text)
{
    *out = (struct shown){.status = status, .type = type, .bytes = text, .size = strlen(text)};
}

static void show_error(struct shown *out, unsigned status, const char *message)
{
    char *text = NULL;

    if (asprintf(&text, "{\"status\":%u,\"message\":\"%s\",\"data\":null}", status, message) < 0) {
        show_text(out, 500, TYPE_JSON, "{\"status\":500,\"message\":\"out of memory\",\"data\":null}");
        return;
    }
    show_text(out, status, TYPE_JSON, text);
    out->owned = text;
}

/* What was written; `found` false: there was nothing to write. */
static void show_json(struct json_out *json, bool found, struct shown *out)
{
    size_t size = 0;
    uint8_t *bytes;

    if (!found) {
        show_error(out, 404, "there is no such message, or not any more");
    } else if (!json_out_complete(json)) {
        show_error(out, 500, "the answer is too large, or memory ran out");
    } else {
        bytes = buffer_give(&json->buffer, &size);
        *out = (struct shown){.status = 200, .type = TYPE_JSON, .bytes = bytes, .size = size, .owned = bytes};
    }
    json_out_free(json);
}

/* A number in decimal and nothing else, up to `end`. */
static bool read_number(const char *text, char until, uint64_t *number, const char **behind)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    *behind = end + (until != '\0');
    return errno == 0 && *end == until;
}

static bool read_whole(const char *text, uint64_t *number)
{
    const char *behind;

    return read_number(text, '\0', number, &behind);
}

/* NULL, or what is wrong. */
static const char *read_query(const struct show_query *query, struct inbox_query *out)
{
    uint64_t limit = LIMIT_USUAL;

    *out = (struct inbox_query){.any_kind = true, .bodies = true};
    if (query->kind) {
        out->any_kind = false;
        if (!message_kind_of(query->kind, &out->kind))
            return "kind: there is no such kind of message";
    }
    if (query->limit && (!read_whole(query->limit, &limit) || limit < 1 || limit > LIMIT_MAX))
        return "limit: a whole number from 1 to 1000 is expected";
    if (query->after && !read_whole(query->after, &out->after))
        return "after: a whole number is expected";
    if (query->bodies)
        out->bodies = strcmp(query->bodies, "0") != 0 && strcmp(query->bodies, "false") != 0;
    out->limit = (size_t)limit;
    return NULL;
}

static void show_received(struct receiver *receiver, const struct show_query *query, struct shown *out)
{
    struct inbox_query wanted;
    struct json_out json;
    const char *wrong = read_query(query, &wanted);

    if (wrong) {
        show_error(out, 400, wrong);
        return;
    }
    json_out_init(&json, ANSWER_MAX);
    json_out_object_begin(&json);
    json_out_key_int(&json, "started_ms", receiver_started_ms(receiver));
    inbox_write(receiver_inbox(receiver), &wanted, &json);
    json_out_object_end(&json);
    show_json(&json, true, out);
}

static void show_one(struct receiver *receiver, const char *rest, struct shown *out)
{
    struct json_out json;
    uint64_t seq;
    bool found;

    json_out_init(&json, ANSWER_MAX);
    found = read_whole(rest, &seq) && inbox_write_one(receiver_inbox(receiver), seq, &json);
    show_json(&json, found, out);
}

static void show_picture(struct receiver *receiver, const char *rest, struct shown *out)
{
    const char *type = NULL;
    uint8_t *bytes = NULL;
    uint64_t index;
    uint64_t seq;
    size_t size = 0;

    if (read_number(rest, '/', &seq, &rest) && read_whole(rest, &index) && index < PICTURES_MAX)
        bytes = inbox_picture(receiver_inbox(receiver), seq, (size_t)index, &size, &type);
    if (bytes)
        *out = (struct shown){.status = 200, .type = type, .bytes = bytes, .size = size, .owned = bytes};
    else
        show_error(out, 404, "there is no such picture, or not any more");
}

static void show_counts(struct receiver *receiver, struct shown *out)
{
    struct json_out json;

    json_out_init(&json, ANSWER_MAX);
    receiver_write_counts(receiver, &json);
    show_json(&json, true, out);
}

/* The files of the page, built into the program. */
static bool show_page(const char *path, struct shown *out)
{
    for (size_t i = 0; i < PAGE_FILES; i++) {
        if (strcmp(page_files[i].path, path) == 0) {
            *out = (struct shown){
                .status = 200, .type = page_files[i].type, .bytes = page_files[i].bytes, .size = page_files[i].size};
            return true;
        }
    }
    return false;
}

static const char *behind(const char *path, const char *prefix)
{
    size_t size = strlen(prefix);

    return strncmp(path, prefix, size) == 0 ? path + size : NULL;
}

void show_get(struct receiver *receiver, const char *path, const struct show_query *query, struct shown *out)
{
    const char *rest;

    if (show_page(path, out))
        return;
    if (strcmp(path, RECEIVED) == 0)
        show_received(receiver, query, out);
    else if (strcmp(path, "/api/counts") == 0)
        show_counts(receiver, out);
    else if ((rest = behind(path, RECEIVED_ONE)) != NULL)
        show_one(receiver, rest, out);
    else if ((rest = behind(path, PICTURES)) != NULL)
        show_picture(receiver, rest, out);
    else
        show_error(out, 404, "nothing is here; messages are taken by POST on any path");
}
