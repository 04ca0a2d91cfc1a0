/*
 * A device as told by a client or the platform, checked field by field, and as a document that the store keeps.
 *
 * The document is a JSON object of canonical types. It holds what was given (defaults are not written down) under the
 * wire's names, but for these:
 *   ep_type                          integer 0..4
 *   groups, permissions              lists of names as given (wire: group_id, permission_id)
 *   permission_ids                   list of ids, beside `permissions`
 *   ep_name                          see struct device
 *   ftp_user, ftp_hash               account of a capture camera
 */
#ifndef AIBOX_FLOW_DEVICE_DICT_H
#define AIBOX_FLOW_DEVICE_DICT_H

#include <jansson.h>

#include "core/status.h"
#include "store/store.h"

#define DEVICE_MAX_LABELS 32   /* groups, and permission groups, of one device */
#define DEVICE_PATH_SIZE  96   /* "devices_list[999].netRelay" */
#define DEVICE_TEXT_MAX   4096 /* bytes of memo */

/* Puts the fields of `dict` into `doc`, checked one by one. `path` names the dict in messages. PARAM, BOOLEAN,
 * GROUP_NAME, NOT_IMPLEMENTED. */
enum aibox_status device_dict_read(const json_t *dict, const char *path, json_t *doc, struct aibox_error *err);

/*
 * What only the whole document tells: required fields, device_key after ep_type, passwords that came back as ***, relay
 * ports. `stored`: the document as it was, NULL for a new device. PARAM, GROUP_NAME.
 */
enum aibox_status device_dict_check(json_t *doc, const json_t *stored, const char *path, struct aibox_error *err);

/* Looks up the groups and permission groups that differ from those of `stored`. NOT_FOUND. */
enum aibox_status device_dict_resolve(json_t *doc, const json_t *stored, const char *path, struct store *store,
                                      struct aibox_error *err);

#endif
