/* The thread that looks at the devices once a second, while somebody wants to know, and tells when one has come, gone,
 * or changed between online and offline. */
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
