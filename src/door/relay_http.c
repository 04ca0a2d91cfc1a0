#include <curl/curl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "door/link.h"
#include "door/relay.h"

#define URL_HOST_SIZE 272 /* an IPv6 address in brackets with an escaped zone, or a name */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* One request. `body` NULL: GET, else POST. */
struct request {
    const char *url;
    const char *body;
    const char *user, *password; /* "": those of the URL, if any */
    bool verify_tls;
    CURL *curl;
    CURLU *parts;
    struct curl_slist *resolved;
    struct curl_slist *headers;
};

/* The host of a command as URLs spell it (RFC 3986 and, for the zone, RFC 6874). */
static void spell_host(const char *host, char out[URL_HOST_SIZE])
{
    const char *zone = strchr(host, '%');

    if (!strchr(host, ':'))
        (void)snprintf(out, URL_HOST_SIZE, "%s", host);
    else if (!zone)
        (void)snprintf(out, URL_HOST_SIZE, "[%s]", host);
    else
        (void)snprintf(out, URL_HOST_SIZE, "[%.*s%%25%s]", (int)(zone - host), host, zone + 1);
}

/* A success is known with the end of its headers: what follows is not waited for. A refusal goes on, as curl may have
 * another answer to the relay's question for a password. */
static size_t see_header(char *line, size_t size, size_t n, void *arg)
{
    const struct request *request = arg;
    long code = 0;

    if (n * size > 2 || line[0] != '\r')
        return n * size;
    curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &code);
    return code >= 200 && code <= 299 ? 0 : n * size;
}

static size_t drop_body(char *bytes, size_t size, size_t n, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * n;
}

/* Appends "HOST:PORT:ADDRESS,ADDRESS" for curl, whose own look-up could not be left when the time is up. */
static enum aibox_status name_addresses(struct request *request, const char *host, const char *port,
                                        const struct address_list *addresses, struct aibox_error *err)
{
    struct buffer line;
    struct curl_slist *list = NULL;

    buffer_init(&line, 1024);
    buffer_appendf(&line, "%s:%s:", host, port);
    for (size_t i = 0; i < addresses->n; i++) {
        const struct address *address = &addresses->of[i];
        char text[NI_MAXHOST];

        if (getnameinfo((const struct sockaddr *)&address->at, address->size, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) == 0)
            buffer_appendf(&line, address->at.ss_family == AF_INET6 ? "%s[%s]" : "%s%s", i > 0 ? "," : "", text);
    }
    if (!line.failed)
        list = curl_slist_append(NULL, (const char *)line.data);
    buffer_free(&line);
    if (!list)
        return error_set(err, AIBOX_REMOTE_FAILED, "out of memory");
    request->resolved = list;
    return AIBOX_OK;
}

/* Takes the URL apart; finds the addresses of a host that is a name. */
static enum aibox_status parse_url(struct request *request, struct relay_call *call, struct aibox_error *err)
{
    struct address_list addresses;
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    enum aibox_status status = AIBOX_OK;

    if (curl_url_set(request->parts, CURLUPART_URL, request->url, 0) != CURLUE_OK ||
        curl_url_get(request->parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) ||
        curl_url_get(request->parts, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(request->parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
        status = error_set(err, AIBOX_PARAM, "not an http or https URL");
    else if (host[0] != '[')
        status = resolver_find(call->resolver, host, 0, call->deadline_ms, &addresses, err);
    if (status == AIBOX_OK && host[0] != '[')
        status = name_addresses(request, host, port, &addresses, err);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return status;
}

static void set_options(struct request *request, int64_t left_ms)
{
    CURL *curl = request->curl;

    curl_easy_setopt(curl, CURLOPT_CURLU, request->parts);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)left_ms);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    /* Relays are next door. */
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_RESOLVE, request->resolved);
    if (request->user[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, request->password);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, request->verify_tls ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, request->verify_tls ? 2L : 0L);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, see_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
    if (request->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
        if (request->body[0] == '{' || request->body[0] == '[')
            request->headers = curl_slist_append(NULL, "Content-Type: application/json");
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, request->headers);
    }
}

static enum aibox_status judge(CURL *curl, CURLcode code, struct aibox_error *err)
{
    long http = 0;
    long number = 0;

    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    if (http >= 200 && http <= 299)
        return AIBOX_OK;
    if (http >= 300)
        return error_set(err, AIBOX_REMOTE_FAILED, "HTTP status %ld", http);
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(err, AIBOX_REMOTE_FAILED, LINK_NO_ANSWER);
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &number);
        return link_failed(err, (int)number);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return error_set(err, AIBOX_REMOTE_FAILED, "connection closed by the relay without a reply");
    default:
        return error_set(err, AIBOX_REMOTE_FAILED, "HTTP: %s", curl_easy_strerror(code));
    }
}

static enum aibox_status perform(struct request *request, struct relay_call *call, struct aibox_error *err)
{
    enum aibox_status status;
    int64_t left_ms;

    pthread_once(&once, init);
    request->curl = curl_easy_init();
    request->parts = curl_url();
    if (!request->curl || !request->parts) {
        status = error_set(err, AIBOX_REMOTE_FAILED, "out of memory");
        goto out;
    }
    status = parse_url(request, call, err);
    if (status != AIBOX_OK)
        goto out;
    left_ms = link_left_ms(call->deadline_ms);
    if (left_ms == 0) {
        status = error_set(err, AIBOX_REMOTE_FAILED, LINK_NO_ANSWER); /* for curl 0 is no limit */
        goto out;
    }
    set_options(request, left_ms);
    call->sent = true;
    status = judge(request->curl, curl_easy_perform(request->curl), err);

out:
    curl_easy_cleanup(request->curl);
    curl_url_cleanup(request->parts);
    curl_slist_free_all(request->resolved);
    curl_slist_free_all(request->headers);
    return status;
}

/* One part of a request, expanded into `out`, which is then text even when empty. */
static enum aibox_status expand(const struct relay_call *call, enum relay_part part, const struct door_command *command,
                                int channel, struct buffer *out, struct aibox_error *err)
{
    char text[RELAY_TEMPLATE_SIZE];
    char host[URL_HOST_SIZE];
    const char *key = relay_template(call, part, command, channel, text);

    spell_host(command->host, host);
    buffer_append_text(out, "");
    return relay_expand(call, key, text, TEMPLATE_TEXT, command, host, channel, out, err);
}

static bool is_post(const struct relay_call *call)
{
    char method[8];

    (void)settings_text(call->settings, "door.http.method", method, sizeof method);
    return strcmp(method, "POST") == 0;
}

static enum aibox_status request_channel(struct relay_call *call, const struct door_command *command, int channel,
                                         struct aibox_error *err)
{
    struct request request = {.user = command->user,
                              .password = command->password,
                              .verify_tls = settings_bool(call->settings, "door.http.verify_tls")};
    char text[RELAY_TEMPLATE_SIZE];
    struct buffer url;
    struct buffer body;
    enum aibox_status status;

    buffer_init(&url, TEMPLATE_RESULT_MAX);
    buffer_init(&body, TEMPLATE_RESULT_MAX);
    status = expand(call, RELAY_URL, command, channel, &url, err);
    if (status != AIBOX_OK)
        goto out;
    request.url = (const char *)url.data;
    if (is_post(call)) {
        status = expand(call, RELAY_BODY, command, channel, &body, err);
        if (status != AIBOX_OK)
            goto out;
        request.body = (const char *)body.data;
    }
    status = perform(&request, call, err);
    if (status == AIBOX_PARAM)
        error_prefix(err, "%s", relay_template(call, RELAY_URL, command, channel, text));

out:
    buffer_free(&url);
    buffer_free(&body);
    return status;
}

/* True when all channels are one request: neither URL nor body tells them apart. */
static bool one_for_all(const struct relay_call *call, const struct door_command *command)
{
    char text[RELAY_TEMPLATE_SIZE];

    (void)relay_template(call, RELAY_URL, command, 0, text);
    if (template_names_channel(text))
        return false;
    (void)relay_template(call, RELAY_BODY, command, 0, text);
    return !is_post(call) || !template_names_channel(text);
}

enum aibox_status relay_http(struct relay_call *call, const struct door_command *command, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;

    if (command->logic_port > 0 || one_for_all(call, command))
        return request_channel(call, command, command->logic_port, err);
    /* One that fails doesn't keep the others from being tried: they may be doors to close. */
    for (int channel = 1; channel <= command->channels; channel++) {
        struct aibox_error failure = {0};

        if (request_channel(call, command, channel, &failure) == AIBOX_OK || status != AIBOX_OK)
            continue;
        status = error_set(err, failure.status, "channel %d: %s", channel, failure.message);
    }
    return status;
}
