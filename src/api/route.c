#include "api/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/percent.h"

#define PATH_MAX_DECODED 512 /* no path of the table is longer */

static const char *const method_names[ROUTE_METHODS] = {"GET", "POST", "PUT", "DELETE"};

bool route_method_of(const char *method, enum route_method *out)
{
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (int i = 0; i < ROUTE_METHODS; i++)
        if (strcmp(method, method_names[i]) == 0) {
            *out = (enum route_method)i;
            return true;
        }
    return false;
}

void route_print_allow(const struct route *route, char out[ROUTE_ALLOW])
{
    size_t size = 0;

    for (int i = 0; i < ROUTE_METHODS; i++)
        if (route->by_method[i])
            size += (size_t)snprintf(out + size, ROUTE_ALLOW - size, "%s%s%s", size ? ", " : "", method_names[i],
                                     i == ROUTE_GET ? ", HEAD" : "");
}

static int compare_texts(const char *a, size_t a_size, const char *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);

    return order != 0 ? order : (int)(a_size > b_size) - (int)(a_size < b_size);
}

/* What is looked for: a path, or what stands before and behind a name. */
struct wanted {
    const char *path, *tail;
    size_t size, tail_size;
    bool has_name;
};

static int compare(const struct wanted *a, const struct route *b)
{
    int order = compare_texts(a->path, a->size, b->path, b->size);

    if (order == 0)
        order = (int)a->has_name - (int)b->has_name;
    return order != 0 ? order : compare_texts(a->tail, a->tail_size, b->tail, strlen(b->tail));
}

static int compare_routes(const void *a, const void *b)
{
    const struct route *one = a;
    const struct wanted wanted = {.path = one->path,
                                  .size = one->size,
                                  .has_name = one->has_name,
                                  .tail = one->tail,
                                  .tail_size = strlen(one->tail)};

    return compare(&wanted, b);
}

static const struct route *find(const struct route_table *routes, const struct wanted *wanted)
{
    size_t low = 0;
    size_t high = routes->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(wanted, &routes->routes[middle]);

        if (order == 0)
            return &routes->routes[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Fills in the path's side of a route; false for a "{" anywhere but around a whole segment, the last or that before. */
static bool describe(const char *path, struct route *route)
{
    const char *brace = strchr(path, '{');
    const char *end = brace ? strchr(brace, '}') : NULL;

    *route = (struct route){.path = path, .size = strlen(path), .tail = ""};
    if (path[0] != '/')
        return false;
    if (!brace)
        return true;
    if (!end || end == brace + 1 || brace[-1] != '/' || memchr(brace, '/', (size_t)(end - brace)))
        return false;
    route->has_name = true;
    route->size = (size_t)(brace - path);
    route->tail = end + 1;
    return !end[1] || (end[1] == '/' && end[2] && !strpbrk(end + 2, "/{"));
}

/* False for a row that is wrong, or there already. */
static bool add_row(struct route_table *routes, const struct api_endpoint *row)
{
    enum route_method method;
    struct route route;
    struct route *known = NULL;

    if (!describe(row->path, &route) || !route_method_of(row->method, &method) || !row->handler)
        return false;
    for (size_t i = 0; i < routes->count && !known; i++)
        if (compare_routes(&route, &routes->routes[i]) == 0)
            known = &routes->routes[i];
    if (!known) {
        known = &routes->routes[routes->count++];
        *known = route;
    }
    if (known->by_method[method])
        return false;
    known->by_method[method] = row;
    return true;
}

enum aibox_status route_table_make(const struct api_endpoint *table, size_t n, struct route_table *out,
                                   struct aibox_error *err)
{
    out->count = 0;
    out->routes = calloc(n ? n : 1, sizeof *out->routes);
    if (!out->routes)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    for (size_t i = 0; i < n; i++)
        if (!add_row(out, &table[i])) {
            route_table_free(out);
            return error_set(err, AIBOX_PROCESS_FAILED, "endpoint table: %s %s is wrong or there twice",
                             table[i].method, table[i].path);
        }
    qsort(out->routes, out->count, sizeof *out->routes, compare_routes);
    return AIBOX_OK;
}

void route_table_free(struct route_table *routes)
{
    free(routes->routes);
    routes->routes = NULL;
    routes->count = 0;
}

const struct route *route_find(const struct route_table *routes, const char *path, size_t size, const char **name,
                               size_t *name_size)
{
    const struct wanted whole = {.path = path, .size = size, .tail = ""};
    const struct route *route = find(routes, &whole);
    size_t end = size; /* of the segment that may be the name */

    for (int behind = 0; behind < 2 && !route; behind++) {
        const char *slash = memrchr(path, '/', end);

        if (slash && slash + 1 < path + end) {
            const struct wanted around = {.path = path,
                                          .size = (size_t)(slash + 1 - path),
                                          .has_name = true,
                                          .tail = path + end,
                                          .tail_size = size - end};

            *name = slash + 1;
            *name_size = (size_t)(path + end - *name);
            route = find(routes, &around);
        }
        end = slash ? (size_t)(slash - path) : 0;
    }
    /* Clients that encode what needn't be. */
    if (!route && size < PATH_MAX_DECODED && memchr(path, '%', size)) {
        char decoded[PATH_MAX_DECODED];
        ptrdiff_t decoded_size = percent_decode(path, size, false, decoded);

        const struct wanted plain = {.path = decoded, .size = decoded_size > 0 ? (size_t)decoded_size : 0, .tail = ""};

        route = find(routes, &plain);
    }
    return route;
}
