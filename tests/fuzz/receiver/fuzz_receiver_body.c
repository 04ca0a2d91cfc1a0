/* What a receiver makes of any body: bounded messages of a kind, texts out of the body, pictures of known types, and a
 * line of whole UTF-8 without anything a terminal obeys. The first byte chooses the Content-Type and the path. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "core/utf8.h"
#include "message.h"
#include "picture.h"
#include "record.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Independent of NDEBUG. */
static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_pictures(struct pictures *pictures)
{
    check(pictures->count <= PICTURES_MAX);
    for (size_t i = 0; i < pictures->count; i++) {
        const struct picture *picture = &pictures->list[i];

        check(picture_is_field(picture->field));
        check(picture->size > 0 && strncmp(picture->type, "image/", 6) == 0);
        check(picture_type(picture->bytes, picture->size) == picture->type);
    }
    pictures_free(pictures);
}

static void check_record(const struct record *record)
{
    struct buffer line;
    struct json_out json;

    buffer_init(&line, 16384);
    record_print(record, false, &line);
    check(!line.failed && line.size > 0 && line.data[line.size - 1] == '\n');
    check(utf8_valid((const char *)line.data, line.size));
    for (size_t i = 0; i + 1 < line.size; i++)
        check(line.data[i] >= 0x20 && line.data[i] != 0x7f);
    buffer_free(&line);
    json_out_init(&json, 16384);
    json_out_object_begin(&json);
    record_write(record, &json);
    json_out_object_end(&json);
    check(json_out_complete(&json));
    json_out_free(&json);
}

static void check_message(json_t *value, const char *path, bool in_batch)
{
    struct record record = {.received_ms = 1566016554020, .path = path};
    struct pictures pictures;

    check(pictures_lift(value, &pictures));
    record.unreadable_pictures = pictures.unreadable;
    check_pictures(&pictures);
    message_read(value, path, in_batch, &record.message);
    check(record.message.kind < MESSAGE_MALFORMED);
    check(!in_batch || record.message.kind == MESSAGE_HISTORY || record.message.kind == MESSAGE_UNKNOWN);
    check_record(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"application/json", "multipart/form-data; boundary=B",
                                        "application/x-www-form-urlencoded",
                                        "multipart/form-data; boundary=\"B\"; x=y"};
    static const char *const paths[] = {"/RealTimeEvent", "/HistoryEvent"};
    struct aibox_error err = {0};
    enum body_format format;
    json_t *body;
    char *text;
    size_t count;

    if (size == 0)
        return 0;
    text_set_up();
    text = malloc(size);
    check(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    body = body_parse(types[data[0] % 4], text, size - 1, &format, &err);
    free(text);
    if (!body) {
        check(err.status != AIBOX_OK && err.message[0] && status_http(err.status) >= 400);
        return 0;
    }
    if (message_count(body, &count, &err) == AIBOX_OK) {
        check(count >= 1 && count <= MESSAGE_BATCH_MAX);
        for (size_t i = 0; i < count; i++)
            check_message(message_at(body, i), paths[data[0] / 4 % 2], json_is_array(body));
    }
    json_decref(body);
    return 0;
}
