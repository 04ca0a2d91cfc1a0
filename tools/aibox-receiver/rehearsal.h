/* Outages on purpose: what is to go wrong with the next message. */
#ifndef AIBOX_RECEIVER_REHEARSAL_H
#define AIBOX_RECEIVER_REHEARSAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct rehearsal_options {
    double fail_rate;  /* 0 to 1: answered with 500, not kept */
    double drop_rate;  /* 0 to 1: kept, but the connection is closed instead of answering */
    unsigned status;   /* every answer has it; only with 200 to 299 messages are kept. 0: as things go */
    unsigned delay_ms; /* from having kept a message to answering */
    bool hang;         /* nothing is kept or answered */
    uint64_t seed;     /* the same seed, the same sequence */
};

enum rehearsal_act { REHEARSAL_NONE, REHEARSAL_FAIL, REHEARSAL_DROP, REHEARSAL_HANG };

struct rehearsal {
    struct rehearsal_options options; /* constant */
    pthread_mutex_t mu;
    uint64_t state; /* guarded by `mu` */
};

/* False: out of resources. */
bool rehearsal_open(struct rehearsal *rehearsal, const struct rehearsal_options *options);
void rehearsal_close(struct rehearsal *rehearsal);

/* What happens to the next message: to hang comes before to drop, and that before to fail. Any thread. */
enum rehearsal_act rehearsal_next(struct rehearsal *rehearsal);

#endif
