/*
 * Failed log-ins. Who fails five times for an account from an address (IPv6: from a /64) waits, each further failure
 * twice as long, up to a quarter of an hour. Over all accounts and addresses 60 failures are borne at once and one more
 * every two seconds; beyond, only addresses that have logged in to the account before are listened to, so that an
 * attacker doesn't lock out those who belong here. Any thread.
 */
#ifndef AIBOX_ACCESS_ATTEMPTS_H
#define AIBOX_ACCESS_ATTEMPTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/address.h"

#define ATTEMPTS_PAIRS    512 /* remembered; the oldest goes */
#define ATTEMPTS_FREE     5   /* failures without consequence */
#define ATTEMPTS_FIRST_S  2   /* wait after the one that follows */
#define ATTEMPTS_MOST_S   900
#define ATTEMPTS_BURST    60 /* failures of all at once */
#define ATTEMPTS_EVERY_MS 2000
#define ATTEMPTS_HASH     16

struct attempts_pair {
    uint8_t hash[ATTEMPTS_HASH]; /* of account and address */
    int64_t seen_ms;             /* 0: not in use */
    int64_t until_ms;            /* not listened to before */
    unsigned failures;           /* since the last success */
    bool trusted;                /* has logged in */
};

struct attempts {
    pthread_mutex_t mu; /* guards what follows */
    struct attempts_pair pairs[ATTEMPTS_PAIRS];
    int64_t failures_left_ms; /* ATTEMPTS_EVERY_MS each; filled up with time */
    int64_t filled_ms;
    uint8_t key[32]; /* of the hashes: names can't be found by trying */
};

/* False: out of resources. */
bool attempts_init(struct attempts *attempts);
void attempts_destroy(struct attempts *attempts);

/* 0: the attempt may be made; else the seconds after which it may. `now_ms` on clock_monotonic_ms(). */
unsigned attempts_wait_s(struct attempts *attempts, const char *name, const struct address *address, int64_t now_ms);
void attempts_failed(struct attempts *attempts, const char *name, const struct address *address, int64_t now_ms);
void attempts_succeeded(struct attempts *attempts, const char *name, const struct address *address, int64_t now_ms);

#endif
