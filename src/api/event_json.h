/* Events as the wire knows them. */
#ifndef AIBOX_API_EVENT_JSON_H
#define AIBOX_API_EVENT_JSON_H

#include "core/json_out.h"
#include "store/store.h"

/*
 * The event as one object, without pictures. `similarity` is that to a picture searched for: it is shown as `score`
 * then, and the event's own score as `recognition_score`. NAN: nothing was searched for.
 */
void event_json(struct json_out *out, const struct store_event *event, float similarity);

#endif
