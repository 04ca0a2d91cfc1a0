/* What the console's first page shows: /api/overview. Counters alone: no call of it takes longer as the store grows. */
#include "api/endpoint.h"
#include "api/resources.h"
#include "core/clock.h"
#include "flow/devices.h"
#include "flow/flow.h"
#include "store/store.h"

#define DAY_MS  INT64_C(86400000)
#define LONGEST (STORE_TALLY_DAYS * DAY_MS)

/* ---- events by time ------------------------------------------------------------------------------------ */

struct counting {
    struct json_out *out;
    int64_t quarter; /* whose object is open; -1: none */
};

static void end_quarter(struct counting *counting)
{
    if (counting->quarter >= 0)
        json_out_object_end(counting->out);
    counting->quarter = -1;
}

/* One kind of one quarter of an hour; they come in their order. */
static void write_tally(void *ctx, const struct store_tally *tally)
{
    struct counting *counting = ctx;

    if (counting->quarter != tally->start_ms) {
        end_quarter(counting);
        json_out_object_begin(counting->out);
        json_out_key_int(counting->out, "start", tally->start_ms);
        counting->quarter = tally->start_ms;
    }
    json_out_key_int(counting->out, tally->kind, tally->count);
}

static enum aibox_status write_counts(struct api_context *ctx, int64_t from_ms, int64_t to_ms, struct json_out *out,
                                      struct aibox_error *err)
{
    struct counting counting = {.out = out, .quarter = -1};
    enum aibox_status status;

    json_out_key(out, "quarters");
    json_out_array_begin(out);
    status = store_tally_each(ctx->store, from_ms, to_ms, write_tally, &counting, err);
    end_quarter(&counting);
    json_out_array_end(out);
    return status;
}

/* ---- the rest -------------------------------------------------------------------------------------------- */

static void write_devices(struct api_context *ctx, struct json_out *out)
{
    struct device_list list = {0};
    int64_t online = 0;

    if (devices_list(flow_devices(ctx->flow), &list, NULL) == AIBOX_OK)
        for (size_t i = 0; i < list.count; i++) {
            struct device_state state;

            device_state_get(list.items[i], &state);
            online += state.online;
        }
    json_out_key(out, "devices");
    json_out_object_begin(out);
    json_out_key_int(out, "online", online);
    json_out_key_int(out, "offline", (int64_t)list.count - online);
    json_out_object_end(out);
    device_list_free(&list);
}

static void write_latency(struct api_context *ctx, struct json_out *out)
{
    struct flow_latency latency = flow_latency(ctx->flow);

    json_out_key(out, "latency");
    json_out_object_begin(out);
    json_out_key_int(out, "count", (int64_t)latency.count);
    json_out_key_float(out, "p50_ms", latency.p50_ms);
    json_out_key_float(out, "p99_ms", latency.p99_ms);
    json_out_object_end(out);
}

static enum aibox_status get_overview(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                      struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    struct store_counters counters;
    int64_t now_ms = clock_realtime_ms();
    int64_t from_ms = api_given(req, "from") ? api_int(req, "from") : now_ms - DAY_MS;
    int64_t to_ms = api_given(req, "to") ? api_int(req, "to") : now_ms;
    enum aibox_status status;

    if (to_ms < from_ms || to_ms - from_ms > LONGEST)
        return error_set(err, AIBOX_PARAM, "to: expected from 0 to %d days behind `from`", STORE_TALLY_DAYS);
    store_count(ctx->store, &counters);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_int(out, "now", now_ms);
    json_out_key_int(out, "people", (int64_t)counters.people);
    json_out_key_int(out, "faces", (int64_t)counters.faces);
    json_out_key_int(out, "events", (int64_t)counters.events);
    write_devices(ctx, out);
    write_latency(ctx, out);
    status = write_counts(ctx, from_ms, to_ms, out, err);
    json_out_object_end(out);
    json_out_object_end(out);
    return status;
}

static const struct api_field fields[] = {
    {.name = "from",
     .type = API_INT,
     .min = 0,
     .max = 1e14,
     .help = "Events are counted from here on, Unix ms; default 24 hours ago. Quarters of an hour count as a whole."},
    {.name = "to", .type = API_INT, .min = 0, .max = 1e14, .help = "And up to here, Unix ms; default now."},
};

const struct api_endpoint api_overview_endpoints[] = {
    {.method = "GET",
     .path = "/api/overview",
     .encodings = API_QUERY,
     .role = API_VIEWER,
     .fields = fields,
     .n_fields = sizeof fields / sizeof fields[0],
     .handler = get_overview,
     .tag = "events",
     .summary = "Counters: people, devices up and down, latency, events by quarters of an hour"},
};
const size_t api_overview_count = sizeof api_overview_endpoints / sizeof api_overview_endpoints[0];
