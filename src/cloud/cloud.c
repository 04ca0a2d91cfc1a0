#include "cloud/cloud.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/address.h"
#include "cloud/executor.h"
#include "cloud/link.h"
#include "cloud/publisher.h"
#include "cloud/session.h"
#include "core/log.h"
#include "core/url.h"
#include "flow/report_config.h"
#include "store/commands.h"
#include "store/store.h"

struct cloud {
    struct cloud_context context;
    struct session_slot *sessions;
    pthread_mutex_t telling; /* the reports are told of one session after the other */
    struct executor *executor;
    struct publisher *publisher;
    struct cloud_link *link;
};

/* ---- a new session ------------------------------------------------------------------------------------------ */

/* An address of the login for the reports. One of which no URL comes is said and left out. */
static bool compose(const struct address_platform *platform, const char *field, const char *text,
                    struct report_address *out)
{
    char *url = NULL, *identity = NULL;
    struct aibox_error err = {0};

    *out = (struct report_address){0};
    if (!text[0])
        return false;
    enum aibox_status status = address_compose(platform, ADDRESS_PLATFORM, field, text, &url, &err);
    if (status == AIBOX_OK)
        status = address_compose(platform, ADDRESS_BARE, field, text, &identity, &err);
    if (status == AIBOX_OK && (strlen(url) >= sizeof out->url || strlen(identity) >= sizeof out->identity))
        status = error_set(&err, AIBOX_REMOTE_DATA, "%s: the address is too long", field);
    if (status == AIBOX_OK) {
        (void)snprintf(out->url, sizeof out->url, "%s", url);
        (void)snprintf(out->identity, sizeof out->identity, "%s", identity);
    } else {
        log_warn("cloud", "an address of the login is not used reason=\"%s\"", err.message);
    }
    free(url);
    free(identity);
    return status == AIBOX_OK;
}

static void tell_session(const struct cloud_context *context, const struct cloud_session *session)
{
    const struct login *login = &session->login;
    struct address_platform platform = session_platform(session);
    struct report_platform *told = calloc(1, sizeof *told);

    if (!told) {
        log_error("cloud", "the reports are not told of the platform reason=\"out of memory\"");
        return;
    }
    for (size_t i = 0; i < login->n_records; i++)
        if (compose(&platform, "recordAddr", login->record[i], &told->history[told->n_history]))
            told->n_history++;
    told->history_period_s = login->record_period_s;
    told->reg_pic = login->reg_pic;
    told->spot_pic = login->spot_pic;
    told->face_pic = login->face_pic;
    told->info = login->info || settings_bool(context->settings, "cloud.history_info");
    (void)compose(&platform, "deviceInfoAddr", login->device_info, &told->device_info);
    (void)compose(&platform, "deviceListInfoAddr", login->device_list, &told->device_list);
    (void)compose(&platform, "deviceMonitorAddr", login->monitor, &told->monitor);
    told->monitor_period_s = login->monitor_period_s;
    report_config_set_platform(context->reports, told);
    free(told);
}

/* `changed`: there is another session, or none any more; else what is told of it may have changed. */
static void tell_reports(struct cloud *cloud, bool changed)
{
    pthread_mutex_lock(&cloud->telling);
    struct cloud_session *session = session_get(cloud->sessions);
    if (session)
        tell_session(&cloud->context, session);
    else if (changed)
        report_config_set_platform(cloud->context.reports, NULL);
    session_release(session);
    pthread_mutex_unlock(&cloud->telling);
}

static void session_changed(void *ctx)
{
    struct cloud *cloud = ctx;

    tell_reports(cloud, true);
    publisher_wake(cloud->publisher);
    for (int i = 0; i < STORE_INBOX_QUEUES; i++)
        executor_wake(cloud->executor, (enum store_inbox_queue)i);
}

static void command_came(void *ctx, enum store_inbox_queue queue)
{
    struct cloud *cloud = ctx;

    executor_wake(cloud->executor, queue);
}

/* ---- what commands need of the login ---------------------------------------------------------------------------- */

static bool take_platform(void *ctx, struct executor_platform *out)
{
    struct cloud *cloud = ctx;
    struct cloud_session *session = session_get(cloud->sessions);

    if (!session)
        return false;
    const struct login_broker *broker = &session->login.broker;
    *out = (struct executor_platform){.platform = session_platform(session),
                                      .verify_tls = settings_bool(cloud->context.settings, "cloud.verify_tls"),
                                      .result_queue = broker->upload_queue[0] != '\0',
                                      .fiqa_result_queue = broker->fiqa_upload_queue[0] != '\0',
                                      .held = session};
    return true;
}

static void give_platform_back(void *ctx, struct executor_platform *platform)
{
    (void)ctx;
    session_release(platform->held);
}

void cloud_reconnect(struct cloud *cloud)
{
    cloud_link_reconfigure(cloud->link);
}

static void setting_changed(void *ctx, const char *key)
{
    struct cloud *cloud = ctx;

    if (strcmp(key, "cloud.dev_sno") == 0 || strcmp(key, "cloud.login_url") == 0 ||
        strcmp(key, "cloud.verify_tls") == 0)
        cloud_reconnect(cloud);
    else if (strcmp(key, "cloud.history_info") == 0)
        tell_reports(cloud, false);
}

/* ---- life ---------------------------------------------------------------------------------------------------- */

static enum aibox_status open_executor(struct cloud *cloud, struct aibox_error *err)
{
    const struct cloud_context *context = &cloud->context;
    struct executor_context executor = {.settings = context->settings,
                                        .store = context->store,
                                        .flow = context->flow,
                                        .feed = context->feed,
                                        .jobs = context->jobs,
                                        .reports = context->reports,
                                        .take = take_platform,
                                        .give_back = give_platform_back,
                                        .ctx = cloud};

    return executor_open(&executor, &cloud->executor, err);
}

enum aibox_status cloud_open(const struct cloud_context *context, struct cloud **out, struct aibox_error *err)
{
    struct cloud *cloud = calloc(1, sizeof *cloud);

    *out = NULL;
    if (!cloud)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    cloud->context = *context;
    pthread_mutex_init(&cloud->telling, NULL);
    enum aibox_status status = session_slot_open(&cloud->sessions, err);
    if (status == AIBOX_OK)
        status = publisher_open(context->settings, context->store, cloud->sessions, &cloud->publisher, err);
    if (status == AIBOX_OK)
        status = open_executor(cloud, err);
    if (status == AIBOX_OK) {
        struct cloud_link_context link = {.settings = context->settings,
                                          .store = context->store,
                                          .sessions = cloud->sessions,
                                          .session_changed = session_changed,
                                          .command_came = command_came,
                                          .ctx = cloud};
        status = cloud_link_open(&link, &cloud->link, err);
    }
    if (status != AIBOX_OK) {
        cloud_close(cloud);
        return status;
    }
    settings_listen(context->settings, setting_changed, cloud);
    *out = cloud;
    return AIBOX_OK;
}

void cloud_close(struct cloud *cloud)
{
    if (!cloud)
        return;
    cloud_link_close(cloud->link);
    executor_close(cloud->executor);
    publisher_close(cloud->publisher);
    session_slot_close(cloud->sessions);
    pthread_mutex_destroy(&cloud->telling);
    free(cloud);
}

/* ---- figures -------------------------------------------------------------------------------------------------- */

static void print_login(const struct cloud_session *session, struct json_out *out)
{
    const struct login *login = &session->login;
    char shown[LOGIN_MAX_TEXT + 1];
    const struct {
        const char *key, *address;
    } addresses[] = {{"imgServerAddr", login->img_server},
                     {"deviceInfoAddr", login->device_info},
                     {"deviceListInfoAddr", login->device_list},
                     {"deviceMonitorAddr", login->monitor}};

    json_out_object_begin(out);
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        url_show(addresses[i].address, shown, sizeof shown);
        json_out_key_text(out, addresses[i].key, shown);
    }
    json_out_key(out, "recordAddr");
    json_out_array_begin(out);
    for (size_t i = 0; i < login->n_records; i++) {
        url_show(login->record[i], shown, sizeof shown);
        json_out_text(out, shown);
    }
    json_out_array_end(out);
    json_out_key_int(out, "recordUploadPeriod", login->record_period_s);
    json_out_key_int(out, "deviceMonitorPeriod", login->monitor_period_s);
    json_out_object_end(out);
}

static void print_broker(const struct login_broker *broker, struct json_out *out)
{
    json_out_object_begin(out);
    json_out_key_text(out, "host", broker->host);
    json_out_key_int(out, "port", broker->port);
    json_out_key_bool(out, "tls", broker->tls);
    json_out_key_text(out, "vHost", broker->vhost);
    json_out_key_text(out, "uploadVHost", broker->upload_vhost);
    json_out_key_text(out, "queue", broker->queue);
    json_out_key_text(out, "fiqaDownQueue", broker->fiqa_queue);
    json_out_key_text(out, "uploadQueue", broker->upload_queue);
    json_out_key_text(out, "fiqaUploadQueue", broker->fiqa_upload_queue);
    json_out_key_text(out, "exchange", broker->exchange.name);
    json_out_key_bool(out, "unNeedBindExchange", broker->only_look_for_queue);
    json_out_object_end(out);
}

static void print_waiting(struct json_out *out, const char *key, size_t count, int64_t oldest_ms)
{
    json_out_key(out, key);
    json_out_object_begin(out);
    json_out_key_int(out, "waiting", (int64_t)count);
    json_out_key_int(out, "oldest", oldest_ms);
    json_out_object_end(out);
}

/* What the inbox and the outbox hold. */
struct waiting {
    size_t commands[STORE_INBOX_QUEUES], results[2];
    int64_t commands_oldest_ms[STORE_INBOX_QUEUES], results_oldest_ms[2]; /* Unix ms; 0: none */
};

static void count_waiting(struct cloud *cloud, struct waiting *out)
{
    static const char *const lanes[] = {PUBLISHER_LANE_MAIN, PUBLISHER_LANE_FIQA};
    struct store *store = cloud->context.store;

    for (int i = 0; i < STORE_INBOX_QUEUES; i++)
        (void)store_inbox_count(store, (enum store_inbox_queue)i, &out->commands[i], &out->commands_oldest_ms[i], NULL);
    for (size_t i = 0; i < 2; i++)
        (void)store_outbox_count(store, lanes[i], &out->results[i], &out->results_oldest_ms[i], NULL);
}

static void print_counters(struct cloud *cloud, struct json_out *out)
{
    struct cloud_link_figures link;
    struct publisher_figures results;

    cloud_link_figures(cloud->link, &link);
    publisher_figures(cloud->publisher, &results);
    json_out_object_begin(out);
    json_out_key_int(out, "logins", (int64_t)link.logins);
    json_out_key_int(out, "login_failures", (int64_t)link.login_failures);
    json_out_key_int(out, "connections", (int64_t)link.connections);
    json_out_key_int(out, "connection_failures", (int64_t)link.connection_failures);
    json_out_key_int(out, "received", (int64_t)link.received);
    json_out_key_int(out, "acked", (int64_t)link.acked);
    json_out_key_int(out, "duplicates", (int64_t)link.duplicates);
    json_out_key_int(out, "dead", (int64_t)link.dead);
    json_out_key_int(out, "published", (int64_t)results.published);
    json_out_key_int(out, "confirmed", (int64_t)results.confirmed);
    json_out_key_int(out, "returned", (int64_t)results.returned);
    json_out_key_int(out, "refused", (int64_t)results.refused);
    json_out_key_int(out, "expired", (int64_t)results.expired);
    json_out_object_end(out);
}

void cloud_print(struct cloud *cloud, struct json_out *out)
{
    struct cloud_session *session = session_get(cloud->sessions);
    struct waiting waiting = {0};
    char dev_sno[65], login_url[URL_MAX + 1], shown[URL_MAX + 1];

    settings_text(cloud->context.settings, "cloud.dev_sno", dev_sno, sizeof dev_sno);
    settings_text(cloud->context.settings, "cloud.login_url", login_url, sizeof login_url);
    url_show(login_url, shown, sizeof shown);
    count_waiting(cloud, &waiting);
    json_out_object_begin(out);
    json_out_key_text(out, "dev_sno", dev_sno);
    json_out_key_text(out, "login_url", shown);
    cloud_link_print(cloud->link, out);
    json_out_key(out, "login");
    if (session)
        print_login(session, out);
    else
        json_out_null(out);
    json_out_key(out, "rabbitmq");
    if (session)
        print_broker(&session->login.broker, out);
    else
        json_out_null(out);
    json_out_key(out, "results");
    publisher_print(cloud->publisher, out);
    json_out_key(out, "inbox");
    json_out_object_begin(out);
    print_waiting(out, "main", waiting.commands[STORE_INBOX_MAIN], waiting.commands_oldest_ms[STORE_INBOX_MAIN]);
    print_waiting(out, "fiqa", waiting.commands[STORE_INBOX_FIQA], waiting.commands_oldest_ms[STORE_INBOX_FIQA]);
    json_out_object_end(out);
    json_out_key(out, "outbox");
    json_out_object_begin(out);
    print_waiting(out, "main", waiting.results[0], waiting.results_oldest_ms[0]);
    print_waiting(out, "fiqa", waiting.results[1], waiting.results_oldest_ms[1]);
    json_out_object_end(out);
    json_out_key(out, "commands");
    json_out_object_begin(out);
    executor_print(cloud->executor, out);
    json_out_object_end(out);
    json_out_key(out, "counters");
    print_counters(cloud, out);
    json_out_object_end(out);
    session_release(session);
}

/* ---- metrics --------------------------------------------------------------------------------------------------- */

static void print_metric(struct buffer *out, const char *name, const char *type, const char *help, uint64_t value)
{
    (void)buffer_appendf(out, "# HELP aibox_cloud_%s %s\n# TYPE aibox_cloud_%s %s\naibox_cloud_%s %" PRIu64 "\n", name,
                         help, name, type, name, value);
}

void cloud_metrics(struct cloud *cloud, struct buffer *out)
{
    struct cloud_session *session = session_get(cloud->sessions);
    struct cloud_link_figures link;
    struct publisher_figures results;
    struct waiting waiting = {0};

    cloud_link_figures(cloud->link, &link);
    publisher_figures(cloud->publisher, &results);
    count_waiting(cloud, &waiting);
    print_metric(out, "logged_in", "gauge", "Whether the box is logged in to the platform.", session != NULL);
    print_metric(out, "listening", "gauge", "Whether commands come from the platform's broker.", link.listening);
    print_metric(out, "results_connected", "gauge", "Whether results can be sent to the broker.", results.connected);
    print_metric(out, "results_blocked", "gauge", "Whether the broker says that it takes no results.", results.blocked);
    print_metric(out, "logins_total", "counter", "Logins to the platform.", link.logins);
    print_metric(out, "login_failures_total", "counter", "Logins that failed.", link.login_failures);
    print_metric(out, "connections_total", "counter", "Connections to the broker for commands.", link.connections);
    print_metric(out, "connection_failures_total", "counter", "Connections that did not come about.",
                 link.connection_failures);
    print_metric(out, "messages_received_total", "counter", "Messages that came from the broker.", link.received);
    print_metric(out, "messages_acked_total", "counter", "Messages that were acknowledged.", link.acked);
    print_metric(out, "messages_duplicate_total", "counter", "Messages that had come before.", link.duplicates);
    print_metric(out, "messages_dead_total", "counter", "Messages too large to be looked at.", link.dead);
    print_metric(out, "results_published_total", "counter", "Results sent to the broker.", results.published);
    print_metric(out, "results_confirmed_total", "counter", "Results that the broker has confirmed.",
                 results.confirmed);
    print_metric(out, "results_returned_total", "counter", "Results that the broker could not put into a queue.",
                 results.returned);
    print_metric(out, "results_refused_total", "counter", "Results that the broker refused.", results.refused);
    print_metric(out, "results_expired_total", "counter", "Results dropped after 7 days.", results.expired);
    print_metric(out, "commands_waiting", "gauge", "Commands in the inbox.",
                 waiting.commands[STORE_INBOX_MAIN] + waiting.commands[STORE_INBOX_FIQA]);
    print_metric(out, "results_waiting", "gauge", "Results for the broker in the outbox.",
                 waiting.results[0] + waiting.results[1]);
    executor_metrics(cloud->executor, out);
    session_release(session);
}
