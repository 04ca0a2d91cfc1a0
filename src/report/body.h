/* Bodies of the reports that carry events. */
#ifndef AIBOX_REPORT_BODY_H
#define AIBOX_REPORT_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/settings.h"
#include "core/status.h"
#include "flow/report_config.h"
#include "store/store.h"

struct body {
    uint8_t *bytes; /* owned */
    size_t size;
    char type[100]; /* Content-Type */
};

struct body_options {
    enum report_encoding encoding;
    bool history;                     /* with what history events have besides */
    bool reg_pic, spot_pic, face_pic; /* as far as the setting cloud.send_pictures lets them go */
    bool info;                        /* the person's, as it is now; {} of strangers and of who is gone */
};

/*
 * One event. JSON: an object; form-data: a multipart body whose fields are the object's, dicts as JSON text, pictures
 * as base64 text. A picture that is gone is ''. PROCESS_FAILED: no memory, or the store can't be read.
 */
enum aibox_status body_of_event(struct store *store, const struct settings *settings, const struct store_event *event,
                                const struct body_options *options, struct body *out, struct aibox_error *err);
/* Several, as a JSON array whatever the encoding: the first *n of them, at least one, *n being lowered when more would
 * make a body of many megabytes. */
enum aibox_status body_of_events(struct store *store, const struct settings *settings, const struct store_event *events,
                                 size_t *n, const struct body_options *options, struct body *out,
                                 struct aibox_error *err);
void body_free(struct body *body);

#endif
