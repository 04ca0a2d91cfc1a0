/* What the box makes of the platform's answer to a login. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cloud/login.h"

#define assert_status(expected, call) assert_string_equal(status_name(call), status_name(expected))

/* The smallest answer that can be used, with more fields at the top and in `rabbitmq`. */
static void least(char *out, size_t size, const char *top, const char *rabbitmq)
{
    int n = snprintf(out, size,
                     "{\"token\":\"t\"%s,\"rabbitmq\":{\"host\":\"h\",\"login\":\"l\",\"password\":\"p\","
                     "\"queue\":\"q\"%s}}",
                     top, rabbitmq);

    assert_true(n > 0 && (size_t)n < size);
}

static void read_with(struct login *login, const char *top, const char *rabbitmq)
{
    char text[4096];
    struct aibox_error err;

    least(text, sizeof text, top, rabbitmq);
    if (login_parse(text, strlen(text), login, &err) != AIBOX_OK)
        fail_msg("%s: %s", text, err.message);
}

/* Expects a refusal that names `field`. */
static void refused_text(const char *text, const char *field)
{
    struct login login;
    struct aibox_error err = {0};

    assert_status(AIBOX_REMOTE_DATA, login_parse(text, strlen(text), &login, &err));
    if (strncmp(err.message, field, strlen(field)) != 0)
        fail_msg("%s: '%s' does not begin with %s", text, err.message, field);
    assert_null(login.broker.exchange.arguments);
    assert_string_equal(login.broker.password, "");
}

static void refused(const char *top, const char *rabbitmq, const char *field)
{
    char text[16384];

    least(text, sizeof text, top, rabbitmq);
    refused_text(text, field);
}

static void test_defaults(void **state)
{
    struct login login;

    (void)state;
    read_with(&login, "", "");
    assert_string_equal(login.token, "t");
    assert_string_equal(login.img_server, "");
    assert_int_equal(login.n_records, 0);
    assert_int_equal(login.record_period_s, 5);
    assert_int_equal(login.monitor_period_s, 20);
    assert_true(login.reg_pic && login.spot_pic && login.face_pic && !login.info);
    assert_string_equal(login.device_info, "");
    assert_string_equal(login.broker.host, "h");
    assert_int_equal(login.broker.port, 5672);
    assert_false(login.broker.tls);
    assert_string_equal(login.broker.vhost, "/");
    assert_string_equal(login.broker.upload_vhost, "/");
    assert_string_equal(login.broker.upload_queue, "");
    assert_string_equal(login.broker.exchange.name, "");
    assert_false(login.broker.only_look_for_queue);
    login_free(&login);
}

static void test_the_documented_example(void **state)
{
    static const char text[] =
        "{\"token\": \"5c1e\", \"imgServerAddr\": \"http://platform:9061/pics\", \"recordAddr\": \"/getRecord , "
        "https://backup.example/getRecord\", \"recordUploadPeriod\": 5, \"deviceInfoAddr\": \"/getDeviceInfo\", "
        "\"deviceMonitorAddr\": \"/monitor\", \"deviceMonitorPeriod\": 20, \"rabbitmq\": {\"host\": \"platform\", "
        "\"port\": \"5672\", \"login\": \"box\", \"password\": \"secret\", \"queue\": \"queue-dev-SE0001\", \"vHost\": "
        "\"/SE0001\", \"uploadVHost\": \"/upload\", \"uploadQueue\": \"upload-queue\", \"fiqaDownQueue\": "
        "\"fiqa.download\", \"fiqaUploadQueue\": \"fiqa.upload\", \"unNeedBindExchange\": false, \"exchange\": "
        "{\"name\": "
        "\"exchange1\", \"type\": \"topic\", \"passive\": false, \"durable\": true, \"auto_delete\": false, "
        "\"arguments\": null}}}";
    struct login login;

    (void)state;
    assert_status(AIBOX_OK, login_parse(text, strlen(text), &login, NULL));
    assert_int_equal(login.n_records, 2);
    assert_string_equal(login.record[0], "/getRecord");
    assert_string_equal(login.record[1], "https://backup.example/getRecord");
    assert_string_equal(login.device_info, "/getDeviceInfo");
    assert_string_equal(login.monitor, "/monitor");
    assert_int_equal(login.broker.port, 5672);
    assert_string_equal(login.broker.user, "box");
    assert_string_equal(login.broker.password, "secret");
    assert_string_equal(login.broker.vhost, "/SE0001");
    assert_string_equal(login.broker.upload_vhost, "/upload");
    assert_string_equal(login.broker.upload_queue, "upload-queue");
    assert_string_equal(login.broker.fiqa_queue, "fiqa.download");
    assert_string_equal(login.broker.fiqa_upload_queue, "fiqa.upload");
    assert_string_equal(login.broker.exchange.name, "exchange1");
    assert_true(login.broker.exchange.durable && !login.broker.exchange.auto_delete);
    assert_null(login.broker.exchange.arguments);
    login_free(&login);
}

static void test_other_spellings(void **state)
{
    struct login login;

    (void)state;
    read_with(
        &login,
        ",\"imgServerAddress\":\"i\",\"recordUploadPeriod\":\"7\",\"recordUploadReg\":0,"
        "\"recordUploadSpotPic\":\"0\",\"recordUploadRecognizeFace\":false,\"recordUploadInfo\":\"1\","
        "\"recordAddr\":\" , a,,b ,\",\"deviceMonitorPeriod\":\"\"",
        ",\"port\":5673,\"unNeedbindExchange\":\"true\",\"routingKey\":4711,\"vHost\":null,\"fiqaDownQueue\":\"q\","
        "\"exchange\":{\"name\":\"e\",\"durable\":0,\"auto_delete\":1,\"passive\":true,\"routingKey\":\"k\","
        "\"arguments\":{\"a\":1,\"b\":\"x\",\"c\":true}}");
    assert_string_equal(login.img_server, "i");
    assert_int_equal(login.record_period_s, 7);
    assert_int_equal(login.monitor_period_s, 20);
    assert_true(!login.reg_pic && !login.spot_pic && !login.face_pic && login.info);
    assert_int_equal(login.n_records, 2);
    assert_string_equal(login.record[1], "b");
    assert_int_equal(login.broker.port, 5673);
    assert_true(login.broker.only_look_for_queue);
    assert_string_equal(login.broker.routing_key, "4711");
    assert_string_equal(login.broker.vhost, "/");
    assert_string_equal(login.broker.fiqa_queue, ""); /* the same as the main queue */
    assert_true(login.broker.exchange.auto_delete && login.broker.exchange.passive && !login.broker.exchange.durable);
    assert_string_equal(login.broker.exchange.routing_key, "k");
    assert_int_equal(json_object_size(login.broker.exchange.arguments), 3);
    login_free(&login);
}

static void test_tls_by_port_or_word(void **state)
{
    struct login login;

    (void)state;
    read_with(&login, "", ",\"port\":\"5671\"");
    assert_true(login.broker.tls);
    login_free(&login);
    read_with(&login, "", ",\"tls\":true");
    assert_true(login.broker.tls);
    assert_int_equal(login.broker.port, 5671);
    login_free(&login);
    read_with(&login, "", ",\"tls\":true,\"port\":7000");
    assert_true(login.broker.tls);
    assert_int_equal(login.broker.port, 7000);
    login_free(&login);
}

static void test_what_is_wrong_is_named(void **state)
{
    char long_text[1200], longer_than[1300];

    (void)state;
    refused_text("", "the login's answer");
    refused_text("[]", "the login's answer");
    refused_text("{\"token\":\"t\"", "the login's answer");
    refused_text("{}", "token: missing");
    refused_text("{\"token\":\"\"}", "token: must not be empty");
    refused_text("{\"token\":[1]}", "token: a text");
    refused_text("{\"token\":null}", "token: missing");
    refused_text("{\"token\":\"t\"}", "rabbitmq: missing");
    refused_text("{\"token\":\"t\",\"rabbitmq\":[]}", "rabbitmq: an object");
    refused_text("{\"token\":\"t\",\"rabbitmq\":{}}", "rabbitmq.host: missing");
    refused_text("{\"token\":\"t\",\"rabbitmq\":{\"host\":\"h\",\"login\":\"l\",\"queue\":\"q\"}}",
                 "rabbitmq.password: missing");
    refused("", ",\"port\":0", "rabbitmq.port: a number from 1 to 65535");
    refused("", ",\"port\":\"5672x\"", "rabbitmq.port");
    refused("", ",\"port\":\"99999999999999999999\"", "rabbitmq.port");
    refused("", ",\"port\":1.5", "rabbitmq.port");
    refused("", ",\"tls\":\"yes\"", "rabbitmq.tls");
    refused("", ",\"vHost\":{}", "rabbitmq.vHost");
    refused("", ",\"unNeedBindExchange\":2", "rabbitmq.unNeedBindExchange");
    refused("", ",\"exchange\":\"e\"", "rabbitmq.exchange: an object");
    refused("", ",\"exchange\":{\"name\":true}", "rabbitmq.exchange.name");
    refused("", ",\"exchange\":{\"arguments\":[]}", "rabbitmq.exchange.arguments");
    refused("", ",\"exchange\":{\"arguments\":{\"x\":{}}}", "rabbitmq.exchange.arguments");
    refused(",\"recordAddr\":[\"/a\"]", "", "recordAddr: a text");
    refused(",\"recordAddr\":\"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\"", "", "recordAddr: more than 16");
    refused(",\"recordUploadPeriod\":0", "", "recordUploadPeriod");
    refused(",\"recordUploadReg\":\"no\"", "", "recordUploadReg");
    refused(",\"deviceMonitorPeriod\":true", "", "deviceMonitorPeriod");
    memset(long_text, 'x', sizeof long_text);
    long_text[1025] = '\0';
    (void)snprintf(longer_than, sizeof longer_than, ",\"monitor\":0,\"deviceMonitorAddr\":\"%s\"", long_text);
    refused(longer_than, "", "deviceMonitorAddr: longer than 1024 bytes");
    (void)snprintf(longer_than, sizeof longer_than, ",\"recordAddr\":\"a,%s\"", long_text);
    refused(longer_than, "", "recordAddr: an address is longer");
    long_text[256] = '\0';
    (void)snprintf(longer_than, sizeof longer_than, ",\"uploadQueue\":\"%s\"", long_text);
    refused("", longer_than, "rabbitmq.uploadQueue: longer than 255 bytes");
}

static void test_an_endless_answer_is_not_read(void **state)
{
    struct login login;
    size_t size = LOGIN_MAX_ANSWER + 1;
    char *text = malloc(size);

    (void)state;
    assert_non_null(text);
    memset(text, ' ', size);
    assert_status(AIBOX_REMOTE_DATA, login_parse(text, size, &login, NULL));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_the_documented_example),
        cmocka_unit_test(test_other_spellings),
        cmocka_unit_test(test_tls_by_port_or_word),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_an_endless_answer_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
