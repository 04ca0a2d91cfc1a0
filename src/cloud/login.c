#include "cloud/login.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/address.h"
#include "core/buffer.h"

#define TIMEOUT_MS       10000
#define MAX_REDIRECTS    3
#define MAX_PERIOD_S     86400
#define AMQP_PORT        5672
#define AMQPS_PORT       5671
#define RECORD_PERIOD_S  5
#define MONITOR_PERIOD_S 20
#define DEFAULT_TYPE     "topic"
#define MAX_ARGUMENTS    32 /* of an exchange */

/* ---- fields ------------------------------------------------------------------------------------------------ */

/* A field of the answer: its name in messages is that of its object, if that has one, a dot and its own. */
struct field {
    const json_t *object;
    const char *parent; /* "" or "rabbitmq." */
    const char *key;
    const char *alias; /* another key for the same, or NULL */
};

static json_t *value_of(const struct field *field)
{
    json_t *value = json_object_get(field->object, field->key);

    if (!value && field->alias)
        value = json_object_get(field->object, field->alias);
    return json_is_null(value) ? NULL : value;
}

static enum aibox_status wrong(const struct field *field, const char *expected, struct aibox_error *err)
{
    return error_set(err, AIBOX_REMOTE_DATA, "%s%s: %s", field->parent, field->key, expected);
}

/* Texts; whole numbers count as their digits. Absent: `out` untouched. */
static enum aibox_status take_text(const struct field *field, size_t limit, char *out, struct aibox_error *err)
{
    const json_t *value = value_of(field);

    if (!value)
        return AIBOX_OK;
    if (json_is_integer(value)) {
        (void)snprintf(out, limit + 1, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return AIBOX_OK;
    }
    if (!json_is_string(value))
        return wrong(field, "a text is expected", err);
    size_t size = json_string_length(value);
    if (size > limit)
        return error_set(err, AIBOX_REMOTE_DATA, "%s%s: longer than %zu bytes", field->parent, field->key, limit);
    memcpy(out, json_string_value(value), size + 1);
    return AIBOX_OK;
}

static enum aibox_status take_required(const struct field *field, size_t limit, char *out, struct aibox_error *err)
{
    if (!value_of(field))
        return wrong(field, "missing", err);
    enum aibox_status status = take_text(field, limit, out, err);
    return status == AIBOX_OK && !out[0] ? wrong(field, "must not be empty", err) : status;
}

/* A whole number, also as text; an empty text counts as absent. */
static enum aibox_status take_number(const struct field *field, int least, int most, int *out, struct aibox_error *err)
{
    const json_t *value = value_of(field);
    long long number = 0;
    bool good = false;
    char *end;

    if (!value || (json_is_string(value) && json_string_length(value) == 0))
        return AIBOX_OK;
    if (json_is_integer(value)) {
        number = json_integer_value(value);
        good = true;
    } else if (json_is_string(value)) {
        errno = 0;
        number = strtoll(json_string_value(value), &end, 10);
        good = errno == 0 && *end == '\0';
    }
    if (!good || number < least || number > most)
        return error_set(err, AIBOX_REMOTE_DATA, "%s%s: a number from %d to %d is expected", field->parent, field->key,
                         least, most);
    *out = (int)number;
    return AIBOX_OK;
}

/* true, false, 0, 1, also as text. */
static enum aibox_status take_flag(const struct field *field, bool *out, struct aibox_error *err)
{
    static const char *const words[] = {"false", "true", "0", "1"};
    const json_t *value = value_of(field);

    if (!value)
        return AIBOX_OK;
    if (json_is_boolean(value)) {
        *out = json_is_true(value);
        return AIBOX_OK;
    }
    if (json_is_integer(value) && (json_integer_value(value) == 0 || json_integer_value(value) == 1)) {
        *out = json_integer_value(value) == 1;
        return AIBOX_OK;
    }
    for (size_t i = 0; json_is_string(value) && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(json_string_value(value), words[i]) == 0) {
            *out = i % 2 == 1;
            return AIBOX_OK;
        }
    }
    return wrong(field, "true or false is expected", err);
}

/* Absent: *out is NULL. */
static enum aibox_status take_object(const struct field *field, json_t **out, struct aibox_error *err)
{
    *out = value_of(field);
    return !*out || json_is_object(*out) ? AIBOX_OK : wrong(field, "an object is expected", err);
}

/* ---- reports ----------------------------------------------------------------------------------------------- */

static enum aibox_status take_records(const json_t *root, struct login *login, struct aibox_error *err)
{
    struct field field = {root, "", "recordAddr", NULL};
    const json_t *value = value_of(&field);

    if (!value)
        return AIBOX_OK;
    if (!json_is_string(value))
        return wrong(&field, "a text of addresses, separated by commas, is expected", err);
    for (const char *at = json_string_value(value); *at;) {
        size_t size = strcspn(at, ",");
        const char *from = at, *to = at + size;
        while (from < to && (*from == ' ' || *from == '\t'))
            from++;
        while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
            to--;
        size_t length = (size_t)(to - from);
        if (length > LOGIN_MAX_TEXT)
            return error_set(err, AIBOX_REMOTE_DATA, "recordAddr: an address is longer than %d bytes", LOGIN_MAX_TEXT);
        if (length > 0 && login->n_records == REPORT_MAX_URLS)
            return error_set(err, AIBOX_REMOTE_DATA, "recordAddr: more than %d addresses", REPORT_MAX_URLS);
        if (length > 0) {
            memcpy(login->record[login->n_records], from, length);
            login->record[login->n_records++][length] = '\0';
        }
        at += size + (at[size] == ',');
    }
    return AIBOX_OK;
}

static enum aibox_status take_reports(const json_t *root, struct login *login, struct aibox_error *err)
{
    const struct {
        const char *key;
        char *out;
    } addresses[] = {{"deviceInfoAddr", login->device_info},
                     {"deviceListInfoAddr", login->device_list},
                     {"deviceMonitorAddr", login->monitor}};
    const struct {
        const char *key;
        bool *out;
    } flags[] = {{"recordUploadReg", &login->reg_pic},
                 {"recordUploadSpotPic", &login->spot_pic},
                 {"recordUploadRecognizeFace", &login->face_pic},
                 {"recordUploadInfo", &login->info}};
    enum aibox_status status = take_records(root, login, err);

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0] && status == AIBOX_OK; i++)
        status = take_text(&(struct field){root, "", addresses[i].key, NULL}, LOGIN_MAX_TEXT, addresses[i].out, err);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0] && status == AIBOX_OK; i++)
        status = take_flag(&(struct field){root, "", flags[i].key, NULL}, flags[i].out, err);
    if (status == AIBOX_OK)
        status = take_number(&(struct field){root, "", "recordUploadPeriod", NULL}, 1, MAX_PERIOD_S,
                             &login->record_period_s, err);
    if (status == AIBOX_OK)
        status = take_number(&(struct field){root, "", "deviceMonitorPeriod", NULL}, 1, MAX_PERIOD_S,
                             &login->monitor_period_s, err);
    return status;
}

/* ---- broker ------------------------------------------------------------------------------------------------- */

static enum aibox_status take_arguments(const json_t *object, struct login_exchange *exchange, struct aibox_error *err)
{
    struct field field = {object, "rabbitmq.exchange.", "arguments", NULL};
    json_t *arguments, *value;
    const char *key;
    enum aibox_status status = take_object(&field, &arguments, err);

    if (status != AIBOX_OK || !arguments || json_object_size(arguments) == 0)
        return status;
    if (json_object_size(arguments) > MAX_ARGUMENTS)
        return wrong(&field, "too many", err);
    json_object_foreach(arguments, key, value)
    {
        bool scalar = json_is_string(value) || json_is_integer(value) || json_is_boolean(value);
        if (!scalar || strlen(key) > LOGIN_MAX_NAME)
            return wrong(&field, "texts, whole numbers and booleans are expected", err);
    }
    exchange->arguments = json_incref(arguments);
    return AIBOX_OK;
}

static enum aibox_status take_exchange(const json_t *rabbitmq, struct login_exchange *exchange, struct aibox_error *err)
{
    static const char parent[] = "rabbitmq.exchange.";
    json_t *object;
    enum aibox_status status = take_object(&(struct field){rabbitmq, "rabbitmq.", "exchange", NULL}, &object, err);

    if (status != AIBOX_OK || !object)
        return status;
    status = take_text(&(struct field){object, parent, "name", NULL}, LOGIN_MAX_NAME, exchange->name, err);
    if (status == AIBOX_OK)
        status = take_text(&(struct field){object, parent, "type", NULL}, LOGIN_MAX_NAME, exchange->type, err);
    if (status == AIBOX_OK)
        status =
            take_text(&(struct field){object, parent, "routingKey", NULL}, LOGIN_MAX_NAME, exchange->routing_key, err);
    if (status == AIBOX_OK)
        status = take_flag(&(struct field){object, parent, "passive", NULL}, &exchange->passive, err);
    if (status == AIBOX_OK)
        status = take_flag(&(struct field){object, parent, "durable", NULL}, &exchange->durable, err);
    if (status == AIBOX_OK)
        status = take_flag(&(struct field){object, parent, "auto_delete", NULL}, &exchange->auto_delete, err);
    if (!exchange->type[0])
        memcpy(exchange->type, DEFAULT_TYPE, sizeof DEFAULT_TYPE);
    return status == AIBOX_OK ? take_arguments(object, exchange, err) : status;
}

static enum aibox_status take_names(const json_t *object, struct login_broker *broker, struct aibox_error *err)
{
    const struct {
        const char *key, *alias;
        char *out;
    } names[] = {{"vHost", "vhost", broker->vhost},
                 {"uploadVHost", "uploadVhost", broker->upload_vhost},
                 {"uploadQueue", NULL, broker->upload_queue},
                 {"fiqaDownQueue", NULL, broker->fiqa_queue},
                 {"fiqaUploadQueue", NULL, broker->fiqa_upload_queue},
                 {"routingKey", NULL, broker->routing_key}};
    enum aibox_status status = AIBOX_OK;

    for (size_t i = 0; i < sizeof names / sizeof names[0] && status == AIBOX_OK; i++)
        status = take_text(&(struct field){object, "rabbitmq.", names[i].key, names[i].alias}, LOGIN_MAX_NAME,
                           names[i].out, err);
    /* An empty virtual host is as good as none. */
    if (!broker->vhost[0])
        memcpy(broker->vhost, "/", sizeof "/");
    if (!broker->upload_vhost[0])
        memcpy(broker->upload_vhost, "/", sizeof "/");
    /* Twice the same queue would be consumed once by chance through the one and once through the other. */
    if (strcmp(broker->fiqa_queue, broker->queue) == 0)
        broker->fiqa_queue[0] = '\0';
    return status;
}

static enum aibox_status take_broker(const json_t *root, struct login_broker *broker, struct aibox_error *err)
{
    static const char parent[] = "rabbitmq.";
    struct field field = {root, "", "rabbitmq", NULL};
    json_t *object;
    enum aibox_status status = take_object(&field, &object, err);

    if (status == AIBOX_OK && !object)
        status = wrong(&field, "missing", err);
    if (status == AIBOX_OK)
        status = take_required(&(struct field){object, parent, "host", NULL}, LOGIN_MAX_NAME, broker->host, err);
    if (status == AIBOX_OK)
        status = take_flag(&(struct field){object, parent, "tls", NULL}, &broker->tls, err);
    broker->port = broker->tls ? AMQPS_PORT : AMQP_PORT;
    if (status == AIBOX_OK)
        status = take_number(&(struct field){object, parent, "port", NULL}, 1, 65535, &broker->port, err);
    broker->tls = broker->tls || broker->port == AMQPS_PORT;
    if (status == AIBOX_OK)
        status = take_required(&(struct field){object, parent, "login", NULL}, LOGIN_MAX_TEXT, broker->user, err);
    if (status == AIBOX_OK)
        status =
            take_required(&(struct field){object, parent, "password", NULL}, LOGIN_MAX_TEXT, broker->password, err);
    if (status == AIBOX_OK)
        status = take_required(&(struct field){object, parent, "queue", NULL}, LOGIN_MAX_NAME, broker->queue, err);
    if (status == AIBOX_OK)
        status = take_names(object, broker, err);
    if (status == AIBOX_OK)
        status = take_flag(&(struct field){object, parent, "unNeedBindExchange", "unNeedbindExchange"},
                           &broker->only_look_for_queue, err);
    return status == AIBOX_OK ? take_exchange(object, &broker->exchange, err) : status;
}

/* ---- the answer ---------------------------------------------------------------------------------------------- */

enum aibox_status login_parse(const void *text, size_t size, struct login *out, struct aibox_error *err)
{
    json_t *root = text && size <= LOGIN_MAX_ANSWER ? json_loadb(text, size, 0, NULL) : NULL;
    enum aibox_status status = AIBOX_OK;

    memset(out, 0, sizeof *out);
    out->record_period_s = RECORD_PERIOD_S;
    out->monitor_period_s = MONITOR_PERIOD_S;
    out->reg_pic = out->spot_pic = out->face_pic = true;
    out->broker.exchange.durable = true;
    if (!json_is_object(root))
        status = error_set(err, AIBOX_REMOTE_DATA, "the login's answer is no JSON object");
    if (status == AIBOX_OK)
        status = take_required(&(struct field){root, "", "token", NULL}, LOGIN_MAX_TEXT, out->token, err);
    if (status == AIBOX_OK)
        status = take_text(&(struct field){root, "", "imgServerAddr", "imgServerAddress"}, LOGIN_MAX_TEXT,
                           out->img_server, err);
    if (status == AIBOX_OK)
        status = take_reports(root, out, err);
    if (status == AIBOX_OK)
        status = take_broker(root, &out->broker, err);
    json_decref(root);
    if (status != AIBOX_OK)
        login_free(out);
    return status;
}

void login_free(struct login *login)
{
    json_decref(login->broker.exchange.arguments);
    explicit_bzero(login, sizeof *login);
}

/* ---- the request --------------------------------------------------------------------------------------------- */

/* What a platform that refuses says, behind what the failure is: {"error": {"message": …}}. */
static void add_reason(const struct fetch_result *answer, struct aibox_error *err)
{
    json_t *root = answer->body ? json_loadb((const char *)answer->body, answer->size, 0, NULL) : NULL;
    const char *message = json_string_value(json_object_get(json_object_get(root, "error"), "message"));

    if (message) {
        char failure[128];
        (void)snprintf(failure, sizeof failure, "%.127s", err->message);
        error_set(err, AIBOX_REMOTE_FAILED, "%s: \"%.200s\"", failure, message);
    }
    json_decref(root);
}

enum aibox_status login_ask(const char *login_url, const char *dev_sno, const char *hex_mac, bool verify_tls,
                            atomic_bool *stop, struct login *out, struct aibox_error *err)
{
    struct fetch_options options = {.timeout_ms = TIMEOUT_MS,
                                    .max_bytes = LOGIN_MAX_ANSWER,
                                    .max_redirects = MAX_REDIRECTS,
                                    .verify_tls = verify_tls,
                                    .keep_refusal = true,
                                    .stop = stop};
    struct fetch_result answer = {0};
    struct aibox_error failure = {0};
    struct buffer url;

    memset(out, 0, sizeof *out);
    buffer_init(&url, REPORT_MAX_COMPOSED);
    (void)buffer_appendf(&url, "%s%c", login_url, strchr(login_url, '?') ? '&' : '?');
    (void)buffer_append_text(&url, "dev_sno=");
    address_append_value(&url, dev_sno);
    (void)buffer_appendf(&url, "&hex_mac=%s", hex_mac);
    enum aibox_status status = url.failed ? error_set(&failure, AIBOX_PARAM, "the address is too long")
                                          : fetch_get((const char *)url.data, &options, &answer, &failure);
    if (status == AIBOX_IMAGE_TOO_LARGE)
        status =
            error_set(&failure, AIBOX_REMOTE_DATA, "the login's answer is longer than %zu bytes", options.max_bytes);
    else if (status == AIBOX_REMOTE_FAILED)
        add_reason(&answer, &failure);
    if (status == AIBOX_OK)
        status = login_parse(answer.body, answer.size, out, &failure);
    if (status != AIBOX_OK && err)
        *err = failure;
    fetch_result_free(&answer);
    buffer_free(&url);
    return status;
}
