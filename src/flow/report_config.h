/*
 * Where reports go: three blocks that are set as a whole, kept in the store as JSON documents and held in memory for
 * those who send; and beside them the addresses that the platform's login names. All functions but open and close: any
 * thread.
 */
#ifndef AIBOX_FLOW_REPORT_CONFIG_H
#define AIBOX_FLOW_REPORT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "core/url.h"

#define REPORT_MAX_URLS       16
#define REPORT_MAX_PERIOD_S   86400
#define REPORT_DEFAULT_PERIOD 20   /* s */
#define REPORT_MAX_COMPOSED   4096 /* bytes of an address of the platform, serial number and token included */

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

/* ---- the platform's addresses ------------------------------------------------------------------------------------ */

struct report_address {
    char identity[URL_MAX + 1]; /* the address without its token: the same after every login; "": there is none */
    char url[REPORT_MAX_COMPOSED + 1]; /* what is sent to; "": not known before the next login */
};

/* What a login says. Times out of range count as the nearest one that isn't. */
struct report_platform {
    struct report_address history[REPORT_MAX_URLS]; /* recordAddr */
    size_t n_history;
    int history_period_s;
    bool reg_pic, spot_pic, face_pic;  /* which pictures go along with the history */
    bool info;                         /* the person's info too */
    struct report_address device_info; /* device operations */
    struct report_address device_list; /* the whole list of devices instead of them */
    struct report_address monitor;     /* the status */
    int monitor_period_s;
};

/*
 * Puts what the login says (copied) beside the blocks; NULL: there is no platform. The identities, but no token, are
 * kept in the store: until the first login after a start the history is held back for them, and messages about devices
 * wait. When they can't be kept that is logged.
 */
void report_config_set_platform(struct report_config *config, const struct report_platform *platform);

/* ---- both together ----------------------------------------------------------------------------------------------- */

#define REPORT_MAX_TARGETS (2 * REPORT_MAX_URLS)

/*
 * One receiver. An address that a block and the login both name is one receiver: reached by the login's URL, with its
 * wish for info, and otherwise as the block says.
 */
struct report_target {
    struct report_address address; /* its cursor and figures go by the identity */
    int period_s;
    /* History only. */
    enum report_encoding encoding;
    bool reg_pic, spot_pic, face_pic, info;
    enum report_start from;
};

/* The i-th receiver of the history (of at most REPORT_MAX_TARGETS) or of the status (of at most 2), those of the blocks
 * first; false: there are no more. */
bool report_config_history_target(struct report_config *config, size_t i, struct report_target *out);
bool report_config_monitor_target(struct report_config *config, size_t i, struct report_target *out);
/* The one of that identity; false: there is none any more. */
bool report_config_find_history(struct report_config *config, const char *identity, struct report_target *out);
bool report_config_find_monitor(struct report_config *config, const char *identity, struct report_target *out);
/* The login's address for news of devices; *list: for the whole list instead of operations. False: it names none. */
bool report_config_devices(struct report_config *config, struct report_address *out, bool *list);

/* Forgets the three blocks. After a failure those before the one that failed are forgotten. */
enum aibox_status report_config_reset(struct report_config *config, struct aibox_error *err);

#endif
