/*
 * aibox-receiver: takes what a box reports, for integrators who want to see it and for tests that want to rehearse
 * outages. docs/aibox-receiver.md shows it at work.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "options.h"
#include "server.h"
#include "text.h"

#define STOP_GRACE_MS 1000

static int complain(const struct aibox_error *err)
{
    fprintf(stderr, "aibox-receiver: %s\n", err->message);
    return EXIT_FAILURE;
}

/* Signals are blocked in every thread and taken in run(). */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void say_ready(const struct options *options, const struct server *server)
{
    const struct rehearsal_options *rehearsal = &options->receiver.rehearsal;

    if (options->receiver.out)
        printf("aibox-receiver: stores in %s\n", options->receiver.out);
    if (rehearsal->fail_rate > 0 || rehearsal->drop_rate > 0)
        printf("aibox-receiver: rehearses with --seed %llu\n", (unsigned long long)rehearsal->seed);
    printf("aibox-receiver: ready on http://%s\n", server_address(server));
    (void)fflush(stdout);
}

static int run(const struct options *options)
{
    struct receiver *receiver = NULL;
    struct server *server = NULL;
    struct aibox_error err;
    int signal_number = 0;
    sigset_t set;

    block_signals(&set);
    if (receiver_open(&options->receiver, &receiver, &err) != AIBOX_OK)
        return complain(&err);
    if (server_open(options->listen, receiver, &server, &err) != AIBOX_OK) {
        receiver_close(receiver);
        return complain(&err);
    }
    say_ready(options, server);
    (void)sigwait(&set, &signal_number);
    log_info("receiver", "stopping signal=%d", signal_number);
    server_close(server, STOP_GRACE_MS);
    receiver_print_summary(receiver);
    receiver_close(receiver);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct options options;
    struct aibox_error err;

    text_set_up();
    if (options_read(argc, argv, &options, &err) != AIBOX_OK) {
        (void)complain(&err);
        fputs("aibox-receiver --help tells more\n", stderr);
        return EXIT_FAILURE;
    }
    switch (options.wish) {
    case OPTIONS_HELP:
        options_print_help(stdout);
        return EXIT_SUCCESS;
    case OPTIONS_VERSION:
        puts("aibox-receiver " AIBOX_VERSION);
        return EXIT_SUCCESS;
    case OPTIONS_RUN:
        break;
    }
    return run(&options);
}
