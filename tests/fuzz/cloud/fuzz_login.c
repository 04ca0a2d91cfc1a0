/* The platform's answer to a login: never a crash, and what is accepted keeps its limits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool true_always)
{
    if (!true_always)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct login login;
    struct aibox_error err = {0};

    if (login_parse(data, size, &login, &err) != AIBOX_OK) {
        check(err.status == AIBOX_REMOTE_DATA && err.message[0]);
        return 0;
    }
    check(login.token[0] && login.broker.host[0] && login.broker.user[0] && login.broker.password[0]);
    check(login.broker.queue[0] && login.broker.vhost[0] && login.broker.upload_vhost[0]);
    check(login.broker.port >= 1 && login.broker.port <= 65535);
    check(strlen(login.broker.queue) <= LOGIN_MAX_NAME && strlen(login.token) <= LOGIN_MAX_TEXT);
    check(login.n_records <= REPORT_MAX_URLS);
    for (size_t i = 0; i < login.n_records; i++)
        check(login.record[i][0] && strlen(login.record[i]) <= LOGIN_MAX_TEXT && !strchr(login.record[i], ','));
    check(login.record_period_s >= 1 && login.monitor_period_s >= 1);
    login_free(&login);
    return 0;
}
