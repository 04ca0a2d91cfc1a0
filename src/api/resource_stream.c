/*
 * What happens on the box, live, as Server-Sent Events (WHATWG HTML § 9.2): GET /api/stream.
 *
 * A client is told at its own pace: events are read from the store when they are to be written, messages from the
 * feed's ring, jobs by asking. So nobody waits for a client, and none takes more memory than its connection's buffer.
 * One that falls too far behind is told so and sent away; it may come back and say where it was (Last-Event-ID).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/endpoint.h"
#include "api/job_json.h"
#include "api/request.h"
#include "api/resources.h"
#include "api/server.h"
#include "core/clock.h"
#include "flow/event_json.h"
#include "flow/feed.h"
#include "flow/jobs.h"
#include "store/store.h"

#define MOST_CLIENTS 32
#define MOST_REPLAY  1000 /* events a client that comes back is told of what it missed */
#define MOST_BEHIND  2000 /* events a client may be behind */
#define MOST_JOBS    100  /* that changes are looked for in, the newest */
#define READ_EVENTS  50
#define HEARTBEAT_MS 15000
#define TICK_MS      1000 /* between two looks at the jobs */
#define MAX_TEXT     ((size_t)4 << 20)

struct client {
    struct api_context *ctx;
    struct access *access;
    struct access_grant grant; /* who watches */
    struct feed_place place;
    int64_t seq; /* of the last event told, or passed over */
    bool wants[FEED_KINDS];
    int64_t missed;                /* events that could not be replayed */
    int64_t written_ms, ticked_ms; /* monotonic */
    struct job_status *jobs;
    size_t n_jobs;
    bool knows_jobs;
};

/* ---- writing ------------------------------------------------------------------------------------------------- */

/* False: the client has left. */
static bool write_text(struct client *client, struct api_stream *stream, const char *text, size_t size)
{
    client->written_ms = clock_monotonic_ms();
    return api_stream_write(stream, text, size);
}

/* One message; `id` NULL: none. JSON as it is written here has no line breaks. */
static bool write_message(struct client *client, struct api_stream *stream, const char *id, const char *kind,
                          const char *json)
{
    struct buffer text;

    buffer_init(&text, MAX_TEXT);
    if (id)
        buffer_appendf(&text, "id: %s\n", id);
    buffer_appendf(&text, "event: %s\ndata: ", kind);
    buffer_append_text(&text, json);
    buffer_append_text(&text, "\n\n");
    bool written = !text.failed && write_text(client, stream, (const char *)text.data, text.size);
    buffer_free(&text);
    return written;
}

static bool write_json(struct client *client, struct api_stream *stream, const char *id, const char *kind,
                       struct json_out *json)
{
    bool written = json_out_complete(json) && write_message(client, stream, id, kind, (const char *)json->buffer.data);

    json_out_free(json);
    return written;
}

/* The notice before a client is sent away. */
static void write_farewell(struct client *client, struct api_stream *stream)
{
    (void)write_message(client, stream, NULL, "dropped",
                        "{\"reason\":\"too slow: come back with the id of the last event seen\"}");
}

/* ---- events --------------------------------------------------------------------------------------------------- */

static bool write_event(struct client *client, struct api_stream *stream, const struct store_event *event)
{
    char dev_sno[EVENT_JSON_DEV_SNO];
    struct json_out json;

    if (!client->wants[FEED_EVENT])
        return true;
    settings_text(client->ctx->settings, "cloud.dev_sno", dev_sno, sizeof dev_sno);
    json_out_init(&json, MAX_TEXT);
    event_json(&json, event, dev_sno, NAN);
    return write_json(client, stream, event->event_id, feed_kind_names[FEED_EVENT], &json);
}

/* False: the client has left, or is to. */
static bool tell_events(struct client *client, struct api_stream *stream)
{
    struct store *store = client->ctx->store;
    int64_t newest = store_event_newest(store);
    struct store_event_list list;
    bool going_on = true;

    if (!client->wants[FEED_EVENT]) {
        client->seq = newest;
        return true;
    }
    if (newest - client->seq > MOST_BEHIND) {
        write_farewell(client, stream);
        return false;
    }
    if (store_events_after(store, client->seq, READ_EVENTS, &list, NULL) != AIBOX_OK)
        return false;
    if (list.count == 0)
        client->seq = newest;
    for (size_t i = 0; i < list.count && going_on; i++) {
        client->seq = list.items[i].seq;
        going_on = write_event(client, stream, &list.items[i]);
    }
    store_event_list_free(&list);
    return going_on;
}

/* Where a client begins: with the next event, or behind the one it names. */
static enum aibox_status find_start(struct client *client, const char *last_id, struct aibox_error *err)
{
    int64_t newest = store_event_newest(client->ctx->store);

    client->seq = newest;
    if (!last_id || last_id[0] == '\0')
        return AIBOX_OK;
    enum aibox_status status = store_event_find(client->ctx->store, last_id, &client->seq, err);
    if (status == AIBOX_OK && newest - client->seq > MOST_REPLAY) {
        client->missed = newest - client->seq - MOST_REPLAY;
        client->seq = newest - MOST_REPLAY;
    }
    return status;
}

/* ---- jobs ------------------------------------------------------------------------------------------------------ */

static bool same_job(const struct job_status *a, const struct job_status *b)
{
    return a->state == b->state && a->total == b->total && a->done == b->done && a->failed == b->failed &&
           a->ignored == b->ignored && a->can_retry == b->can_retry;
}

static const struct job_status *known_job(const struct client *client, const char *id)
{
    for (size_t i = 0; i < client->n_jobs; i++)
        if (strcmp(client->jobs[i].id, id) == 0)
            return &client->jobs[i];
    return NULL;
}

static bool write_job(struct client *client, struct api_stream *stream, const struct job_status *job)
{
    struct json_out json;

    json_out_init(&json, MAX_TEXT);
    json_out_object_begin(&json);
    job_json_members(&json, job);
    json_out_object_end(&json);
    return write_json(client, stream, NULL, feed_kind_names[FEED_JOB], &json);
}

/* What has changed since the last look; the first one tells nothing. */
static bool tell_jobs(struct client *client, struct api_stream *stream)
{
    struct job_status *jobs;
    size_t count;
    bool going_on = true;

    if (!client->wants[FEED_JOB] || !client->ctx->jobs || jobs_list(client->ctx->jobs, &jobs, &count, NULL) != AIBOX_OK)
        return true;
    if (count > MOST_JOBS)
        count = MOST_JOBS;
    for (size_t i = 0; i < count && going_on && client->knows_jobs; i++) {
        const struct job_status *known = known_job(client, jobs[i].id);
        if (!known || !same_job(known, &jobs[i]))
            going_on = write_job(client, stream, &jobs[i]);
    }
    free(client->jobs);
    client->jobs = jobs;
    client->n_jobs = count;
    client->knows_jobs = true;
    return going_on;
}

/* ---- the stream ------------------------------------------------------------------------------------------------- */

static bool tell_message(struct client *client, struct api_stream *stream, enum feed_kind kind, char *json)
{
    bool going_on = json && (!client->wants[kind] || write_message(client, stream, NULL, feed_kind_names[kind], json));

    free(json);
    return going_on;
}

static bool begin(struct client *client, struct api_stream *stream)
{
    static const char hello[] = "retry: 2000\n\n";
    struct json_out json;

    if (!write_text(client, stream, hello, strlen(hello)) || !tell_jobs(client, stream))
        return false;
    if (client->missed == 0)
        return true;
    json_out_init(&json, MAX_TEXT);
    json_out_object_begin(&json);
    json_out_key_int(&json, "events", client->missed);
    json_out_object_end(&json);
    return write_json(client, stream, NULL, "missed", &json);
}

/* What is to be done now and then, whatever else happens. */
static bool tick(struct client *client, struct api_stream *stream)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms - client->ticked_ms < TICK_MS)
        return true;
    client->ticked_ms = now_ms;
    return api_stream_is_wanted(stream) && access_still_valid(client->access, &client->grant, API_VIEWER) &&
           tell_jobs(client, stream) &&
           (now_ms - client->written_ms < HEARTBEAT_MS || write_text(client, stream, ":\n\n", 3));
}

/* Until the client leaves, or the box stops. */
static bool produce(void *arg, struct api_stream *stream)
{
    struct client *client = arg;
    bool going_on = begin(client, stream);

    while (going_on) {
        enum feed_kind kind;
        char *json;
        switch (feed_wait(client->ctx->feed, &client->place, client->seq, TICK_MS, &kind, &json)) {
        case FEED_EVENTS:
            going_on = tell_events(client, stream);
            break;
        case FEED_MESSAGE:
            going_on = tell_message(client, stream, kind, json);
            break;
        case FEED_QUIET:
            break;
        case FEED_MISSED:
            write_farewell(client, stream);
            going_on = false;
            break;
        case FEED_ENDED:
            going_on = false;
            break;
        }
        going_on = going_on && tick(client, stream);
    }
    return true;
}

static void free_client(void *arg)
{
    struct client *client = arg;

    feed_leave(client->ctx->feed);
    free(client->jobs);
    free(client);
}

static enum aibox_status read_kinds(const struct api_request *req, struct client *client, struct aibox_error *err)
{
    size_t n;
    const char *const *kinds = api_list(req, "kinds", &n);

    for (size_t kind = 0; kind < FEED_KINDS; kind++)
        client->wants[kind] = !kinds;
    for (size_t i = 0; kinds && i < n; i++) {
        size_t kind = 0;
        while (kind < FEED_KINDS && strcmp(kinds[i], feed_kind_names[kind]) != 0)
            kind++;
        if (kind == FEED_KINDS)
            return error_set(err, AIBOX_PARAM, "kinds: '%.64s' is none of event, device, status, command, job",
                             kinds[i]);
        client->wants[kind] = true;
    }
    return AIBOX_OK;
}

static enum aibox_status get_stream(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                    struct aibox_error *err)
{
    const char *last_id = api_last_event_id(req);
    struct client *client = calloc(1, sizeof *client);

    if (!client)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    client->ctx = ctx;
    client->access = api_access(req->api);
    client->grant = *api_grant(req);
    enum aibox_status status = read_kinds(req, client, err);
    if (status == AIBOX_OK)
        status = find_start(client, last_id ? last_id : api_text(req, "last_event_id"), err);
    if (status == AIBOX_OK)
        status = feed_enter(ctx->feed, MOST_CLIENTS, &client->place, err);
    if (status != AIBOX_OK) {
        free(client);
        return status;
    }
    api_reply_header(res, "X-Accel-Buffering", "no"); /* proxies are to hand on at once */
    api_reply_stream_take(res, "text/event-stream; charset=utf-8", produce, client, free_client);
    return AIBOX_OK;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static const struct api_field stream_fields[] = {
    {.name = "kinds",
     .type = API_LIST,
     .max = 16,
     .help = "Only these: event, device, status, command, job; default all."},
    {.name = "last_event_id",
     .type = API_TEXT,
     .max = 64,
     .help = "Begin behind this event, for clients that can't send the header Last-Event-ID."},
};

const struct api_endpoint api_stream_endpoints[] = {
    {.method = "GET",
     .path = "/api/stream",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .fields = stream_fields,
     .n_fields = sizeof stream_fields / sizeof stream_fields[0],
     .handler = get_stream,
     .tag = "events",
     .summary = "Watch what happens, as Server-Sent Events; with Last-Event-ID what was missed comes first"},
};
const size_t api_stream_count = sizeof api_stream_endpoints / sizeof api_stream_endpoints[0];
