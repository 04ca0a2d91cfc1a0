/* What is counted of the calls, per endpoint, without locks; printed as Prometheus text. */
#ifndef AIBOX_API_METRICS_H
#define AIBOX_API_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "api/endpoint.h"
#include "core/buffer.h"
#include "core/status.h"

struct metrics;
struct metric; /* of one endpoint */

enum aibox_status metrics_open(const struct api_endpoint *table, size_t n, struct metrics **out,
                               struct aibox_error *err);
void metrics_close(struct metrics *metrics);

/* The counters of a row of the table; `endpoint` NULL: of calls that no row takes. */
struct metric *metrics_of(struct metrics *metrics, const struct api_endpoint *endpoint);

/* All: any thread. `took_us`: from the end of the request to the beginning of the answer. */
void metric_begin(struct metric *metric);
void metric_end(struct metric *metric, int http_status, int64_t took_us, size_t bytes_in, size_t bytes_out);
/* Ends a call that was never answered: its client has left. */
void metric_abandon(struct metric *metric);

/* Appends everything, and figures of the process: memory, processor time, start. */
void metrics_print(struct metrics *metrics, struct buffer *out);

#endif
