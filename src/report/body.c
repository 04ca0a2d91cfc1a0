#include "report/body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base64.h"
#include "core/id.h"
#include "core/json_out.h"
#include "flow/event_json.h"

#define MAX_BODY   ((size_t)256 << 20)
#define MANY_BYTES ((size_t)8 << 20) /* a batch that is larger gets no further event */

/* An event with what is sent along. */
struct letter {
    const struct store_event *event;
    struct event_report report;
    uint8_t *pictures[3];
    struct store_person person; /* whose info is told */
    char dev_sno[EVENT_JSON_DEV_SNO];
};

static enum aibox_status load_picture(struct store *store, const char *image_id, bool wanted, uint8_t **bytes,
                                      struct event_picture *out, struct aibox_error *err)
{
    struct aibox_error why;

    if (!wanted || image_id[0] == '\0')
        return AIBOX_OK;
    enum aibox_status status = store_picture_get(store, image_id, bytes, &out->size, &why);
    if (status == AIBOX_ID_NOT_FOUND) /* deleted since */
        return AIBOX_OK;
    if (status != AIBOX_OK)
        return error_set(err, status, "%s", why.message);
    out->bytes = *bytes;
    return AIBOX_OK;
}

static enum aibox_status load_info(struct store *store, struct letter *letter, struct aibox_error *err)
{
    struct aibox_error why;
    enum aibox_status status = store_person_get(store, letter->event->identity_id, &letter->person, &why);

    letter->report.info = status == AIBOX_OK ? letter->person.info : "{}";
    return status == AIBOX_OK || status == AIBOX_ID_NOT_FOUND ? AIBOX_OK : error_set(err, status, "%s", why.message);
}

static void letter_close(struct letter *letter)
{
    for (size_t i = 0; i < 3; i++)
        free(letter->pictures[i]);
    store_person_free(&letter->person);
}

static enum aibox_status letter_open(struct letter *letter, struct store *store, const struct settings *settings,
                                     const struct store_event *event, const struct body_options *options,
                                     struct aibox_error *err)
{
    char send[8];
    bool any, all;

    *letter = (struct letter){.event = event, .report = {.history = options->history}};
    settings_text(settings, "cloud.dev_sno", letter->dev_sno, sizeof letter->dev_sno);
    letter->report.dev_sno = letter->dev_sno;
    settings_text(settings, "cloud.send_pictures", send, sizeof send);
    any = strcmp(send, "never") != 0;
    all = strcmp(send, "all") == 0;
    enum aibox_status status =
        load_picture(store, event->reg_id, all && options->reg_pic, &letter->pictures[0], &letter->report.reg, err);
    if (status == AIBOX_OK)
        status = load_picture(store, event->spot_id, any && options->spot_pic, &letter->pictures[1],
                              &letter->report.spot, err);
    if (status == AIBOX_OK)
        status = load_picture(store, event->face_id, any && options->face_pic, &letter->pictures[2],
                              &letter->report.face, err);
    if (status == AIBOX_OK && options->info)
        status = load_info(store, letter, err);
    if (status != AIBOX_OK)
        letter_close(letter);
    return status;
}

/* ---- multipart/form-data (RFC 7578) ------------------------------------------------------------------------- */

struct form {
    struct buffer buffer;
    char boundary[65]; /* hex digits */
};

/* Begins a field, whose value is appended next. The boundary is random, so that no value holds it. */
static void form_field(struct form *form, const char *name)
{
    buffer_appendf(&form->buffer, "%s--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n",
                   form->buffer.size > 0 ? "\r\n" : "", form->boundary, name);
}

static void form_text(struct form *form, const char *name, const char *text)
{
    form_field(form, name);
    buffer_append_text(&form->buffer, text);
}

static void form_base64(struct form *form, const char *name, const struct event_picture *picture)
{
    form_field(form, name);
    if (!picture->bytes)
        return;
    size_t size = base64_encoded_size(picture->size);
    if (!buffer_reserve(&form->buffer, size + 1))
        return;
    base64_encode(picture->bytes, picture->size, (char *)form->buffer.data + form->buffer.size);
    form->buffer.size += size;
}

/* Numbers are spelt as in JSON. */
static void form_number(struct form *form, const char *name, double value)
{
    struct json_out number;

    json_out_init(&number, 64);
    json_out_float(&number, value);
    form_text(form, name, number.buffer.failed ? "" : (const char *)number.buffer.data);
    json_out_free(&number);
}

static void form_ext_data(struct form *form, const struct letter *letter)
{
    struct json_out dict;

    json_out_init(&dict, MAX_BODY);
    event_json_ext_data(&dict, letter->event, &letter->report);
    form_field(form, "ext_data");
    if (json_out_complete(&dict))
        buffer_append(&form->buffer, dict.buffer.data, dict.buffer.size);
    else
        form->buffer.failed = true;
    json_out_free(&dict);
}

static bool write_form(const struct letter *letter, struct body *out)
{
    struct form form;
    uint8_t random[24];
    char text[32];

    id_random(random, sizeof random);
    id_sha256_hex(random, sizeof random, form.boundary);
    buffer_init(&form.buffer, MAX_BODY);
    form_text(&form, "identity_id", letter->event->identity_id);
    form_text(&form, "identity_name", letter->event->identity_name);
    form_text(&form, "group_name", letter->event->group_name);
    form_base64(&form, "reg_pic", &letter->report.reg);
    (void)snprintf(text, sizeof text, "%lld", (long long)letter->event->timestamp_ms);
    form_text(&form, "timestamp", text);
    form_number(&form, "score", (double)letter->event->score);
    if (letter->report.info)
        form_text(&form, "info", letter->report.info);
    form_ext_data(&form, letter);
    buffer_appendf(&form.buffer, "\r\n--%s--\r\n", form.boundary);
    (void)snprintf(out->type, sizeof out->type, "multipart/form-data; boundary=%s", form.boundary);
    out->bytes = buffer_give(&form.buffer, &out->size);
    buffer_free(&form.buffer);
    return out->bytes != NULL;
}

/* ---- JSON ---------------------------------------------------------------------------------------------------- */

static bool take_json(struct json_out *json, struct body *out)
{
    bool complete = json_out_complete(json);

    (void)snprintf(out->type, sizeof out->type, "application/json");
    if (complete)
        out->bytes = buffer_give(&json->buffer, &out->size);
    json_out_free(json);
    return complete;
}

static bool write_json(const struct letter *letter, struct body *out)
{
    struct json_out json;

    json_out_init(&json, MAX_BODY);
    event_json_report(&json, letter->event, &letter->report);
    return take_json(&json, out);
}

enum aibox_status body_of_event(struct store *store, const struct settings *settings, const struct store_event *event,
                                const struct body_options *options, struct body *out, struct aibox_error *err)
{
    struct letter letter;

    *out = (struct body){0};
    enum aibox_status status = letter_open(&letter, store, settings, event, options, err);
    if (status != AIBOX_OK)
        return status;
    bool done = options->encoding == REPORT_FORM_DATA ? write_form(&letter, out) : write_json(&letter, out);
    letter_close(&letter);
    return done ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

enum aibox_status body_of_events(struct store *store, const struct settings *settings, const struct store_event *events,
                                 size_t *n, const struct body_options *options, struct body *out,
                                 struct aibox_error *err)
{
    struct json_out json;
    size_t used = 0;

    *out = (struct body){0};
    json_out_init(&json, MAX_BODY);
    json_out_array_begin(&json);
    while (used < *n && (used == 0 || json.buffer.size < MANY_BYTES)) {
        struct letter letter;
        enum aibox_status status = letter_open(&letter, store, settings, &events[used++], options, err);
        if (status != AIBOX_OK) {
            json_out_free(&json);
            return status;
        }
        event_json_report(&json, letter.event, &letter.report);
        letter_close(&letter);
    }
    json_out_array_end(&json);
    *n = used;
    return take_json(&json, out) ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

void body_free(struct body *body)
{
    free(body->bytes);
    *body = (struct body){0};
}
