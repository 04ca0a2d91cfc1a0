#include "cloud/retry.h"

#include "core/id.h"

int64_t retry_next_ms(struct retry *retry)
{
    int64_t wait_ms = retry->wait_ms == 0 ? RETRY_FIRST_MS : retry->wait_ms * 2;
    uint32_t chance;

    retry->wait_ms = wait_ms < RETRY_MOST_MS ? wait_ms : RETRY_MOST_MS;
    id_random(&chance, sizeof chance);
    wait_ms = retry->wait_ms * 3 / 4 + chance % (retry->wait_ms / 2 + 1);
    return wait_ms < RETRY_MOST_MS ? wait_ms : RETRY_MOST_MS;
}
