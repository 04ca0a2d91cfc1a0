#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/id.h"

enum option_value {
    LISTEN = 1,
    OUT,
    NO_STORE,
    LAST,
    FAIL_RATE,
    DROP_RATE,
    STATUS,
    DELAY_MS,
    HANG,
    SEED,
    HELP,
    VERSION,
};

static const struct option table[] = {
    {"listen", required_argument, NULL, LISTEN},
    {"out", required_argument, NULL, OUT},
    {"no-store", no_argument, NULL, NO_STORE},
    {"last", required_argument, NULL, LAST},
    {"fail-rate", required_argument, NULL, FAIL_RATE},
    {"drop-rate", required_argument, NULL, DROP_RATE},
    {"status", required_argument, NULL, STATUS},
    {"delay-ms", required_argument, NULL, DELAY_MS},
    {"hang", no_argument, NULL, HANG},
    {"seed", required_argument, NULL, SEED},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {NULL, 0, NULL, 0},
};

void options_print_help(FILE *to)
{
    fputs("Usage: aibox-receiver [OPTION]...\n"
          "\n"
          "Takes what a box reports by POST on any path, prints it, stores it and shows it at /.\n"
          "\n"
          "  --listen ADDR:PORT  address (default 0.0.0.0:9528)\n"
          "  --out FILE          append accepted messages to FILE as JSON lines (default received.jsonl)\n"
          "  --no-store          store nothing\n"
          "  --last N            messages kept for the page (default 100)\n"
          "\n"
          "Rehearsing outages:\n"
          "  --fail-rate P       answer this share of messages with 500, from 0 to 1\n"
          "  --drop-rate P       keep this share of messages, but close the connection instead of answering\n"
          "  --status CODE       answer with this status (200 to 599)\n"
          "  --delay-ms N        answer so much later\n"
          "  --hang              never answer\n"
          "  --seed N            repeat what an earlier run with this seed did\n"
          "\n"
          "  --help, --version\n",
          to);
}

/* A whole number in decimal. */
static enum aibox_status read_number(const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *out,
                                     struct aibox_error *err)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || *out < least || *out > most)
        return error_set(err, AIBOX_PARAM, "%s: a whole number from %llu to %llu is expected", option,
                         (unsigned long long)least, (unsigned long long)most);
    return AIBOX_OK;
}

static enum aibox_status read_rate(const char *option, const char *text, double *out, struct aibox_error *err)
{
    char *end;

    *out = strtod(text, &end);
    /* Also false for NaN. */
    if (end == text || *end || !(*out >= 0 && *out <= 1))
        return error_set(err, AIBOX_PARAM, "%s: a number from 0 to 1 is expected", option);
    return AIBOX_OK;
}

static enum aibox_status read_unsigned(const char *option, const char *text, unsigned least, unsigned most,
                                       unsigned *out, struct aibox_error *err)
{
    uint64_t number = 0;
    enum aibox_status status = read_number(option, text, least, most, &number, err);

    *out = (unsigned)number;
    return status;
}

static enum aibox_status read_option(enum option_value option, struct options *out, struct aibox_error *err)
{
    struct rehearsal_options *rehearsal = &out->receiver.rehearsal;
    enum aibox_status status = AIBOX_OK;
    uint64_t number = 0;

    switch (option) {
    case LISTEN:
        out->listen = optarg;
        break;
    case OUT:
        out->receiver.out = optarg;
        break;
    case NO_STORE:
        out->receiver.out = NULL;
        break;
    case LAST:
        status = read_number("--last", optarg, 1, OPTIONS_LAST_MAX, &number, err);
        out->receiver.last = (size_t)number;
        break;
    case FAIL_RATE:
        status = read_rate("--fail-rate", optarg, &rehearsal->fail_rate, err);
        break;
    case DROP_RATE:
        status = read_rate("--drop-rate", optarg, &rehearsal->drop_rate, err);
        break;
    case STATUS:
        status = read_unsigned("--status", optarg, 200, 599, &rehearsal->status, err);
        break;
    case DELAY_MS:
        status = read_unsigned("--delay-ms", optarg, 0, OPTIONS_DELAY_MAX, &rehearsal->delay_ms, err);
        break;
    case HANG:
        rehearsal->hang = true;
        break;
    case SEED:
        out->seeded = true;
        status = read_number("--seed", optarg, 0, UINT64_MAX, &rehearsal->seed, err);
        break;
    case HELP:
        out->wish = OPTIONS_HELP;
        break;
    case VERSION:
        out->wish = OPTIONS_VERSION;
        break;
    }
    return status;
}

enum aibox_status options_read(int argc, char **argv, struct options *out, struct aibox_error *err)
{
    int option;

    *out = (struct options){
        .listen = "0.0.0.0:9528",
        .receiver = {.out = "received.jsonl", .last = 100},
    };
    id_random(&out->receiver.rehearsal.seed, sizeof out->receiver.rehearsal.seed);
    /* One that can be typed again. */
    out->receiver.rehearsal.seed %= 1000000;
    opterr = 0;
    optind = 0; /* GNU: begin anew */
    while ((option = getopt_long(argc, argv, "+:", table, NULL)) != -1) {
        enum aibox_status status;

        if (option == '?' || option == ':')
            return error_set(err, AIBOX_PARAM, option == ':' ? "%.100s needs a value" : "no option %.100s",
                             argv[optind - 1]);
        status = read_option((enum option_value)option, out, err);
        if (status != AIBOX_OK)
            return status;
    }
    if (optind < argc)
        return error_set(err, AIBOX_PARAM, "unexpected argument %.100s", argv[optind]);
    return AIBOX_OK;
}
