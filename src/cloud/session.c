#include "cloud/session.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct session_slot {
    pthread_mutex_t mu;
    struct cloud_session *session; /* guarded by mu */
};

struct cloud_session *session_new(const char *dev_sno, const char *login_url, struct login *login)
{
    struct cloud_session *session = calloc(1, sizeof *session);

    if (!session)
        return NULL;
    atomic_init(&session->holders, 1);
    session->dev_sno = strdup(dev_sno);
    session->login_url = strdup(login_url);
    if (!session->dev_sno || !session->login_url) {
        session_release(session);
        return NULL;
    }
    session->login = *login;
    explicit_bzero(login, sizeof *login);
    return session;
}

void session_release(struct cloud_session *session)
{
    if (!session || atomic_fetch_sub(&session->holders, 1) > 1)
        return;
    login_free(&session->login);
    free(session->dev_sno);
    free(session->login_url);
    free(session);
}

struct address_platform session_platform(const struct cloud_session *session)
{
    return (struct address_platform){.login_url = session->login_url,
                                     .img_server = session->login.img_server,
                                     .dev_sno = session->dev_sno,
                                     .token = session->login.token};
}

enum aibox_status session_slot_open(struct session_slot **out, struct aibox_error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out || pthread_mutex_init(&(*out)->mu, NULL) != 0) {
        free(*out);
        *out = NULL;
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    }
    return AIBOX_OK;
}

void session_slot_close(struct session_slot *slot)
{
    if (!slot)
        return;
    session_release(slot->session);
    pthread_mutex_destroy(&slot->mu);
    free(slot);
}

struct cloud_session *session_get(struct session_slot *slot)
{
    pthread_mutex_lock(&slot->mu);
    struct cloud_session *session = slot->session;
    if (session)
        atomic_fetch_add(&session->holders, 1);
    pthread_mutex_unlock(&slot->mu);
    return session;
}

void session_set(struct session_slot *slot, struct cloud_session *session)
{
    if (session)
        atomic_fetch_add(&session->holders, 1);
    pthread_mutex_lock(&slot->mu);
    struct cloud_session *before = slot->session;
    slot->session = session;
    pthread_mutex_unlock(&slot->mu);
    session_release(before);
}
