/* What an import says of a person, and what becomes of it. */
#ifndef AIBOX_FLOW_IMPORT_PERSON_H
#define AIBOX_FLOW_IMPORT_PERSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "flow/csv.h"
#include "flow/flow.h"
#include "flow/import.h"
#include "flow/photo_name.h"

/* ---- tables ----------------------------------------------------------------------------------------------- */

enum import_column {
    IMPORT_IDENTITY_ID,
    IMPORT_NAME,
    IMPORT_TYPE,
    IMPORT_DEPARTMENT,
    IMPORT_CARD,
    IMPORT_DESCRIPTION,
    IMPORT_GROUPS,
    IMPORT_PERMISSIONS,
    IMPORT_PHOTO,
    IMPORT_INFO,
    IMPORT_COLUMNS
};

/* What the columns of a table mean. */
struct import_header {
    int column[IMPORT_COLUMNS]; /* index of the cell, -1 without */
    size_t count;               /* columns of the table */
    char *more[CSV_MAX_CELLS];  /* others: key in info.ext_info; NULL: none of these */
};
/* PARAM: no column for the id, or two for one thing. */
enum aibox_status import_header_read(const struct csv_record *record, struct import_header *out,
                                     struct aibox_error *err);
void import_header_free(struct import_header *header);
/* "" when the table has no such column, or the record is too short. */
const char *import_cell(const struct import_header *header, const struct csv_record *record, enum import_column column);

/* ---- people ----------------------------------------------------------------------------------------------- */

/* What is said of a person. What is NULL, 0 or empty is not said. Owns everything. */
struct import_person {
    char identity_id[STORE_MAX_IDENTITY + 1];
    json_t *info;                       /* object: name, type and whatever else; never NULL */
    json_t *more;                       /* object: goes into info.ext_info; never NULL */
    struct store_text_list groups;      /* names */
    struct store_text_list permissions; /* ids or names */
};
void import_person_free(struct import_person *person);

/* PARAM: an id, a type, a list or an info that can't be. `out` is to be freed in any case. */
enum aibox_status import_person_of_name(const struct photo_name *name, struct import_person *out,
                                        struct aibox_error *err);
enum aibox_status import_person_of_row(const struct import_header *header, const struct csv_record *record,
                                       struct import_person *out, struct aibox_error *err);

/* Items of a cell: JSON list of texts, or separated by any of `separators`. */
enum aibox_status import_list_read(const char *cell, const char *separators, struct store_text_list *out,
                                   struct aibox_error *err);

/*
 * Enrols the person, with a photo or without (`photo` NULL). New people are created; others get what is said of them,
 * the rest stays; a photo that a person has already adds no second face. `duplicate` and errors as flow_enrol().
 */
enum aibox_status import_person_enrol(const struct import_request *request, const struct import_person *person,
                                      const uint8_t *photo, size_t photo_size, enum import_outcome *outcome,
                                      struct flow_duplicate *duplicate, struct aibox_error *err);

#endif
