/* Accounts, API keys and the audit log: /api/accounts, /api/keys, /api/audit. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/request.h"
#include "api/resources.h"
#include "store/callers.h"
#include "store/store.h"

static enum account_role role_of(const struct api_request *req)
{
    const char *role = api_text(req, "role");

    return role ? account_role_of(role) : ACCOUNT_NOBODY;
}

static void print_account(struct json_out *out, const char *name, enum account_role role)
{
    json_out_key_text(out, "name", name);
    json_out_key_text(out, "role", account_role_name(role));
}

static void answer_name(struct api_response *res, const char *name)
{
    struct json_out *out = api_body(res);

    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_text(out, "name", name);
    json_out_object_end(out);
    json_out_object_end(out);
}

/* ---- accounts ------------------------------------------------------------------------------------------------- */

static enum aibox_status list_accounts(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                       struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    struct account_view *items;
    size_t count;
    enum aibox_status status = accounts_list(ctx->accounts, &items, &count, err);

    (void)req;
    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_array_begin(out);
    for (size_t i = 0; i < count; i++) {
        json_out_object_begin(out);
        print_account(out, items[i].name, items[i].role);
        json_out_key_int(out, "created", items[i].created_ms);
        json_out_key_int(out, "last_used", items[i].used_ms);
        json_out_object_end(out);
    }
    json_out_array_end(out);
    json_out_object_end(out);
    free(items);
    return AIBOX_OK;
}

static enum aibox_status add_account(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    enum aibox_status status =
        accounts_add(ctx->accounts, api_text(req, "name"), role_of(req), api_text(req, "password"), err);

    if (status == AIBOX_OK)
        answer_name(res, api_text(req, "name"));
    return status;
}

static enum aibox_status change_account(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                        struct aibox_error *err)
{
    const struct access_grant *grant = api_grant(req);
    const uint8_t *keep = grant->identity.is_session ? grant->identity.hash : NULL;
    enum aibox_status status =
        accounts_change(ctx->accounts, api_text(req, "name"), role_of(req), api_text(req, "password"), keep, err);

    if (status == AIBOX_OK)
        answer_name(res, api_text(req, "name"));
    return status;
}

static enum aibox_status remove_account(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                        struct aibox_error *err)
{
    enum aibox_status status = accounts_remove(ctx->accounts, api_text(req, "name"), err);

    if (status == AIBOX_OK)
        answer_name(res, api_text(req, "name"));
    return status;
}

/* ---- keys ----------------------------------------------------------------------------------------------------- */

static enum aibox_status list_keys(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                   struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    struct account_key_view *items;
    size_t count;
    enum aibox_status status = accounts_list_keys(ctx->accounts, &items, &count, err);

    (void)req;
    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_array_begin(out);
    for (size_t i = 0; i < count; i++) {
        json_out_object_begin(out);
        print_account(out, items[i].name, items[i].role);
        json_out_key_int(out, "created", items[i].created_ms);
        json_out_key_int(out, "expires_at", items[i].expires_ms);
        json_out_key_int(out, "last_used", items[i].used_ms);
        json_out_object_end(out);
    }
    json_out_array_end(out);
    json_out_object_end(out);
    free(items);
    return AIBOX_OK;
}

static enum aibox_status add_key(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                 struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    char key[ACCOUNTS_TOKEN_SIZE];
    enum aibox_status status =
        accounts_add_key(ctx->accounts, api_text(req, "name"), role_of(req), api_int(req, "expires_at"), key, err);

    if (status != AIBOX_OK)
        return status;
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_text(out, "name", api_text(req, "name"));
    json_out_key_text(out, "key", key);
    json_out_object_end(out);
    json_out_object_end(out);
    sodium_memzero(key, sizeof key);
    return AIBOX_OK;
}

static enum aibox_status remove_key(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                    struct aibox_error *err)
{
    enum aibox_status status = accounts_remove_key(ctx->accounts, api_text(req, "name"), err);

    if (status == AIBOX_OK)
        answer_name(res, api_text(req, "name"));
    return status;
}

/* ---- the audit log ---------------------------------------------------------------------------------------------- */

static void print_entry(void *ctx, const struct store_audit *entry)
{
    struct json_out *out = ctx;

    json_out_object_begin(out);
    json_out_key_int(out, "time", entry->time_ms);
    json_out_key_text(out, "who", entry->who);
    json_out_key_text(out, "role", entry->role);
    json_out_key_text(out, "address", entry->address);
    json_out_key_text(out, "method", entry->method);
    json_out_key_text(out, "path", entry->path);
    json_out_key_text(out, "what", entry->what);
    json_out_key_int(out, "status", entry->status);
    json_out_key_int(out, "refused", (int64_t)entry->refused);
    json_out_object_end(out);
}

static enum store_audit_kind kind_of(const char *word)
{
    return strcmp(word, "changes") == 0   ? STORE_AUDIT_CHANGES
           : strcmp(word, "refused") == 0 ? STORE_AUDIT_REFUSALS
                                          : STORE_AUDIT_ALL;
}

static enum aibox_status list_audit(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                    struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    size_t page = (size_t)api_int(req, "page");
    size_t per_page = (size_t)api_int(req, "per_page");
    size_t total;

    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_array_begin(out);
    enum aibox_status status = store_audit_each(ctx->store, kind_of(api_text(req, "kind")), page * per_page, per_page,
                                                print_entry, out, &total, err);
    if (status != AIBOX_OK)
        return status;
    json_out_array_end(out);
    json_out_key(out, "pagination");
    json_out_object_begin(out);
    json_out_key_int(out, "num_pages", (int64_t)((total + per_page - 1) / per_page));
    json_out_key_int(out, "page", (int64_t)page);
    json_out_key_int(out, "per_page", (int64_t)per_page);
    json_out_key_int(out, "total_count", (int64_t)total);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

#define NAME                                                                                                           \
    {                                                                                                                  \
        .name = "name", .type = API_TEXT, .flags = API_REQUIRED | API_NOT_EMPTY, .max = 64,                            \
        .help = "Name, unique; no ':' in it."                                                                          \
    }
#define ROLE(further)                                                                                                  \
    {                                                                                                                  \
        .name = "role", .type = API_CHOICE, .flags = (further), .choices = "admin|operator|viewer",                    \
        .help = "admin: everything; operator: people, events, doors; viewer: reads."                                   \
    }
#define PASSWORD(further)                                                                                              \
    {                                                                                                                  \
        .name = "password", .type = API_TEXT, .flags = (further), .max = 256, .help = "12 characters or more."         \
    }

static const struct api_field add_fields[] = {NAME, ROLE(API_REQUIRED), PASSWORD(API_REQUIRED)};
static const struct api_field change_fields[] = {NAME, ROLE(0), PASSWORD(0)};
static const struct api_field name_fields[] = {NAME};
static const struct api_field key_fields[] = {
    NAME,
    ROLE(API_REQUIRED),
    {.name = "expires_at",
     .type = API_INT,
     .default_text = "0",
     .min = 0,
     .max = 1e15,
     .help = "Unix time in milliseconds from which the key is refused; 0: never."},
};
static const struct api_field audit_fields[] = {
    {.name = "kind",
     .type = API_CHOICE,
     .default_text = "all",
     .choices = "all|changes|refused",
     .help =
         "changes: what was changed, or tried to; refused: calls that were let do nothing (401, 403), one entry for a "
         "caller, a route and a minute, with their number in `refused`."},
    {.name = "page", .type = API_INT, .default_text = "0", .min = 0, .max = 100000, .help = "Page, from 0."},
    {.name = "per_page", .type = API_INT, .default_text = "50", .min = 1, .max = 1000, .help = "Entries a page."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_accounts_endpoints[] = {
    {"GET", "/api/accounts", API_QUERY, API_ADMIN, false, NULL, 0, list_accounts, "access", "List accounts", NULL},
    {"POST", "/api/accounts", API_BODY_JSON, API_ADMIN, false, FIELDS(add_fields), add_account, "access",
     "Add an account", "{\"name\": \"gate desk\", \"role\": \"operator\", \"password\": \"correct horse battery\"}"},
    {"PUT", "/api/accounts", API_BODY_JSON, API_ADMIN, false, FIELDS(change_fields), change_account, "access",
     "Give an account another role or password; a new password ends its sessions",
     "{\"name\": \"gate desk\", \"role\": \"viewer\"}"},
    {"DELETE", "/api/accounts", API_BODY_JSON, API_ADMIN, false, FIELDS(name_fields), remove_account, "access",
     "Remove an account and its sessions; the last administrator stays", "{\"name\": \"gate desk\"}"},
    {"GET", "/api/keys", API_QUERY, API_ADMIN, false, NULL, 0, list_keys, "access", "List API keys", NULL},
    {"POST", "/api/keys", API_BODY_JSON, API_ADMIN, false, FIELDS(key_fields), add_key, "access",
     "Make an API key; it is shown this once", "{\"name\": \"gate 1\", \"role\": \"operator\", \"expires_at\": 0}"},
    {"DELETE", "/api/keys", API_BODY_JSON, API_ADMIN, false, FIELDS(name_fields), remove_key, "access",
     "Remove an API key", "{\"name\": \"gate 1\"}"},
    {"GET", "/api/audit", API_QUERY, API_ADMIN, false, FIELDS(audit_fields), list_audit, "access",
     "Read who changed what, and who was refused, newest first", NULL},
};
const size_t api_accounts_count = sizeof api_accounts_endpoints / sizeof api_accounts_endpoints[0];
