/* Time between tries: 1 s, doubling to 60 s, a quarter more or less by chance, so that boxes don't come all at once. */
#ifndef AIBOX_CLOUD_RETRY_H
#define AIBOX_CLOUD_RETRY_H

#include <stdint.h>

#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS  60000

struct retry {
    int64_t wait_ms; /* the last one, without chance; 0 at first, and after a success */
};

/* How long to wait now. */
int64_t retry_next_ms(struct retry *retry);

#endif
