/* A row of person, and what reads, writes and deletes one. */
#ifndef AIBOX_STORE_PERSON_H
#define AIBOX_STORE_PERSON_H

#include "store/batch.h"
#include "store/labels.h"

struct person_row {
    int64_t person_id;
    char *identity_id, *name, *info; /* owned */
    int type;
    int64_t created_ms, updated_ms;
    struct label_set groups, permissions;
    struct store_face faces[STORE_MAX_FACES];
    size_t n_faces;
};

/* ID_NOT_FOUND (without a message) when there is none: the caller knows what it asked for. person_row_free in any case.
 */
enum aibox_status person_row_load(struct sql *sql, int64_t person_id, struct person_row *row, struct aibox_error *err);
enum aibox_status person_row_find(struct sql *sql, const char *identity_id, struct person_row *row,
                                  struct aibox_error *err);
void person_row_free(struct person_row *row);

/* Takes the texts out of `row`. `labels` may be NULL (label_set_resolve). */
enum aibox_status person_from_row(struct person_row *row, const struct label_map *labels, struct sql *sql,
                                  struct store_person *out, struct aibox_error *err);

/*
 * Writes the row: inserts it when person_id is 0 (and sets it), else updates it; brings member in line, `old_groups`
 * and `old_permissions` being the lists it held before. Notes the person for the listener. Features and photos
 * are the caller's business.
 */
enum aibox_status person_row_write(struct batch *batch, struct person_row *row, const struct label_set *old_groups,
                                   const struct label_set *old_permissions, struct aibox_error *err);

/* Deletes the person with faces, photos and memberships. */
enum aibox_status person_row_delete(struct batch *batch, const struct person_row *row, struct aibox_error *err);

/* face_feature.c: one feature of a face, sealed. */
enum aibox_status face_feature_insert(struct batch *batch, int64_t person_id, const uint8_t face_id[UUID_BYTES],
                                      const char *model_set, const float *feature, struct aibox_error *err);

/* The face row->faces[at], with features and photo: leaves the list, too; person_row_write is the caller's. */
enum aibox_status person_drop_face(struct batch *batch, struct person_row *row, size_t at, struct aibox_error *err);

/* The photo of one face. */
enum aibox_status person_drop_photo(struct batch *batch, const struct store_face *face, struct aibox_error *err);

/* Message "identity_id not found: a, b, …": the first 10 of `ids` for which `missing` is set. */
enum aibox_status people_missing(const char *const *ids, const bool *missing, size_t n, struct aibox_error *err);

/* info.c: the JSON of a person. Parsed and stripped of what the box derives. NULL with PARAM in `err`. */
struct json_t;
enum aibox_status info_parse(const char *text, struct json_t **out, struct aibox_error *err);
/*
 * `given` (may be NULL) over `stored` (NULL: a new person): texts of the result into *info and *name (owned by the
 * caller), its type into *type.
 */
enum aibox_status info_merge(const char *stored, struct json_t *given, bool replace, char **info, char **name,
                             int *type, struct aibox_error *err);

#endif
