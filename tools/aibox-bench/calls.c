#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "bench.h"
#include "core/clock.h"

/* A picture of 5 MB in base64, and what is around it. */
#define REQUEST_MAX ((size_t)8 * 1024 * 1024)

enum aibox_status check_answer(const struct answer *answer, struct aibox_error *err)
{
    if (answer->http == 200)
        return AIBOX_OK;
    return error_set(err, AIBOX_PROCESS_FAILED, "the box answered %d: %.300s", answer->http, answer->body);
}

enum aibox_status call_enrol(struct bench *bench, struct connection *connection, const char *id, const char *photo,
                             struct aibox_error *err)
{
    struct buffer body, request;
    struct answer answer = {0};
    buffer_init(&body, REQUEST_MAX);
    buffer_init(&request, REQUEST_MAX);
    buffer_appendf(&body,
                   "{\"identity_id\":\"%s\",\"group_name\":\"\",\"fiqa_level\":\"no\",\"need_reg_photo\":false,"
                   "\"info\":{\"name\":\"%s\"},\"reg_photo\":\"",
                   id, id);
    buffer_append_text(&body, photo);
    buffer_append_text(&body, "\"}");
    request_build(&request, &bench->daemon, "POST", "/SophonFogSys/api/users",
                  body.failed ? "" : (const char *)body.data);
    enum aibox_status status = body.failed || request.failed ? error_set(err, AIBOX_PROCESS_FAILED, "out of memory")
                                                             : connection_call(connection, &request, &answer, err);
    if (status == AIBOX_OK)
        status = check_answer(&answer, err);
    buffer_free(&body);
    buffer_free(&request);
    return status;
}

enum aibox_status call_enrol_some(struct bench *bench, struct connection *connection, const char *prefix, size_t max,
                                  size_t *n, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    for (*n = 0; *n < max && *n < bench->pictures.count; (*n)++) {
        char id[32];
        snprintf(id, sizeof id, "%s-%zu", prefix, *n);
        status = call_enrol(bench, connection, id, bench->pictures.items[*n].original, err);
        if (status != AIBOX_OK)
            break;
    }
    return status;
}

void answer_best(const struct answer *answer, char *out, size_t size)
{
    json_t *root = json_loadb(answer->body, answer->size, 0, NULL);
    const char *id = json_string_value(json_object_get(json_object_get(root, "best"), "identity_id"));
    snprintf(out, size, "%s", id == NULL ? "" : id);
    json_decref(root);
}

void request_match(struct buffer *request, const struct bench *bench, const char *frame)
{
    struct buffer body;
    buffer_init(&body, REQUEST_MAX);
    buffer_append_text(&body, "{\"group_name\":\"default_group\",\"rgb_image_base64\":\"");
    buffer_append_text(&body, frame);
    buffer_append_text(&body, "\"}");
    buffer_init(request, REQUEST_MAX);
    request_build(request, &bench->daemon, "POST", "/SophonMatch/api/PictureMatch",
                  body.failed ? "" : (const char *)body.data);
    buffer_free(&body);
}

enum aibox_status call_delete(struct bench *bench, const char *prefix, size_t n, struct aibox_error *err)
{
    struct buffer body, request;
    struct connection connection;
    struct answer answer = {0};
    if (n == 0)
        return AIBOX_OK;
    enum aibox_status status = connection_open(&bench->daemon, &connection, err);
    if (status != AIBOX_OK)
        return status;
    buffer_init(&body, REQUEST_MAX);
    buffer_init(&request, REQUEST_MAX);
    for (size_t i = 0; i < n; i++)
        buffer_appendf(&body, "%s\"%s-%zu\"", i == 0 ? "{\"identity_ids\":[" : ",", prefix, i);
    buffer_append_text(&body, "]}");
    request_build(&request, &bench->daemon, "DELETE", "/SophonFogSys/api/users",
                  body.failed ? "" : (const char *)body.data);
    status = connection_call(&connection, &request, &answer, err);
    if (status == AIBOX_OK)
        status = check_answer(&answer, err);
    buffer_free(&body);
    buffer_free(&request);
    connection_close(&connection);
    return status;
}

void bench_sleep_until(int64_t at_us)
{
    int64_t left_us = at_us - clock_monotonic_us();
    if (left_us > 0)
        nanosleep(&(struct timespec){.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000}, NULL);
}
