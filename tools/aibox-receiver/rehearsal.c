#include "rehearsal.h"

bool rehearsal_open(struct rehearsal *rehearsal, const struct rehearsal_options *options)
{
    rehearsal->options = *options;
    rehearsal->state = options->seed;
    return pthread_mutex_init(&rehearsal->mu, NULL) == 0;
}

void rehearsal_close(struct rehearsal *rehearsal)
{
    (void)pthread_mutex_destroy(&rehearsal->mu);
}

/* From 0 to less than 1. SplitMix64: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014. */
static double draw(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    mixed ^= mixed >> 31;
    return (double)(mixed >> 11) * 0x1p-53;
}

enum rehearsal_act rehearsal_next(struct rehearsal *rehearsal)
{
    const struct rehearsal_options *options = &rehearsal->options;
    bool drop;
    bool fail;

    /* Always two numbers, so that one rate does not shift the other's sequence. */
    pthread_mutex_lock(&rehearsal->mu);
    drop = draw(&rehearsal->state) < options->drop_rate;
    fail = draw(&rehearsal->state) < options->fail_rate;
    pthread_mutex_unlock(&rehearsal->mu);
    if (options->hang)
        return REHEARSAL_HANG;
    if (drop)
        return REHEARSAL_DROP;
    return fail ? REHEARSAL_FAIL : REHEARSAL_NONE;
}
