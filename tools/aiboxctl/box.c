#include "box.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX         ((size_t)64 * 1024 * 1024)
#define URL_MAX            65536
#define CONNECT_TIMEOUT_MS 5000L
#define TIMEOUT_MS         120000L
#define SOCKET_NAME        "control.sock"
#define BUSY_TRIES         40
#define BUSY_PAUSE_MS      250

struct box {
    CURL *curl;
    struct curl_slist *headers;
    char place[PATH_MAX]; /* where it is, for people */
    int folder;           /* of the Unix socket, where its name is too long; -1: not needed */
    char *base;           /* scheme and authority, perhaps a path, without '/' at the end */
    struct buffer answer;
};

/* ---- where it is ---- */

/* Where boxes keep their data: one started by `make run`, an installed one. */
static const char *const usual_folders[] = {"var", "/var/lib/aibox"};

static bool has_socket(const char *folder)
{
    char path[PATH_MAX];
    struct stat info;
    int size = snprintf(path, sizeof path, "%s/" SOCKET_NAME, folder);
    return size > 0 && (size_t)size < sizeof path && stat(path, &info) == 0 && S_ISSOCK(info.st_mode);
}

/* The data folder whose socket is to be used; NULL: a URL is. */
static const char *choose_folder(const struct box_address *address)
{
    if (address->url != NULL || address->data != NULL)
        return address->url != NULL ? NULL : address->data;
    for (size_t i = 0; i < sizeof usual_folders / sizeof usual_folders[0]; i++)
        if (has_socket(usual_folders[i]))
            return usual_folders[i];
    return NULL;
}

/* Has curl use the socket in `folder`. A long name is replaced by the folder's descriptor. */
static enum aibox_status use_socket(struct box *box, const char *folder, struct aibox_error *err)
{
    char path[PATH_MAX];
    if (!has_socket(folder))
        return error_set(err, AIBOX_REMOTE_FAILED, "no box runs on the data folder %s", folder);
    int size = snprintf(path, sizeof path, "%s/" SOCKET_NAME, folder);
    if ((size_t)size >= sizeof((struct sockaddr_un *)NULL)->sun_path) {
        box->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (box->folder < 0)
            return error_set(err, AIBOX_REMOTE_FAILED, "%s: %s", folder, strerror(errno));
        snprintf(path, sizeof path, "/proc/self/fd/%d/" SOCKET_NAME, box->folder);
    }
    snprintf(box->place, sizeof box->place, "%.*s, by its Unix socket", PATH_MAX - 64, folder);
    return curl_easy_setopt(box->curl, CURLOPT_UNIX_SOCKET_PATH, path) == CURLE_OK
               ? AIBOX_OK
               : error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
}

const char *box_place(const struct box *box)
{
    return box->place;
}

/* ---- opening ---- */

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static char *base_of(const char *url)
{
    struct buffer base;
    size_t size = 0;
    buffer_init(&base, URL_MAX);
    if (strstr(url, "://") == NULL)
        buffer_append_text(&base, "http://");
    buffer_append_text(&base, url);
    char *text = (char *)buffer_give(&base, &size);
    while (text != NULL && size > 0 && text[size - 1] == '/')
        text[--size] = '\0';
    return text;
}

static bool add_header(struct box *box, const char *line)
{
    struct curl_slist *longer = curl_slist_append(box->headers, line);
    if (longer == NULL)
        return false;
    box->headers = longer;
    return true;
}

static bool add_headers(struct box *box, const char *key)
{
    struct buffer line;
    bool done = add_header(box, "Content-Type: application/json") && add_header(box, "Expect:");
    buffer_init(&line, URL_MAX);
    if (done && key != NULL)
        done = buffer_appendf(&line, "Authorization: Bearer %s", key) && add_header(box, (const char *)line.data);
    buffer_free(&line);
    return done;
}

static size_t take_bytes(char *bytes, size_t size, size_t n, void *ctx)
{
    /* curl promises size 1. A short return makes it give up. */
    return buffer_append(ctx, bytes, size * n) ? size * n : 0;
}

/* Boxes stand in the local network: a proxy of the environment would only be in the way. */
static void set_up(struct box *box)
{
    curl_easy_setopt(box->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(box->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(box->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(box->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(box->curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
    curl_easy_setopt(box->curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(box->curl, CURLOPT_HTTPHEADER, box->headers);
    curl_easy_setopt(box->curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(box->curl, CURLOPT_WRITEDATA, &box->answer);
}

enum aibox_status box_open(const struct box_address *address, struct box **out, struct aibox_error *err)
{
    const char *folder = choose_folder(address);
    const char *url = folder != NULL ? "http://localhost" : address->url != NULL ? address->url : BOX_DEFAULT_URL;
    *out = NULL;
    if (url[0] == '\0' || has_control(url))
        return error_set(err, AIBOX_PARAM, "--url: http://host:port is expected");
    if (address->key != NULL && (address->key[0] == '\0' || has_control(address->key)))
        return error_set(err, AIBOX_PARAM, "--key: not a key");
    struct box *box = calloc(1, sizeof *box);
    if (box == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    buffer_init(&box->answer, ANSWER_MAX);
    box->folder = -1;
    box->base = base_of(url);
    box->curl = curl_easy_init();
    if (box->base == NULL || box->curl == NULL || !add_headers(box, address->key)) {
        box_close(box);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    set_up(box);
    snprintf(box->place, sizeof box->place, "%s", box->base);
    enum aibox_status status = folder != NULL ? use_socket(box, folder, err) : AIBOX_OK;
    if (address->certificate != NULL)
        curl_easy_setopt(box->curl, CURLOPT_CAINFO, address->certificate);
    if (status != AIBOX_OK) {
        box_close(box);
        return status;
    }
    *out = box;
    return AIBOX_OK;
}

void box_close(struct box *box)
{
    if (box == NULL)
        return;
    curl_easy_cleanup(box->curl);
    curl_slist_free_all(box->headers);
    buffer_free(&box->answer);
    if (box->folder >= 0)
        close(box->folder);
    free(box->base);
    free(box);
}

/* ---- calling ---- */

static enum aibox_status status_of_code(json_int_t code)
{
    for (int status = 1; status < AIBOX_STATUS_COUNT; status++)
        if (status_code((enum aibox_status)status) == code)
            return (enum aibox_status)status;
    return AIBOX_REMOTE_DATA;
}

/* The failure that the box reports in its answer. */
static enum aibox_status read_failure(const struct box *box, long http, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_REMOTE_DATA;
    json_t *answer =
        box->answer.data == NULL ? NULL : json_loadb((const char *)box->answer.data, box->answer.size, 0, NULL);
    const json_t *error = json_object_get(answer, "error");
    const json_t *code = json_object_get(error, "code");
    const char *message = json_string_value(json_object_get(error, "message"));
    if (json_is_integer(code) && message != NULL) {
        status = status_of_code(json_integer_value(code));
        error_set(err, status, "%s (%lld)", message, (long long)json_integer_value(code));
    } else {
        error_set(err, status, "%s answered with HTTP status %ld and no reason: is it a box?", box->place, http);
    }
    json_decref(answer);
    return status;
}

static enum aibox_status perform_once(struct box *box, struct aibox_error *err)
{
    long http = 0;
    buffer_clear(&box->answer);
    CURLcode code = curl_easy_perform(box->curl);
    if (code == CURLE_WRITE_ERROR)
        return error_set(err, AIBOX_REMOTE_DATA, "the box's answer is larger than %zu MiB", ANSWER_MAX >> 20);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return error_set(err, AIBOX_PARAM, "--url %s: http://host:port is expected", box->base);
    if (code == CURLE_COULDNT_CONNECT)
        return error_set(err, AIBOX_REMOTE_FAILED, "no box answers at %s: is aiboxd running there?", box->place);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return error_set(err, AIBOX_REMOTE_FAILED,
                         "%s: its certificate is not known here: --certificate names the file that it is in",
                         box->place);
    if (code != CURLE_OK)
        return error_set(err, AIBOX_REMOTE_FAILED, "%s: %s", box->place, curl_easy_strerror(code));
    curl_easy_getinfo(box->curl, CURLINFO_RESPONSE_CODE, &http);
    return http == 200 ? AIBOX_OK : read_failure(box, http, err);
}

/* A box that has too much to do, or is still starting, says so: who wants something done waits and asks again. */
static enum aibox_status perform(struct box *box, bool patient, struct aibox_error *err)
{
    for (int tries = patient ? 1 : BUSY_TRIES;; tries++) {
        enum aibox_status status = perform_once(box, err);
        bool busy = status == AIBOX_TOO_MANY_REQUESTS || status == AIBOX_GROUP_NOT_LOADED;
        if (!busy || tries == BUSY_TRIES)
            return status;
        struct timespec pause = {.tv_nsec = BUSY_PAUSE_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
}

static enum aibox_status send_request(struct box *box, const char *method, const char *path, const char *body,
                                      struct aibox_error *err)
{
    struct buffer url;
    enum aibox_status status = AIBOX_PROCESS_FAILED;
    buffer_init(&url, URL_MAX);
    if (!buffer_append_text(&url, box->base) || !buffer_append_text(&url, path)) {
        error_set(err, status, "the request is too long");
    } else {
        curl_easy_setopt(box->curl, CURLOPT_URL, url.data);
        curl_easy_setopt(box->curl, CURLOPT_HTTPGET, 1L);
        if (body != NULL) {
            curl_easy_setopt(box->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
            curl_easy_setopt(box->curl, CURLOPT_POSTFIELDS, body);
        }
        curl_easy_setopt(box->curl, CURLOPT_CUSTOMREQUEST, method);
        status = perform(box, strcmp(method, "GET") != 0, err);
    }
    buffer_free(&url);
    return status;
}

enum aibox_status box_call(struct box *box, const char *method, const char *path, const json_t *body, json_t **answer,
                           struct aibox_error *err)
{
    char *text = NULL;
    if (answer != NULL)
        *answer = NULL;
    if (body != NULL && (text = json_dumps(body, JSON_COMPACT)) == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    enum aibox_status status = send_request(box, method, path, text, err);
    free(text);
    if (status != AIBOX_OK || answer == NULL)
        return status;
    *answer = json_loadb((const char *)box->answer.data, box->answer.size, 0, NULL);
    if (*answer == NULL)
        return error_set(err, AIBOX_REMOTE_DATA, "%s does not answer in JSON: is it a box?", box->base);
    return AIBOX_OK;
}

enum aibox_status box_get_bytes(struct box *box, const char *path, struct buffer *out, struct aibox_error *err)
{
    enum aibox_status status = send_request(box, "GET", path, NULL, err);
    buffer_clear(out);
    if (status == AIBOX_OK && !buffer_append(out, box->answer.data, box->answer.size))
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    return status;
}

/* ---- paths ---- */

void box_path_segment(struct buffer *path, const char *text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text != '\0'; text++) {
        if (strchr(unreserved, *text) != NULL)
            buffer_append(path, text, 1);
        else
            buffer_appendf(path, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

void box_path_query(struct buffer *path, const char *name, const char *value)
{
    bool first = path->data == NULL || memchr(path->data, '?', path->size) == NULL;
    buffer_appendf(path, "%c%s=", first ? '?' : '&', name);
    box_path_segment(path, value);
}

void box_path_query_int(struct buffer *path, const char *name, long long value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", value);
    box_path_query(path, name, text);
}
