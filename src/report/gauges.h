/* What the kernel says of this machine: processor, memory, disk, temperature, serial number. */
#ifndef AIBOX_REPORT_GAUGES_H
#define AIBOX_REPORT_GAUGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GAUGES_SERIAL 65

/* Processor time since the start of the machine, in ticks. */
struct gauges_cpu {
    uint64_t busy, total;
};

struct gauges {
    double cpu_percent;            /* of all cores, since the last reading; 0..100 */
    double memory_gb, memory_used; /* 2^30 bytes; share 0..1, what can be had at once counts as free */
    double disk_gb, disk_free_gb;  /* 2^30 bytes, as an unprivileged user may have them */
    double disk_used;              /* share 0..1 */
    double temperature;            /* °C of the hottest sensor; 0 without one */
};

/* Reads everything; what can't be read is 0. `since` is the last reading (zeroed at first: since the machine's start)
 * and is renewed; one thread at a time. `folder`: on the disk asked for. */
void gauges_read(struct gauges_cpu *since, const char *folder, struct gauges *out);

/* The hardware's serial number: DMI's, else the device tree's, else the machine id. "" without any. */
void gauges_serial(char out[GAUGES_SERIAL]);

/* ---- the parts that read text, for tests ---------------------------------------------------------------------- */

/* The first line of /proc/stat. */
bool gauges_parse_cpu(const char *text, struct gauges_cpu *out);
/* /proc/meminfo, in KiB. */
bool gauges_parse_memory(const char *text, uint64_t *total, uint64_t *available);
/* Whether a serial number is one, and not what a maker left in its place. */
bool gauges_is_serial(const char *text);

#endif
