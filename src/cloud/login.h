/* Logging in to the platform: the request, and what its answer says. */
#ifndef AIBOX_CLOUD_LOGIN_H
#define AIBOX_CLOUD_LOGIN_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/fetch.h"
#include "core/status.h"
#include "flow/report_config.h"

#define LOGIN_MAX_ANSWER ((size_t)256 << 10) /* bytes */
#define LOGIN_MAX_TEXT   1024                /* bytes of token, addresses and credentials */
#define LOGIN_MAX_NAME   255                 /* bytes of what AMQP calls a short string: queues, exchanges, hosts */

/* Where the queue is bound to; name "": nowhere. */
struct login_exchange {
    char name[LOGIN_MAX_NAME + 1], type[LOGIN_MAX_NAME + 1], routing_key[LOGIN_MAX_NAME + 1];
    bool passive; /* it is never declared */
    bool durable, auto_delete;
    json_t *arguments; /* owned; object of texts, integers and booleans, or NULL */
};

/* The broker and its queues; names "": there is none. */
struct login_broker {
    char host[LOGIN_MAX_NAME + 1];
    int port;
    bool tls;
    char user[LOGIN_MAX_TEXT + 1], password[LOGIN_MAX_TEXT + 1];
    char vhost[LOGIN_MAX_NAME + 1], upload_vhost[LOGIN_MAX_NAME + 1];
    char queue[LOGIN_MAX_NAME + 1];        /* commands; always there */
    char fiqa_queue[LOGIN_MAX_NAME + 1];   /* commands that judge pictures */
    char upload_queue[LOGIN_MAX_NAME + 1]; /* results */
    char fiqa_upload_queue[LOGIN_MAX_NAME + 1];
    bool only_look_for_queue; /* unNeedBindExchange: the queue is neither made nor bound */
    char routing_key[LOGIN_MAX_NAME + 1];
    struct login_exchange exchange;
};

/* What a login says, checked, with the defaults filled in. */
struct login {
    char token[LOGIN_MAX_TEXT + 1];
    char img_server[LOGIN_MAX_TEXT + 1]; /* base of relative picture URLs; "": the platform's root */
    /* Reports. Addresses as the platform wrote them, "": not wanted. */
    char record[REPORT_MAX_URLS][LOGIN_MAX_TEXT + 1];
    size_t n_records;
    int record_period_s, monitor_period_s;
    bool reg_pic, spot_pic, face_pic, info;
    char device_info[LOGIN_MAX_TEXT + 1], device_list[LOGIN_MAX_TEXT + 1], monitor[LOGIN_MAX_TEXT + 1];
    struct login_broker broker;
};

/*
 * Reads an answer. REMOTE_DATA naming the field for what lacks, has another type than documented (numbers may come as
 * texts, flags as 0 and 1) or is too long; nothing is left in `out` then. login_free in the end.
 */
enum aibox_status login_parse(const void *text, size_t size, struct login *out, struct aibox_error *err);
void login_free(struct login *login); /* zeroed is allowed */

/*
 * Asks `login_url` with this serial number and address. REMOTE_FAILED, REMOTE_DATA; PARAM: no http or https URL. Blocks
 * for a request's time, less when *stop becomes true.
 */
enum aibox_status login_ask(const char *login_url, const char *dev_sno, const char *hex_mac, bool verify_tls,
                            atomic_bool *stop, struct login *out, struct aibox_error *err);

#endif
