#include "cloud/people_ask.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/command_internal.h"
#include "core/fetch.h"

#define ASK_MS         30000
#define MAX_ANSWER     ((size_t)64 << 20) /* photos may come along */
#define MAX_UNANSWERED 3                  /* times in a row; then the platform isn't asked any more */

struct people_ask {
    const struct command_context *ctx;
    const char *url;
    struct fetcher *fetcher;
    unsigned unanswered; /* requests in a row that nobody answered */
    struct aibox_error last;
};

enum aibox_status people_ask_open(const struct command_context *ctx, const char *url, struct people_ask **out,
                                  struct aibox_error *err)
{
    struct people_ask *ask = calloc(1, sizeof *ask);

    *out = NULL;
    if (ask == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    ask->ctx = ctx;
    ask->url = url;
    enum aibox_status status = fetcher_open(&ask->fetcher, err);
    if (status == AIBOX_OK)
        *out = ask;
    else
        free(ask);
    return status;
}

void people_ask_close(struct people_ask *ask)
{
    if (ask == NULL)
        return;
    fetcher_close(ask->fetcher);
    free(ask);
}

/* {"error": {"code", "message", "status"}} */
static enum aibox_status fail(const json_t *answer, int http_status, struct aibox_error *err)
{
    const char *message = json_string_value(json_object_get(json_object_get(answer, "error"), "message"));

    if (message != NULL && message[0] != '\0')
        return error_set(err, AIBOX_REMOTE_FAILED, "%s", message);
    if (http_status != 200)
        return error_set(err, AIBOX_REMOTE_FAILED, "the platform answered with HTTP status %d", http_status);
    return error_set(err, AIBOX_REMOTE_FAILED, "the platform answered with an error");
}

static enum aibox_status index_people(json_t *list, json_t *people, struct aibox_error *err)
{
    size_t i;
    json_t *person;

    json_array_foreach(list, i, person)
    {
        const char *id;
        if (!json_is_object(person) || argument_id(person, "identity_id", "identity_id", &id, NULL) != AIBOX_OK ||
            id == NULL)
            continue; /* nobody that was asked for */
        if (json_object_set(people, id, person) != 0)
            return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    return AIBOX_OK;
}

enum aibox_status people_ask_read(const void *body, size_t size, int http_status, json_t **people,
                                  struct aibox_error *err)
{
    json_t *answer = size > 0 ? json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    json_t *list = json_object_get(json_object_get(answer, "data"), "user_list");
    enum aibox_status status;

    *people = NULL;
    if (http_status != 200 || json_object_get(answer, "error") != NULL)
        status = fail(answer, http_status, err);
    else if (answer == NULL)
        status = error_set(err, AIBOX_REMOTE_DATA, "the platform's answer is no JSON");
    else if (!json_is_array(list))
        status = error_set(err, AIBOX_REMOTE_DATA, "the platform's answer has no data.user_list");
    else if ((*people = json_object()) == NULL)
        status = error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    else
        status = index_people(list, *people, err);
    if (status != AIBOX_OK) {
        json_decref(*people);
        *people = NULL;
    }
    json_decref(answer);
    return status;
}

static enum aibox_status post(struct people_ask *ask, const char *request, json_t **people, struct aibox_error *err)
{
    struct fetch_options options = {
        .timeout_ms = ASK_MS, .max_bytes = MAX_ANSWER, .verify_tls = ask->ctx->verify_tls, .stop = ask->ctx->stop};
    struct fetch_result got;
    enum aibox_status status = fetcher_post(ask->fetcher, ask->url, request, strlen(request), &options, &got, err);

    ask->unanswered = got.unanswered ? ask->unanswered + 1 : 0;
    if (status == AIBOX_OK)
        status = people_ask_read(got.body, got.size, got.http_status, people, err);
    else if (status == AIBOX_IMAGE_TOO_LARGE)
        status = error_set(err, AIBOX_REMOTE_DATA, "the platform's answer is longer than %zu bytes", MAX_ANSWER);
    else
        error_prefix(err, "the platform");
    fetch_result_free(&got);
    return status;
}

enum aibox_status people_ask(struct people_ask *ask, json_t *ids, json_t **people, struct aibox_error *err)
{
    struct aibox_error reason = {0};
    char *request = NULL;
    json_t *object = json_pack("{s:O}", "userid_list", ids);
    enum aibox_status status = AIBOX_OK;

    *people = NULL;
    if (object != NULL)
        request = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (request == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (ask->unanswered >= MAX_UNANSWERED) {
        status = error_set(err, AIBOX_REMOTE_FAILED, "%s", ask->last.message);
    } else {
        status = post(ask, request, people, &reason);
        ask->last = reason;
        if (status != AIBOX_OK)
            error_set(err, status, "%s", reason.message);
    }
    free(request);
    return status;
}
