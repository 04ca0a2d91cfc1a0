/* The last lines of the log: /api/logs, /api/logs/download. */
#include <string.h>

#include "api/endpoint.h"
#include "api/resources.h"
#include "core/log_ring.h"

#define LEVELS "debug|info|warn|error"

static enum log_level level_named(const char *name)
{
    for (int i = 0; i < LOG_LEVELS; i++)
        if (strcmp(log_level_names[i], name) == 0)
            return (enum log_level)i;
    return LOG_LEVEL_DEBUG;
}

/* '' in a query is a field left empty. */
static const char *wanted(const struct api_request *req, const char *name)
{
    const char *text = api_text(req, name);

    return text && text[0] ? text : NULL;
}

/* What the filters ask for; without arguments of one call alone. */
static struct log_query read_query(const struct api_request *req)
{
    return (struct log_query){.least = level_named(api_text(req, "level")),
                              .room = wanted(req, "room"),
                              .text = wanted(req, "text"),
                              .from_ms = api_given(req, "from") ? api_int(req, "from") : 0,
                              .to_ms = api_given(req, "to") ? api_int(req, "to") : 0,
                              .limit = LOG_RING_LINES};
}

static void write_line(struct json_out *out, const struct log_line *line)
{
    json_out_object_begin(out);
    json_out_key_int(out, "id", line->id);
    json_out_key_int(out, "time", line->time_ms);
    json_out_key_text(out, "level", log_level_names[line->level]);
    json_out_key_text(out, "room", line->room);
    json_out_key_text(out, "text", line->text);
    json_out_object_end(out);
}

static void write_lines(struct json_out *out, const struct log_lines *found)
{
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key(out, "lines");
    json_out_array_begin(out);
    for (size_t i = 0; i < found->count; i++)
        write_line(out, &found->items[i]);
    json_out_array_end(out);
    json_out_key_int(out, "total_count", (int64_t)found->total);
    json_out_key_int(out, "oldest", found->oldest);
    json_out_key(out, "rooms");
    json_out_array_begin(out);
    for (size_t i = 0; i < found->n_rooms; i++)
        json_out_text(out, found->rooms[i]);
    json_out_array_end(out);
    json_out_object_end(out);
    json_out_object_end(out);
}

static enum aibox_status get_logs(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                  struct aibox_error *err)
{
    struct log_query query = read_query(req);
    struct log_lines found;

    (void)ctx;
    query.before = api_given(req, "before") ? api_int(req, "before") : 0;
    query.limit = (size_t)api_int(req, "limit");
    enum aibox_status status = log_ring_find(&query, &found, err);
    if (status != AIBOX_OK)
        return status;
    write_lines(api_body(res), &found);
    log_lines_free(&found);
    return AIBOX_OK;
}

/* As the log itself has them, the oldest first. */
static void print_lines(struct buffer *out, const struct log_lines *found)
{
    char time[LOG_TIME_SIZE];

    for (size_t i = found->count; i-- > 0;) {
        const struct log_line *line = &found->items[i];
        (void)log_print_time(line->time_ms, time);
        (void)buffer_appendf(out, "%s %s %s ", time, log_level_names[line->level], line->room);
        (void)buffer_append_text(out, line->text);
        (void)buffer_append_text(out, "\n");
    }
}

static enum aibox_status download_logs(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    struct log_query query = read_query(req);
    struct log_lines found;
    struct buffer text;
    size_t size = 0;

    (void)ctx;
    enum aibox_status status = log_ring_find(&query, &found, err);
    if (status != AIBOX_OK)
        return status;
    buffer_init(&text, LOG_RING_BYTES + (size_t)LOG_RING_LINES * (LOG_TIME_SIZE + LOG_ROOM_SIZE + 16));
    (void)buffer_append_text(&text, "");
    print_lines(&text, &found);
    log_lines_free(&found);
    uint8_t *bytes = buffer_give(&text, &size);
    buffer_free(&text);
    if (!bytes)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    api_reply_bytes_take(res, "text/plain; charset=utf-8", bytes, size);
    api_reply_file_name(res, "aibox-log", "txt");
    return AIBOX_OK;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

#define FILTERS                                                                                                        \
    {.name = "level",                                                                                                  \
     .type = API_CHOICE,                                                                                               \
     .default_text = "debug",                                                                                          \
     .choices = LEVELS,                                                                                                \
     .help = "Lines of this level and above. What log.level leaves out was never kept."},                              \
        {.name = "room", .type = API_TEXT, .max = LOG_ROOM_SIZE - 1, .help = "Of this part of the program alone."},    \
        {.name = "text", .type = API_TEXT, .max = 256, .help = "With this text in them, in small or large letters."},  \
        {.name = "from", .type = API_INT, .min = 0, .max = 1e14, .help = "From this time on, Unix ms."},               \
    {                                                                                                                  \
        .name = "to", .type = API_INT, .min = 0, .max = 1e14, .help = "Up to this time, Unix ms."                      \
    }

static const struct api_field list_fields[] = {
    FILTERS,
    {.name = "before",
     .type = API_INT,
     .min = 1,
     .max = 1e15,
     .help = "Only lines older than that with this id: the page behind one that ended with it."},
    {.name = "limit",
     .type = API_INT,
     .default_text = "200",
     .min = 1,
     .max = LOG_RING_LINES,
     .help = "Lines at most."},
};

static const struct api_field download_fields[] = {FILTERS};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_logs_endpoints[] = {
    {.method = "GET",
     .path = "/api/logs",
     .encodings = API_QUERY,
     .role = API_ADMIN,
     .quick = true,
     FIELDS(list_fields),
     .handler = get_logs,
     .tag = "system",
     .summary = "Read the last lines of the log since the box started, newest first"},
    {.method = "GET",
     .path = "/api/logs/download",
     .encodings = API_QUERY,
     .role = API_ADMIN,
     FIELDS(download_fields),
     .handler = download_logs,
     .tag = "system",
     .summary = "The same as a text file, oldest first",
     .audit = API_AUDIT_ALWAYS},
};
const size_t api_logs_count = sizeof api_logs_endpoints / sizeof api_logs_endpoints[0];
