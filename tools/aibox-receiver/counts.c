#include "counts.h"

#include <inttypes.h>
#include <stdio.h>

static void write_kinds(const struct counts *counts, struct json_out *out)
{
    json_out_key(out, "kinds");
    json_out_object_begin(out);
    for (int kind = 0; kind < MESSAGE_KINDS; kind++) {
        json_out_key(out, message_kind_name((enum message_kind)kind));
        json_out_object_begin(out);
        json_out_key_int(out, "received", (int64_t)counts->received[kind]);
        json_out_key_int(out, "kept", (int64_t)counts->kept[kind]);
        json_out_object_end(out);
    }
    json_out_object_end(out);
}

void counts_write(const struct counts *counts, const struct seen_counts *events, struct json_out *out)
{
    json_out_key_int(out, "posts", (int64_t)counts->posts);
    write_kinds(counts, out);
    json_out_key(out, "events");
    json_out_object_begin(out);
    json_out_key_int(out, "distinct", (int64_t)events->distinct);
    json_out_key_int(out, "duplicates", (int64_t)events->duplicates);
    json_out_key_int(out, "different_content", (int64_t)events->different);
    json_out_key_int(out, "forgotten", (int64_t)events->forgotten);
    json_out_object_end(out);
    json_out_key(out, "rehearsed");
    json_out_object_begin(out);
    json_out_key_int(out, "failed", (int64_t)counts->failed);
    json_out_key_int(out, "dropped", (int64_t)counts->dropped);
    json_out_key_int(out, "hung", (int64_t)counts->hung);
    json_out_object_end(out);
    json_out_key_int(out, "store_errors", (int64_t)counts->store_errors);
}

void counts_print(const struct counts *counts, const struct seen_counts *events)
{
    uint64_t received = 0;
    uint64_t kept = 0;

    for (int kind = 0; kind < MESSAGE_KINDS; kind++) {
        received += counts->received[kind];
        kept += counts->kept[kind];
    }
    printf("aibox-receiver: %" PRIu64 " messages, %" PRIu64 " kept; %" PRIu64 " distinct events, %" PRIu64
           " duplicates, %" PRIu64 " with different content\n",
           received, kept, events->distinct, events->duplicates, events->different);
    (void)fflush(stdout);
}
