/*
 * The thread that keeps the FTP server running while there is a capture camera, and its accounts equal to the devices.
 *
 *   off      there is no capture camera, or the box has just started
 *   running  the server runs
 *   failed   it can't be started, or has ended by itself: tried again after 1 s, 2 s, 4 s … 30 s
 *
 * On a change of the devices, in this order: the queue knows the accounts, their folders are made, the accounts file is
 * replaced (the server reads it at each login), connections of accounts that are gone or have another password are
 * ended, folders of accounts that are gone are removed.
 */
#include "intake/ftp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "intake/ftp_accounts.h"
#include "intake/ftp_files.h"
#include "intake/ftp_folder.h"
#include "intake/ftp_process.h"
#include "intake/ftp_queue.h"
#include "intake/ftp_server.h"
#include "intake/ftp_takers.h"

#define CAMERAS_FOLDER "ftp"
#define SERVER_FOLDER  "ftp-server"
#define TAKEN_FOLDER   "ftp-taken"

#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS  30000
#define STEADY_MS      10000 /* a server that has run for so long did not fail at its start */

/* Of what waits, see ftp_queue.h. */
#define ACCOUNT_PICTURES 64
#define ACCOUNT_BYTES    (64u * 1024 * 1024)
#define TOTAL_BYTES      (256u * 1024 * 1024)

enum state { STATE_OFF, STATE_RUNNING, STATE_FAILED };
static const char *const state_names[] = {"off", "running", "failed"};

struct ftp {
    struct intake_context context;
    pthread_t thread;
    int wake_fd;
    atomic_bool stopping;
    pthread_mutex_t mu; /* guards what follows; leaf */
    enum state state;
    char reason[200]; /* of STATE_FAILED */
    bool jailed;      /* of STATE_RUNNING */
    uint64_t starts;
    bool begun; /* queue, folder and takers are there, and stay */
    /* The thread's own, but for what `begun` tells of. */
    struct ftp_queue *queue;
    struct ftp_folder *folder;
    struct ftp_takers *takers;
    struct ftp_server_place place;
    struct ftp_process process;
    char said[200]; /* the last line of the server's */
    bool cameras_wanted;
    bool no_jail;             /* the kernel has refused one */
    bool behind;              /* the devices could not be followed */
    struct ftp_shared shared; /* never changed */
    struct buffer shared_config;
    struct ftp_accounts accounts;
    int64_t started_ms, retry_at_ms, retry_ms;
};

/* ---- state ------------------------------------------------------------------------------------------------------- */

static void set_state(struct ftp *ftp, enum state state, const char *reason)
{
    pthread_mutex_lock(&ftp->mu);
    bool news = ftp->state != state || strcmp(ftp->reason, reason) != 0;
    bool was_failed = ftp->state == STATE_FAILED;
    ftp->state = state;
    snprintf(ftp->reason, sizeof ftp->reason, "%s", reason);
    ftp->jailed = ftp->process.jailed;
    if (state == STATE_RUNNING)
        ftp->starts++;
    pthread_mutex_unlock(&ftp->mu);
    if (state == STATE_FAILED && news)
        log_warn("intake", "cameras can't upload by FTP reason=\"%s\"", reason);
    else if (state == STATE_RUNNING)
        log_info("intake", "cameras can upload by FTP%s port=%d isolation=%s", was_failed ? " again" : "",
                 (int)settings_int(ftp->context.settings, "intake.ftp.port"),
                 ftp->process.jailed ? "namespaces" : "server");
}

static void fail(struct ftp *ftp, const char *reason)
{
    int64_t now_ms = clock_monotonic_ms();
    ftp->retry_ms = ftp->retry_ms == 0 ? RETRY_FIRST_MS : ftp->retry_ms * 2;
    if (ftp->retry_ms > RETRY_LAST_MS)
        ftp->retry_ms = RETRY_LAST_MS;
    ftp->retry_at_ms = now_ms + ftp->retry_ms;
    set_state(ftp, STATE_FAILED, reason);
}

/* ---- folders, queue and takers ----------------------------------------------------------------------------------- */

/* Makes data_dir/name, if need be; its absolute path. */
static bool make_folder(const struct ftp *ftp, const char *name, char out[PATH_MAX])
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/%s", ftp->context.data_dir, name);
    if (size < 0 || (size_t)size >= sizeof path)
        return false;
    return (mkdir(path, 0700) == 0 || errno == EEXIST) && realpath(path, out) != NULL;
}

static void on_dropped(void *ctx, const struct ftp_picture *picture)
{
    struct ftp *ftp = ctx;
    device_count_drop(picture->device);
    ftp_folder_remove(ftp->folder, picture);
}

/* Workers that may be busy with uploaded pictures: one is left for people at doors. */
static size_t pictures_at_once(const struct ftp *ftp)
{
    int64_t workers = settings_int(ftp->context.settings, "vision.workers");
    if (workers <= 0)
        workers = sysconf(_SC_NPROCESSORS_ONLN);
    return workers > 5 ? 4 : workers > 2 ? (size_t)workers - 1 : 1;
}

static enum aibox_status begin(struct ftp *ftp, struct aibox_error *err)
{
    struct ftp_queue_limits limits = {.account_pictures = ACCOUNT_PICTURES,
                                      .account_bytes = ACCOUNT_BYTES,
                                      .total_bytes = TOTAL_BYTES,
                                      .at_once = pictures_at_once(ftp)};
    char taken[PATH_MAX], jail[PATH_MAX];
    if (!make_folder(ftp, CAMERAS_FOLDER, ftp->place.cameras) || !make_folder(ftp, SERVER_FOLDER, ftp->place.folder) ||
        !make_folder(ftp, TAKEN_FOLDER, taken) || !make_folder(ftp, SERVER_FOLDER "/" FTP_SERVER_JAIL, jail))
        return error_set(err, AIBOX_PROCESS_FAILED, "folders can't be made: %s", strerror(errno));
    if (ftp->place.folder_fd < 0)
        ftp->place.folder_fd = open(ftp->place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum aibox_status status = AIBOX_OK;
    if (ftp->queue == NULL)
        status = ftp_queue_open(&limits, on_dropped, ftp, &ftp->queue, err);
    struct device_list devices = {0};
    if (status == AIBOX_OK)
        status = devices_list(flow_devices(ftp->context.flow), &devices, err);
    if (status == AIBOX_OK)
        status = ftp_queue_set_devices(ftp->queue, &devices, err);
    device_list_free(&devices);
    if (status == AIBOX_OK && ftp->folder == NULL)
        status = ftp_folder_open(ftp->place.cameras, taken, ftp->shared.on ? ftp->shared.directory : "", ftp->queue,
                                 &ftp->folder, err);
    if (status == AIBOX_OK && ftp->takers == NULL)
        status = ftp_takers_open(&ftp->context, ftp->queue, ftp->folder, &ftp->takers, err);
    if (status == AIBOX_OK) {
        pthread_mutex_lock(&ftp->mu);
        ftp->begun = true;
        pthread_mutex_unlock(&ftp->mu);
    }
    return status;
}

/* ---- accounts ---------------------------------------------------------------------------------------------------- */

static bool has_cameras(const struct device_list *devices)
{
    for (size_t i = 0; i < devices->count; i++)
        if (devices->items[i]->type == DEVICE_CAPTURE_CAMERA)
            return true;
    return false;
}

static bool session_stays(void *ctx, const char *user)
{
    return ftp_accounts_keep(ctx, user);
}

static enum aibox_status write_accounts(struct ftp *ftp, const struct device_list *devices, struct aibox_error *err)
{
    bool jailed = !ftp->no_jail;
    struct buffer fresh;
    enum aibox_status status = AIBOX_OK;
    ftp_accounts_print(devices, &ftp->shared, jailed ? FTP_JAIL_ID : (unsigned)geteuid(),
                       jailed ? FTP_JAIL_ID : (unsigned)getegid(), jailed ? FTP_JAIL_CAMERAS : ftp->place.cameras,
                       &fresh);
    for (size_t i = 0; i < devices->count && status == AIBOX_OK; i++)
        if (devices->items[i]->type == DEVICE_CAPTURE_CAMERA)
            status = ftp_folder_add(ftp->folder, devices->items[i]->ftp_user, err);
    bool same = ftp_accounts_are(&ftp->accounts, &fresh);
    if (status == AIBOX_OK && !same)
        status = ftp_file_replace(ftp->place.folder_fd, FTP_ACCOUNTS_NAME, &fresh, err);
    if (status == AIBOX_OK && !same) {
        ftp_accounts_change_take(&ftp->accounts, &fresh);
        ftp_process_end_sessions(&ftp->process, session_stays, &ftp->accounts);
        ftp_folder_sweep(ftp->folder);
    }
    buffer_free(&fresh);
    return status;
}

/* The server reads this one at its start only. */
static enum aibox_status write_shared(struct ftp *ftp, const struct device_list *devices, struct aibox_error *err)
{
    struct buffer fresh;
    buffer_init(&fresh, (devices->count + 1) * (PATH_MAX + 1024));
    ftp_shared_print(&ftp->shared, devices, ftp->no_jail ? ftp->place.cameras : FTP_JAIL_CAMERAS, &fresh);
    bool same = fresh.size == ftp->shared_config.size && memcmp(fresh.data, ftp->shared_config.data, fresh.size) == 0;
    enum aibox_status status = same ? AIBOX_OK : ftp_file_replace(ftp->place.folder_fd, FTP_SHARED_NAME, &fresh, err);
    if (status != AIBOX_OK || same) {
        buffer_free(&fresh);
        return status;
    }
    buffer_free(&ftp->shared_config);
    ftp->shared_config = fresh;
    ftp_process_stop(&ftp->process);
    return AIBOX_OK;
}

/* An earlier run had cameras: what is left of them is removed. */
static bool has_leftovers(const struct ftp *ftp)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s/" CAMERAS_FOLDER, ftp->context.data_dir);
    return size > 0 && (size_t)size < sizeof path && access(path, F_OK) == 0;
}

/* The devices as they are now. */
static enum aibox_status follow_devices(struct ftp *ftp, struct aibox_error *err)
{
    struct device_list devices = {0};
    enum aibox_status status = devices_list(flow_devices(ftp->context.flow), &devices, err);
    if (status == AIBOX_OK) {
        ftp->cameras_wanted = has_cameras(&devices);
        if ((ftp->cameras_wanted || has_leftovers(ftp)) && !ftp->begun)
            status = begin(ftp, err);
        if (status == AIBOX_OK && ftp->begun)
            status = ftp_queue_set_devices(ftp->queue, &devices, err);
        if (status == AIBOX_OK && ftp->begun)
            status = write_accounts(ftp, &devices, err);
        if (status == AIBOX_OK && ftp->begun)
            status = write_shared(ftp, &devices, err);
    }
    device_list_free(&devices);
    return status;
}

/* ---- the server -------------------------------------------------------------------------------------------------- */

static void start_server(struct ftp *ftp)
{
    struct aibox_error err;
    bool refused;
    if (ftp->shared.wrong != NULL) {
        fail(ftp, ftp->shared.wrong);
        return;
    }
    enum aibox_status status = ftp_server_start(&ftp->place, !ftp->no_jail, &refused, &ftp->process, &err);
    if (status != AIBOX_OK && refused) {
        log_warn("intake",
                 "the FTP server gets no file system of its own, only its own limits hold its users reason=\"%s\"",
                 err.message);
        ftp->no_jail = true;
        status = follow_devices(ftp, &err);
        if (status == AIBOX_OK)
            status = ftp_server_start(&ftp->place, !ftp->no_jail, &refused, &ftp->process, &err);
    }
    if (status != AIBOX_OK) {
        fail(ftp, err.message);
        return;
    }
    ftp->said[0] = '\0';
    ftp->started_ms = clock_monotonic_ms();
    set_state(ftp, STATE_RUNNING, "");
}

/* Keeps the server's last line, without the time and process that it begins with. */
static void hear(struct ftp *ftp)
{
    char text[2048];
    ssize_t size;
    while (ftp->process.said_fd >= 0 && (size = read(ftp->process.said_fd, text, sizeof text - 1)) > 0) {
        text[size] = '\0';
        for (char *line = text, *end; *line != '\0'; line = end) {
            end = strchrnul(line, '\n');
            if (*end != '\0')
                *end++ = '\0';
            const char *name = strstr(line, "proftpd["), *message = name != NULL ? strstr(name, ": ") : NULL;
            snprintf(ftp->said, sizeof ftp->said, "%.*s", (int)sizeof ftp->said - 1,
                     message != NULL ? message + 2 : line);
            log_debug("intake", "the FTP server says text=\"%s\"", ftp->said);
        }
    }
}

static void watch_server(struct ftp *ftp)
{
    struct pollfd at = {.fd = ftp->process.watch_fd, .events = POLLIN};
    int64_t now_ms = clock_monotonic_ms();
    if (ftp->process.pid == 0)
        return;
    hear(ftp);
    if (ftp->retry_ms > 0 && now_ms - ftp->started_ms > STEADY_MS)
        ftp->retry_ms = 0;
    if (poll(&at, 1, 0) <= 0)
        return;
    char reason[sizeof ftp->said + 64];
    hear(ftp);
    snprintf(reason, sizeof reason, "the FTP server has ended%s%s", ftp->said[0] != '\0' ? ": " : "", ftp->said);
    ftp_process_stop(&ftp->process);
    fail(ftp, reason);
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

static void wait_for_news(struct ftp *ftp, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = ftp->wake_fd, .events = POLLIN},
                           {.fd = ftp->process.pid != 0 ? ftp->process.watch_fd : -1, .events = POLLIN},
                           {.fd = ftp->process.pid != 0 ? ftp->process.said_fd : -1, .events = POLLIN}};
    uint64_t woken;
    (void)poll(fds, sizeof fds / sizeof fds[0], timeout_ms);
    (void)!read(ftp->wake_fd, &woken, sizeof woken);
}

/* What is due; how long nothing else is, ms (-1: for ever). */
static int step(struct ftp *ftp)
{
    struct aibox_error err;
    watch_server(ftp);
    if (follow_devices(ftp, &err) != AIBOX_OK) {
        if (ftp->process.pid == 0 && clock_monotonic_ms() >= ftp->retry_at_ms)
            fail(ftp, err.message);
        if (ftp->process.pid != 0 && !ftp->behind)
            log_warn("intake", "the FTP accounts are not as the devices are reason=\"%s\"", err.message);
        ftp->behind = ftp->behind || ftp->process.pid != 0;
        return RETRY_FIRST_MS;
    }
    if (ftp->behind)
        log_info("intake", "the FTP accounts are as the devices are again");
    ftp->behind = false;
    if (!ftp->cameras_wanted) {
        bool ran = ftp->process.pid != 0;
        ftp_process_stop(&ftp->process);
        if (ran)
            log_info("intake", "no camera uploads by FTP any more");
        ftp->retry_ms = ftp->retry_at_ms = 0;
        set_state(ftp, STATE_OFF, "");
        return -1;
    }
    if (ftp->process.pid == 0 && clock_monotonic_ms() >= ftp->retry_at_ms)
        start_server(ftp);
    int64_t left_ms = ftp->process.pid == 0 ? ftp->retry_at_ms - clock_monotonic_ms() : -1;
    return ftp->process.pid != 0 ? -1 : left_ms > 0 ? (int)left_ms : 0;
}

/* The server's leash is held by this thread: it dies with it. */
static void *run(void *arg)
{
    struct ftp *ftp = arg;
    pthread_setname_np(pthread_self(), "ftp");
    while (!atomic_load(&ftp->stopping))
        wait_for_news(ftp, step(ftp));
    ftp_process_stop(&ftp->process);
    return NULL;
}

void ftp_devices_changed(struct ftp *ftp)
{
    uint64_t one = 1;
    (void)!write(ftp->wake_fd, &one, sizeof one);
}

enum aibox_status ftp_open(const struct intake_context *context, struct ftp **out, struct aibox_error *err)
{
    struct ftp *ftp = calloc(1, sizeof *ftp);
    *out = NULL;
    if (ftp == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    ftp->context = *context;
    ftp->place.folder_fd = -1;
    ftp->place.settings = context->settings;
    ftp_shared_read(context->settings, &ftp->shared);
    ftp_accounts_init(&ftp->accounts);
    buffer_init(&ftp->shared_config, 0);
    pthread_mutex_init(&ftp->mu, NULL);
    ftp->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (ftp->wake_fd < 0 || pthread_create(&ftp->thread, NULL, run, ftp) != 0) {
        if (ftp->wake_fd >= 0)
            (void)close(ftp->wake_fd);
        pthread_mutex_destroy(&ftp->mu);
        free(ftp);
        return error_set(err, AIBOX_PROCESS_FAILED, "out of resources");
    }
    *out = ftp;
    return AIBOX_OK;
}

void ftp_close(struct ftp *ftp)
{
    if (ftp == NULL)
        return;
    atomic_store(&ftp->stopping, true);
    ftp_devices_changed(ftp);
    pthread_join(ftp->thread, NULL);
    if (ftp->queue != NULL)
        ftp_queue_stop(ftp->queue);
    ftp_takers_close(ftp->takers);
    ftp_folder_close(ftp->folder);
    ftp_queue_close(ftp->queue);
    ftp_accounts_free(&ftp->accounts);
    buffer_free(&ftp->shared_config);
    if (ftp->place.folder_fd >= 0)
        (void)close(ftp->place.folder_fd);
    (void)close(ftp->wake_fd);
    pthread_mutex_destroy(&ftp->mu);
    free(ftp);
}

/* ---- telling ----------------------------------------------------------------------------------------------------- */

struct report {
    enum state state;
    char reason[sizeof((struct ftp *)0)->reason];
    bool jailed, begun;
    uint64_t starts;
};

static void read_state(struct ftp *ftp, struct report *out)
{
    pthread_mutex_lock(&ftp->mu);
    *out = (struct report){.state = ftp->state, .jailed = ftp->jailed, .begun = ftp->begun, .starts = ftp->starts};
    memcpy(out->reason, ftp->reason, sizeof out->reason);
    pthread_mutex_unlock(&ftp->mu);
}

void ftp_print(struct ftp *ftp, const struct device *device, struct json_out *out)
{
    struct ftp_queue_state queue = {0};
    struct report report;
    read_state(ftp, &report);
    if (report.begun)
        ftp_queue_state(ftp->queue, device->ftp_user, &queue);
    json_out_key_text(out, "last_error", report.state == STATE_FAILED ? report.reason : queue.last_error);
    json_out_key_int(out, "last_picture", queue.last_ms);
    json_out_key_int(out, "waiting", (int64_t)queue.pictures);
    json_out_key_text(out, "ftp_user", device->ftp_user);
    json_out_key_text(out, "ftp_server", state_names[report.state]);
    json_out_key_text(out, "ftp_isolation",
                      report.state != STATE_RUNNING ? ""
                      : report.jailed               ? "namespaces"
                                                    : "server");
}

static void print_figure(struct buffer *out, const char *name, const char *type, const char *help, uint64_t value)
{
    buffer_appendf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help, name, type, name, value);
}

void ftp_metrics(struct ftp *ftp, struct buffer *out)
{
    struct ftp_queue_state queue = {0};
    struct ftp_folder_counters folder = {0};
    struct report report;
    read_state(ftp, &report);
    print_figure(out, "aibox_intake_ftp_up", "gauge", "1 while the FTP server runs.", report.state == STATE_RUNNING);
    print_figure(out, "aibox_intake_ftp_isolated", "gauge", "1 while it runs in namespaces of its own.",
                 report.state == STATE_RUNNING && report.jailed);
    print_figure(out, "aibox_intake_ftp_starts_total", "counter", "Starts of the FTP server.", report.starts);
    if (!report.begun)
        return;
    ftp_queue_state(ftp->queue, NULL, &queue);
    ftp_folder_count(ftp->folder, &folder);
    print_figure(out, "aibox_intake_ftp_uploads_total", "counter", "Pictures uploaded.", folder.pictures);
    print_figure(out, "aibox_intake_ftp_refused_total", "counter", "Pictures refused for their size.", folder.refused);
    print_figure(out, "aibox_intake_ftp_others_total", "counter", "Uploads removed that are no pictures.",
                 folder.others);
    print_figure(out, "aibox_intake_ftp_sidecars_total", "counter", "JSON files taken along with a picture.",
                 folder.sidecars);
    print_figure(out, "aibox_intake_ftp_sidecars_refused_total", "counter", "JSON files removed without use.",
                 folder.sidecars_refused);
    print_figure(out, "aibox_intake_ftp_waiting", "gauge", "Pictures that wait to be looked at.", queue.pictures);
    print_figure(out, "aibox_intake_ftp_waiting_bytes", "gauge", "Bytes of these.", queue.bytes);
    ftp_takers_metrics(ftp->takers, out);
}
