/* From a path to the rows of the endpoint table that it means. */
#ifndef AIBOX_API_ROUTE_H
#define AIBOX_API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/endpoint.h"
#include "core/status.h"

enum route_method { ROUTE_GET, ROUTE_POST, ROUTE_PUT, ROUTE_DELETE, ROUTE_METHODS };

#define ROUTE_ALLOW 64 /* room for the value of an Allow header */

/* One path and what may be done to it. */
struct route {
    const char *path; /* as in the table */
    size_t size;      /* bytes of it that are compared: all, or up to the "{" */
    bool has_name;    /* then comes any one segment */
    const char *tail; /* and then this, "" or "/…" of one segment */
    const struct api_endpoint *by_method[ROUTE_METHODS];
};

struct route_table {
    struct route *routes; /* sorted by what is compared; owned */
    size_t count;
};

/* PROCESS_FAILED for a table that is wrong: a method that is none, a row given twice, a "{" elsewhere. `table` is
 * referred to. */
enum aibox_status route_table_make(const struct api_endpoint *table, size_t n, struct route_table *out,
                                   struct aibox_error *err);
void route_table_free(struct route_table *routes);

/* The route of path[0..size), as it came (percent-encoded) and without its query; NULL when there is none. A path as
 * such goes before one that has a name. `*name` and `*name_size`: the segment that is the name, where the route has
 * one. */
const struct route *route_find(const struct route_table *routes, const char *path, size_t size, const char **name,
                               size_t *name_size);

/* "GET" (also for "HEAD"), "POST"… ; false for a method that no row has. */
bool route_method_of(const char *method, enum route_method *out);
/* "GET, HEAD, PUT" */
void route_print_allow(const struct route *route, char out[ROUTE_ALLOW]);

#endif
