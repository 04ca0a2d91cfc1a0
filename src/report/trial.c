/*
 * One message to one receiver because somebody asks for it: made and sent as the real ones are, past lanes and queue,
 * so that it changes no cursor and no figure. It says what it is: an event of nobody with score 0, a status whose
 * description says so, the deletion of a device that never was. The list of devices is sent as it is.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/id.h"
#include "core/utf8.h"
#include "report/body.h"
#include "report/outbox.h"
#include "report/report_internal.h"

#define MAX_BODY     ((size_t)64 << 20)
#define MOST_WAIT_MS 10000 /* whoever asks waits for the answer */
#define REALTIME_MS  500
#define STATUS_MS    5000
#define MARK         "test message"

/* What is sent where. */
struct trial {
    struct report *report;
    const char *wanted; /* the address as it was asked for; NULL: any */
    struct report_address address;
    struct body body;
    char event_id[ID_ULID_SIZE]; /* "": none goes with it */
    int64_t timeout_ms;
    bool asks_status; /* the answer is to say status 0 */
};

static bool is_meant(const struct trial *trial, const char *identity)
{
    char shown[URL_MAX + 1];

    if (!trial->wanted || strcmp(trial->wanted, identity) == 0)
        return true;
    url_show(identity, shown, sizeof shown);
    return strcmp(trial->wanted, shown) == 0;
}

static enum aibox_status take_json(struct body *body, struct buffer *text, struct aibox_error *err)
{
    (void)snprintf(body->type, sizeof body->type, "application/json");
    body->bytes = buffer_give(text, &body->size);
    buffer_free(text);
    return body->bytes ? AIBOX_OK : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

/* ---- events ---------------------------------------------------------------------------------------------------- */

static enum aibox_status make_event(struct trial *trial, const struct body_options *options, bool batch,
                                    struct aibox_error *err)
{
    struct report *report = trial->report;
    char identity_id[sizeof "test-" + ID_ULID_SIZE];
    size_t n = 1;

    id_ulid(trial->event_id);
    (void)snprintf(identity_id, sizeof identity_id, "test-%s", trial->event_id); /* is nobody's */
    struct store_event event = {.timestamp_ms = clock_realtime_ms(),
                                .identity_id = identity_id,
                                .identity_name = MARK,
                                .person_type = 4,
                                .group_name = "",
                                .device_id = "",
                                .device_ip = "",
                                .ep_id = "",
                                .device_type = "",
                                .reason = "test",
                                .action = "",
                                .verdict = STORE_UNKNOWN,
                                .threshold = NAN,
                                .margin = NAN,
                                .best_identity_id = "",
                                .best_score = NAN,
                                .liveness = NAN,
                                .mask = -1,
                                .room = "",
                                .grab_fiqa_info = "{}",
                                .box_fiqa_info = "{}",
                                .supersedes = ""};
    memcpy(event.event_id, trial->event_id, sizeof event.event_id);
    if (!batch)
        return body_of_event(report->store, report->settings, &event, options, &trial->body, err);
    trial->event_id[0] = '\0'; /* it stands in the body alone */
    return body_of_events(report->store, report->settings, &event, &n, options, &trial->body, err);
}

static enum aibox_status prepare_realtime(struct trial *trial, struct aibox_error *err)
{
    struct report_realtime *block = calloc(1, sizeof *block); /* large for a stack */
    size_t i = 0;
    enum aibox_status status;

    if (!block)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    report_config_realtime(trial->report->config, block);
    while (i < block->urls.count && !is_meant(trial, block->urls.items[i]))
        i++;
    if (i < block->urls.count) {
        struct body_options options = {.encoding = block->encoding};
        (void)snprintf(trial->address.identity, sizeof trial->address.identity, "%s", block->urls.items[i]);
        (void)snprintf(trial->address.url, sizeof trial->address.url, "%s", block->urls.items[i]);
        trial->timeout_ms = REALTIME_MS;
        status = make_event(trial, &options, false, err);
    } else {
        status = error_set(err, AIBOX_NOT_FOUND, "url: no such receiver of real-time events is set");
    }
    free(block);
    return status;
}

static enum aibox_status prepare_history(struct trial *trial, struct aibox_error *err)
{
    struct report *report = trial->report;
    struct report_target target;
    size_t i = 0;

    while (report_config_history_target(report->config, i, &target) && !is_meant(trial, target.address.identity))
        i++;
    if (!report_config_history_target(report->config, i, &target))
        return error_set(err, AIBOX_NOT_FOUND, "url: no such receiver of the history is set");
    struct body_options options = {.encoding = target.encoding, .history = true, .info = target.info};
    bool batch = target.encoding == REPORT_JSON && settings_bool(report->settings, "reports.history_batch");
    trial->address = target.address;
    trial->timeout_ms = MOST_WAIT_MS;
    return make_event(trial, &options, batch, err);
}

/* ---- status and devices ---------------------------------------------------------------------------------------- */

/* The status text with the mark in its description. */
static enum aibox_status mark_status(struct trial *trial, const struct buffer *text, struct aibox_error *err)
{
    json_t *status = json_loadb((const char *)text->data, text->size, 0, NULL);
    json_t *ext = json_object_get(status, "gateway_ext_data");
    struct buffer marked;
    char *dumped = NULL;

    buffer_init(&marked, MAX_BODY);
    if (ext && json_object_set_new(ext, "status_desc", json_string(MARK)) == 0)
        dumped = json_dumps(status, JSON_COMPACT);
    json_decref(status);
    if (dumped)
        (void)buffer_append_text(&marked, dumped);
    free(dumped);
    return take_json(&trial->body, &marked, err);
}

static enum aibox_status prepare_monitor(struct trial *trial, struct aibox_error *err)
{
    struct report *report = trial->report;
    struct report_target target;
    struct gauges_cpu since = {0};
    struct json_out json;
    size_t i = 0;

    while (report_config_monitor_target(report->config, i, &target) && !is_meant(trial, target.address.identity))
        i++;
    if (!report_config_monitor_target(report->config, i, &target))
        return error_set(err, AIBOX_NOT_FOUND, "url: no such receiver of the status is set");
    trial->address = target.address;
    trial->timeout_ms = STATUS_MS;
    json_out_init(&json, MAX_BODY);
    status_write(report, &since, target.address.identity, true, &json);
    enum aibox_status status = json_out_complete(&json)
                                   ? mark_status(trial, &json.buffer, err)
                                   : error_set(err, AIBOX_PROCESS_FAILED, "the status can't be written");
    json_out_free(&json);
    return status;
}

static enum aibox_status prepare_devices(struct trial *trial, struct aibox_error *err)
{
    struct buffer text;
    bool list;

    if (!report_device_address(trial->report, &trial->address, &list) || !is_meant(trial, trial->address.identity))
        return error_set(err, AIBOX_NOT_FOUND, "url: no such receiver of news of devices is set");
    trial->timeout_ms = MOST_WAIT_MS;
    trial->asks_status = true;
    buffer_init(&text, MAX_BODY);
    if (list)
        operation_write_list(trial->report, &text);
    else
        operation_write_test(trial->report, MARK, &text);
    return take_json(&trial->body, &text, err);
}

static enum aibox_status prepare(struct trial *trial, const char *kind, struct aibox_error *err)
{
    if (strcmp(kind, realtime_lane_kind.name) == 0)
        return prepare_realtime(trial, err);
    if (strcmp(kind, history_lane_kind.name) == 0)
        return prepare_history(trial, err);
    if (strcmp(kind, monitor_lane_kind.name) == 0)
        return prepare_monitor(trial, err);
    if (strcmp(kind, outbox_lane_kind.name) == 0 || strcmp(kind, devices_lane_kind.name) == 0)
        return prepare_devices(trial, err);
    return error_set(err, AIBOX_PARAM, "kind: expected " REPORT_TRIAL_KINDS);
}

/* ---- sending --------------------------------------------------------------------------------------------------- */

static void take_answer(const struct trial *trial, bool taken, const struct post_answer *answer,
                        struct report_trial *out)
{
    size_t size = utf8_prefix(answer->body, answer->size, sizeof out->answer - 1);

    out->taken = taken;
    out->http_status = answer->http_status;
    memcpy(out->answer, answer->body, size);
    out->answer[size] = '\0';
    (void)snprintf(out->error, sizeof out->error, "%s", answer->reason);
    if (taken && trial->asks_status && !operation_accepted(answer->body, answer->size)) {
        out->taken = false;
        (void)snprintf(out->error, sizeof out->error, "the answer does not say status 0");
    }
}

/* Makes the connection that report_end() can break off. TOO_MANY_REQUESTS: there is one. */
static enum aibox_status begin(struct report *report, struct post **post, struct aibox_error *err)
{
    enum aibox_status status = post_open(post, err);

    if (status != AIBOX_OK)
        return status;
    pthread_mutex_lock(&report->trial_mu);
    if (report->trial_ended)
        status = error_set(err, AIBOX_PROCESS_FAILED, "the box stops");
    else if (report->trial)
        status = error_set(err, AIBOX_TOO_MANY_REQUESTS, "another test message is under way");
    else
        report->trial = *post;
    pthread_mutex_unlock(&report->trial_mu);
    if (status != AIBOX_OK)
        post_close(*post);
    return status;
}

static void end(struct report *report, struct post *post)
{
    pthread_mutex_lock(&report->trial_mu);
    report->trial = NULL;
    pthread_mutex_unlock(&report->trial_mu);
    post_close(post);
}

static enum aibox_status deliver(const struct trial *trial, struct report_trial *out, struct aibox_error *err)
{
    struct report *report = trial->report;
    char allow[ALLOW_MAX];
    struct post_answer answer;
    struct post *post;
    enum aibox_status status = begin(report, &post, err);

    if (status != AIBOX_OK)
        return status;
    settings_text(report->settings, "reports.allow", allow, sizeof allow);
    struct post_request request = {.url = trial->address.url,
                                   .content_type = trial->body.type,
                                   .body = trial->body.bytes,
                                   .size = trial->body.size,
                                   .event_id = trial->event_id[0] ? trial->event_id : NULL,
                                   .allow = allow,
                                   .timeout_ms = trial->timeout_ms};
    int64_t start_us = clock_monotonic_us();
    bool taken = post_send(post, &request, &answer);
    out->took_ms = (double)(clock_monotonic_us() - start_us) / 1000;
    take_answer(trial, taken, &answer, out);
    end(report, post);
    return AIBOX_OK;
}

enum aibox_status report_try(struct report *report, const char *kind, const char *url, struct report_trial *out,
                             struct aibox_error *err)
{
    struct trial *trial = calloc(1, sizeof *trial);

    *out = (struct report_trial){0};
    if (!trial)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    trial->report = report;
    trial->wanted = url;
    enum aibox_status status = prepare(trial, kind, err);
    if (status == AIBOX_OK && trial->address.url[0] == '\0')
        status = error_set(err, AIBOX_NOT_FOUND, "url: not known before the next log-in at the platform");
    if (status == AIBOX_OK)
        status = deliver(trial, out, err);
    url_show(trial->address.identity, out->url, sizeof out->url);
    body_free(&trial->body);
    free(trial);
    return status;
}

void report_end(struct report *report)
{
    if (!report)
        return;
    pthread_mutex_lock(&report->trial_mu);
    report->trial_ended = true;
    if (report->trial)
        post_cancel(report->trial);
    pthread_mutex_unlock(&report->trial_mu);
}
