#include "report/gauges.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define GIB ((double)(1 << 30))

/* A small file's first bytes as text, without white space at its end. False: it can't be read. */
static bool read_text(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

    if (fd >= 0)
        close(fd);
    if (n < 0)
        n = 0;
    out[n] = '\0'; /* the device tree's texts end with one of their own */
    for (size_t length = strlen(out); length > 0 && strchr(" \t\r\n", out[length - 1]); length--)
        out[length - 1] = '\0';
    return out[0] != '\0';
}

/* ---- processor and memory -------------------------------------------------------------------------------------- */

/* user nice system idle iowait irq softirq steal; guest time is in user time already. proc(5). */
bool gauges_parse_cpu(const char *text, struct gauges_cpu *out)
{
    enum { IDLE = 3, IOWAIT = 4, COLUMNS = 8 };
    const char *at = text;

    *out = (struct gauges_cpu){0};
    if (strncmp(at, "cpu ", 4) != 0)
        return false;
    at += 4;
    for (int i = 0; i < COLUMNS; i++) {
        char *end;
        uint64_t value = strtoull(at, &end, 10);
        if (end == at)
            return i > IDLE; /* older kernels have fewer */
        at = end;
        out->total += value;
        if (i != IDLE && i != IOWAIT)
            out->busy += value;
    }
    return true;
}

static bool parse_line(const char *text, const char *name, uint64_t *out)
{
    const char *line = strstr(text, name);
    char *end;

    if (!line)
        return false;
    line += strlen(name);
    *out = strtoull(line, &end, 10);
    return end != line;
}

bool gauges_parse_memory(const char *text, uint64_t *total, uint64_t *available)
{
    return parse_line(text, "MemTotal:", total) && parse_line(text, "MemAvailable:", available) && *total > 0;
}

static double read_cpu(struct gauges_cpu *since)
{
    char text[512];
    struct gauges_cpu now;

    if (!read_text("/proc/stat", text, sizeof text) || !gauges_parse_cpu(text, &now))
        return 0;
    uint64_t busy = now.busy - since->busy, total = now.total - since->total;
    bool forward = now.total > since->total && now.busy >= since->busy; /* steal and idle time may step back */
    *since = now;
    return forward ? 100.0 * (double)busy / (double)total : 0;
}

static void read_memory(struct gauges *out)
{
    char text[4096];
    uint64_t total, available;

    if (!read_text("/proc/meminfo", text, sizeof text) || !gauges_parse_memory(text, &total, &available))
        return;
    out->memory_gb = (double)total * 1024 / GIB;
    out->memory_used = available < total ? 1 - (double)available / (double)total : 0;
}

/* ---- disk and temperature -------------------------------------------------------------------------------------- */

static void read_disk(const char *folder, struct gauges *out)
{
    struct statvfs disk;

    if (statvfs(folder, &disk) != 0)
        return;
    double block = (double)disk.f_frsize;
    double used = (double)(disk.f_blocks - disk.f_bfree) * block;
    double available = (double)disk.f_bavail * block;
    out->disk_gb = (used + available) / GIB;
    out->disk_free_gb = available / GIB;
    out->disk_used = used + available > 0 ? used / (used + available) : 0;
}

static double hottest(const char *pattern)
{
    glob_t found;
    double most = 0;

    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char text[32];
        if (!read_text(found.gl_pathv[i], text, sizeof text))
            continue;
        double celsius = (double)strtol(text, NULL, 10) / 1000;
        if (celsius > most && celsius < 200) /* sensors that aren't there say odd things */
            most = celsius;
    }
    globfree(&found);
    return most;
}

static double read_temperature(void)
{
    double celsius = hottest("/sys/class/thermal/thermal_zone*/temp");

    return celsius > 0 ? celsius : hottest("/sys/class/hwmon/hwmon*/temp1_input");
}

void gauges_read(struct gauges_cpu *since, const char *folder, struct gauges *out)
{
    *out = (struct gauges){.cpu_percent = read_cpu(since), .temperature = read_temperature()};
    read_memory(out);
    read_disk(folder, out);
}

/* ---- serial number ---------------------------------------------------------------------------------------------- */

bool gauges_is_serial(const char *text)
{
    static const char *const fillers[] = {"none",          "default string", "to be filled by o.e.m.",
                                          "not specified", "not applicable", "system serial number",
                                          "n/a",           "empty",          "unknown"};

    if (text[strspn(text, "0 .-")] == '\0' || strcmp(text, "123456789") == 0 || strcmp(text, "0123456789") == 0)
        return false;
    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++)
        if (strcasecmp(text, fillers[i]) == 0)
            return false;
    return true;
}

void gauges_serial(char out[GAUGES_SERIAL])
{
    static const char *const paths[] = {"/sys/class/dmi/id/product_serial", "/proc/device-tree/serial-number",
                                        "/etc/machine-id"};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (read_text(paths[i], out, GAUGES_SERIAL) && gauges_is_serial(out))
            return;
    out[0] = '\0';
}
