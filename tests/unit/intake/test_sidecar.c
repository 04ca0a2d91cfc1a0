/* What a camera says of its picture: what is taken, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "intake/sidecar.h"

static void takes(const char *text, const char *wanted)
{
    struct aibox_error err = {.message = ""};
    char *out;
    if (sidecar_parse(text, strlen(text), &out, &err) != AIBOX_OK)
        fail_msg("%s: %s", text, err.message);
    assert_string_equal(out, wanted);
    free(out);
}

static void refuses(const char *text, size_t size, const char *reason)
{
    struct aibox_error err = {.message = ""};
    char *out = (char *)1;
    assert_int_equal(sidecar_parse(text, size, &out, &err), AIBOX_PARAM);
    assert_null(out);
    if (strstr(err.message, reason) == NULL)
        fail_msg("%s: %s", text, err.message);
}

static void test_taken(void **state)
{
    (void)state;
    takes("{}", "{}");
    takes(" {\n \"a\" : [1, 2.5, null, true], \"b\": {\"c\": \"门\"} }\r\n",
          "{\"a\":[1,2.5,null,true],\"b\":{\"c\":\"门\"}}");
    takes("\xef\xbb\xbf{\"a\":1}", "{\"a\":1}");
}

static void test_refused(void **state)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "[]",
                                        "\"a\"",
                                        "1",
                                        "null",
                                        "{",
                                        "{\"a\":}",
                                        "{\"a\":1} x",
                                        "{\"a\":1}{}",
                                        "{\"a\":1e999}",
                                        "{'a':1}",
                                        "{\"a\":\"\xff\"}",
                                        "{\"a\":\"\\ud800\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refuses(texts[i], strlen(texts[i]), texts[i][0] == '[' ? "object" : "");
    refuses("{\"a\":1,\"a\":2}", 13, "line 1");
    refuses("{\"a\":\0}", 7, "");
}

/* An object in an object in …, `depth` of them. */
static char *nested(int depth)
{
    char *text = malloc((size_t)depth * 6 + 2), *at = text;
    assert_non_null(text);
    for (int i = 1; i < depth; i++)
        at = mempcpy(at, "{\"a\":", 5);
    at = mempcpy(at, "{}", 2);
    memset(at, '}', (size_t)depth - 1);
    at[depth - 1] = '\0';
    return text;
}

static void test_limits(void **state)
{
    static char large[SIDECAR_MAX_BYTES + 2];
    (void)state;
    char *deep = nested(SIDECAR_MAX_DEPTH), *deeper = nested(SIDECAR_MAX_DEPTH + 1), *abyss = nested(5000);
    takes(deep, deep);
    refuses(deeper, strlen(deeper), "deeper");
    refuses(abyss, strlen(abyss), "");
    free(deep);
    free(deeper);
    free(abyss);
    memset(large, ' ', sizeof large - 1);
    memcpy(large, "{}", 2);
    refuses(large, SIDECAR_MAX_BYTES + 1, "larger");
    large[SIDECAR_MAX_BYTES] = '\0';
    takes(large, "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
