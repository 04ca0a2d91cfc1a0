/* Events as a table for spreadsheets, alone or with their pictures in a ZIP archive. Written as they are read. */
#ifndef AIBOX_FLOW_EXPORT_EVENTS_H
#define AIBOX_FLOW_EXPORT_EVENTS_H

#include <stdbool.h>

#include "flow/export.h"
#include "store/store.h"

struct events_export {
    struct store *store;
    struct store_event_query query; /* skip, limit and oldest_first are not looked at */
    bool with_pictures;             /* a ZIP archive of events.csv and pictures/, else the table alone */
    const char *folder;             /* for temporary files without names */
    export_write write;
    void *ctx;
};

/*
 * Events that are there all the time are in it once, the oldest first; later than the call are none. The table is CSV
 * (RFC 4180) in UTF-8 with a byte order mark, as spreadsheets want it; a cell that a spreadsheet would take for a
 * formula begins with an apostrophe. Memory: a few events. PROCESS_FAILED: what was written is incomplete.
 */
enum aibox_status export_events(const struct events_export *request, struct aibox_error *err);

#endif
