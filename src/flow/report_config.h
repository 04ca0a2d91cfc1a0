/*
 * Where reports go: three blocks that are set as a whole, kept in the store as JSON documents and held in memory for
 * those who send. All functions but open and close: any thread.
 */
#ifndef AIBOX_FLOW_REPORT_CONFIG_H
#define AIBOX_FLOW_REPORT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "core/url.h"

#define REPORT_MAX_URLS       16
#define REPORT_MAX_PERIOD_S   86400
#define REPORT_DEFAULT_PERIOD 20 /* s */

struct report_config;
struct store;

/* No URLs: that report is off. In the order of sending, none twice. */
struct report_urls {
    size_t count;
    char items[REPORT_MAX_URLS][URL_MAX + 1];
};

enum report_encoding { REPORT_JSON, REPORT_FORM_DATA };
extern const char *const report_encoding_names[]; /* wire words: json, form-data */

/* Where a receiver starts that has no cursor yet: with the next event, or the oldest one kept. */
enum report_start { REPORT_FROM_NOW, REPORT_FROM_OLDEST };
extern const char *const report_start_names[]; /* wire words: now, oldest */

/* Real-time events. */
struct report_realtime {
    struct report_urls urls;
    enum report_encoding encoding;
    bool reg_pic, spot_pic, face_pic; /* which pictures go along */
    bool everybody;                   /* strangers too */
};

/* The event history. */
struct report_history {
    struct report_urls urls;
    enum report_encoding encoding;
    int period_s; /* 1..REPORT_MAX_PERIOD_S */
    bool reg_pic, spot_pic, face_pic;
    enum report_start from;
};

/* The box's status; always JSON. */
struct report_monitor {
    char url[URL_MAX + 1]; /* "": off */
    int period_s;          /* 1..REPORT_MAX_PERIOD_S */
};

/* Reads what `store` (which must outlive it) keeps. A block that can't be read is logged and counts as never set. */
enum aibox_status report_config_open(struct store *store, struct report_config **out, struct aibox_error *err);
void report_config_close(struct report_config *config); /* NULL is allowed */

/*
 * Fills `urls` from a list as clients send it: [] and [""] are no URLs, repeated ones count once. PARAM naming `field`
 * for what is no URL, or more than REPORT_MAX_URLS.
 */
enum aibox_status report_urls_read(const char *field, const char *const *items, size_t n, struct report_urls *urls,
                                   struct aibox_error *err);

/* A copy of the block in force; never set: off, JSON, all pictures, known people only, every 20 s, from now. */
void report_config_realtime(struct report_config *config, struct report_realtime *out);
void report_config_history(struct report_config *config, struct report_history *out);
void report_config_monitor(struct report_config *config, struct report_monitor *out);

/* Stores a block of checked values and puts it into force: durable at return. A failure changes nothing. */
enum aibox_status report_config_set_realtime(struct report_config *config, const struct report_realtime *block,
                                             struct aibox_error *err);
enum aibox_status report_config_set_history(struct report_config *config, const struct report_history *block,
                                            struct aibox_error *err);
enum aibox_status report_config_set_monitor(struct report_config *config, const struct report_monitor *block,
                                            struct aibox_error *err);

/*
 * `changed` is called on the changing thread after each change, when the new values are in force and before the caller
 * is answered; it must not change them. One listener; NULL: nobody is told any more (and nobody is being told when this
 * returns).
 */
void report_config_listen(struct report_config *config, void (*changed)(void *ctx), void *ctx);

/* Forgets all three. After a failure those before the one that failed are forgotten. */
enum aibox_status report_config_reset(struct report_config *config, struct aibox_error *err);

#endif
