/* The columns of an event as this room reads them. */
#ifndef AIBOX_STORE_EVENT_H
#define AIBOX_STORE_EVENT_H

#include "store/internal.h"

#define EVENT_TEXTS      14 /* text columns, from EVENT_FIRST_TEXT on */
#define EVENT_FIRST_TEXT 14
#define EVENT_STRANGER   (EVENT_FIRST_TEXT + EVENT_TEXTS) /* and visit, first_ms */
#define EVENT_FEATURE                                                                                                  \
    (EVENT_FIRST_TEXT + EVENT_TEXTS + 5) /* its key_id and nonce are the columns before, its model set the one after   \
                                          */

/* From "event e". A picture that was deleted counts as none. */
#define EVENT_ROW_COLUMNS                                                                                              \
    "e.seq, e.event_id, e.timestamp_ms, e.person_type, e.verdict, e.score, e.threshold, e.margin, e.best_score,"       \
    " e.liveness, e.mask, (SELECT image_id FROM image WHERE image_id = e.spot_id),"                                    \
    " (SELECT image_id FROM image WHERE image_id = e.face_id), e.reg_id, e.identity_id, e.identity_name, "             \
    "e.group_name, e.device_id,"                                                                                       \
    " e.device_ip, e.ep_id, e.device_type, e.reason, e.action, e.best_identity_id, e.room, e.grab_fiqa_info,"          \
    " e.box_fiqa_info, e.supersedes, (SELECT stranger_id FROM stranger_event v WHERE v.seq = e.seq),"                  \
    " (SELECT visit FROM stranger_event v WHERE v.seq = e.seq),"                                                       \
    " (SELECT first_ms FROM stranger_event v WHERE v.seq = e.seq)"
/* From EVENT_TABLES. */
#define EVENT_COLUMNS EVENT_ROW_COLUMNS ", f.key_id, f.nonce, f.feature, s.name"
/* From "event e": without the feature. */
#define EVENT_BARE_COLUMNS EVENT_ROW_COLUMNS ", 0, NULL, NULL, NULL"
#define EVENT_TABLES                                                                                                   \
    "event e LEFT JOIN event_feature f ON f.seq = e.seq LEFT JOIN model_set s ON s.model_set_id = f.model_set_id"

/* The row that `stmt` (EVENT_COLUMNS or EVENT_BARE_COLUMNS) of `sql` stands on. */
enum aibox_status event_read(const struct sql *sql, sqlite3_stmt *stmt, struct store_event *event,
                             struct aibox_error *err);

#endif
