#include "daemon.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

#define READY_PREFIX "aiboxd: ready on http://"
#define IDLE_LOOK_MS 500
#define IDLE_LOOKS   6 /* quiet ones in a row: longer than anything in the box waits before it begins */
#define IDLE_MAX_MS  60000
#define IDLE_CPU_MS  20 /* of processor time in a look */

static _Noreturn void become(const char *program, const char *models, const char *data, size_t capacity, int out)
{
    char room[64];
    snprintf(room, sizeof room, "gallery.capacity=%zu", capacity);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(out, STDOUT_FILENO);
    execl(program, "aiboxd", "--data", data, "--listen", "127.0.0.1:0", "--models", models, "--set", "access.mode=open",
          "--set", "log.level=warn", "--set", room, (char *)NULL);
    fprintf(stderr, "aibox-bench: %s: %s\n", program, strerror(errno));
    _exit(127);
}

static bool read_ready(FILE *from, struct daemon *daemon)
{
    char line[256];
    while (fgets(line, sizeof line, from) != NULL) {
        if (strncmp(line, READY_PREFIX, strlen(READY_PREFIX)) != 0)
            continue;
        char *host = line + strlen(READY_PREFIX), *colon = strrchr(host, ':');
        if (colon == NULL || (size_t)(colon - host) >= sizeof daemon->host)
            return false;
        memcpy(daemon->host, host, (size_t)(colon - host));
        daemon->host[colon - host] = '\0';
        daemon->port = (int)strtol(colon + 1, NULL, 10);
        return true;
    }
    return false;
}

enum aibox_status daemon_start(const char *program, const char *models, const char *data, size_t capacity,
                               struct daemon *out, struct aibox_error *err)
{
    int ends[2];
    *out = (struct daemon){0};
    if (pipe(ends) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "pipe: %s", strerror(errno));
    int64_t start = clock_monotonic_us();
    out->pid = fork();
    if (out->pid == 0) {
        close(ends[0]);
        become(program, models, data, capacity, ends[1]);
    }
    close(ends[1]);
    FILE *from = out->pid < 0 ? NULL : fdopen(ends[0], "r");
    bool ready = from != NULL && read_ready(from, out);
    out->ready_ms = (double)(clock_monotonic_us() - start) / 1000;
    if (from != NULL)
        fclose(from);
    else
        close(ends[0]);
    if (ready)
        return AIBOX_OK;
    daemon_stop(out);
    return error_set(err, AIBOX_PROCESS_FAILED, "aiboxd did not start");
}

void daemon_stop(struct daemon *daemon)
{
    if (daemon->pid > 0) {
        kill(daemon->pid, SIGTERM);
        while (waitpid(daemon->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    *daemon = (struct daemon){0};
}

double daemon_resident_mib(const struct daemon *daemon)
{
    char path[64], line[256];
    double kib = NAN;
    snprintf(path, sizeof path, "/proc/%d/status", (int)daemon->pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return NAN;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtod(line + 6, NULL);
    fclose(file);
    return kib / 1024;
}

/* Processor time used so far. */
static double processor_ms(const struct daemon *daemon)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(daemon->pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

void daemon_wait_idle(const struct daemon *daemon)
{
    struct timespec pause = {.tv_nsec = IDLE_LOOK_MS * 1000000L};
    double before = processor_ms(daemon);
    int quiet = 0;
    for (int waited = 0; quiet < IDLE_LOOKS && waited < IDLE_MAX_MS; waited += IDLE_LOOK_MS) {
        if (nanosleep(&pause, NULL) != 0)
            return;
        double now = processor_ms(daemon);
        quiet = now - before < IDLE_CPU_MS ? quiet + 1 : 0;
        before = now;
    }
}
