/* Who may call the box, and who changed what. */
#ifndef AIBOX_STORE_CALLERS_H
#define AIBOX_STORE_CALLERS_H

#include "store/store.h"

/* ---- who may call the box ---------------------------------------------------------------------------------- */

/* What the numbers in `role` mean is the business of access/accounts.h. */
struct store_account {
    const char *name; /* unique; at most STORE_MAX_NAME bytes */
    int role;
    const char *password; /* hashed, as text */
    int64_t created_ms, changed_ms;
};
/* By name; valid during the call. */
enum aibox_status store_accounts_each(struct store *store, void (*each)(void *ctx, const struct store_account *account),
                                      void *ctx, struct aibox_error *err);
/* Adds it, or replaces the one of that name. Durable at return, as all below. */
enum aibox_status store_account_put(struct store *store, const struct store_account *account, struct aibox_error *err);
/* With its sessions. No error when there is none. */
enum aibox_status store_account_delete(struct store *store, const char *name, struct aibox_error *err);

#define STORE_SECRET_HASH 32 /* bytes */

enum store_credential_kind { STORE_SESSION, STORE_API_KEY };

struct store_credential {
    uint8_t hash[STORE_SECRET_HASH]; /* of the secret, which is not kept */
    enum store_credential_kind kind;
    const char *name; /* SESSION: of the account; API_KEY: its own */
    int role;         /* API_KEY */
    int64_t created_ms, expires_ms /* 0: never */, used_ms;
};
/* Oldest first; valid during the call. */
enum aibox_status store_credentials_each(struct store *store,
                                         void (*each)(void *ctx, const struct store_credential *credential), void *ctx,
                                         struct aibox_error *err);
/* Adds them, or replaces those of the same hashes. All or nothing. */
enum aibox_status store_credentials_put(struct store *store, const struct store_credential *credentials, size_t n,
                                        struct aibox_error *err);
/* `hashes`: n × STORE_SECRET_HASH bytes; unknown ones are skipped. */
enum aibox_status store_credentials_delete(struct store *store, const uint8_t *hashes, size_t n,
                                           struct aibox_error *err);

/* ---- who changed what ---------------------------------------------------------------------------------------- */

#define STORE_MAX_AUDIT    100000 /* entries of changes, a few hundred more for a while; the oldest go */
#define STORE_MAX_REFUSALS 10000  /* entries of refused calls; the oldest goes */

struct store_audit {
    int64_t time_ms;
    const char *who, *role, *address, *method, *path;
    const char *what; /* at most STORE_MAX_DESCRIPTION bytes; names nobody */
    int status;       /* HTTP */
    uint64_t refused; /* so many calls were refused; 0: the entry tells of a change */
};
/* Durable at return. `people` (identity ids, may be NULL) are appended to `what` as hashes, "people=1f0c…,…", under a
 * key that a wipe of people destroys. */
enum aibox_status store_audit_add(struct store *store, const struct store_audit *entry, const char *const *people,
                                  size_t n_people, struct aibox_error *err);
/* For refused calls; `what` stays as it is. */
enum aibox_status store_audit_add_refused(struct store *store, const struct store_audit *entry, int64_t *audit_id,
                                          struct aibox_error *err);
/* The entry stands for `refused` calls now; no error when it is gone. */
enum aibox_status store_audit_recount(struct store *store, int64_t audit_id, uint64_t refused, struct aibox_error *err);

enum store_audit_kind { STORE_AUDIT_ALL, STORE_AUDIT_CHANGES, STORE_AUDIT_REFUSALS };
/* Newest first; valid during the call. *total: of all of that kind. */
enum aibox_status store_audit_each(struct store *store, enum store_audit_kind kind, size_t skip, size_t limit,
                                   void (*each)(void *ctx, const struct store_audit *entry), void *ctx, size_t *total,
                                   struct aibox_error *err);

#endif
