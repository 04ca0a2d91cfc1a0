/* What the files of this room share. */
#ifndef AIBOX_REPORT_REPORT_INTERNAL_H
#define AIBOX_REPORT_REPORT_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/log.h"
#include "flow/report_config.h"
#include "report/lane.h"
#include "report/report.h"
#include "store/store.h"

#define REPORT_MAX_LANES 64

struct report {
    struct settings *settings;
    struct store *store;
    struct flow *flow;
    struct report_config *config;
    char *data_dir;
    struct realtime_bodies *bodies;
    /* Held while lanes are started and stopped, over I/O; who holds it may look at all lanes at leisure. Lanes never
     * take it. Taken before `mu`. */
    pthread_mutex_t changing;
    pthread_mutex_t mu; /* guards the list; before the lanes' own */
    struct lane *lanes[REPORT_MAX_LANES];
    size_t n;
    bool listening; /* to config and store; opening and closing only */
};

/* ---- the kinds of lanes: made and started; NULL with `err` filled ---------------------------------------------- */

extern const struct lane_kind realtime_lane_kind;
struct lane *realtime_lane_new(struct report *report, const char *url, struct aibox_error *err);

extern const struct lane_kind history_lane_kind;
struct lane *history_lane_new(struct report *report, const char *url, struct aibox_error *err);
/* Lets it look for set-aside events that are to be sent again. */
void history_lane_resend(struct lane *lane);

extern const struct lane_kind *const lane_kinds[]; /* all, NULL at the end */

#endif
