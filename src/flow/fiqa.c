#include "flow/fiqa.h"

#include <math.h>

static void append_bool(struct buffer *out, bool value)
{
    buffer_append_text(out, value ? "true" : "false");
}

void fiqa_info_json(struct buffer *out, const struct vision_quality *quality)
{
    buffer_appendf(out, "{\"brightness\":%.4f,\"clarity\":%.4f,\"face_size\":%d,", (double)quality->brightness,
                   (double)quality->clarity, (int)quality->face_size);
    buffer_appendf(out, "\"feature\":%.4g,", (double)quality->feature);
    buffer_appendf(out, "\"headpose\":{\"pitch_angle\":%.1f,\"roll_angle\":%.1f,\"yaw_angle\":%.1f},",
                   (double)quality->pose.pitch, (double)quality->pose.roll, (double)quality->pose.yaw);
    buffer_appendf(out, "\"mask\":%.4g,\"occlusion\":[", (double)quality->mask);
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            buffer_append_text(out, ",");
        append_bool(out, quality->occlusion[i]);
    }
    buffer_append_text(out, "],\"partial\":");
    append_bool(out, quality->partial);
    buffer_append_text(out, "}");
}

static void append_items(struct buffer *out, unsigned items)
{
    bool first = true;
    buffer_append_text(out, "[");
    for (unsigned i = 0; i < QUALITY_ITEMS; i++) {
        if ((items & (1u << i)) == 0)
            continue;
        buffer_appendf(out, "%s\"%s\"", first ? "" : ",", vision_quality_item_names[i]);
        first = false;
    }
    buffer_append_text(out, "]");
}

static void append_result(struct buffer *out, const struct vision_quality *quality)
{
    buffer_append_text(out, "\"fails\":");
    append_items(out, quality->failed);
    buffer_append_text(out, ",\"fiqa_result\":");
    append_bool(out, quality->pass);
    buffer_append_text(out, ",\"info\":");
    fiqa_info_json(out, quality);
    buffer_appendf(out, ",\"score\":%.4f,\"success\":", (double)quality->score);
    append_items(out, quality->judged & ~quality->failed);
}

void fiqa_bbox_json(struct buffer *out, const struct vision_face *face)
{
    buffer_appendf(out, "[%ld,%ld,%ld,%ld]", lroundf(face->box[0]), lroundf(face->box[1]), lroundf(face->box[2]),
                   lroundf(face->box[3]));
}

void fiqa_face_json(struct buffer *out, const struct flow_face *face)
{
    buffer_append_text(out, "{\"bbox\":");
    fiqa_bbox_json(out, &face->face);
    buffer_append_text(out, ",");
    append_result(out, &face->quality);
    buffer_append_text(out, "}");
}

void fiqa_event_json(struct buffer *out, const struct flow_face *face, bool with_age_sex)
{
    buffer_append_text(out, "{");
    if (with_age_sex)
        buffer_appendf(out, "\"age\":%ld,\"sex\":%d,", lroundf(face->age), face->male >= 0.5f ? 0 : 1);
    append_result(out, &face->quality);
    buffer_append_text(out, "}");
}
