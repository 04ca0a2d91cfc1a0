/*
 * Labels (groups and permission groups) in memory: an immutable map that is replaced as a whole after each commit that
 * changed labels, so that readers name a person's groups without asking the database.
 */
#ifndef AIBOX_STORE_LABELS_H
#define AIBOX_STORE_LABELS_H

#include <stdatomic.h>
#include <stdint.h>

#include "store/sql.h"
#include "store/store.h"

#define LABEL_DEFAULT_GROUP 1 /* label_id of default_group */
#define LABEL_EVERYBODY     2 /* label_id of permission group "0" */

struct label_entry {
    uint32_t label_id;
    enum store_label_kind kind;
    unsigned number;
    const char *id, *name;
};

struct label_map {
    atomic_uint refs;
    size_t count;
    struct label_entry *items; /* by label_id */
    char *text;                /* what id and name point into */
};

/* The labels of one person, as stored in a row of person. */
struct label_set {
    size_t count;
    uint32_t ids[STORE_MAX_LABELS];
};

struct batch;
struct label_map_slot;

enum aibox_status label_slot_open(struct label_map_slot **out, struct aibox_error *err);
void label_slot_close(struct label_map_slot *slot);
/* Reads all labels and replaces the map. Writer thread. */
enum aibox_status label_slot_load(struct label_map_slot *slot, struct sql *sql, struct aibox_error *err);
/* The current map, valid until label_map_drop. Any thread. */
struct label_map *label_map_take(struct label_map_slot *slot);
void label_map_drop(struct label_map *map); /* NULL allowed */
const struct label_entry *label_map_find(const struct label_map *map, uint32_t label_id);
/* Permission groups by name, else by id. */
const struct label_entry *label_map_find_name(const struct label_map *map, enum store_label_kind kind,
                                              const char *name);

/*
 * Names and mask of the labels in `set`, in its order. Labels that the map lacks (or all, with `map` NULL) are looked
 * up by `sql`. Any of `ids`, `names`, `mask` may be NULL; lists are appended to.
 */
enum aibox_status label_set_resolve(const struct label_set *set, const struct label_map *map, struct sql *sql,
                                    struct store_text_list *ids, struct store_text_list *names,
                                    uint64_t mask[STORE_MAX_LABELS / 64], struct aibox_error *err);
void label_set_read(struct label_set *set, const void *bytes, size_t size);
bool label_set_has(const struct label_set *set, uint32_t label_id);
bool label_set_remove(struct label_set *set, uint32_t label_id);
/* Groups are kept ascending (the order of creation), permissions in the order they were given. False: full. */
bool label_set_insert(struct label_set *set, uint32_t label_id); /* ascending */
bool label_set_append(struct label_set *set, uint32_t label_id);

/* label_id by name (permission groups: name, else id) as the transaction of `sql` sees it; 0: there is none. */
enum aibox_status label_lookup(struct sql *sql, enum store_label_kind kind, const char *name, uint32_t *label_id,
                               struct aibox_error *err);
/* A new label within a batch. GROUP_NAME when the name can't be had, PARAM when there are too many. `id` NULL: made. */
enum aibox_status label_insert(struct batch *batch, enum store_label_kind kind, const char *id, const char *name,
                               const char *description, const char *info, uint32_t *label_id, struct aibox_error *err);
/* Changes one within a batch, as store_label_update(). */
enum aibox_status label_change(struct batch *batch, enum store_label_kind kind, uint32_t label_id, const char *new_name,
                               const char *description, const char *info, struct aibox_error *err);
/* Deletes one within a batch, as store_label_delete(). */
enum aibox_status label_remove(struct batch *batch, enum store_label_kind kind, uint32_t label_id, bool with_people,
                               struct aibox_error *err);

#endif
