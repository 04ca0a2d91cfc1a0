/* The server over real sockets, with a table of its own. */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/server.h"
#include "core/clock.h"

#define MAX_BODY ((size_t)1 << 20)

/* ---- the table ------------------------------------------------------------------------------------------ */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held: /wait waits */
static atomic_int entered;                               /* calls of /wait that have begun */

static void answer(struct api_response *res, const char *key, const char *value)
{
    struct json_out *out = api_body(res);

    json_out_object_begin(out);
    json_out_key_text(out, key, value);
    json_out_object_end(out);
}

static enum aibox_status hello(struct api_context *ctx, struct api_request *req, struct api_response *res,
                               struct aibox_error *err)
{
    (void)ctx;
    (void)err;
    answer(res, "hello", api_text(req, "name"));
    api_reply_header(res, "X-Own", "1");
    return AIBOX_OK;
}

static enum aibox_status echo(struct api_context *ctx, struct api_request *req, struct api_response *res,
                              struct aibox_error *err)
{
    struct json_out *out = api_body(res);

    (void)ctx;
    (void)err;
    json_out_object_begin(out);
    json_out_key_text(out, "text", api_text(req, "text"));
    json_out_key_int(out, "picture", (int64_t)api_picture(req, "picture").size);
    json_out_object_end(out);
    return AIBOX_OK;
}

static enum aibox_status wait_here(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    (void)ctx;
    (void)req;
    (void)err;
    (void)atomic_fetch_add(&entered, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    answer(res, "waited", "yes");
    return AIBOX_OK;
}

static enum aibox_status fail_here(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    (void)ctx;
    (void)req;
    answer(res, "half", "an answer");
    api_reply_header(res, "X-Own", "1");
    return error_set(err, AIBOX_ID_NOT_FOUND, "identity_id 7 does not exist");
}

static enum aibox_status unbalanced(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                    struct aibox_error *err)
{
    (void)ctx;
    (void)req;
    (void)err;
    json_out_object_begin(api_body(res));
    return AIBOX_OK;
}

static enum aibox_status bytes(struct api_context *ctx, struct api_request *req, struct api_response *res,
                               struct aibox_error *err)
{
    size_t size = (size_t)api_int(req, "size");
    uint8_t *memory = malloc(size ? size : 1);

    (void)ctx;
    if (!memory)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    memset(memory, 'x', size);
    api_reply_bytes_take(res, "image/jpeg", memory, size);
    api_reply_status(res, 201);
    return AIBOX_OK;
}

static const struct api_field name_field[] = {{.name = "name", .type = API_TEXT, .default_text = "world"}};
static const struct api_field echo_fields[] = {
    {.name = "text", .type = API_TEXT, .flags = API_REQUIRED},
    {.name = "picture", .type = API_PICTURE},
};
static const struct api_field size_field[] = {{.name = "size", .type = API_INT, .min = 0, .max = 1e8}};

#define ROW(verb, where, how, who, fast, what, args, n)                                                                \
    {                                                                                                                  \
        .method = verb, .path = where, .encodings = how, .role = who, .quick = fast, .handler = what, .fields = args,  \
        .n_fields = n, .tag = "t", .summary = "s"                                                                      \
    }

static const struct api_endpoint table[] = {
    ROW("GET", "/hello", API_QUERY, API_OPEN, true, hello, name_field, 1),
    ROW("GET", "/slow/hello", API_QUERY, API_OPEN, false, hello, name_field, 1),
    ROW("GET", "/hello/{name}", API_QUERY, API_OPEN, true, hello, NULL, 0),
    ROW("POST", "/echo", API_BODY_JSON | API_BODY_FORM, API_OPEN, true, echo, echo_fields, 2),
    ROW("PUT", "/echo", API_BODY_JSON, API_OPEN, false, echo, echo_fields, 2),
    ROW("DELETE", "/echo", API_BODY_JSON, API_OPEN, true, fail_here, NULL, 0),
    ROW("GET", "/wait", API_QUERY, API_OPEN, false, wait_here, NULL, 0),
    ROW("GET", "/unbalanced", API_QUERY, API_OPEN, true, unbalanced, NULL, 0),
    ROW("GET", "/bytes", API_QUERY, API_OPEN, true, bytes, size_field, 1),
    ROW("GET", "/api/closed", API_QUERY, API_VIEWER, true, hello, name_field, 1),
    ROW("POST", "/SophonX/api/call", API_BODY_JSON, API_OPERATOR, true, echo, echo_fields, 2),
};
#define ROWS (sizeof table / sizeof table[0])

/* ---- helpers -------------------------------------------------------------------------------------------- */

struct box {
    struct settings *settings;
    struct api *api;
    unsigned port;
};

static struct box *open_box_in_mode(const struct api_limits *limits, const char *mode)
{
    struct box *box = calloc(1, sizeof *box);
    struct aibox_error err = {0};
    struct api_context ctx = {0};

    assert_non_null(box);
    assert_int_equal(settings_open(&box->settings, NULL), AIBOX_OK);
    assert_int_equal(settings_put(box->settings, SETTINGS_FILE, "access.mode", mode, NULL), AIBOX_OK);
    ctx.settings = box->settings;
    if (api_server_open(table, ROWS, &ctx, "127.0.0.1:0", limits, &box->api, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
    box->port = (unsigned)strtoul(strrchr(api_address(box->api), ':') + 1, NULL, 10);
    assert_int_not_equal(box->port, 0);
    return box;
}

static struct box *open_box(const struct api_limits *limits)
{
    return open_box_in_mode(limits, "closed");
}

static void close_box(struct box *box)
{
    api_close(box->api, 5000);
    settings_close(box->settings);
    free(box);
}

static int begin(void **state)
{
    const struct api_limits limits = {.max_body = MAX_BODY};

    *state = open_box(&limits);
    return 0;
}

static int end(void **state)
{
    close_box(*state);
    return 0;
}

/* What curl got. */
struct reply {
    long status;
    char head[4096];
    size_t head_size;
    char *body;
    size_t size;
    CURLcode code;
    long connects; /* new connections made */
};

static size_t keep_head(char *data, size_t size, size_t count, void *arg)
{
    struct reply *reply = arg;
    size_t room = sizeof reply->head - 1 - reply->head_size;
    size_t kept = size * count < room ? size * count : room;

    memcpy(reply->head + reply->head_size, data, kept);
    reply->head_size += kept;
    reply->head[reply->head_size] = '\0';
    return size * count;
}

static size_t keep_body(char *data, size_t size, size_t count, void *arg)
{
    struct reply *reply = arg;
    char *grown = realloc(reply->body, reply->size + size * count + 1);

    if (!grown)
        return 0;
    reply->body = grown;
    memcpy(reply->body + reply->size, data, size * count);
    reply->size += size * count;
    reply->body[reply->size] = '\0';
    return size * count;
}

static CURL *client_for(const struct box *box, const char *path)
{
    CURL *curl = curl_easy_init();
    char url[300];

    assert_non_null(curl);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u%s", box->port, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, keep_head);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_body);
    return curl;
}

static struct reply perform(CURL *curl)
{
    struct reply reply = {0};

    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
    reply.code = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
    (void)curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &reply.connects);
    return reply;
}

/* One call: `body` NULL for none; `headers`: up to two lines. */
static struct reply call(const struct box *box, const char *method, const char *path, const char *body,
                         const char *header, const char *other_header)
{
    CURL *curl = client_for(box, path);
    struct curl_slist *headers = NULL;
    struct reply reply;

    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    headers = curl_slist_append(headers, header ? header : body ? "Content-Type: application/json" : "X-None: 0");
    if (other_header)
        headers = curl_slist_append(headers, other_header);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    reply = perform(curl);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return reply;
}

static void check_reply(struct reply reply, long status, const char *part)
{
    if (reply.code != CURLE_OK)
        fail_msg("%s", curl_easy_strerror(reply.code));
    if (reply.status != status || (part && (!reply.body || !strstr(reply.body, part))))
        fail_msg("%ld: %s, not %ld: %s", reply.status, reply.body ? reply.body : "", status, part ? part : "");
    free(reply.body);
}

static void check_call(const struct box *box, const char *method, const char *path, const char *body, long status,
                       const char *part)
{
    check_reply(call(box, method, path, body, NULL, NULL), status, part);
}

/* Sends `request` as it is and reads until the server closes, or `wanted` has come. */
static char *talk(const struct box *box, const char *request, size_t size, const char *wanted)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)box->port)};
    const struct timeval patience = {.tv_sec = 20};
    static char reply[65536];
    size_t got = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof where), 0);
    assert_int_equal(send(fd, request, size, MSG_NOSIGNAL), (ssize_t)size);
    while (got + 1 < sizeof reply) {
        ssize_t more = recv(fd, reply + got, sizeof reply - 1 - got, 0);

        if (more <= 0)
            break;
        got += (size_t)more;
        reply[got] = '\0';
        if (wanted && strstr(reply, wanted))
            break;
    }
    reply[got] = '\0';
    (void)close(fd);
    return reply;
}

/* ---- tests ---------------------------------------------------------------------------------------------- */

static void calls_are_answered(void **state)
{
    const struct box *box = *state;

    check_call(box, "GET", "/hello", NULL, 200, "{\"hello\":\"world\"}");
    check_call(box, "GET", "/slow/hello", NULL, 200, "{\"hello\":\"world\"}");
    check_call(box, "GET", "/hello?name=%E5%B0%8F+x", NULL, 200, "{\"hello\":\"小 x\"}");
    check_call(box, "GET", "/hello?", NULL, 200, "world");
    check_call(box, "GET", "/hello/a%20b%2Fc", NULL, 200, "{\"hello\":\"a b/c\"}");
    check_call(box, "GET", "/hello/x?name=y", NULL, 200, "{\"hello\":\"x\"}");
    check_call(box, "GET", "/%68ello", NULL, 200, "world");
    check_call(box, "POST", "/echo", "{\"text\":\"a\",\"picture\":\"Zm9v\"}", 200, "{\"text\":\"a\",\"picture\":3}");
    check_call(box, "PUT", "/echo?", "{\"text\":\"a\"}", 200, "\"text\":\"a\"");
    check_reply(call(box, "POST", "/echo", "text=a+b", "Content-Type: application/x-www-form-urlencoded", NULL), 200,
                "a b");
    check_reply(call(box, "POST", "/echo",
                     "--XX\r\nContent-Disposition: form-data; name=text\r\n\r\nmulti\r\n--XX--\r\n",
                     "Content-Type: multipart/form-data; boundary=\"XX\"", NULL),
                200, "multi");
    check_reply(call(box, "POST", "/echo", "{\"text\":\"a\"}", "Content-Type:", NULL), 200, "\"a\"");
    check_reply(call(box, "POST", "/echo", "{\"text\":\"a\"}", "Content-Type: Application/JSON; charset=UTF-8", NULL),
                200, "\"a\"");
}

static void headers_are_set(void **state)
{
    const struct box *box = *state;
    struct reply reply = call(box, "GET", "/hello", NULL, NULL, NULL);

    assert_non_null(strstr(reply.head, "Content-Type: application/json; charset=utf-8\r\n"));
    assert_non_null(strstr(reply.head, "X-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(reply.head, "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(reply.head, "Server: AIBOX\r\n"));
    assert_non_null(strstr(reply.head, "X-Own: 1\r\n"));
    free(reply.body);
    reply = call(box, "GET", "/bytes?size=3", NULL, NULL, NULL);
    assert_non_null(strstr(reply.head, "Content-Type: image/jpeg\r\n"));
    check_reply(reply, 201, "xxx");
}

static void head_is_get_without_body(void **state)
{
    const struct box *box = *state;
    struct reply reply = call(box, "HEAD", "/bytes?size=1000", NULL, NULL, NULL);

    assert_non_null(strstr(reply.head, "Content-Length: 1000\r\n"));
    assert_int_equal(reply.size, 0);
    check_reply(reply, 201, NULL);
    reply = call(box, "HEAD", "/slow/hello", NULL, NULL, NULL);
    assert_int_equal(reply.size, 0);
    check_reply(reply, 200, NULL);
}

static void errors_have_their_form(void **state)
{
    const struct box *box = *state;
    struct reply reply;

    check_call(box, "GET", "/nothing", NULL, 404,
               "{\"error\":{\"code\":40400,\"message\":\"no such path: /nothing\",\"status\":\"NOT_FOUND\"}}");
    check_call(box, "GET", "/Hello", NULL, 404, "40400");
    check_call(box, "GET", "/hello/", NULL, 404, "40400");
    check_call(box, "GET", "/hello/a/b", NULL, 404, "40400");
    check_call(box, "GET", "/hello/%zz", NULL, 400, "40000");
    check_call(box, "GET", "/hello?name=%zz", NULL, 400, "40000");
    reply = call(box, "PATCH", "/echo", NULL, NULL, NULL);
    assert_non_null(strstr(reply.head, "Allow: POST, PUT, DELETE\r\n"));
    check_reply(reply, 405, "40500");
    reply = call(box, "DELETE", "/hello", NULL, NULL, NULL);
    assert_non_null(strstr(reply.head, "Allow: GET, HEAD\r\n"));
    check_reply(reply, 405, "METHOD_NOT_ALLOWED");
    reply = call(box, "DELETE", "/echo", NULL, NULL, NULL);
    assert_null(strstr(reply.head, "X-Own"));
    check_reply(
        reply, 404,
        "{\"error\":{\"code\":40401,\"message\":\"identity_id 7 does not exist\",\"status\":\"ID_NOT_FOUND\"}}");
    check_call(box, "GET", "/unbalanced", NULL, 500, "50072");
    check_call(box, "POST", "/echo", "", 400, "40002");
    check_call(box, "POST", "/echo", "{", 400, "40000");
    check_call(box, "POST", "/echo", "{}", 400,
               "\"message\":\"text: required, and missing\",\"status\":\"PARAM_ERROR\"");
    check_reply(call(box, "POST", "/echo", "x", "Content-Type: text/plain", NULL), 415, "41591");
    check_reply(call(box, "POST", "/echo", "{}", "Content-Type: application/json; charset=gbk", NULL), 415, "41591");
    check_reply(call(box, "PUT", "/echo", "text=a", "Content-Type: application/x-www-form-urlencoded", NULL), 415,
                "this call takes application/json");
    check_reply(call(box, "POST", "/echo", "x", "Content-Type: multipart/form-data", NULL), 400, "boundary");
    check_reply(call(box, "DELETE", "/echo", NULL, "Content-Type: text/plain", NULL), 404, "40401");
}

static void connections_are_kept(void **state)
{
    const struct box *box = *state;
    CURL *curl = client_for(box, "/hello");
    struct curl_slist *json = curl_slist_append(NULL, "Content-Type: text/plain");

    for (int i = 0; i < 5; i++) {
        struct reply reply = perform(curl);

        assert_int_equal(reply.connects, i == 0 ? 1 : 0);
        check_reply(reply, 200, "world");
    }
    /* A small body that is refused does not cost the connection. */
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "a small body");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, json);
    for (int i = 0; i < 3; i++) {
        struct reply reply = perform(curl);

        assert_int_equal(reply.connects, 0);
        check_reply(reply, 405, "40500");
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(json);
}

/* A body of `size` bytes, JSON with one long text. */
static char *json_body(size_t size)
{
    char *body = malloc(size + 1);

    assert_non_null(body);
    memset(body, 'Q', size);
    memcpy(body, "{\"text\":\"a\",\"picture\":\"", 23);
    memcpy(body + size - 2, "\"}", 3);
    return body;
}

struct upload {
    const char *body;
    size_t left;
};

static size_t give(char *data, size_t size, size_t count, void *arg)
{
    struct upload *upload = arg;
    size_t part = upload->left < size * count ? upload->left : size * count;

    memcpy(data, upload->body, part);
    upload->body += part;
    upload->left -= part;
    return part;
}

static struct reply upload(const struct box *box, size_t size, bool chunked, bool expect)
{
    CURL *curl = client_for(box, "/echo");
    char *body = json_body(size);
    struct upload source = {body, size};
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct reply reply;

    headers = curl_slist_append(headers, expect ? "Expect: 100-continue" : "Expect:");
    if (chunked)
        headers = curl_slist_append(headers, "Transfer-Encoding: chunked");
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(curl, CURLOPT_READDATA, &source);
    if (!chunked)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    reply = perform(curl);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    free(body);
    return reply;
}

static void bodies_come_in_every_way(void **state)
{
    const struct box *box = *state;
    static const size_t sizes[] = {100, 70000, MAX_BODY};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char expected[64];

        (void)snprintf(expected, sizeof expected, "\"picture\":%zu", (sizes[i] - 25) * 3 / 4);
        for (int how = 0; how < 4; how++)
            check_reply(upload(box, sizes[i], how & 1, how & 2), 200, sizes[i] % 4 == 1 ? expected : "\"picture\"");
    }
}

static void bodies_too_large_are_refused_at_once(void **state)
{
    const struct box *box = *state;

    for (int how = 0; how < 4; how++) {
        check_reply(upload(box, MAX_BODY + 1, how & 1, how & 2), 413, "41300");
        check_reply(upload(box, 8 * MAX_BODY, how & 1, how & 2), 413, "41300");
    }
}

/* The answer is there before the body, and arrives although the client goes on sending. */
static void refusals_do_not_wait_for_the_body(void **state)
{
    const struct box *box = *state;
    static const char *const heads[] = {
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n",
        "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n",
        "POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\nExpect: 100-continue\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        const char *reply = talk(box, heads[i], strlen(heads[i]), "}}");

        assert_non_null(strstr(reply, i == 0 || i == 3 ? "41300" : "40400"));
        assert_non_null(strstr(reply, "Connection: close"));
        assert_null(strstr(reply, "100 Continue"));
    }
}

static void drained_connections_end(void **state)
{
    const struct api_limits limits = {.max_body = 1000, .drain_ms = 300};
    struct box *box = open_box(&limits);
    static const char head[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n";
    int64_t began = clock_monotonic_ms();
    const char *reply = talk(box, head, sizeof head - 1, NULL);

    (void)state;
    assert_non_null(strstr(reply, "41300"));
    assert_true(clock_monotonic_ms() - began < 15000);
    close_box(box);
}

static void malformed_requests_are_refused(void **state)
{
    const struct box *box = *state;
    static const struct {
        const char *request;
        const char *wanted;
    } cases[] = {
        {"GET /hello HTTP/1.1\r\n\r\n", "HTTP/1.1 400"}, /* no Host */
        {"GET /hello HTTP/9.9\r\nHost: x\r\n\r\n", "HTTP/1.1 505"},
        {"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n", "HTTP/1.1 400"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", "40000"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "40000"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "40000"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400"},
        {"GET http://x/hello?name=abs HTTP/1.1\r\nHost: x\r\n\r\n", "{\"hello\":\"abs\"}"},
        {"GET /hello HTTP/1.0\r\n\r\n", "{\"hello\":\"world\"}"},
        {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "40400"},
        {"GET /hello?name=a HTTP/1.1\r\nHost: x\r\n\r\nGET /hello?name=b HTTP/1.1\r\nHost: x\r\n\r\n",
         "{\"hello\":\"b\"}"}, /* pipelined */
    };
    char *huge = malloc(100000);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *reply = talk(box, cases[i].request, strlen(cases[i].request), cases[i].wanted);

        if (!strstr(reply, cases[i].wanted))
            fail_msg("%s\ngave\n%s", cases[i].request, reply);
    }
    (void)talk(box, "\x16\x03\x01 rubbish\r\n\r\n", 14, NULL);
    (void)talk(box, "rubbish\r\n\r\n", 11, NULL);
    assert_non_null(huge);
    (void)snprintf(huge, 100000, "GET /hello HTTP/1.1\r\nHost: x\r\nX-Long: %090000d\r\n\r\n", 1);
    assert_non_null(strstr(talk(box, huge, 40000, "HTTP/1.1 4"), "HTTP/1.1 4"));
    free(huge);
    check_call(box, "GET", "/hello", NULL, 200, "world");
}

static void wait_for_entered(int count)
{
    for (int i = 0; i < 2000 && atomic_load(&entered) < count; i++)
        (void)usleep(5000);
    assert_true(atomic_load(&entered) >= count);
}

struct caller {
    const struct box *box;
    const char *path;
    struct reply reply;
    pthread_t thread;
};

static void *call_path(void *arg)
{
    struct caller *caller = arg;

    caller->reply = call(caller->box, "GET", caller->path, NULL, NULL, NULL);
    return NULL;
}

static void start(struct caller *caller, const struct box *box, const char *path)
{
    *caller = (struct caller){.box = box, .path = path};
    assert_int_equal(pthread_create(&caller->thread, NULL, call_path, caller), 0);
}

static void slow_calls_do_not_hold_up_others(void **state)
{
    const struct box *box = *state;
    struct caller callers[8];

    atomic_store(&entered, 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 8; i++)
        start(&callers[i], box, "/wait");
    wait_for_entered(8);
    for (int i = 0; i < 20; i++)
        check_call(box, "GET", i % 2 ? "/hello" : "/slow/hello", NULL, 200, "world");
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        check_reply(callers[i].reply, 200, "waited");
    }
}

static void too_many_waiting_calls_are_refused(void **state)
{
    const struct api_limits limits = {.handler_threads = 1, .handler_queue = 1};
    struct box *box = open_box(&limits);
    struct caller callers[4];
    int refused = 0;

    (void)state;
    atomic_store(&entered, 0);
    pthread_mutex_lock(&gate);
    start(&callers[0], box, "/wait");
    wait_for_entered(1);
    for (int i = 1; i < 4; i++)
        start(&callers[i], box, "/wait");
    /* Two of the three find the queue full and are answered while the gate is closed. */
    for (int i = 0; i < 400; i++) {
        struct buffer text;

        buffer_init(&text, 1 << 20);
        api_metrics(box->api, &text);
        refused = strstr((const char *)text.data, "aibox_http_handlers_refused_total 2\n") ? 2 : 0;
        buffer_free(&text);
        if (refused)
            break;
        (void)usleep(20000);
    }
    pthread_mutex_unlock(&gate);
    assert_int_equal(refused, 2);
    refused = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        refused += callers[i].reply.status == 429;
        if (callers[i].reply.status == 429)
            assert_non_null(strstr(callers[i].reply.head, "Retry-After: 1\r\n"));
        check_reply(callers[i].reply, callers[i].reply.status == 429 ? 429 : 200, NULL);
    }
    assert_int_equal(refused, 2);
    close_box(box);
}

static void *call_often(void *arg)
{
    const struct box *box = arg;
    CURL *quick = client_for(box, "/hello?name=q");
    CURL *slow = client_for(box, "/slow/hello?name=s");

    for (int i = 0; i < 50; i++) {
        struct reply reply = perform(i % 2 ? quick : slow);

        if (reply.status != 200 || !strstr(reply.body, i % 2 ? "\"q\"" : "\"s\""))
            abort();
        free(reply.body);
    }
    curl_easy_cleanup(quick);
    curl_easy_cleanup(slow);
    return NULL;
}

static void many_clients_are_served_at_once(void **state)
{
    pthread_t threads[16];

    for (int i = 0; i < 16; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, *state), 0);
    for (int i = 0; i < 16; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void *close_it(void *arg)
{
    struct box *box = arg;

    api_close(box->api, 10000);
    return NULL;
}

static void closing_lets_running_calls_end(void **state)
{
    struct box *box = open_box(NULL);
    struct caller caller;
    pthread_t closer;

    (void)state;
    atomic_store(&entered, 0);
    pthread_mutex_lock(&gate);
    start(&caller, box, "/wait");
    wait_for_entered(1);
    assert_int_equal(pthread_create(&closer, NULL, close_it, box), 0);
    (void)usleep(50000);
    pthread_mutex_unlock(&gate);
    assert_int_equal(pthread_join(caller.thread, NULL), 0);
    assert_non_null(strstr(caller.reply.head, "Connection: close"));
    check_reply(caller.reply, 200, "waited");
    assert_int_equal(pthread_join(closer, NULL), 0);
    settings_close(box->settings);
    free(box);
}

/* Closing under load neither hangs nor breaks, whatever the calls get. */
static void *call_until_refused(void *arg)
{
    const struct box *box = arg;

    for (;;) {
        struct reply reply = call(box, "GET", "/slow/hello", NULL, NULL, NULL);
        bool done = reply.code != CURLE_OK || reply.status != 200;

        free(reply.body);
        if (done)
            return NULL;
    }
}

static void closing_under_load_is_clean(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct box *box = open_box(NULL);
        pthread_t threads[6];

        for (int i = 0; i < 6; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, call_until_refused, box), 0);
        (void)usleep(30000);
        api_close(box->api, 0);
        for (int i = 0; i < 6; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        settings_close(box->settings);
        free(box);
    }
}

static void closing_ends_idle_and_half_requests(void **state)
{
    struct box *box = open_box(NULL);
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)box->port)};
    static const char *const parts[] = {"", "GET /he", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"};
    int64_t began = clock_monotonic_ms();
    int fds[3];
    char byte;

    (void)state;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 3; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fds[i], (struct sockaddr *)&where, sizeof where), 0);
        assert_int_equal(send(fds[i], parts[i], strlen(parts[i]), MSG_NOSIGNAL), (ssize_t)strlen(parts[i]));
    }
    (void)usleep(50000);
    api_close(box->api, 200);
    assert_true(clock_monotonic_ms() - began < 15000);
    for (int i = 0; i < 3; i++) {
        assert_true(recv(fds[i], &byte, 1, 0) <= 0);
        (void)close(fds[i]);
    }
    settings_close(box->settings);
    free(box);
}

/* One byte now and then keeps no connection open. */
static void tricklers_are_ended(void **state)
{
    const struct api_limits limits = {.headers_ms = 300, .body_ms = 300, .bytes_per_s = 1000000};
    struct box *box = open_box(&limits);
    static const char *const parts[] = {"GET /hello HTTP/1.1\r\nX: ",
                                        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n{"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)box->port)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int sent = 0;

        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof where), 0);
        assert_true(send(fd, parts[i], strlen(parts[i]), MSG_NOSIGNAL) > 0);
        while (sent < 600 && send(fd, "x", 1, MSG_NOSIGNAL) == 1) {
            sent++;
            (void)usleep(25000);
        }
        assert_true(sent < 600);
        (void)close(fd);
    }
    close_box(box);
}

static void total_of_bodies_is_limited(void **state)
{
    const struct api_limits limits = {.max_body = MAX_BODY, .all_bodies = 1000};
    struct box *box = open_box(&limits);

    (void)state;
    check_reply(upload(box, 900, false, false), 200, "picture");
    check_reply(upload(box, 2000, false, false), 429, "42900");
    check_reply(upload(box, 900, true, false), 200, "picture");
    close_box(box);
}

static void put_setting(const struct box *box, const char *key, const char *value)
{
    struct aibox_error err;

    if (settings_put(box->settings, SETTINGS_STORED, key, value, &err) != AIBOX_OK)
        fail_msg("%s", err.message);
}

static void closed_mode_asks_for_a_credential(void **state)
{
    const struct box *box = *state;
    static const char body[] = "{\"text\":\"a\"}";
    struct reply reply = call(box, "GET", "/api/closed", NULL, NULL, NULL);

    assert_non_null(strstr(reply.head, "WWW-Authenticate: Bearer"));
    check_reply(reply, 401, "40100");
    check_call(box, "GET", "/hello", NULL, 200, "world");
    check_call(box, "POST", "/SophonX/api/call", body, 401, "access.legacy_allow");

    put_setting(box, "access.legacy_allow", "10.0.0.0/8, 127.0.0.0/8,::1");
    check_call(box, "POST", "/SophonX/api/call", body, 200, "\"a\"");
    check_call(box, "GET", "/api/closed", NULL, 401, "40100");
    check_reply(
        call(box, "POST", "/SophonX/api/call", body, "Content-Type: application/json", "Sec-Fetch-Site: cross-site"),
        403, "40300");
    check_reply(
        call(box, "POST", "/SophonX/api/call", body, "Content-Type: application/json", "Origin: http://evil.example"),
        403, "40300");
    check_reply(
        call(box, "POST", "/SophonX/api/call", body, "Content-Type: application/json", "Sec-Fetch-Site: same-origin"),
        200, "\"a\"");

    put_setting(box, "access.legacy_allow", "10.0.0.0/8,192.168.1.1");
    check_call(box, "POST", "/SophonX/api/call", body, 401, "40100");
}

static void open_mode_lets_everybody_in(void **state)
{
    struct box *box = open_box_in_mode(NULL, "open");

    (void)state;
    check_call(box, "GET", "/api/closed", NULL, 200, "world");
    check_call(box, "POST", "/SophonX/api/call", "{\"text\":\"a\"}", 200, "\"a\"");
    check_reply(call(box, "GET", "/api/closed", NULL, NULL, "Sec-Fetch-Site: cross-site"), 403, "40300");
    close_box(box);
}

/* The mode counts from the start on. */
static void a_stored_mode_waits_for_the_next_start(void **state)
{
    const struct box *box = *state;

    put_setting(box, "access.mode", "open");
    check_call(box, "GET", "/api/closed", NULL, 401, "40100");
}

static void check_not_opened(const char *listen, const char *key, const char *value, const char *message)
{
    struct settings *settings;
    struct api_context ctx = {0};
    struct aibox_error err = {0};
    struct api *api;

    assert_int_equal(settings_open(&settings, NULL), AIBOX_OK);
    if (key)
        assert_int_equal(settings_put(settings, SETTINGS_FILE, key, value, NULL), AIBOX_OK);
    ctx.settings = settings;
    assert_int_equal(api_server_open(table, ROWS, &ctx, listen, NULL, &api, &err), AIBOX_PARAM);
    assert_null(api);
    if (!strstr(err.message, message))
        fail_msg("%s", err.message);
    settings_close(settings);
}

static void wrong_starts_say_why(void **state)
{
    const struct box *box = *state;
    char busy[80];

    (void)snprintf(busy, sizeof busy, "%s is in use by another program", api_address(box->api));
    check_not_opened(api_address(box->api), NULL, NULL, busy);
    check_not_opened("localhost:1", NULL, NULL, "not an address");
    check_not_opened("127.0.0.1", NULL, NULL, "not an address");
    check_not_opened("127.0.0.1:65536", NULL, NULL, "not an address");
    check_not_opened("127.0.0.1:", NULL, NULL, "not an address");
    check_not_opened("127.0.0.1:-1", NULL, NULL, "not an address");
    check_not_opened("::1:80", NULL, NULL, "not an address");
    check_not_opened("[::1:80", NULL, NULL, "not an address");
    check_not_opened("", NULL, NULL, "not an address");
    check_not_opened("192.0.2.1:0", NULL, NULL, "no such address");
    check_not_opened("0.0.0.0:0", "access.mode", "open", "loopback");
    check_not_opened("127.0.0.1:0", "access.legacy_allow", "10.0.0.0/33", "10.0.0.0/33");
    check_not_opened("127.0.0.1:0", "access.legacy_allow", "10.0.0.1,,10.0.0.2", "got \"\"");
}

static void metrics_count_calls(void **state)
{
    const struct box *box = *state;
    struct buffer text;
    const char *figures;

    check_call(box, "GET", "/hello", NULL, 200, NULL);
    check_call(box, "GET", "/hello", NULL, 200, NULL);
    check_call(box, "GET", "/hello?name=%zz", NULL, 400, NULL);
    check_call(box, "GET", "/nothing", NULL, 404, NULL);
    check_call(box, "POST", "/echo", "{\"text\":\"a\"}", 200, NULL);
    (void)usleep(50000);
    buffer_init(&text, 1 << 20);
    api_metrics(box->api, &text);
    figures = (const char *)text.data;
    assert_non_null(strstr(figures, "aibox_http_requests_total{method=\"GET\",path=\"/hello\",status=\"2xx\"} 2\n"));
    assert_non_null(strstr(figures, "aibox_http_requests_total{method=\"GET\",path=\"/hello\",status=\"4xx\"} 1\n"));
    assert_non_null(strstr(figures, "aibox_http_requests_total{method=\"\",path=\"\",status=\"4xx\"} 1\n"));
    assert_non_null(strstr(figures, "path=\"/hello\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(figures, "aibox_http_request_bytes_total{method=\"POST\",path=\"/echo\"} 12\n"));
    assert_non_null(strstr(figures, "aibox_http_requests_in_flight 0\n"));
    assert_non_null(strstr(figures, "aibox_build_info{version="));
    assert_non_null(strstr(figures, "process_resident_memory_bytes "));
    assert_null(strstr(figures, "/unbalanced"));
    buffer_free(&text);
}

#define ON_A_BOX(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_BOX(calls_are_answered),
        ON_A_BOX(headers_are_set),
        ON_A_BOX(head_is_get_without_body),
        ON_A_BOX(errors_have_their_form),
        ON_A_BOX(connections_are_kept),
        ON_A_BOX(bodies_come_in_every_way),
        ON_A_BOX(bodies_too_large_are_refused_at_once),
        ON_A_BOX(refusals_do_not_wait_for_the_body),
        cmocka_unit_test(drained_connections_end),
        ON_A_BOX(malformed_requests_are_refused),
        ON_A_BOX(slow_calls_do_not_hold_up_others),
        cmocka_unit_test(too_many_waiting_calls_are_refused),
        ON_A_BOX(many_clients_are_served_at_once),
        cmocka_unit_test(closing_lets_running_calls_end),
        cmocka_unit_test(closing_under_load_is_clean),
        cmocka_unit_test(closing_ends_idle_and_half_requests),
        cmocka_unit_test(tricklers_are_ended),
        cmocka_unit_test(total_of_bodies_is_limited),
        ON_A_BOX(closed_mode_asks_for_a_credential),
        cmocka_unit_test(open_mode_lets_everybody_in),
        ON_A_BOX(a_stored_mode_waits_for_the_next_start),
        ON_A_BOX(wrong_starts_say_why),
        ON_A_BOX(metrics_count_calls),
    };

    if (curl_global_init(CURL_GLOBAL_ALL) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
