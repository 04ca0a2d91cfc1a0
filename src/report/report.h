/*
 * What the box sends by itself: events at once (real-time) and without fail (history), its status, and the messages of
 * the outbox. Each destination has a lane of its own, see report/lane.h; what is promised of each kind stands in
 * docs/reports.md.
 *
 * All functions: any thread.
 */
#ifndef AIBOX_REPORT_REPORT_H
#define AIBOX_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"
#include "core/json_out.h"
#include "core/settings.h"
#include "core/status.h"
#include "core/url.h"

struct feed;
struct flow;
struct report;
struct report_config;
struct store;

/* What reports are made of. All must outlive the room. */
struct report_context {
    struct settings *settings;
    struct store *store;
    struct flow *flow;
    struct report_config *config; /* its listener is this room's */
    struct feed *feed;            /* is told of devices and of the box's status */
    const char *data_dir;         /* whose disk the status tells about; copied */
};

/* Begins to send. */
enum aibox_status report_open(const struct report_context *context, struct report **out, struct aibox_error *err);
/* Sends the last status, breaks off everything else, ends the lanes: within about a second. What has not arrived is
 * sent after the next start. NULL is allowed. */
void report_close(struct report *report);

/* To be called when a setting has changed. `report` NULL: not open yet. */
void report_setting_changed(struct report *report, const char *key);

/* How each destination is doing, as one object: the answer of GET /api/reports. */
void report_print(struct report *report, struct json_out *out);
void report_metrics(struct report *report, struct buffer *out); /* Prometheus text */

/* Tries again to send what was set aside for `url` (NULL: any), of that event (NULL: any). *count: how many events.
 * NOT_FOUND: none. */
enum aibox_status report_resend(struct report *report, const char *url, const char *event_id, size_t *count,
                                struct aibox_error *err);

#define REPORT_TRIAL_KINDS  "realtime|history|monitor|outbox|devices" /* as report_print() names them */
#define REPORT_TRIAL_ANSWER 513

/* What became of a test message. */
struct report_trial {
    char url[URL_MAX + 1];            /* of whom, as it may be shown */
    bool taken;                       /* answered as it should be */
    int http_status;                  /* 0: there was no answer */
    double took_ms;                   /* until the answer, or the failure */
    char answer[REPORT_TRIAL_ANSWER]; /* how the answer begins; not checked, may be no UTF-8 */
    char error[160];                  /* what is wrong, for people; "" if taken */
};

/*
 * Sends one message of that kind to the receiver `url`, as it was set or is shown (NULL: the first of its kind), with
 * the limits of real ones, 10 s at most, and waits for the answer. It is marked as a test, and changes no figure and no
 * cursor. A receiver that fails is a result. NOT_FOUND: no such receiver; PARAM: no such kind; TOO_MANY_REQUESTS:
 * another one is under way.
 */
enum aibox_status report_try(struct report *report, const char *kind, const char *url, struct report_trial *out,
                             struct aibox_error *err);
/* The box stops: breaks off a test message that is under way, and lets none begin. NULL is allowed. */
void report_end(struct report *report);

#define REPORT_BOX_NAME 256 /* room for it, with NUL */

/* The box's name as reports show it: the setting box.name, else the host name of its first start. Any thread. */
void report_box_name(const struct report *report, char *out, size_t size);

#endif
