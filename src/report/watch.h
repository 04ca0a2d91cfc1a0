/*
 * The thread that looks at the devices once a second, while there is somebody to be told, and says when one has come,
 * gone, or changed between online and offline: to the monitors, who send a status report then, and to the feed. The
 * feed also gets the box's status every STATUS_MS.
 */
#ifndef AIBOX_REPORT_WATCH_H
#define AIBOX_REPORT_WATCH_H

#include <stdbool.h>

#include "core/status.h"

struct report;
struct watch;

enum aibox_status watch_open(struct report *report, struct watch **out, struct aibox_error *err);
void watch_close(struct watch *watch); /* NULL is allowed */

/* Whether somebody wants to know may have changed. Any thread. */
void watch_wake(struct watch *watch);

#endif
