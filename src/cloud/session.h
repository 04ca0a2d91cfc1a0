/*
 * What holds from one login to the next. A session never changes; who works with one holds it, also when there is a
 * newer one, and gives it back. The slot holds the one in force. All functions: any thread.
 */
#ifndef AIBOX_CLOUD_SESSION_H
#define AIBOX_CLOUD_SESSION_H

#include <stdatomic.h>

#include "cloud/address.h"
#include "cloud/login.h"

struct cloud_session {
    atomic_uint holders;
    char *dev_sno, *login_url; /* with which the box logged in */
    struct login login;
};

struct session_slot;

/* NULL: out of memory, `login` is untouched; else the session, held by the caller, owns what `login` held. */
struct cloud_session *session_new(const char *dev_sno, const char *login_url, struct login *login);
void session_release(struct cloud_session *session); /* NULL is allowed */

/* For address_compose(); valid as long as the session is held. */
struct address_platform session_platform(const struct cloud_session *session);

enum aibox_status session_slot_open(struct session_slot **out, struct aibox_error *err);
void session_slot_close(struct session_slot *slot); /* NULL is allowed */

/* The session in force, or NULL before the first login and while the box is not to be connected. session_release() in
 * the end. */
struct cloud_session *session_get(struct session_slot *slot);
/* Puts a session (NULL: none) into force; the slot holds it by itself. */
void session_set(struct session_slot *slot, struct cloud_session *session);

#endif
