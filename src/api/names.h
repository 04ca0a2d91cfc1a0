/* Lists of names in arguments and answers. */
#ifndef AIBOX_API_NAMES_H
#define AIBOX_API_NAMES_H

#include <jansson.h>
#include <stddef.h>

#include "core/json_out.h"
#include "core/status.h"

#define NAMES_MAX 1024

struct name_list {
    char **items; /* owned */
    size_t count;
};

void name_list_free(struct name_list *list);

/* Splits at ',' ; spaces around a name and empty names are left out. More than NAMES_MAX: PARAM naming `field`. */
enum aibox_status name_list_split(const char *text, const char *field, struct name_list *out, struct aibox_error *err);

/* A JSON list of texts or integers (taken as their decimal text). PARAM naming `field` for anything else. */
enum aibox_status name_list_from_json(const json_t *list, const char *field, struct name_list *out,
                                      struct aibox_error *err);

/* One text, joined with ','. */
void names_json_joined(struct json_out *out, const char *const *names, size_t n);

/* `"pagination": {skip_num, limit, num_pages, total_count}`; limit 0: everything on one page. */
void names_json_pagination(struct json_out *out, size_t skip, size_t limit, size_t total);

#endif
