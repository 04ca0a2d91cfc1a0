/*
 * One destination that is POSTed to over HTTP, with a connection that is kept. Certificates are verified, proxies taken
 * from the environment; a redirect is followed (at most three times, as a POST) only to the same host, and never from
 * https to http.
 */
#ifndef AIBOX_REPORT_POST_H
#define AIBOX_REPORT_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define POST_REASON     160
#define POST_MAX_ANSWER ((size_t)64 << 10) /* bytes of an answer that are looked at */

struct post;

struct post_request {
    const char *url;
    const char *content_type;
    const void *body;
    size_t size;
    const char *event_id; /* sent as Idempotency-Key; NULL: none */
    const char *allow;    /* value of the setting reports.allow */
    int64_t timeout_ms;   /* for everything */
};

struct post_answer {
    int http_status;          /* 0: there was no answer */
    char reason[POST_REASON]; /* what is wrong, for people, without the URL; "" after success */
    char *body;               /* NUL-terminated; valid until the next post_send or post_close; "" without */
    size_t size;
};

enum aibox_status post_open(struct post **out, struct aibox_error *err);
void post_close(struct post *post); /* NULL is allowed */

/*
 * Sends and waits for the answer. True: a status of 2xx. One thread at a time.
 */
bool post_send(struct post *post, const struct post_request *request, struct post_answer *answer);

/* Ends a send that is under way, and lets all later ones fail until post_allow_again(). Any thread. */
void post_cancel(struct post *post);
void post_allow_again(struct post *post);

#endif
