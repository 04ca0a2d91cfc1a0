/*
 * Read by clang-tidy before every file but src/core/status.c. The analyser looks at one file at a time and would take
 * error_set() for a call that may return success: it is told that the status that goes in comes out.
 */
#include "core/status.h"

#define error_set(err, status, ...) ((void)(error_set)(err, status, __VA_ARGS__), (status))
