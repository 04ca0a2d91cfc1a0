/* How long the stages of the pipeline take: lock-free histograms for /metrics. */
#ifndef AIBOX_FLOW_STAGES_H
#define AIBOX_FLOW_STAGES_H

#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"

enum stage {
    STAGE_DECODE,
    STAGE_DETECT,
    STAGE_LANDMARKS,
    STAGE_QUALITY,
    STAGE_LIVENESS,
    STAGE_ATTRIBUTES,
    STAGE_EMBED,
    STAGE_SEARCH,
    STAGE_STORE,
    STAGE_DECISION, /* the whole chain, from call to durable event */
    STAGE_COUNT
};

struct stages;

struct stages *stages_new(void); /* NULL: no memory */
void stages_free(struct stages *stages);
void stages_add(struct stages *stages, enum stage stage, int64_t duration_us);

/* Of the last decisions, STAGES_RECENT at most. */
#define STAGES_RECENT 512
struct flow_latency; /* flow/flow.h */
struct flow_latency stages_latency(const struct stages *stages);
void stages_print(const struct stages *stages, struct buffer *out);

#endif
