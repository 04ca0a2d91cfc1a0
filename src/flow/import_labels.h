/*
 * labels.json in an archive: groups and permission groups as they are where the people come from, so that they can be
 * made where the people go. {"groups": [{id, name, description, info}], "permissions": [the same]}
 */
#ifndef AIBOX_FLOW_IMPORT_LABELS_H
#define AIBOX_FLOW_IMPORT_LABELS_H

#include "core/status.h"
#include "flow/import.h"
#include "flow/import_archive.h"

#define IMPORT_LABELS "labels.json"

/* Creates those that are missing, as far as the options allow; nothing when the archive has no such file. What is
 * there already stays as it is. PARAM: the file can't be read. */
enum aibox_status import_labels_create(struct import_archive *archive, struct store *store,
                                       const struct import_options *options, struct aibox_error *err);

/* The text of such a file, freed by the caller. `group`: only this group, and all permission groups; NULL: all. */
enum aibox_status import_labels_print(struct store *store, const char *group, char **out, struct aibox_error *err);

#endif
