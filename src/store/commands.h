/* What the platform has ordered: the inbox, what came of it, and what could not be executed. */
#ifndef AIBOX_STORE_COMMANDS_H
#define AIBOX_STORE_COMMANDS_H

#include "store/store.h"

/* ---- inbox: commands of the platform ---------------------------------------------------------------------- */

#define STORE_INBOX_MAX       1000                /* commands of one queue that wait */
#define STORE_INBOX_MAX_BYTES ((size_t)256 << 20) /* of one queue's bodies; a single one always has room */
#define STORE_MAX_COMMAND     ((size_t)32 << 20)  /* bytes of a body */
#define STORE_MAX_MESSAGE_ID  1024                /* bytes */
#define STORE_ANSWERED_MAX    100000              /* executed commands that are remembered, */
#define STORE_ANSWERED_DAYS   7                   /* for so long */

enum store_inbox_queue { STORE_INBOX_MAIN, STORE_INBOX_FIQA };
#define STORE_INBOX_QUEUES 2

struct store_command {
    int64_t inbox_id; /* set by the store; the order in which commands came; 0: none */
    enum store_inbox_queue queue;
    const char *message_id; /* "": none */
    bool redelivered;       /* for store_inbox_add(): the broker says so; counts for commands without message id */
    const void *body;       /* in what the store returns with a NUL behind it that `size` doesn't count */
    size_t size;
    int64_t received_ms; /* Unix ms; set by the store */
    void *memory;        /* owner of message_id and body in what the store returns */
};
void store_command_free(struct store_command *command);

enum store_inbox_outcome {
    STORE_INBOX_NEW,
    STORE_INBOX_WAITING,  /* the same command is in the inbox: nothing was added */
    STORE_INBOX_ANSWERED, /* the same command was executed: its result was put into the outbox again, as far as there
                             was one and no wipe of people has destroyed it */
};
/*
 * Durable at return. A command is the same when message id and body are; without message id, only when the broker
 * delivers it again and it is in the inbox or among the last few that were executed. TOO_MANY_REQUESTS: the inbox (or,
 * for a result that is to be sent again, the outbox) is full. PARAM: too long.
 */
enum aibox_status store_inbox_add(struct store *store, const struct store_command *command,
                                  enum store_inbox_outcome *outcome, struct aibox_error *err);
/* The oldest command of the queue; inbox_id 0: there is none. */
enum aibox_status store_inbox_next(struct store *store, enum store_inbox_queue queue, struct store_command *out,
                                   struct aibox_error *err);
/* One transaction: the command is gone, it is remembered as executed, its result (NULL: none) is in the outbox and kept
 * for a repetition of the command. NOT_FOUND: it is gone already. TOO_MANY_REQUESTS: no room in the outbox. */
enum aibox_status store_inbox_finish(struct store *store, int64_t inbox_id, const struct store_message *result,
                                     struct aibox_error *err);
/* How many wait, and since when the oldest does (Unix ms; 0: none). */
enum aibox_status store_inbox_count(struct store *store, enum store_inbox_queue queue, size_t *count,
                                    int64_t *oldest_ms, struct aibox_error *err);

#define STORE_MAX_OUTCOME 4096 /* bytes */

/* What became of a part of a command that is being executed. Gone with the command. */
struct store_progress {
    int64_t inbox_id;
    const char *part;    /* which part, e.g. an identity id; at most STORE_MAX_NAME bytes */
    const char *outcome; /* any text */
};
/* Durable at return; replaces what was there. For a part's outcome that goes along with a person's change see struct
 * store_person_change. */
enum aibox_status store_inbox_progress_put(struct store *store, const struct store_progress *progress,
                                           struct aibox_error *err);
/* *outcome is freed by the caller; NULL: there is none, which is no error. */
enum aibox_status store_inbox_progress_get(struct store *store, int64_t inbox_id, const char *part, char **outcome,
                                           struct aibox_error *err);

/* ---- commands whose effect and result are one transaction --------------------------------------------------- */

/*
 * How a command is finished in the transaction of its effect: `compose` is called on the writer thread when the effect
 * is certain but for the commit; it must be quick and not call the store. It returns the result as for
 * store_inbox_finish(), valid until the call that was given the answer returns. When that call fails the command is
 * still in the inbox, without effect.
 */
struct store_answer {
    int64_t inbox_id;
    const struct store_message *(*compose)(void *ctx);
    void *ctx;
};

/* Deletes those of the people that there are; deleted[i] (set before `compose`) tells which. An id named twice is
 * deleted once, and both say so. */
enum aibox_status store_people_delete_known(struct store *store, const char *const *identity_ids, size_t n,
                                            bool *deleted, const struct store_answer *answer, struct aibox_error *err);
/* As store_wipe(). A failure after the rows are gone is one of the bytes on the disk: the command is finished then. */
enum aibox_status store_wipe_answering(struct store *store, bool people, bool events, const struct store_answer *answer,
                                       struct aibox_error *err);

/* A permission group as it is to be. */
struct store_permission_wish {
    const char *id, *name, *description;
    enum aibox_status status; /* set by the store, before `compose`: AIBOX_OK, or why this one could not be had */
    char reason[256];
};
/* Creates those that there are not (by id) and gives the others name and description, each on its own: one that can't
 * be had stays as it was. `replace`: deletes all others but "0" before. */
enum aibox_status store_permissions_sync(struct store *store, struct store_permission_wish *wishes, size_t n,
                                         bool replace, const struct store_answer *answer, struct aibox_error *err);

/* ---- commands that could not be executed --------------------------------------------------------------------- */

#define STORE_DEAD_MAX          1000 /* the newest are kept */
#define STORE_DEAD_EXCERPT_DAYS 7    /* their excerpts for so long: they may name people */
#define STORE_MAX_DEAD_TEXT     1024 /* bytes of reason, and of excerpt */

struct store_dead_command {
    int64_t dead_id, time_ms; /* set by the store; Unix ms */
    const char *method;       /* "" when it is not known */
    const char *message_id;   /* "": none */
    const char *reason;
    const char *excerpt; /* of the body; "" after some days, or a wipe of people */
};
enum aibox_status store_dead_command_add(struct store *store, const struct store_dead_command *dead,
                                         struct aibox_error *err);
/* Newest first; `each` must not call the store, and stops it by returning false. */
enum aibox_status store_dead_command_each(struct store *store, size_t skip, size_t limit,
                                          bool (*each)(void *ctx, const struct store_dead_command *dead), void *ctx,
                                          size_t *total, struct aibox_error *err);

#endif
