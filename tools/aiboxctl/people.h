/* Reading everybody: page after page. */
#ifndef AIBOXCTL_PEOPLE_H
#define AIBOXCTL_PEOPLE_H

#include <jansson.h>
#include <stdbool.h>

#include "box.h"
#include "core/status.h"

/* One person as the box describes them; false ends the walk. */
typedef bool (*people_visit)(void *ctx, json_t *person);

/*
 * Everybody, or the members of `group`, by identity_id, without photos. `group` NULL: everybody. Somebody enrolled or
 * deleted meanwhile may be seen twice or not at all.
 */
enum aibox_status people_each(struct box *box, const char *group, people_visit visit, void *ctx,
                              struct aibox_error *err);

/* One person, a new reference; ID_NOT_FOUND. */
enum aibox_status people_get(struct box *box, const char *id, json_t **out, struct aibox_error *err);

/* Members of a group; NULL: everybody on the box. */
enum aibox_status people_count(struct box *box, const char *group, size_t *out, struct aibox_error *err);

/* A text of person.info, or of person.info.ext_info; "" when there is none. */
const char *people_info_text(const json_t *person, const char *key);
const char *people_more_text(const json_t *person, const char *key);
int people_type(const json_t *person);
const char *people_type_word(int type); /* "employee", …; "?" */

/* The names in a JSON list joined with `separator`, cut to `size`. */
void people_join(const json_t *list, const char *separator, char *out, size_t size);

#endif
