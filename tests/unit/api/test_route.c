#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/route.h"

static enum aibox_status nothing(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                 struct aibox_error *err)
{
    (void)ctx;
    (void)req;
    (void)res;
    (void)err;
    return AIBOX_OK;
}

#define ROW(verb, where)                                                                                               \
    {                                                                                                                  \
        .method = verb, .path = where, .handler = nothing                                                              \
    }

static const struct api_endpoint table[] = {
    ROW("GET", "/a"),          ROW("POST", "/a"),    ROW("GET", "/a/{id}"),
    ROW("DELETE", "/a/b"),     ROW("PUT", "/a/b/c"), ROW("GET", "/ab/{x}"),
    ROW("GET", "/z/y/{name}"), ROW("GET", "/"),      ROW("POST", "/z/y/{name}/more"),
};

static struct route_table routes;

static int make(void **state)
{
    (void)state;
    return route_table_make(table, sizeof table / sizeof table[0], &routes, NULL) == AIBOX_OK ? 0 : -1;
}

static int forget(void **state)
{
    (void)state;
    route_table_free(&routes);
    return 0;
}

static void check(const char *path, const char *expected, const char *expected_name)
{
    const char *name = NULL;
    size_t size = 0;
    const struct route *route = route_find(&routes, path, strlen(path), &name, &size);

    if (!expected) {
        if (route)
            fail_msg("%s is %s", path, route->path);
        return;
    }
    if (!route)
        fail_msg("%s is not found", path);
    assert_string_equal(route->path, expected);
    assert_int_equal(route->has_name, expected_name != NULL);
    if (expected_name) {
        assert_int_equal(size, strlen(expected_name));
        assert_memory_equal(name, expected_name, size);
    }
}

static void paths_are_found(void **state)
{
    (void)state;
    check("/a", "/a", NULL);
    check("/", "/", NULL);
    check("/a/b", "/a/b", NULL);
    check("/a/x", "/a/{id}", "x");
    check("/a/bb", "/a/{id}", "bb");
    check("/a/b%20", "/a/{id}", "b%20");
    check("/ab/cd", "/ab/{x}", "cd");
    check("/z/y/x", "/z/y/{name}", "x");
    check("/z/y/x/more", "/z/y/{name}/more", "x");
    check("/z/y/more/more", "/z/y/{name}/more", "more");
    check("/a/b/c", "/a/b/c", NULL);
    check("/%61", "/a", NULL);
    check("/a%2Fb", "/a/b", NULL);
}

static void other_paths_are_not(void **state)
{
    static const char *const paths[] = {"",     "a",    "/A",    "/a/", "//a",   "/a//", "/a/x/y",  "/ab",
                                        "/ab/", "/z/y", "/z/y/", "/%",  "/%61%", "*",    "/a/{id}/"};

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        check(paths[i], NULL, NULL);
}

static void methods_are_listed(void **state)
{
    const char *name;
    size_t size;
    char allow[ROUTE_ALLOW];
    enum route_method method;

    (void)state;
    route_print_allow(route_find(&routes, "/a", 2, &name, &size), allow);
    assert_string_equal(allow, "GET, HEAD, POST");
    route_print_allow(route_find(&routes, "/a/b", 4, &name, &size), allow);
    assert_string_equal(allow, "DELETE");
    assert_true(route_method_of("HEAD", &method));
    assert_int_equal(method, ROUTE_GET);
    assert_false(route_method_of("get", &method));
    assert_false(route_method_of("PATCH", &method));
}

static void check_wrong(const struct api_endpoint *rows, size_t n)
{
    struct route_table made;

    assert_int_equal(route_table_make(rows, n, &made, NULL), AIBOX_PROCESS_FAILED);
}

static void wrong_tables_are_refused(void **state)
{
    static const struct api_endpoint twice[] = {ROW("GET", "/a"), ROW("GET", "/b"), ROW("GET", "/a")};
    static const struct api_endpoint names_twice[] = {ROW("GET", "/a/{b}"), ROW("GET", "/a/{c}")};
    static const struct api_endpoint method[] = {ROW("PATCH", "/a")};
    static const struct api_endpoint no_slash[] = {ROW("GET", "a")};
    static const struct api_endpoint inner[] = {ROW("GET", "/a/{b}/c/d")};
    static const struct api_endpoint two[] = {ROW("GET", "/a/{b}/{c}")};
    static const struct api_endpoint part[] = {ROW("GET", "/a/b{c}")};
    static const struct api_endpoint empty[] = {ROW("GET", "/a/{}")};
    static const struct api_endpoint no_handler[] = {{.method = "GET", .path = "/a"}};

    (void)state;
    check_wrong(twice, 3);
    check_wrong(names_twice, 2);
    check_wrong(method, 1);
    check_wrong(no_slash, 1);
    check_wrong(inner, 1);
    check_wrong(two, 1);
    check_wrong(part, 1);
    check_wrong(empty, 1);
    check_wrong(no_handler, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_found),
        cmocka_unit_test(other_paths_are_not),
        cmocka_unit_test(methods_are_listed),
        cmocka_unit_test(wrong_tables_are_refused),
    };

    return cmocka_run_group_tests(tests, make, forget);
}
