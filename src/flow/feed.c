#include "flow/feed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

const char *const feed_kind_names[] = {"event", "device", "status", "command", "job"};

struct message {
    enum feed_kind kind;
    char *json;
};

struct feed {
    struct store *store;
    void (*watched)(void *ctx); /* constant once there are watchers */
    void *watched_ctx;
    pthread_mutex_t mu; /* guards what follows; leaf */
    pthread_cond_t news;
    struct message ring[FEED_MESSAGES]; /* message n is at n % FEED_MESSAGES */
    uint64_t next;                      /* number of the next message */
    size_t watchers;
    bool ended;
};

/* ---- life -------------------------------------------------------------------------------------------------- */

/* On the store's writer thread. */
static void on_events(void *ctx)
{
    struct feed *feed = ctx;

    pthread_mutex_lock(&feed->mu);
    if (feed->watchers > 0)
        pthread_cond_broadcast(&feed->news);
    pthread_mutex_unlock(&feed->mu);
}

enum aibox_status feed_open(struct store *store, struct feed **out, struct aibox_error *err)
{
    struct feed *feed = calloc(1, sizeof *feed);

    *out = NULL;
    if (feed == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    feed->store = store;
    pthread_mutex_init(&feed->mu, NULL);
    if (!clock_cond_init(&feed->news)) {
        pthread_mutex_destroy(&feed->mu);
        free(feed);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    store_events_listen(store, on_events, feed);
    *out = feed;
    return AIBOX_OK;
}

void feed_end(struct feed *feed)
{
    if (feed == NULL)
        return;
    pthread_mutex_lock(&feed->mu);
    feed->ended = true;
    pthread_cond_broadcast(&feed->news);
    pthread_mutex_unlock(&feed->mu);
}

void feed_close(struct feed *feed)
{
    if (feed == NULL)
        return;
    store_events_unlisten(feed->store, on_events, feed);
    for (size_t i = 0; i < FEED_MESSAGES; i++)
        free(feed->ring[i].json);
    pthread_cond_destroy(&feed->news);
    pthread_mutex_destroy(&feed->mu);
    free(feed);
}

/* ---- publishing -------------------------------------------------------------------------------------------- */

bool feed_is_watched(struct feed *feed)
{
    pthread_mutex_lock(&feed->mu);
    bool watched = feed->watchers > 0;
    pthread_mutex_unlock(&feed->mu);
    return watched;
}

void feed_on_watched(struct feed *feed, void (*changed)(void *ctx), void *ctx)
{
    feed->watched = changed;
    feed->watched_ctx = ctx;
}

void feed_publish(struct feed *feed, enum feed_kind kind, const char *json)
{
    if (!feed_is_watched(feed) || strlen(json) > FEED_MAX_MESSAGE)
        return;
    char *copy = strdup(json);
    if (copy == NULL)
        return;
    pthread_mutex_lock(&feed->mu);
    struct message *slot = &feed->ring[feed->next % FEED_MESSAGES];
    char *old = slot->json;
    slot->kind = kind;
    slot->json = copy;
    feed->next++;
    pthread_cond_broadcast(&feed->news);
    pthread_mutex_unlock(&feed->mu);
    free(old);
}

/* ---- watching ---------------------------------------------------------------------------------------------- */

enum aibox_status feed_enter(struct feed *feed, size_t most, struct feed_place *place, struct aibox_error *err)
{
    pthread_mutex_lock(&feed->mu);
    bool room = feed->watchers < most;
    bool first = feed->watchers == 0;
    if (room)
        feed->watchers++;
    place->next = feed->next;
    pthread_mutex_unlock(&feed->mu);
    if (!room)
        return error_set(err, AIBOX_TOO_MANY_REQUESTS, "%zu clients watch already, the most there can be", most);
    if (first && feed->watched != NULL)
        feed->watched(feed->watched_ctx);
    return AIBOX_OK;
}

void feed_leave(struct feed *feed)
{
    pthread_mutex_lock(&feed->mu);
    feed->watchers--;
    pthread_mutex_unlock(&feed->mu);
}

/* What there is at once, with the lock held. */
static enum feed_news look(struct feed *feed, struct feed_place *place, int64_t seq, enum feed_kind *kind, char **json)
{
    if (feed->ended)
        return FEED_ENDED;
    if (feed->next - place->next > FEED_MESSAGES) {
        place->next = feed->next;
        return FEED_MISSED;
    }
    if (feed->next > place->next) {
        const struct message *message = &feed->ring[place->next++ % FEED_MESSAGES];
        *kind = message->kind;
        *json = strdup(message->json);
        return FEED_MESSAGE;
    }
    return store_event_newest(feed->store) > seq ? FEED_EVENTS : FEED_QUIET;
}

enum feed_news feed_wait(struct feed *feed, struct feed_place *place, int64_t seq, int64_t wait_ms,
                         enum feed_kind *kind, char **json)
{
    struct timespec until = clock_deadline(wait_ms);
    enum feed_news news;
    int late = 0;

    pthread_mutex_lock(&feed->mu);
    while ((news = look(feed, place, seq, kind, json)) == FEED_QUIET && late == 0)
        late = pthread_cond_timedwait(&feed->news, &feed->mu, &until);
    pthread_mutex_unlock(&feed->mu);
    return news;
}
