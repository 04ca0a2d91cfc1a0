/*
 * What the box keeps: people, faces, groups, permission groups, events, devices, settings. SQLite, two files in the
 * data folder: aibox.db (rows) and pictures.db (picture bytes by SHA-256, written before and swept after the rows that
 * name them, so that a row never names a picture that isn't there).
 *
 * One writer thread executes changes in the order they were asked for, several of them in one transaction (group
 * commit): a caller returns when its change is durable, or with the reason why it was undone, alone, as a whole. Reads
 * run on the calling thread from a pool of connections and see the last committed state. All functions: any thread,
 * unless told otherwise.
 *
 * Structs filled by this room own their memory and are released by their _free function (NULL or zeroed allowed).
 */
#ifndef AIBOX_STORE_STORE_H
#define AIBOX_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define STORE_DIMENSION       512
#define STORE_MAX_FACES       5    /* per person; the oldest is dropped */
#define STORE_MAX_GROUPS      1000 /* also the limit of permission groups; labels are 0..1023 */
#define STORE_MAX_LABELS      1024
#define STORE_MAX_IDENTITY    64    /* bytes */
#define STORE_MAX_NAME        256   /* bytes */
#define STORE_MAX_INFO        65536 /* bytes of JSON */
#define STORE_MAX_DESCRIPTION 4096  /* bytes */
#define STORE_DEFAULT_GROUP   "default_group"
#define STORE_EVERYBODY       "0" /* permission group of those who are given none */

struct settings;
struct store;
struct store_progress;

struct store_text_list {
    char **items;
    size_t count;
};
void store_text_list_free(struct store_text_list *list);

/* ---- opening ------------------------------------------------------------------------------- */

/* The state of one person as the gallery needs it. Valid during the call only. */
struct store_template {
    int64_t person_id;
    const float *features;       /* n_faces × 512, newest last; of the listener's model set only */
    size_t n_faces;              /* 0: deleted, or without a usable face */
    const uint64_t *groups;      /* STORE_MAX_LABELS bits */
    const uint64_t *permissions; /* STORE_MAX_LABELS bits */
};

/*
 * Called on the writer thread after a commit and before the callers of that commit return, in commit order; must not
 * call the store. A false return is counted and logged. Any may be NULL.
 */
struct store_listener {
    void *ctx;
    const char *model_set; /* features of other model sets are left out */
    bool (*person)(void *ctx, const struct store_template *state);
    void (*group_dropped)(void *ctx, unsigned label);
    void (*permission_dropped)(void *ctx, unsigned label);
    void (*people_cleared)(void *ctx);
    /* A stranger (store/strangers.h) came, with a face of 512 floats; or is gone, or of another model set: NULL. */
    bool (*stranger)(void *ctx, int64_t stranger_id, const float *feature);
};

/*
 * Opens (creates, migrates) the data folder: mode 0700, locked against a second box ("another aiboxd uses this data
 * folder"). `capacity`: people at most (GALLERY_FULL beyond).
 */
enum aibox_status store_open(const char *data_dir, size_t capacity, struct store **out, struct aibox_error *err);
/* The same with the key for stored secrets in `key_file` (seal.h); NULL: in its usual place. PROCESS_FAILED in one
 * sentence: it is missing, is none, or is not the one that the data was encrypted with. */
enum aibox_status store_open_keyed(const char *data_dir, const char *key_file, size_t capacity, struct store **out,
                                   struct aibox_error *err);
void store_set_capacity(struct store *store, size_t capacity); /* for people that are added from now on */
#define STORE_LISTENERS 2 /* the gallery in force, and one that is to take its place */
/* Between two commits; copied with its model_set. Changes committed after the return are told, to one listener after
 * the other. PROCESS_FAILED: no room, no memory. */
enum aibox_status store_listen(struct store *store, const struct store_listener *listener, struct aibox_error *err);
/* Nothing is told to the listener of that ctx any more after the return. */
void store_unlisten(struct store *store, const void *ctx);
/*
 * Tells the listener of that ctx the first `limit` people behind person_id `*after` who have a feature of its model
 * set, in the same order with what commits tell it; *after moves on. *told: how many; fewer than `limit`: that was all.
 * Commits wait meanwhile: small pages. PROCESS_FAILED also when the listener refused one.
 */
enum aibox_status store_tell(struct store *store, const void *ctx, int64_t *after, size_t limit, size_t *told,
                             struct aibox_error *err);
void store_close(struct store *store); /* waits for queued changes, checkpoints */

/* Every person with a face of `model_set`, in no order; stops when `each` returns false. Fast: start-up. Callbacks of
 * scans must not call the store. */
enum aibox_status store_templates_scan(struct store *store, const char *model_set,
                                       bool (*each)(void *ctx, const struct store_template *state), void *ctx,
                                       struct aibox_error *err);

/* ---- groups and permission groups ------------------------------------------------------------ */

enum store_label_kind { STORE_GROUP, STORE_PERMISSION };

struct store_label {
    unsigned label; /* number 0..1023 used in masks; may be reused after a delete */
    char *id;       /* groups: equals the name; permission groups: generated UUID or as given */
    char *name;
    char *description;
    char *info; /* JSON object text, "{}" when none */
};
void store_label_free(struct store_label *label);

struct store_label_list {
    struct store_label *items;
    size_t count;
    size_t total; /* before skip and limit */
};
void store_label_list_free(struct store_label_list *list);

/* GROUP_NAME: empty, taken (by name or id), holding ','; PARAM beyond STORE_MAX_GROUPS or lengths. `id` NULL: made by
 * the store. */
enum aibox_status store_label_create(struct store *store, enum store_label_kind kind, const char *id, const char *name,
                                     const char *description, const char *info, struct store_label *out,
                                     struct aibox_error *err);
/* By name (permission groups: name, else id). `info` NULL keeps it. `new_name` NULL keeps it. NOT_FOUND. */
enum aibox_status store_label_update(struct store *store, enum store_label_kind kind, const char *name,
                                     const char *new_name, const char *description, const char *info,
                                     struct store_label *out, struct aibox_error *err);
enum aibox_status store_label_get(struct store *store, enum store_label_kind kind, const char *name,
                                  struct store_label *out, struct aibox_error *err);
/* Ordered by creation. `limit` 0: all. */
enum aibox_status store_label_list(struct store *store, enum store_label_kind kind, size_t skip, size_t limit,
                                   struct store_label_list *out, struct aibox_error *err);
/* `with_people`: the people that hold it are deleted with everything of theirs. default_group: GROUP_NAME; "0": PARAM.
 * People left without any group get default_group, without any permission "0". */
enum aibox_status store_label_delete(struct store *store, enum store_label_kind kind, const char *name,
                                     bool with_people, struct aibox_error *err);

/* All or nothing: an unknown id is ID_NOT_FOUND naming the ids (the first 10), an unknown group NOT_FOUND. A person
 * taken out of their last group stays without group. `members` (may be NULL): identity ids of all members afterwards,
 * ordered. */
enum aibox_status store_group_members_change(struct store *store, const char *group, bool add, const char *const *ids,
                                             size_t n_ids, struct store_text_list *members, struct aibox_error *err);
enum aibox_status store_group_member_count(struct store *store, const char *group, size_t *count,
                                           struct aibox_error *err);

/* ---- people ----------------------------------------------------------------------------------- */

struct store_face {
    char face_id[37];  /* UUID */
    char image_id[37]; /* UUID of the photo; "" without photo */
    float norm;        /* of the raw embedding */
    float quality;     /* FIQA score 0..1 */
    int64_t created_ms;
};

struct store_person {
    int64_t person_id; /* stable for the person's life, never reused */
    char *identity_id;
    char *name;
    int type;
    char *info;                            /* JSON object text as stored: name and type included, derived keys not */
    struct store_text_list group_names;    /* by creation of the group; default_group first */
    struct store_text_list permission_ids; /* at least one: "0" stands alone or not at all … as given by the client */
    struct store_text_list permission_names; /* same order */
    uint64_t permissions[STORE_MAX_LABELS / 64];
    struct store_face
        faces[STORE_MAX_FACES]; /* oldest first, but for store_face_prefer(); the last stands for the person */
    size_t n_faces;
    int64_t created_ms, updated_ms;
};
void store_person_free(struct store_person *person);

enum store_person_mode { STORE_CREATE, STORE_UPDATE, STORE_UPSERT };
enum store_faces_mode {
    STORE_FACES_KEEP,    /* faces ignored */
    STORE_FACES_ADD,     /* beyond STORE_MAX_FACES the oldest goes */
    STORE_FACES_REPLACE, /* all earlier ones go (n_faces may be 0) */
};

struct store_new_face {
    const float *feature; /* 512, stored as given */
    const char *model_set;
    const float *next_feature; /* the same of a second model set, or NULL */
    const char *next_model_set;
    float norm, quality;
    const uint8_t *photo; /* original bytes, or NULL */
    size_t photo_size;
};

/*
 * One change of one person, applied in one transaction. NULL = leave as it is (for a new person: the default).
 * CREATE: IDENTITY_EXISTS when the id exists. UPDATE: ID_NOT_FOUND when it doesn't. UPSERT: either.
 */
struct store_person_change {
    enum store_person_mode mode;
    const char *identity_id;
    bool replace_info; /* info replaces everything; else its top-level keys are merged over the stored ones (null values
                          too) */
    const char *info;  /* JSON object text; holds "name"/"type" when they are to change. New person: name required
                          (PARAM), type default 1 */
    const char *const *groups; /* names; each must exist (NOT_FOUND naming it); [] = default_group for a new person,
                                  nothing otherwise */
    size_t n_groups;
    bool groups_replace;            /* false: added to those the person has */
    const char *const *permissions; /* ids or names; [] → "0" */
    size_t n_permissions;
    bool permissions_set;    /* false: `permissions` is ignored (new person: "0") */
    bool permissions_create; /* unknown ones are created (id = name = the text), else NOT_FOUND naming it */
    enum store_faces_mode faces_mode;
    const struct store_new_face *faces;
    size_t n_faces;
    const struct store_progress *progress; /* stored in the same transaction, see "inbox"; NULL: none */
};

/* `out` (may be NULL): the person as stored afterwards. `created` (may be NULL). The listener has been told before the
 * return. */
enum aibox_status store_person_save(struct store *store, const struct store_person_change *change,
                                    struct store_person *out, bool *created, struct aibox_error *err);

/*
 * Takes one face away, with features and photo, which are gone at return as below; the person's template is made of the
 * others. ID_NOT_FOUND: no such person; NOT_FOUND: no such face; PARAM: it is the last one, and not `allow_last`: who
 * has none is known, but never recognised. `out` (may be NULL): the person afterwards.
 */
enum aibox_status store_face_remove(struct store *store, const char *identity_id, const char *face_id, bool allow_last,
                                    struct store_person *out, struct aibox_error *err);
/* Puts one face behind the others, as if it were the newest: its photo stands for the person, and it is the last to
 * give way to new ones. Errors as above. */
enum aibox_status store_face_prefer(struct store *store, const char *identity_id, const char *face_id,
                                    struct store_person *out, struct aibox_error *err);

/* Rows, features and photos are gone at return; old copies leave the WAL within about a second.
 * ID_NOT_FOUND for an unknown id. With several ids: all or nothing; `groups` (may be NULL): union of the group names
 * they were in. */
enum aibox_status store_people_delete(struct store *store, const char *const *identity_ids, size_t n,
                                      struct store_text_list *groups, struct aibox_error *err);

enum aibox_status store_person_get(struct store *store, const char *identity_id, struct store_person *out,
                                   struct aibox_error *err);
/* By the gallery's id: the recognise path. ID_NOT_FOUND when deleted meanwhile. */
enum aibox_status store_person_get_by_id(struct store *store, int64_t person_id, struct store_person *out,
                                         struct aibox_error *err);

struct store_person_query {
    const char *name;       /* exact name; NULL: any */
    const char *group;      /* group name: NOT_FOUND when unknown; NULL: any */
    const char *text;       /* part of name or identity_id, or a whole card number, for the console; NULL: any */
    int type;               /* 0: any */
    const char *permission; /* id or name; NULL: any */
    size_t skip;
    size_t limit; /* 1..1000 */
};
struct store_person_list {
    struct store_person *items;
    size_t count;
    size_t total;
};
void store_person_list_free(struct store_person_list *list);
/* Ordered by identity_id. */
enum aibox_status store_person_list(struct store *store, const struct store_person_query *query,
                                    struct store_person_list *out, struct aibox_error *err);

size_t store_person_count(struct store *store); /* from memory */

/* ---- pictures ----------------------------------------------------------------------------------- */

/* Bytes of an enrolment photo or event picture by its image id; *bytes is freed by the caller. ID_NOT_FOUND. */
enum aibox_status store_picture_get(struct store *store, const char *image_id, uint8_t **bytes, size_t *size,
                                    struct aibox_error *err);

/* ---- events --------------------------------------------------------------------------------------- */

enum store_verdict { STORE_UNKNOWN, STORE_UNCERTAIN, STORE_KNOWN };

/* Whose face an event shows, when nobody knows who that is (store/strangers.h). */
struct store_stranger_mark {
    int64_t stranger_id; /* 0: nobody who is remembered */
    bool may_be_new;     /* for store_event_add(): if there is no such stranger, there is one from now on, of this face;
                            else a stranger that went meanwhile gets a new number */
    /* Set by the store. */
    int64_t visit;    /* how often the stranger had been there, this time included; 0 without one */
    int64_t first_ms; /* when for the first time, Unix time */
};

/* Immutable once stored, but for `stranger`, who may be forgotten. Strings are never NULL in what the store returns (""
 * when unset). */
struct store_event {
    int64_t seq;          /* set by the store: order of commit, never reused */
    char event_id[27];    /* ULID, made by the caller (id_ulid) */
    int64_t timestamp_ms; /* when the picture was taken */
    const char *identity_id, *identity_name;
    int person_type; /* 1..5 */
    const char *group_name;
    const char *device_id, *device_ip, *ep_id, *device_type;
    const char *reason; /* passed, stranger, … */
    const char *action;
    enum store_verdict verdict;
    float score, threshold, margin; /* NAN where there is none */
    const char *best_identity_id;
    float best_score;
    float liveness; /* NAN: not judged */
    float mask;     /* -1: not judged */
    const char *room;
    const char *grab_fiqa_info, *box_fiqa_info; /* JSON object text */
    const char *supersedes;                     /* event id or "" */
    const float *feature;                       /* 512 or NULL; kept in half precision */
    const char *model_set;
    struct store_stranger_mark stranger; /* with a feature only */
    /* Pictures, by image id in what the store returns, by bytes in what it is given. */
    const uint8_t *spot, *face;
    size_t spot_size, face_size;
    char spot_id[37], face_id[37]; /* UUID or ""; set by the store */
    char reg_id[37];               /* image id of the enrolled photo at that moment, or "" */
    void *memory;                  /* owner of the strings in what the store returns */
};
void store_event_free(struct store_event *event);

/* Durable at return. Fills seq, spot_id, face_id, stranger of `event`. Also counts reason and drops what retention no
 * longer keeps. */
enum aibox_status store_event_add(struct store *store, struct store_event *event, struct aibox_error *err);

struct store_event_query {
    int64_t from_ms, to_ms; /* 0: open end; both inclusive */
    const char *name_part, *identity_id, *room;
    float score_min, score_max; /* NAN: open end (0 is a limit) */
    int person_type;            /* 0: any */
    const char *reason;
    const char *const *groups; /* any of */
    size_t n_groups;
    const char *const *ep_ids; /* any of */
    size_t n_ep_ids;
    const char *const *devices; /* any of; device_id or ep_id */
    size_t n_devices;
    int64_t stranger_id;      /* 0: any */
    bool strangers_back_only; /* strangers who had been there before */
    size_t skip, limit;       /* limit 1..1000 */
    bool oldest_first;
};
struct store_event_list {
    struct store_event *items;
    size_t count;
    size_t total;
};
void store_event_list_free(struct store_event_list *list);
enum aibox_status store_event_list(struct store *store, const struct store_event_query *query,
                                   struct store_event_list *out, struct aibox_error *err);
enum aibox_status store_event_get(struct store *store, const char *event_id, struct store_event *out,
                                  struct aibox_error *err);
enum aibox_status store_event_get_by_seq(struct store *store, int64_t seq, struct store_event *out,
                                         struct aibox_error *err);
/* By ids (unknown ones are skipped) or, with n_ids 0, all that match `query` (its skip/limit ignored). In steps of 500
 * events, so that others get their turn: after a failure those of earlier steps are gone, and counted in *deleted. */
enum aibox_status store_events_delete(struct store *store, const char *const *ids, size_t n_ids,
                                      const struct store_event_query *query, size_t *deleted, struct aibox_error *err);
/* Deletes pictures of events, scene or face, in steps of 500; the events stay, without them. Unknown ids, and those of
 * people's photos, are skipped. */
enum aibox_status store_event_pictures_delete(struct store *store, const char *const *image_ids, size_t n,
                                              size_t *deleted, struct aibox_error *err);
/* Features of events in the order that `query` asks for (its skip and limit ignored; feature set, 512 floats valid
 * during the call): picture search. */
enum aibox_status
store_event_features_scan(struct store *store, const struct store_event_query *query, const char *model_set,
                          bool (*each)(void *ctx, int64_t seq, int64_t timestamp_ms, const float *feature), void *ctx,
                          struct aibox_error *err);
/* How many events were ever stored with each reason, by reason: for metrics. `each` must not call the store. */
enum aibox_status store_event_reasons_each(struct store *store,
                                           void (*each)(void *ctx, const char *reason, uint64_t count), void *ctx,
                                           struct aibox_error *err);
/* `keep`: events at most; `keep_days` 0: no limit by age. Applied with the next events and at once; until the first
 * call all are kept. */
void store_set_retention(struct store *store, size_t keep, unsigned keep_days);
/* Pictures of events take at most this share (0..1) of the data partition, 0: no limit. Likewise; events that an active
 * cursor has not confirmed stay. */
void store_set_disk_share(struct store *store, double share);

/* ---- features of other model sets --------------------------------------------------------------------- */

struct store_lacking_face {
    int64_t face_row; /* order of enrolment */
    int64_t person_id;
    char face_id[37];
};
/* The first `limit` faces behind face_row `after` that have no feature of a model set, in order. */
enum aibox_status store_faces_lacking(struct store *store, const char *model_set, int64_t after, size_t limit,
                                      struct store_lacking_face *out, size_t *count, struct aibox_error *err);
enum aibox_status store_faces_lacking_count(struct store *store, const char *model_set, size_t *count,
                                            struct aibox_error *err);
/* The last face_row there is; 0: none. */
enum aibox_status store_faces_newest(struct store *store, int64_t *face_row, struct aibox_error *err);
/* Adds the feature (512 floats) of a face in another model set; those it has stay. No error when it has one of that set
 * already. ID_NOT_FOUND: the face is gone. The listener has been told before the return. */
enum aibox_status store_face_feature_add(struct store *store, int64_t person_id, const char *face_id,
                                         const char *model_set, const float *feature, struct aibox_error *err);

/* How many people have a feature of `model_set`, and how many of them have none of `other`. */
enum aibox_status store_people_lacking_count(struct store *store, const char *model_set, const char *other,
                                             size_t *people, size_t *lacking, struct aibox_error *err);
/* The latter's ids, oldest first: at most `limit` behind the first `skip`. */
enum aibox_status store_people_lacking(struct store *store, const char *model_set, const char *other, size_t skip,
                                       size_t limit, int64_t *person_ids, size_t *count, struct aibox_error *err);
/* Features stored of a model set. */
enum aibox_status store_model_set_count(struct store *store, const char *model_set, size_t *features,
                                        struct aibox_error *err);
/* Deletes, in one transaction, at most `limit` features of `model_set` whose faces have one of `kept` as well;
 * *dropped: how many. Fewer than `limit`: that was all. What is told to listeners to `kept` doesn't change. */
enum aibox_status store_model_set_drop(struct store *store, const char *model_set, const char *kept, size_t limit,
                                       size_t *dropped, struct aibox_error *err);

/* ---- rejections: faces that are not a person's ------------------------------------------------------- */

#define STORE_MAX_REJECTIONS        10000
#define STORE_REJECTIONS_PER_PERSON 16 /* the oldest goes */

/*
 * Remembers the face of an event as none of that person's; the same pair again is the same rejection. Goes with the
 * person, and with the event when that is deleted on purpose (not by retention). NOT_FOUND: the event; ID_NOT_FOUND:
 * the person; PARAM: the event holds no face; TOO_MANY_REQUESTS: STORE_MAX_REJECTIONS.
 */
enum aibox_status store_rejection_add(struct store *store, const char *event_id, const char *identity_id,
                                      int64_t *rejection_id, struct aibox_error *err);
/* NOT_FOUND. */
enum aibox_status store_rejection_delete(struct store *store, int64_t rejection_id, struct aibox_error *err);

struct store_rejection {
    int64_t rejection_id;
    const char *identity_id, *name, *event_id; /* valid during the call */
    int64_t created_ms;
};
/* Newest first; `identity_id` NULL: everybody's. `total`: before skip and limit. */
enum aibox_status store_rejection_list(struct store *store, const char *identity_id, size_t skip, size_t limit,
                                       void (*each)(void *ctx, const struct store_rejection *rejection), void *ctx,
                                       size_t *total, struct aibox_error *err);
/* All of a model set, by person, 512 floats; stops when `each` returns false. */
enum aibox_status store_rejection_features(struct store *store, const char *model_set,
                                           bool (*each)(void *ctx, int64_t person_id, const float *feature), void *ctx,
                                           struct aibox_error *err);

/* ---- settings --------------------------------------------------------------------------------------- */

enum aibox_status store_settings_each(struct store *store, void (*each)(void *ctx, const char *key, const char *value),
                                      void *ctx, struct aibox_error *err);
/* All or nothing. A NULL value deletes the key. */
enum aibox_status store_settings_put(struct store *store, const char *const *keys, const char *const *values, size_t n,
                                     struct aibox_error *err);
/* The same, and puts into force (as SETTINGS_STORED) what is durable; what is stored and what is in force change in the
 * same order, whoever calls it at the same time. The values have been checked. */
enum aibox_status store_settings_apply(struct store *store, struct settings *settings, const char *const *keys,
                                       const char *const *values, size_t n, struct aibox_error *err);
/* Forgets all stored settings but those in `kept` (NULL at the end), likewise. */
enum aibox_status store_settings_reset(struct store *store, struct settings *settings, const char *const *kept,
                                       struct aibox_error *err);

/* ---- documents -------------------------------------------------------------------------------------- */

#define STORE_MAX_DOCUMENT 65536 /* bytes */

/* A JSON text kept under a name: settings blocks that are no single values. *json is freed by the caller; NULL: there
 * is none of that name, which is no error. */
enum aibox_status store_document_get(struct store *store, const char *name, char **json, struct aibox_error *err);
/* Durable at return. Replaces what was there; `json` NULL deletes it. PARAM: no JSON value, or too long. */
enum aibox_status store_document_put(struct store *store, const char *name, const char *json, struct aibox_error *err);

/* ---- wiping, health --------------------------------------------------------------------------------- */

/* Deletes people (with faces, photos, groups but default_group, permission groups) and/or events with pictures so that
 * their bytes are gone from database file, WAL and disk when it returns. Active cursors stand behind the last event
 * then, others are gone. */
enum aibox_status store_wipe(struct store *store, bool people, bool events, struct aibox_error *err);

struct store_counters {
    uint64_t commits, changes, failed_changes;
    uint64_t events_total; /* ever stored */
    uint64_t events_lost;  /* dropped before every history receiver had them */
    size_t people, faces, events, groups;
    uint64_t event_picture_bytes;
    size_t queue; /* changes waiting */
};
void store_count(struct store *store, struct store_counters *out);
/* False with a reason while changes can't be made durable (disk full, I/O error). */
bool store_writable(struct store *store, char *reason, size_t size);

/* ---- messages that are to be sent ---------------------------------------------------------------------- */

#define STORE_MAX_LANE         2048              /* bytes of a lane's name */
#define STORE_MAX_OUTBOX       10000             /* messages of one lane */
#define STORE_MAX_OUTBOX_BYTES ((size_t)8 << 20) /* of one message */

/* A message for the outbox, see below. */
struct store_message {
    const char *lane; /* its destination; messages of one lane leave in the order in which they came */
    const void *payload;
    size_t size;
};

struct store_messages {
    const struct store_message *items;
    size_t count;
};

/* ---- devices ---------------------------------------------------------------------------------------- */

#define STORE_MAX_DEVICES 1000

struct store_device {
    const char *device_id;  /* unique; at most STORE_MAX_NAME bytes */
    const char *device_key; /* unique; without credentials; at most STORE_MAX_DESCRIPTION bytes */
    const char *doc;        /* JSON object text, credentials included */
    int64_t created_ms;     /* set by the store */
};

/* In the order of creation; what `each` is given is valid during the call. Stops when it returns false. */
enum aibox_status store_devices_each(struct store *store, bool (*each)(void *ctx, const struct store_device *device),
                                     void *ctx, struct aibox_error *err);
/*
 * All or nothing, durable at return. `create`: new devices, else changes of existing ones (NOT_FOUND naming the first
 * unknown id). GROUP_NAME when an id or key is another's, also another's of the same call; devices changed together
 * may swap keys. PARAM beyond STORE_MAX_DEVICES or lengths. Fills created_ms.
 * `messages` (may be NULL) come into the outbox with the change, but for those whose lane is full.
 */
enum aibox_status store_devices_save(struct store *store, bool create, struct store_device *devices, size_t n,
                                     const struct store_messages *messages, struct aibox_error *err);
/* All or nothing; NOT_FOUND naming the first unknown id. `messages` as above. */
enum aibox_status store_devices_delete(struct store *store, const char *const *device_ids, size_t n,
                                       const struct store_messages *messages, struct aibox_error *err);

/* ---- how many events there were ---------------------------------------------------------------------- */

#define STORE_TALLY_MS   INT64_C(900000) /* counted by quarters of an hour, */
#define STORE_TALLY_DAYS 400             /* for so long, whether or not the events are still there */

struct store_tally {
    int64_t start_ms; /* of the quarter, Unix ms */
    const char *kind; /* an event's reason ("passed", "stranger", …), or "alarm"; valid during the call */
    int64_t count;    /* > 0 */
};
/* Those quarters that begin in [from_ms, to_ms) or hold from_ms, in their order; `each` must not call the store. */
enum aibox_status store_tally_each(struct store *store, int64_t from_ms, int64_t to_ms,
                                   void (*each)(void *ctx, const struct store_tally *tally), void *ctx,
                                   struct aibox_error *err);

/* ---- events in the order of commit ------------------------------------------------------------------ */

/* seq of the newest event ever stored, 0 without one. From memory. */
int64_t store_event_newest(struct store *store);
#define STORE_EVENT_LISTENERS 4

/* `heard` is called on the writer thread after each commit that added events, when readers see them; it must be quick,
 * and not call the store but for store_event_newest(). More than STORE_EVENT_LISTENERS are a bug (assert). */
void store_events_listen(struct store *store, void (*heard)(void *ctx), void *ctx);
/* It is not being called, and will not be again, when this returns. */
void store_events_unlisten(struct store *store, void (*heard)(void *ctx), void *ctx);
/* The first `limit` (1..1000) events behind `seq`, oldest first, without features; `total` is not set. */
enum aibox_status store_events_after(struct store *store, int64_t seq, size_t limit, struct store_event_list *out,
                                     struct aibox_error *err);
/* seq of that event, or of the last one before it that is still there; 0: there is none. */
enum aibox_status store_event_find(struct store *store, const char *event_id, int64_t *seq, struct aibox_error *err);

/* ---- how far receivers have confirmed the events ------------------------------------------------------ */

#define STORE_CURSOR_DAYS 30 /* a receiver that comes back within them goes on where it was */

struct store_cursor_wish {
    const char *url;
    bool from_oldest; /* where it starts if it has no cursor: with the oldest event, else behind the newest */
};
/* Makes these the active cursors, durable at return. Those that are active hold events back (store_set_retention). */
enum aibox_status store_cursors_activate(struct store *store, const struct store_cursor_wish *wishes, size_t n,
                                         struct aibox_error *err);

struct store_cursor {
    int64_t seq;         /* confirmed up to here */
    int64_t refused_seq; /* an event behind it that the receiver refuses; 0: none */
    int64_t refused_ms;  /* since when, Unix ms */
};
/* NOT_FOUND: there is none. */
enum aibox_status store_cursor_get(struct store *store, const char *url, struct store_cursor *out,
                                   struct aibox_error *err);
/* Durable at return. A cursor never goes back, and one that is gone stays so (no error). */
enum aibox_status store_cursor_confirm(struct store *store, const char *url, int64_t seq, struct aibox_error *err);
/* Remembers that the receiver refuses event `seq`, and since when. */
enum aibox_status store_cursor_refuse(struct store *store, const char *url, int64_t seq, int64_t since_ms,
                                      struct aibox_error *err);

/* ---- events that a receiver refused for too long ------------------------------------------------------- */

/* Puts event `seq` aside for `url` and its cursor behind it; `answered`: HTTP status. Nothing is set aside when the
 * event is gone. */
enum aibox_status store_event_set_aside(struct store *store, const char *url, int64_t seq, int answered,
                                        struct aibox_error *err);

struct store_set_aside {
    int64_t set_aside_id;
    const char *url, *event_id; /* valid during the call */
    int64_t seq;
    int answered;
    int64_t set_aside_ms;
    bool resend; /* waits for another try */
};
/* Oldest first, at most `limit`; stops when `each` returns false. `url` NULL: of all. */
enum aibox_status store_set_aside_each(struct store *store, const char *url, size_t limit,
                                       bool (*each)(void *ctx, const struct store_set_aside *item), void *ctx,
                                       struct aibox_error *err);
enum aibox_status store_set_aside_count(struct store *store, const char *url, size_t *count, struct aibox_error *err);
/* Marks those of `url` (NULL: any) and of that event (NULL: any) for another try; *count: how many. */
enum aibox_status store_set_aside_resend(struct store *store, const char *url, const char *event_id, size_t *count,
                                         struct aibox_error *err);
/* The oldest one of `url` that is marked: *set_aside_id and the event (store_event_free), or *set_aside_id 0. */
enum aibox_status store_set_aside_next(struct store *store, const char *url, int64_t *set_aside_id,
                                       struct store_event *event, struct aibox_error *err);
/* The outcome of that try; `answered` 0: delivered, and no longer set aside. */
enum aibox_status store_set_aside_done(struct store *store, int64_t set_aside_id, int answered,
                                       struct aibox_error *err);

/* ---- outbox: what must arrive ---------------------------------------------------------------------------- */

/* All or nothing, durable at return. TOO_MANY_REQUESTS: the lane is full. */
enum aibox_status store_outbox_add(struct store *store, const struct store_message *messages, size_t n,
                                   struct aibox_error *err);

struct store_outbox_message {
    int64_t outbox_id; /* 0: the lane is empty */
    int64_t created_ms;
    uint8_t *payload; /* malloc, with a NUL behind it that `size` doesn't count */
    size_t size;
};
/* The oldest message of the lane. */
enum aibox_status store_outbox_next(struct store *store, const char *lane, struct store_outbox_message *out,
                                    struct aibox_error *err);
/* The oldest message of the lane behind that one (0: behind none); what is behind it when it is gone. */
enum aibox_status store_outbox_after(struct store *store, const char *lane, int64_t outbox_id,
                                     struct store_outbox_message *out, struct aibox_error *err);
void store_outbox_message_free(struct store_outbox_message *message);
/* It has arrived, or is given up: deletes it. No error when it is gone. */
enum aibox_status store_outbox_done(struct store *store, int64_t outbox_id, struct aibox_error *err);
/* The same for several, in one transaction. */
enum aibox_status store_outbox_done_all(struct store *store, const int64_t *outbox_ids, size_t n,
                                        struct aibox_error *err);
/* Deletes all of the lane. */
enum aibox_status store_outbox_clear(struct store *store, const char *lane, struct aibox_error *err);
/* Names of the lanes that hold messages and begin with `prefix` (ASCII, not empty), by name, at most `limit`. */
enum aibox_status store_outbox_lanes(struct store *store, const char *prefix, size_t limit, struct store_text_list *out,
                                     struct aibox_error *err);
/* How many wait, and since when the oldest does (Unix ms; 0: none). */
enum aibox_status store_outbox_count(struct store *store, const char *lane, size_t *count, int64_t *oldest_ms,
                                     struct aibox_error *err);

#define STORE_OUTBOX_LISTENERS 4

/* As store_events_listen(), for commits that put messages into the outbox. */
void store_outbox_listen(struct store *store, void (*heard)(void *ctx), void *ctx);
void store_outbox_unlisten(struct store *store, void (*heard)(void *ctx), void *ctx);

#endif
