/* What lanes of real-time events share: an event's body is made once for all of them. Any thread. */
#ifndef AIBOX_REPORT_REALTIME_H
#define AIBOX_REPORT_REALTIME_H

#include "core/status.h"

struct realtime_bodies;

enum aibox_status realtime_bodies_open(struct realtime_bodies **out, struct aibox_error *err);
void realtime_bodies_close(struct realtime_bodies *bodies); /* NULL is allowed */

#endif
