/*
 * People with photos as a ZIP archive that import.h reads back: all photos of everybody, people.csv with everybody, and
 * labels.json (import_labels.h).
 * Written as it is read, one person at a time.
 */
#ifndef AIBOX_FLOW_EXPORT_H
#define AIBOX_FLOW_EXPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "store/store.h"

/* False: nobody wants more. */
typedef bool (*export_write)(void *ctx, const void *bytes, size_t size);

struct export_request {
    struct store *store;
    const char *group;  /* members of this one; NULL: everybody */
    const char *folder; /* for temporary files without names: the table, which comes last */
    export_write write;
    void *ctx;
};

/*
 * Everybody who is there all the time is in it once; who comes or goes meanwhile may be. Memory: a few people.
 * NOT_FOUND: no such group, and nothing was written. PROCESS_FAILED: what was written is no whole archive.
 */
enum aibox_status export_people(const struct export_request *request, struct aibox_error *err);

#endif
