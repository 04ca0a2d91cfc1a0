/*
 * Refused calls (401, 403) in the audit log: one entry for a caller, a route and a minute, with the number of calls.
 * However many come, REFUSALS_MOST callers and routes are told apart in a minute; what is beyond them is counted in one
 * more entry.
 */
#ifndef AIBOX_API_REFUSALS_H
#define AIBOX_API_REFUSALS_H

#include "api/access.h"
#include "core/status.h"
#include "store/store.h"

#define REFUSALS_MOST 64

struct refusals;

/* Starts a thread, which writes. `store` must outlive it. */
enum aibox_status refusals_open(struct store *store, struct refusals **out, struct aibox_error *err);
/* Writes what is left. NULL allowed. */
void refusals_close(struct refusals *refusals);

/* The caller was refused with this HTTP status. Never waits; any thread. NULL allowed: not kept. */
void refusals_note(struct refusals *refusals, const struct api_endpoint *endpoint, const struct access_grant *grant,
                   int http_status);

#endif
