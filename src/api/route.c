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

static int compare(const char *a, size_t a_size, bool a_name, const struct route *b)
{
    int order = memcmp(a, b->path, a_size < b->size ? a_size : b->size);

    if (order != 0)
        return order;
    if (a_size != b->size)
        return a_size < b->size ? -1 : 1;
    return (int)a_name - (int)b->ends_in_name;
}

static int compare_routes(const void *a, const void *b)
{
    const struct route *one = a;

    return compare(one->path, one->size, one->ends_in_name, b);
}

static const struct route *find(const struct route_table *routes, const char *path, size_t size, bool name)
{
    size_t low = 0;
    size_t high = routes->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(path, size, name, &routes->routes[middle]);

        if (order == 0)
            return &routes->routes[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Fills in the path's side of a route; false for a "{" anywhere but around the whole last segment. */
static bool describe(const char *path, struct route *route)
{
    const char *brace = strchr(path, '{');

    *route = (struct route){.path = path, .size = strlen(path)};
    if (path[0] != '/')
        return false;
    if (!brace)
        return true;
    route->ends_in_name = true;
    route->size = (size_t)(brace - path);
    return brace[-1] == '/' && strlen(brace) > 2 && strchr(brace, '}') == brace + strlen(brace) - 1 &&
           !strchr(brace, '/');
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
    const struct route *route = find(routes, path, size, false);
    const char *slash = memrchr(path, '/', size);

    if (!route && slash && slash + 1 < path + size) {
        *name = slash + 1;
        *name_size = (size_t)(path + size - *name);
        route = find(routes, path, (size_t)(*name - path), true);
    }
    /* Clients that encode what needn't be. */
    if (!route && size < PATH_MAX_DECODED && memchr(path, '%', size)) {
        char decoded[PATH_MAX_DECODED];
        ptrdiff_t decoded_size = percent_decode(path, size, false, decoded);

        if (decoded_size > 0)
            route = find(routes, decoded, (size_t)decoded_size, false);
    }
    return route;
}
