/* The audit log as the API writes it: who called what, and which things the arguments named. */
#ifndef AIBOX_API_AUDIT_H
#define AIBOX_API_AUDIT_H

#include <stdbool.h>

#include "api/access.h"
#include "api/request.h"
#include "core/status.h"

/* Whether a call that ended so is kept. What strangers cause is not, but for log-ins: it has no bound. Any thread. */
bool audit_wants(const struct api_endpoint *endpoint, const struct access_grant *grant, enum aibox_status status);

/* Stores the entry; waits until it is durable. A failure is logged: what was done is done. Any thread but the writer's.
 */
void audit_write(const struct api *api, const struct api_request *req, int http_status);

#endif
