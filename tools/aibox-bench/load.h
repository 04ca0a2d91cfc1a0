/* Many connections asking the same thing over and over, from one thread. */
#ifndef AIBOX_BENCH_LOAD_H
#define AIBOX_BENCH_LOAD_H

#include <stddef.h>

#include "core/buffer.h"
#include "core/status.h"
#include "daemon.h"

#define LOAD_MAX_CONNECTIONS 64

struct load_result {
    double per_second; /* answers with status 200 */
    size_t answers, failures;
};

/* `connections` of them for `seconds`. PROCESS_FAILED. */
enum aibox_status load_run(const struct daemon *daemon, const struct buffer *request, size_t connections,
                           double seconds, struct load_result *out, struct aibox_error *err);

#endif
