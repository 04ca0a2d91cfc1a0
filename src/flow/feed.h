/*
 * What happens on the box, for those who watch it live (GET /api/stream): new events, and short messages about devices,
 * status, commands and jobs.
 *
 * Events are in the store, where a watcher reads them at its own pace (store_events_after()); the feed only tells that
 * there are new ones. Messages are kept in a ring of FEED_MESSAGES; a watcher who is further behind misses them. Nobody
 * who publishes ever waits for a watcher. All functions: any thread.
 */
#ifndef AIBOX_FLOW_FEED_H
#define AIBOX_FLOW_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "store/store.h"

#define FEED_MESSAGES    4096
#define FEED_MAX_MESSAGE ((size_t)1 << 20) /* bytes; a longer one is not published */

struct feed;

enum feed_kind { FEED_EVENT, FEED_DEVICE, FEED_STATUS, FEED_COMMAND, FEED_JOB, FEED_KINDS };
extern const char *const feed_kind_names[]; /* wire words: event, device, status, command, job */

/* `store` must outlive it. */
enum aibox_status feed_open(struct store *store, struct feed **out, struct aibox_error *err);
/* Sends all watchers away: feed_wait() tells them to leave. */
void feed_end(struct feed *feed); /* NULL is allowed */
/* All watchers must have left. NULL is allowed. */
void feed_close(struct feed *feed);

/* Publishes a JSON text (copied). Not for FEED_EVENT. Cheap while nobody watches. */
void feed_publish(struct feed *feed, enum feed_kind kind, const char *json);
/* Whether a message would reach somebody. */
bool feed_is_watched(struct feed *feed);
/* `changed` is called when the first watcher has come; one listener, set before there are watchers. */
void feed_on_watched(struct feed *feed, void (*changed)(void *ctx), void *ctx);

/* ---- watching ------------------------------------------------------------------------------------------- */

struct feed_place {
    uint64_t next; /* number of the next message */
};
/* TOO_MANY_REQUESTS beyond `most` watchers. From now on, to be ended by feed_leave(). */
enum aibox_status feed_enter(struct feed *feed, size_t most, struct feed_place *place, struct aibox_error *err);
void feed_leave(struct feed *feed);

enum feed_news {
    FEED_EVENTS,  /* there are events behind `seq` */
    FEED_MESSAGE, /* *kind and *json (freed by the caller) are the next message; NULL: out of memory */
    FEED_MISSED,  /* messages went by unseen; the place is behind them */
    FEED_QUIET,   /* nothing in time */
    FEED_ENDED    /* the box stops */
};
/* Waits for the first of them, at most `wait_ms`. Messages go before events. `seq`: of the last event seen. */
enum feed_news feed_wait(struct feed *feed, struct feed_place *place, int64_t seq, int64_t wait_ms,
                         enum feed_kind *kind, char **json);

#endif
