/* The command line. */
#ifndef AIBOX_RECEIVER_OPTIONS_H
#define AIBOX_RECEIVER_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "core/status.h"
#include "receiver.h"

#define OPTIONS_LAST_MAX  1000
#define OPTIONS_DELAY_MAX 600000 /* ms */

enum options_wish { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION };

struct options {
    const char *listen;
    struct receiver_options receiver; /* texts belong to the arguments */
    bool seeded;                      /* the seed was given */
    enum options_wish wish;
};

/* PARAM naming the option. Without --seed the seed is a random one. Not thread-safe (getopt). */
enum aibox_status options_read(int argc, char **argv, struct options *out, struct aibox_error *err);

void options_print_help(FILE *to);

#endif
