/* Events for spreadsheets: /api/events/export */
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/event_filter.h"
#include "api/resources.h"
#include "core/log.h"
#include "flow/export_events.h"

/* Outlives the request: texts of the query are copies. */
struct answer {
    struct events_export request;
    struct api_stream *stream;
    char *texts[4];
    size_t n_texts;
};

static bool write_piece(void *ctx, const void *bytes, size_t size)
{
    const struct answer *answer = ctx;

    return api_stream_write(answer->stream, bytes, size);
}

static bool produce(void *ctx, struct api_stream *stream)
{
    struct answer *answer = ctx;
    struct aibox_error err = {0};

    answer->stream = stream;
    if (export_events(&answer->request, &err) == AIBOX_OK)
        return true;
    log_warn("api", "an export of events was not finished reason=\"%s\"", err.message);
    return false;
}

static void free_list(const char *const *items, size_t n)
{
    for (size_t i = 0; items && i < n; i++)
        free((char *)items[i]);
    free((void *)items);
}

static void free_answer(void *ctx)
{
    struct answer *answer = ctx;

    for (size_t i = 0; i < answer->n_texts; i++)
        free(answer->texts[i]);
    free_list(answer->request.query.groups, answer->request.query.n_groups);
    free_list(answer->request.query.ep_ids, answer->request.query.n_ep_ids);
    free(answer);
}

static bool keep_text(struct answer *answer, const char **text)
{
    if (!*text)
        return true;
    *text = answer->texts[answer->n_texts++] = strdup(*text);
    return *text != NULL;
}

static bool keep_list(const char *const **items, size_t *n)
{
    const char *const *given = *items;
    const char **kept = given ? calloc(*n ? *n : 1, sizeof *kept) : NULL;
    size_t count = *n;
    bool whole = !given || kept;

    *items = kept;
    *n = kept ? count : 0;
    for (size_t i = 0; kept && i < count; i++)
        whole = (kept[i] = strdup(given[i])) != NULL && whole;
    return whole;
}

static bool keep_query(struct answer *answer)
{
    struct store_event_query *query = &answer->request.query;
    bool groups = keep_list(&query->groups, &query->n_groups);
    bool ep_ids = keep_list(&query->ep_ids, &query->n_ep_ids);

    return groups && ep_ids && keep_text(answer, &query->name_part) && keep_text(answer, &query->identity_id) &&
           keep_text(answer, &query->room) && keep_text(answer, &query->reason);
}

static enum aibox_status export_chosen(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    bool archive = strcmp(api_text(req, "format"), "zip") == 0;
    struct answer *answer = calloc(1, sizeof *answer);

    if (!answer)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    event_filter_read(req, &answer->request.query);
    if (!keep_query(answer)) {
        free_answer(answer);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    answer->request.store = ctx->store;
    answer->request.with_pictures = archive;
    answer->request.folder = ctx->upload_dir;
    answer->request.write = write_piece;
    answer->request.ctx = answer;
    api_reply_file_name(res, "events", archive ? "zip" : "csv");
    api_reply_stream_take(res, archive ? "application/zip" : "text/csv; charset=utf-8", produce, answer, free_answer);
    return AIBOX_OK;
}

static const struct api_field export_fields[] = {
    {.name = "format",
     .type = API_CHOICE,
     .default_text = "csv",
     .choices = "csv|zip",
     .help = "csv: a table; zip: the table with the events' pictures."},
    EVENT_FILTERS,
};

const struct api_endpoint api_events_export_endpoints[] = {
    {.method = "GET",
     .path = "/api/events/export",
     .encodings = API_QUERY,
     .role = API_OPERATOR,
     .fields = export_fields,
     .n_fields = sizeof export_fields / sizeof export_fields[0],
     .handler = export_chosen,
     .tag = "events",
     .summary = "Events that pass a filter, oldest first, as a table for spreadsheets"},
};
const size_t api_events_export_count = sizeof api_events_export_endpoints / sizeof api_events_export_endpoints[0];
