/* JSON arguments: whatever comes, lifting pictures out of the text changes nothing of the answer. */
#include <stdint.h>

#include "fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct api_endpoint endpoint = {
    .method = "POST", .path = "/f", .fields = fields, .n_fields = sizeof fields / sizeof fields[0]};

struct answer {
    struct api_request req;
    struct aibox_error err;
    char *text;
    enum aibox_status status;
};

static struct answer *ask(const char *text, size_t size, bool plain)
{
    struct answer *answer = calloc(1, sizeof *answer);
    struct arguments_source source = {.encoding = ARGUMENTS_JSON, .size = size, .plain = plain};

    check(answer);
    answer->text = source.text = malloc(size + 1);
    check(answer->text);
    if (size)
        memcpy(answer->text, text, size);
    answer->text[size] = '\0';
    check(request_init(&answer->req, NULL, &endpoint, NULL) == AIBOX_OK);
    answer->status = arguments_parse(&answer->req, &source, &answer->err);
    check(answer->status == AIBOX_OK || answer->status == answer->err.status);
    check(utf8_valid(answer->err.message, strlen(answer->err.message)) || answer->status == AIBOX_BAD_REQUEST);
    return answer;
}

static void forget(struct answer *answer)
{
    request_free(&answer->req);
    free(answer->text);
    free(answer);
}

static void check_same_picture(const struct answer *one, const struct answer *other, const char *name)
{
    struct api_bytes a = api_picture(&one->req, name);
    struct api_bytes b = api_picture(&other->req, name);

    check(api_given(&one->req, name) == api_given(&other->req, name));
    check(!a.data == !b.data);
    check(a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0));
    check(api_picture_check(&one->req, name, NULL) == api_picture_check(&other->req, name, NULL));
}

static void check_same_list(const struct answer *one, const struct answer *other)
{
    size_t n;
    size_t m;
    const char *const *a = api_list(&one->req, "ids", &n);
    const char *const *b = api_list(&other->req, "ids", &m);

    check(n == m && !a == !b);
    for (size_t i = 0; i < n; i++)
        check(strcmp(a[i], b[i]) == 0);
}

static void check_same_json(const struct answer *one, const struct answer *other, const char *name)
{
    json_t *a = api_json(&one->req, name);
    json_t *b = api_json(&other->req, name);

    check(!a == !b && (!a || json_equal(a, b)));
}

static void check_same_text(const struct answer *one, const struct answer *other, const char *name)
{
    const char *a = api_text(&one->req, name);
    const char *b = api_text(&other->req, name);

    check(!a == !b && (!a || strcmp(a, b) == 0));
}

static void check_both_ways(const char *text, size_t size)
{
    struct answer *lifted = ask(text, size, false);
    struct answer *plain = ask(text, size, true);

    check(lifted->status == plain->status);
    check(strcmp(lifted->err.message, plain->err.message) == 0);
    if (plain->status == AIBOX_OK) {
        check_arguments(&plain->req);
        check_same_picture(lifted, plain, "p");
        check_same_picture(lifted, plain, "q");
        check_same_list(lifted, plain);
        check_same_json(lifted, plain, "info");
        check_same_json(lifted, plain, "objects");
        check_same_json(lifted, plain, "any");
        check_same_text(lifted, plain, "id");
        check_same_text(lifted, plain, "t");
        check_same_text(lifted, plain, "l");
        check(api_int(&lifted->req, "n") == api_int(&plain->req, "n"));
        check(api_bool(&lifted->req, "on") == api_bool(&plain->req, "on"));
    }
    forget(lifted);
    forget(plain);
}

/* Puts 1,100 characters of base64 for each '~', so that small inputs hold strings long enough to be lifted. */
static char *stretch(const uint8_t *data, size_t size, size_t *stretched)
{
    enum { RUN = 1100 };
    size_t marks = 0;
    char *text;

    for (size_t i = 0; i < size; i++)
        marks += data[i] == '~';
    text = malloc(size + marks * RUN + 1);
    check(text);
    *stretched = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '~') {
            text[(*stretched)++] = (char)data[i];
            continue;
        }
        for (size_t j = 0; j < RUN; j++)
            text[(*stretched)++] = "Zm9vYmFyK/"[j % 10];
    }
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t stretched;
    char *text = stretch(data, size, &stretched);

    check_both_ways(text, stretched);
    check_both_ways((const char *)data, size);
    free(text);
    return 0;
}
