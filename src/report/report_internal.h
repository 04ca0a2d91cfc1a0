/* What the files of this room share. */
#ifndef AIBOX_REPORT_REPORT_INTERNAL_H
#define AIBOX_REPORT_REPORT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/log.h"
#include "flow/report_config.h"
#include "report/lane.h"
#include "report/report.h"
#include "report/status.h"
#include "report/watch.h"
#include "store/store.h"

#define REPORT_MAX_RESULTS 32 /* receivers of results that are served at a time */
#define REPORT_MAX_LANES   (REPORT_MAX_URLS + REPORT_MAX_TARGETS + 2 + 1 + REPORT_MAX_RESULTS)

struct report {
    struct settings *settings;
    struct store *store;
    struct flow *flow;
    struct report_config *config;
    struct feed *feed;
    char *data_dir;
    struct realtime_bodies *bodies;
    /* Held while lanes are started and stopped, over I/O; who holds it may look at all lanes at leisure. Lanes never
     * take it. Taken before `mu`. */
    pthread_mutex_t changing;
    pthread_mutex_t mu; /* guards the list; before the lanes' own */
    struct lane *lanes[REPORT_MAX_LANES];
    size_t n;
    struct box_identity identity; /* constant */
    struct watch *watch;
    atomic_bool unapplied;    /* the lanes could not be brought into line with the settings: tried again every second */
    atomic_bool results_came; /* there may be receivers of results without a lane */
    atomic_bool results_queue; /* there are more of them than lanes: looked at every second */
    atomic_bool closing;       /* the box stops: last reports are sent */
    pthread_mutex_t trial_mu;  /* guards what follows; leaf */
    struct post *trial;        /* a test message is under way */
    bool trial_ended;          /* none begins any more */
    bool listening;            /* to config and store; opening and closing only */
};

/* ---- report.c, for the watch ------------------------------------------------------------------------------------ */

/* Whether there is somebody to report devices' changes to. */
bool report_is_monitored(struct report *report);
/* A device has come, gone, or changed between online and offline. */
void report_devices_changed(struct report *report);
/* Brings the lanes into line with the settings and the login. */
void report_apply(struct report *report);
/* Likewise those of results, with what is in the outbox. */
void report_find_results(struct report *report);

/* ---- report_lanes.c: which lanes there are -------------------------------------------------------------------- */

/* A failure: the cursors are not as they should be. */
enum aibox_status lanes_apply(struct report *report, struct aibox_error *err);
void lanes_find_results(struct report *report);
void lanes_stop(struct report *report); /* all */
/* Where news of devices go; *list: the whole list of them. The URL may be unknown before the next login. False:
 * nowhere.
 */
bool report_device_address(struct report *report, struct report_address *out, bool *list);

/* ---- the kinds of lanes: made and started; NULL with `err` filled ---------------------------------------------- */

extern const struct lane_kind realtime_lane_kind;
struct lane *realtime_lane_new(struct report *report, const char *url, struct aibox_error *err);

extern const struct lane_kind history_lane_kind;
struct lane *history_lane_new(struct report *report, const char *url, struct aibox_error *err);
/* Lets it look for set-aside events that are to be sent again. */
void history_lane_resend(struct lane *lane);

extern const struct lane_kind monitor_lane_kind;
struct lane *monitor_lane_new(struct report *report, const char *url, struct aibox_error *err);

extern const struct lane_kind *const lane_kinds[]; /* all, NULL at the end */

#endif
