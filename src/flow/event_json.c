#include "flow/event_json.h"

#include <math.h>

#include "flow/flow.h"

/* What all readers of an event are told of it beside the person: members of ext_data. */
static void write_details(struct json_out *out, const struct store_event *event, const char *dev_sno)
{
    json_out_key_text(out, "event_id", event->event_id);
    json_out_key_text(out, "dev_sno", dev_sno);
    json_out_key_text(out, "device_ip", event->device_ip);
    json_out_key_text(out, "ep_id", event->ep_id);
    json_out_key_text(out, "device_type", event->device_type);
    json_out_key_int(out, "person_type", event->person_type);
    json_out_key(out, "grab_fiqa_info");
    json_out_raw(out, event->grab_fiqa_info);
    json_out_key(out, "box_fiqa_info");
    json_out_raw(out, event->box_fiqa_info);
    if (!isnan(event->liveness))
        json_out_key_float(out, "liveness", (double)event->liveness);
    json_out_key_float(out, "mask", (double)event->mask);
    json_out_key_text(out, "reason", event->reason);
    json_out_key_text(out, "supersedes", event->supersedes);
}

/* ---- for clients ------------------------------------------------------------------------------------------- */

static void write_decision(struct json_out *out, const struct store_event *event)
{
    json_out_key_text(out, "action", event->action);
    json_out_key_text(out, "reason", event->reason);
    json_out_key_text(out, "verdict", flow_verdict_names[event->verdict]);
    json_out_key_float(out, "threshold", (double)event->threshold);
    json_out_key_float(out, "margin", (double)event->margin);
    json_out_key_bool(out, "masked", event->mask > VISION_MASKED);
    json_out_key(out, "best");
    json_out_object_begin(out);
    json_out_key_text(out, "identity_id", event->best_identity_id);
    json_out_key_float(out, "score", (double)event->best_score);
    json_out_object_end(out);
}

void event_json_stranger(struct json_out *out, const struct store_stranger_mark *stranger)
{
    if (stranger->stranger_id == 0)
        return;
    json_out_key_int(out, "stranger_id", stranger->stranger_id);
    json_out_key_bool(out, "seen_before", stranger->visit > 1);
    json_out_key_int(out, "seen_count", stranger->visit);
    json_out_key_int(out, "first_seen", stranger->first_ms);
}

void event_json(struct json_out *out, const struct store_event *event, const char *dev_sno, float similarity)
{
    json_out_object_begin(out);
    json_out_key_text(out, "_id", event->event_id);
    json_out_key_text(out, "identity_id", event->identity_id);
    json_out_key_text(out, "identity_name", event->identity_name);
    json_out_key_text(out, "group_name", event->group_name);
    json_out_key_int(out, "timestamp", event->timestamp_ms);
    json_out_key_float(out, "score", (double)(isnan(similarity) ? event->score : similarity));
    if (!isnan(similarity))
        json_out_key_float(out, "recognition_score", (double)event->score);
    write_decision(out, event);
    event_json_stranger(out, &event->stranger);
    json_out_key_text(out, "room", event->room);
    json_out_key_text(out, "spot_pic_id", event->spot_id);
    json_out_key_text(out, "recognize_face_pic_id", event->face_id);
    json_out_key_text(out, "reg_pic_id", event->reg_id);
    json_out_key(out, "ext_data");
    json_out_object_begin(out);
    write_details(out, event, dev_sno);
    json_out_object_end(out);
    json_out_object_end(out);
}

/* ---- for receivers of reports -------------------------------------------------------------------------------- */

static void write_picture(struct json_out *out, const char *key, const struct event_picture *picture)
{
    json_out_key(out, key);
    if (picture->bytes != NULL)
        json_out_base64(out, picture->bytes, picture->size);
    else
        json_out_text(out, "");
}

void event_json_ext_data(struct json_out *out, const struct store_event *event, const struct event_report *report)
{
    json_out_object_begin(out);
    write_details(out, event, report->dev_sno);
    write_picture(out, "spot_pic", &report->spot);
    write_picture(out, "recognize_face", &report->face);
    if (report->history)
        json_out_key_text(out, "want_action", "0");
    json_out_object_end(out);
}

void event_json_report(struct json_out *out, const struct store_event *event, const struct event_report *report)
{
    json_out_object_begin(out);
    json_out_key_text(out, "identity_id", event->identity_id);
    json_out_key_text(out, "identity_name", event->identity_name);
    json_out_key_text(out, "group_name", event->group_name);
    write_picture(out, "reg_pic", &report->reg);
    json_out_key_int(out, "timestamp", event->timestamp_ms);
    json_out_key_float(out, "score", (double)event->score);
    if (report->info) {
        json_out_key(out, "info");
        json_out_raw(out, report->info);
    }
    json_out_key(out, "ext_data");
    event_json_ext_data(out, event, report);
    json_out_object_end(out);
}
