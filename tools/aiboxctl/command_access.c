/* aiboxctl passwd, setup-link, key: getting into a box, also when a password is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "table.h"
#include "text.h"

#define ACCOUNTS     "/api/accounts"
#define KEYS         "/api/keys"
#define SETUP        "/api/setup/token"
#define PASSWORD_MAX 512
#define DAY_MS       86400000LL

/* ---- passwords ---- */

static bool read_line(char *out, size_t size)
{
    if (fgets(out, (int)size, stdin) == NULL)
        return false;
    size_t length = strcspn(out, "\n");
    bool whole = out[length] == '\n' || feof(stdin);
    out[length] = '\0';
    return whole;
}

/* Asks on the terminal without showing what is typed. */
static bool ask(const char *question, char *out, size_t size)
{
    struct termios shown, hidden;
    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return false;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fputs(question, stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    bool done = read_line(out, size);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return done;
}

static int read_password(char out[PASSWORD_MAX])
{
    char again[PASSWORD_MAX];
    if (!isatty(STDIN_FILENO))
        return read_line(out, PASSWORD_MAX) ? CTL_YES : ctl_fail("a password in one line is expected on stdin");
    if (!ask("New password: ", out, PASSWORD_MAX) || !ask("The same again: ", again, sizeof again))
        return ctl_fail("no password was given");
    int exit_status = strcmp(out, again) == 0 ? CTL_YES : ctl_fail("these were two different passwords");
    explicit_bzero(again, sizeof again);
    return exit_status;
}

/* With a role an account that is not there yet is made. */
static enum aibox_status put_password(struct box *box, const char *name, const char *role, const char *password,
                                      struct aibox_error *err)
{
    json_t *body = role != NULL ? json_pack("{s:s, s:s, s:s}", "name", name, "role", role, "password", password)
                                : json_pack("{s:s, s:s}", "name", name, "password", password);
    if (body == NULL)
        return error_set(err, AIBOX_PARAM, "name and password must be UTF-8");
    enum aibox_status status = box_call(box, "PUT", ACCOUNTS, body, NULL, err);
    if (status == AIBOX_NOT_FOUND && role != NULL)
        status = box_call(box, "POST", ACCOUNTS, body, NULL, err);
    json_decref(body);
    return status;
}

static int run_passwd(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"role", required_argument, NULL, 'r'}, CTL_COMMON_OPTIONS};
    char password[PASSWORD_MAX];
    const char *role = NULL;
    struct box *box = NULL;
    struct aibox_error err;
    for (int option; (option = ctl_next_option(ctl, argc, argv, options)) != -1;) {
        if (option != 'r')
            return ctl->option_exit;
        role = optarg;
    }
    if (!ctl_check_arguments(ctl, argc, 0, 1))
        return ctl->option_exit;
    int exit_status = read_password(password);
    if (exit_status != CTL_YES)
        return exit_status;
    enum aibox_status status = box_open(&ctl->address, &box, &err);
    if (status == AIBOX_OK)
        status = put_password(box, optind < argc ? argv[optind] : "admin", role, password, &err);
    explicit_bzero(password, sizeof password);
    box_close(box);
    return status == AIBOX_OK ? CTL_YES : ctl_complain(&err);
}

const struct ctl_command ctl_passwd = {
    .name = "passwd",
    .arguments = "[NAME] [--role admin|operator|viewer]",
    .summary = "give an account a new password",
    .help = "Asks for the password of the account NAME (default admin); from a pipe it reads one line. The account's\n"
            "sessions end. With --role the account gets that role, and is made where there is none. On the box itself\n"
            "no password is needed for it: a lost one is mended so.\n",
    .run = run_passwd,
};

/* ---- set-up ---- */

static int run_setup_link(struct ctl *ctl, int argc, char **argv)
{
    struct box *box = NULL;
    struct aibox_error err;
    json_t *answer = NULL;
    const char *url, *token;
    if (!ctl_only_arguments(ctl, argc, argv, 0, 0))
        return ctl->option_exit;
    enum aibox_status status = box_open(&ctl->address, &box, &err);
    json_t *nothing = json_object();
    if (status == AIBOX_OK)
        status = box_call(box, "POST", SETUP, nothing, &answer, &err);
    json_decref(nothing);
    box_close(box);
    if (status != AIBOX_OK)
        return ctl_complain(&err);
    int exit_status = CTL_YES;
    if (ctl->json)
        exit_status = ctl_print_json_take(json_incref(json_object_get(answer, "data")));
    else if (json_unpack(answer, "{s:{s:s, s:s}}", "data", "url", &url, "token", &token) == 0)
        printf("%s/#/setup?token=%s\n", url, token);
    else
        exit_status = ctl_fail("the box gave no link");
    json_decref(answer);
    return exit_status;
}

const struct ctl_command ctl_setup_link = {
    .name = "setup-link",
    .arguments = "",
    .summary = "a new link to set up a box that has no administrator",
    .help =
        "Prints the address at which the first administrator is made. Links printed before are worth nothing then.\n",
    .run = run_setup_link,
};

/* ---- keys ---- */

static int create_key(struct box *box, bool json, const char *name, const char *role, long days)
{
    struct aibox_error err;
    json_t *answer = NULL;
    long long expires = days > 0 ? (long long)time(NULL) * 1000 + days * DAY_MS : 0;
    json_t *body = json_pack("{s:s, s:s, s:I}", "name", name, "role", role, "expires_at", (json_int_t)expires);
    enum aibox_status status = body != NULL ? box_call(box, "POST", KEYS, body, &answer, &err)
                                            : error_set(&err, AIBOX_PARAM, "the name must be UTF-8");
    json_decref(body);
    if (status != AIBOX_OK)
        return ctl_complain(&err);
    json_t *data = json_object_get(answer, "data");
    const char *key = json_string_value(json_object_get(data, "key"));
    int exit_status = CTL_YES;
    if (json)
        exit_status = ctl_print_json_take(json_incref(data));
    else if (key != NULL)
        puts(key);
    else
        exit_status = ctl_fail("the box gave no key");
    json_decref(answer);
    return exit_status;
}

static void print_time(const json_t *value, const char *otherwise, char *out, size_t size)
{
    time_t seconds = (time_t)(json_integer_value(value) / 1000);
    struct tm local;
    if (seconds == 0 || localtime_r(&seconds, &local) == NULL || strftime(out, size, "%Y-%m-%d %H:%M", &local) == 0)
        snprintf(out, size, "%s", otherwise);
}

static int list_keys(struct box *box, bool json)
{
    static const char *const headers[] = {"NAME", "ROLE", "EXPIRES", "LAST USED"};
    struct aibox_error err;
    struct table table;
    json_t *answer = NULL;
    const json_t *key;
    size_t i;
    if (box_call(box, "GET", KEYS, NULL, &answer, &err) != AIBOX_OK)
        return ctl_complain(&err);
    json_t *keys = json_object_get(answer, "data");
    if (json) {
        int exit_status = ctl_print_json_take(json_incref(keys));
        json_decref(answer);
        return exit_status;
    }
    table_init(&table, headers, sizeof headers / sizeof headers[0]);
    json_array_foreach(keys, i, key)
    {
        char expires[32], used[32];
        print_time(json_object_get(key, "expires_at"), "never", expires, sizeof expires);
        print_time(json_object_get(key, "last_used"), "never", used, sizeof used);
        const char *const cells[] = {json_string_value(json_object_get(key, "name")),
                                     json_string_value(json_object_get(key, "role")), expires, used};
        table_add(&table, cells);
    }
    json_decref(answer);
    return table_print_take(&table, stdout) ? CTL_YES : ctl_fail("out of memory");
}

static int delete_key(struct box *box, const char *name)
{
    struct aibox_error err;
    json_t *body = json_pack("{s:s}", "name", name);
    enum aibox_status status = body != NULL ? box_call(box, "DELETE", KEYS, body, NULL, &err)
                                            : error_set(&err, AIBOX_PARAM, "the name must be UTF-8");
    json_decref(body);
    return status == AIBOX_OK ? CTL_YES : ctl_complain(&err);
}

static int run_key(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"role", required_argument, NULL, 'r'}, {"days", required_argument, NULL, 'd'}, CTL_COMMON_OPTIONS};
    const char *role = "operator";
    struct box *box = NULL;
    struct aibox_error err;
    long days = 0;
    for (int option; (option = ctl_next_option(ctl, argc, argv, options)) != -1;) {
        if (option == '?')
            return ctl->option_exit;
        if (option == 'r')
            role = optarg;
        else if (!ctl_number("--days", optarg, 1, 36500, &days))
            return CTL_ERROR;
    }
    if (!ctl_check_arguments(ctl, argc, 1, 2))
        return ctl->option_exit;
    const char *verb = argv[optind], *name = optind + 1 < argc ? argv[optind + 1] : NULL;
    bool listing = strcmp(verb, "list") == 0;
    bool creating = strcmp(verb, "create") == 0;
    if ((!listing && !creating && strcmp(verb, "delete") != 0) || listing != (name == NULL))
        return ctl_fail("usage: aiboxctl key %s", ctl_key.arguments);
    if (box_open(&ctl->address, &box, &err) != AIBOX_OK)
        return ctl_complain(&err);
    int exit_status = listing    ? list_keys(box, ctl->json)
                      : creating ? create_key(box, ctl->json, name, role, days)
                                 : delete_key(box, name);
    box_close(box);
    return exit_status;
}

const struct ctl_command ctl_key = {
    .name = "key",
    .arguments = "create NAME [--role ROLE] [--days N] | list | delete NAME",
    .summary = "keys with which programs call the box",
    .help = "create prints the key, this once: the box keeps only what it needs to recognise it. ROLE is admin,\n"
            "operator (default: people, events, doors) or viewer (reads); after N days it is refused.\n",
    .run = run_key,
};
