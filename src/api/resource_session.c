/* Getting in and out: GET, POST, DELETE /api/session, PUT /api/session/password, POST /api/setup. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "api/access.h"
#include "api/request.h"
#include "api/resources.h"
#include "api/server.h"
#include "core/settings.h"
#include "report/report.h"

/* ---- answers ------------------------------------------------------------------------------------------------- */

static void print_account(struct json_out *out, const struct access_grant *grant)
{
    char who[ACCOUNTS_NAME_SIZE + 8];

    json_out_key(out, "account");
    if (grant->way == ACCESS_NOBODY) {
        json_out_null(out);
        return;
    }
    access_print_who(grant, who, sizeof who);
    json_out_object_begin(out);
    json_out_key_text(out, "name", who);
    json_out_key_text(out, "role", account_role_name(grant->identity.role));
    json_out_object_end(out);
}

static void answer_account(struct api_response *res, const struct access_grant *grant)
{
    struct json_out *out = api_body(res);

    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    print_account(out, grant);
    json_out_object_end(out);
    json_out_object_end(out);
}

static void set_cookie(struct api_response *res, const struct access_grant *grant, const char *token, int64_t max_age_s)
{
    char cookie[256];

    (void)snprintf(cookie, sizeof cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s", ACCESS_COOKIE,
                   token, (long long)max_age_s, grant->secure ? "; Secure" : "");
    api_reply_header(res, "Set-Cookie", cookie);
}

/* ---- the session --------------------------------------------------------------------------------------------- */

static enum aibox_status get_session(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    bool open = access_is_open_mode(api_access(req->api));
    struct json_out *out = api_body(res);
    char name[REPORT_BOX_NAME];

    (void)err;
    report_box_name(ctx->report, name, sizeof name);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_bool(out, "set_up", open || accounts_set_up(ctx->accounts));
    json_out_key_text(out, "mode", open ? "open" : "closed");
    print_account(out, api_grant(req));
    json_out_key_text(out, "box_name", name);
    json_out_key_text(out, "version", AIBOX_VERSION);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

/* Who was found to be `identity` gets a session, and is who calls from here on. */
static enum aibox_status let_in(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                const struct account_identity *identity, struct aibox_error *err)
{
    struct access_grant *grant = api_grant(req);
    char token[ACCOUNTS_TOKEN_SIZE];
    enum aibox_status status = accounts_open_session(ctx->accounts, identity->name, token, err);

    if (status != AIBOX_OK)
        return status;
    grant->way = ACCESS_SESSION;
    grant->identity = *identity;
    set_cookie(res, grant, token, settings_int(ctx->settings, "access.session_days") * 86400);
    sodium_memzero(token, sizeof token);
    answer_account(res, grant);
    return AIBOX_OK;
}

static void tell_when(struct api_response *res, enum aibox_status status, unsigned retry_after_s)
{
    char seconds[16];

    if (status != AIBOX_TOO_MANY_REQUESTS)
        return;
    (void)snprintf(seconds, sizeof seconds, "%u", retry_after_s);
    api_reply_header(res, "Retry-After", seconds);
}

static enum aibox_status log_in(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                struct aibox_error *err)
{
    const struct access_grant *grant = api_grant(req);
    struct account_identity identity;
    unsigned retry_after_s = 1;

    if (access_is_open_mode(api_access(req->api)))
        return error_set(err, AIBOX_PARAM, "access is open: nobody logs in");
    if (!accounts_set_up(ctx->accounts))
        return error_set(err, AIBOX_UNAUTHORIZED,
                         "the box is not set up yet: open the link that it printed at its start");
    enum aibox_status status = accounts_check_password(ctx->accounts, &grant->address, api_text(req, "name"),
                                                       api_text(req, "password"), &identity, &retry_after_s, err);
    tell_when(res, status, retry_after_s);
    return status == AIBOX_OK ? let_in(ctx, req, res, &identity, err) : status;
}

static enum aibox_status log_out(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                 struct aibox_error *err)
{
    const struct access_grant *grant = api_grant(req);
    struct json_out *out = api_body(res);

    if (grant->way == ACCESS_SESSION) {
        enum aibox_status status = accounts_end_session(ctx->accounts, grant->identity.hash, err);

        if (status != AIBOX_OK)
            return status;
    }
    set_cookie(res, grant, "", 0);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_object_end(out);
    json_out_object_end(out);
    return AIBOX_OK;
}

static enum aibox_status change_password(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                         struct aibox_error *err)
{
    const struct access_grant *grant = api_grant(req);
    struct account_identity identity;
    unsigned retry_after_s = 1;

    if (!grant->identity.is_account)
        return error_set(err, AIBOX_PARAM, "only who has logged in by name and password has a password to change");
    enum aibox_status status = accounts_check_password(ctx->accounts, &grant->address, grant->identity.name,
                                                       api_text(req, "old_password"), &identity, &retry_after_s, err);
    tell_when(res, status, retry_after_s);
    /* The session is a good one: 401 would make a console send its user away. */
    if (status == AIBOX_UNAUTHORIZED)
        status = error_set(err, AIBOX_PARAM, "old_password: not the password of %s", grant->identity.name);
    if (status == AIBOX_OK)
        status = accounts_change(ctx->accounts, grant->identity.name, ACCOUNT_NOBODY, api_text(req, "password"),
                                 grant->identity.is_session ? grant->identity.hash : NULL, err);
    if (status == AIBOX_OK)
        answer_account(res, grant);
    return status;
}

/* ---- set-up --------------------------------------------------------------------------------------------------- */

static enum aibox_status set_up(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                struct aibox_error *err)
{
    struct account_identity identity = {.role = ACCOUNT_ADMIN, .is_account = true, .is_session = true};
    const char *name = api_text(req, "name");
    unsigned retry_after_s = 1;

    if (access_is_open_mode(api_access(req->api)))
        return error_set(err, AIBOX_PARAM, "access is open: there is nothing to set up");
    enum aibox_status status = accounts_begin(ctx->accounts, &api_grant(req)->address, api_text(req, "token"), name,
                                              api_text(req, "password"), &retry_after_s, err);
    tell_when(res, status, retry_after_s);
    if (status != AIBOX_OK)
        return status;
    (void)snprintf(identity.name, sizeof identity.name, "%s", name);
    return let_in(ctx, req, res, &identity, err);
}

/* For aiboxctl: the link that was printed may be out of reach. */
static enum aibox_status make_setup_token(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                          struct aibox_error *err)
{
    struct json_out *out = api_body(res);
    char token[ACCOUNTS_TOKEN_SIZE];

    (void)req;
    if (!accounts_make_setup_token(ctx->accounts, token))
        return error_set(err, AIBOX_PARAM, "the box is set up already");
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    json_out_key_text(out, "token", token);
    json_out_key_text(out, "url", api_url(req->api));
    json_out_object_end(out);
    json_out_object_end(out);
    sodium_memzero(token, sizeof token);
    return AIBOX_OK;
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

static const struct api_field log_in_fields[] = {
    {.name = "name", .type = API_TEXT, .flags = API_REQUIRED, .max = 64, .help = "Name of the account."},
    {.name = "password", .type = API_TEXT, .flags = API_REQUIRED, .max = 256, .help = "Its password."},
};
static const struct api_field password_fields[] = {
    {.name = "old_password", .type = API_TEXT, .flags = API_REQUIRED, .max = 256, .help = "As it is."},
    {.name = "password",
     .type = API_TEXT,
     .flags = API_REQUIRED,
     .max = 256,
     .help = "As it is to be: 12 characters or more. Other sessions of the account end."},
};
static const struct api_field setup_fields[] = {
    {.name = "token", .type = API_TEXT, .flags = API_REQUIRED, .max = 64, .help = "From the set-up link."},
    {.name = "name", .type = API_TEXT, .default_text = "admin", .max = 64, .help = "Name of the administrator."},
    {.name = "password",
     .type = API_TEXT,
     .flags = API_REQUIRED,
     .max = 256,
     .help = "Password of the administrator: 12 characters or more."},
};

#define FIELDS(array) .fields = array, .n_fields = sizeof array / sizeof array[0]

const struct api_endpoint api_session_endpoints[] = {
    {"GET", "/api/session", API_QUERY, API_OPEN, false, NULL, 0, get_session, "access",
     "Tell who calls, and whether the box is set up", NULL},
    {"POST", "/api/session", API_BODY_JSON, API_OPEN, false, FIELDS(log_in_fields), log_in, "access",
     "Log in: the answer sets the cookie of the session",
     "{\"name\": \"admin\", \"password\": \"correct horse battery\"}"},
    {"DELETE", "/api/session", API_BODY_JSON, API_OPEN, false, NULL, 0, log_out, "access", "Log out", "{}"},
    {"PUT", "/api/session/password", API_BODY_JSON, API_VIEWER, false, FIELDS(password_fields), change_password,
     "access", "Change the password of the account that calls",
     "{\"old_password\": \"correct horse battery\", \"password\": \"battery horse correct\"}"},
    {"POST", "/api/setup", API_BODY_JSON, API_OPEN, false, FIELDS(setup_fields), set_up, "access",
     "Make the first administrator, with the token of the link that the box printed at its start",
     "{\"token\": \"<token>\", \"password\": \"correct horse battery\"}"},
    {"POST", "/api/setup/token", API_BODY_JSON, API_ADMIN, false, NULL, 0, make_setup_token, "access",
     "Make a new set-up token, while there is no administrator (over the Unix socket)", "{}"},
};
const size_t api_session_count = sizeof api_session_endpoints / sizeof api_session_endpoints[0];
