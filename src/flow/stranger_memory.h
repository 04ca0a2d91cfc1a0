/* The memory for strangers at work: whose face is remembered, and who is forgotten. Private to the room. */
#ifndef AIBOX_FLOW_STRANGER_MEMORY_H
#define AIBOX_FLOW_STRANGER_MEMORY_H

#include "flow/flow_internal.h"
#include "flow/strangers.h"

/* False: this decision's face is not remembered, and there is nothing to settle (strangers_settle()). `mark` is for its
 * event. */
bool stranger_memory_claim(struct flow *flow, const struct generation *generation, const struct flow_decision *decision,
                           struct strangers_claim *claim, struct store_stranger_mark *mark);

/* Somebody was enrolled with this face: strangers no more. `out` may be NULL. */
void stranger_memory_enrolled(struct flow *flow, const struct generation *generation, const float *embedding,
                              struct flow_past_strangers *out);

#endif
