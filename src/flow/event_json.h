/* Events as the wire knows them: one writer for REST, the stream and reports. Any thread. */
#ifndef AIBOX_FLOW_EVENT_JSON_H
#define AIBOX_FLOW_EVENT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json_out.h"
#include "store/store.h"

#define EVENT_JSON_DEV_SNO 65 /* room for the setting cloud.dev_sno, with NUL */

/*
 * The event as one object as clients of the box read it, without pictures but with their ids. `similarity` is that to a
 * picture searched for: it is shown as `score` then, and the event's own score as `recognition_score`. NAN: nothing was
 * searched for.
 */
void event_json(struct json_out *out, const struct store_event *event, const char *dev_sno, float similarity);

/* Members for whom an event shows when that is a stranger who is remembered (store/strangers.h); none for others. */
void event_json_stranger(struct json_out *out, const struct store_stranger_mark *stranger);

struct event_picture {
    const uint8_t *bytes; /* NULL: none, '' on the wire */
    size_t size;
};

/* What reports add to an event (reports.md §§ 1, 2). */
struct event_report {
    const char *dev_sno;
    bool history;     /* with what history events have besides */
    const char *info; /* the person's, JSON object text; NULL: is not told */
    struct event_picture reg, spot, face;
};

/* The event as one object as receivers of reports read it. */
void event_json_report(struct json_out *out, const struct store_event *event, const struct event_report *report);
/* Its member ext_data alone: an object. */
void event_json_ext_data(struct json_out *out, const struct store_event *event, const struct event_report *report);

#endif
