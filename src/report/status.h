/* The status report (reports.md § 3). */
#ifndef AIBOX_REPORT_STATUS_H
#define AIBOX_REPORT_STATUS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "core/json_out.h"
#include "core/status.h"
#include "report/gauges.h"

#define STATUS_BOX_NAME 256

struct report;

/* What doesn't change while the box runs. */
struct box_identity {
    char serial[GAUGES_SERIAL];
    char mac[18];                     /* "e0:a5:09:00:0a:01" */
    char first_name[STATUS_BOX_NAME]; /* host name at the first start, kept in the store */
};

enum aibox_status box_identity_load(struct report *report, struct box_identity *out, struct aibox_error *err);

/* The whole report. `since`: of the one who asks, see gauges_read(). `url`: whom it is for. Any thread. */
void status_write(struct report *report, struct gauges_cpu *since, const char *url, bool online, struct json_out *out);

#endif
