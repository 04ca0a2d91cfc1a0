#include "intake/ftp_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"

#define MODULES      "/usr/lib/proftpd"
#define STOP_MS      500 /* for an orderly end */
#define TITLE_PREFIX "proftpd: "
#define TITLE_MAX    512

const char *ftp_process_program(void)
{
    static const char *const places[] = {"/usr/sbin/proftpd", "/usr/local/sbin/proftpd"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

bool ftp_process_has_module(const char *name)
{
    char path[128];
    int size = snprintf(path, sizeof path, MODULES "/%s.so", name);
    return size > 0 && (size_t)size < sizeof path && access(path, R_OK) == 0;
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

/* Why the child could not become the server, through a pipe that the exec closes. */
struct excuse {
    int error;
    char step[16];
};

struct birth {
    const char *program, *config;
    const struct ftp_jail *jail;
    int said_fd, excuse_fd, null_fd;
    int listening_fd; /* the other end of said_fd */
};

static _Noreturn void give_up(const struct birth *birth, const char *step)
{
    struct excuse excuse = {.error = errno};
    strncpy(excuse.step, step, sizeof excuse.step - 1);
    (void)!write(birth->excuse_fd, &excuse, sizeof excuse);
    _exit(127);
}

/* In the child: only what is async-signal-safe. */
static _Noreturn void become_server(const struct birth *birth)
{
    char *argv[] = {(char *)birth->program, (char *)"-n", (char *)"-q", (char *)"-c", (char *)birth->config, NULL};
    /* Its room is where the server writes what each of its processes does, see ftp_process_end_sessions(). */
    static char room[TITLE_MAX] = "AIBOX_TITLE=";
    char *envp[] = {(char *)"PATH=/usr/sbin:/usr/bin", room, NULL};
    sigset_t none;
    const char *failed;

    memset(room + strlen(room), '-', sizeof room - strlen(room) - 1);
    if (birth->jail != NULL && (failed = ftp_jail_enter(birth->jail)) != NULL)
        give_up(birth, failed);
    (void)setpgid(0, 0);
    /* In the jail its first process takes all others with it; outside it has to be asked to. */
    if (prctl(PR_SET_PDEATHSIG, birth->jail != NULL ? SIGKILL : SIGTERM) != 0)
        give_up(birth, "leash");
    /* Who would have died before that is noticed by this. */
    struct pollfd parent = {.fd = birth->said_fd};
    (void)close(birth->listening_fd);
    if (poll(&parent, 1, 0) != 0)
        _exit(127);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (int i = 1; i < NSIG; i++)
        (void)signal(i, SIG_DFL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)umask(077);
    if (dup2(birth->null_fd, 0) < 0 || dup2(birth->null_fd, 1) < 0 || dup2(birth->said_fd, 2) < 0)
        give_up(birth, "pipes");
    execve(birth->program, argv, envp);
    give_up(birth, "exec");
}

/* Waits for the exec. */
static bool read_excuse(int fd, struct excuse *excuse)
{
    ssize_t size;
    do
        size = read(fd, excuse, sizeof *excuse);
    while (size < 0 && errno == EINTR);
    return size == (ssize_t)sizeof *excuse;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

enum aibox_status ftp_process_start(const char *program, const char *config, const struct ftp_jail *jail, bool *refused,
                                    struct ftp_process *out, struct aibox_error *err)
{
    enum aibox_status status = AIBOX_OK;
    int said[2] = {-1, -1}, excuses[2] = {-1, -1}, null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct excuse excuse = {0};
    *out = (struct ftp_process){.watch_fd = -1, .said_fd = -1, .jailed = jail != NULL};
    *refused = false;
    if (null_fd < 0 || pipe2(said, O_CLOEXEC) != 0 || pipe2(excuses, O_CLOEXEC) != 0) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "no file descriptors: %s", strerror(errno));
        goto out;
    }
    struct birth birth = {program, config, jail, said[1], excuses[1], null_fd, said[0]};
    pid_t pid = jail != NULL ? ftp_jail_fork() : fork();
    if (pid == 0)
        become_server(&birth);
    close_fd(&excuses[1]);
    if (pid < 0) {
        *refused = jail != NULL;
        status = error_set(err, AIBOX_PROCESS_FAILED, "no process of its own: %s", strerror(errno));
        goto out;
    }
    if (read_excuse(excuses[0], &excuse)) {
        (void)waitpid(pid, NULL, 0);
        excuse.step[sizeof excuse.step - 1] = '\0';
        *refused = jail != NULL;
        status = error_set(err, AIBOX_PROCESS_FAILED, "%s: %s", excuse.step, strerror(excuse.error));
        goto out;
    }
    out->pid = pid;
    out->watch_fd = pidfd_open(pid, 0);
    if (out->watch_fd < 0) {
        status = error_set(err, AIBOX_PROCESS_FAILED, "can't be watched: %s", strerror(errno));
        ftp_process_stop(out);
        goto out;
    }
    (void)fcntl(said[0], F_SETFL, O_NONBLOCK);
    out->said_fd = said[0];
    said[0] = -1;
out:
    close_fd(&null_fd);
    for (int i = 0; i < 2; i++) {
        close_fd(&said[i]);
        close_fd(&excuses[i]);
    }
    return status;
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

static bool has_ended(const struct ftp_process *process, int within_ms)
{
    struct pollfd at = {.fd = process->watch_fd, .events = POLLIN};
    return process->watch_fd >= 0 && poll(&at, 1, within_ms) > 0;
}

void ftp_process_stop(struct ftp_process *process)
{
    if (process->pid == 0)
        return;
    if (!has_ended(process, 0))
        (void)kill(process->pid, SIGTERM);
    if (!has_ended(process, STOP_MS))
        (void)kill(process->pid, SIGKILL);
    /* Its children, whom a violent end leaves behind; while the leader is not waited for, the number is nobody else's.
     */
    (void)kill(-process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    close_fd(&process->watch_fd);
    close_fd(&process->said_fd);
    process->pid = 0;
}

/* ---- sessions ---------------------------------------------------------------------------------------------------- */

/* The account that a process of the server serves, by its title "proftpd: USER - ADDRESS: COMMAND"; "" while it serves
 * none. False: it has ended. */
static bool read_session(pid_t pid, char *user, size_t size)
{
    char path[64], title[TITLE_MAX] = "";
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, title, sizeof title - 1);
    if (fd >= 0)
        (void)close(fd);
    user[0] = '\0';
    if (length <= 0)
        return false;
    const char *name = title + strlen(TITLE_PREFIX);
    const char *end = strncmp(title, TITLE_PREFIX, strlen(TITLE_PREFIX)) == 0 ? strstr(name, " - ") : NULL;
    if (end != NULL && (size_t)(end - name) < size) {
        memcpy(user, name, (size_t)(end - name));
        user[end - name] = '\0';
    }
    return true;
}

void ftp_process_end_sessions(const struct ftp_process *process, bool (*keep)(void *ctx, const char *user), void *ctx)
{
    DIR *dir = process->pid != 0 ? opendir("/proc") : NULL;
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char user[TITLE_MAX];
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || pid == process->pid || getpgid(pid) != process->pid)
            continue;
        if (read_session(pid, user, sizeof user) && !keep(ctx, user))
            (void)kill(pid, SIGKILL);
    }
    if (dir != NULL)
        (void)closedir(dir);
}
