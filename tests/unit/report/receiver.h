/* A small server on loopback that takes what the box sends, and answers as told. */
#ifndef AIBOX_TEST_REPORT_RECEIVER_H
#define AIBOX_TEST_REPORT_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>

#define RECEIVER_MOST 256 /* requests that are kept */

struct receiver;

struct received {
    char *target; /* path, '?' and query */
    char *body;
    int answered; /* HTTP status */
};

struct receiver *receiver_open(void);
void receiver_close(struct receiver *receiver);
const char *receiver_url(const struct receiver *receiver); /* http://127.0.0.1:PORT */
/* From now on every request is answered so. */
void receiver_answer(struct receiver *receiver, int status, const char *body);
/* Waits (20 s at most, else the test fails) for the n-th request, counted from 0, that was answered with 2xx. Valid
 * until the receiver is closed. */
const struct received *receiver_taken(struct receiver *receiver, size_t n);
/* Likewise of all requests. */
const struct received *receiver_got(struct receiver *receiver, size_t n);
/* How many have come so far. */
size_t receiver_count(struct receiver *receiver);

#endif
