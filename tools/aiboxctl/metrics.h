/* Reading figures out of Prometheus text, as the box prints it at /metrics. */
#ifndef AIBOXCTL_METRICS_H
#define AIBOXCTL_METRICS_H

#include <stdbool.h>
#include <stddef.h>

/* The value of `name`; `labels` as written between the braces ("stage=\"search\""), "" for none. False: not there. */
bool metrics_value(const char *text, const char *name, const char *labels, double *out);

/*
 * The quantile (0..1) of a histogram, interpolated within its bucket as Prometheus does; `name` without "_bucket",
 * `labels` without "le". False: not there, or nothing was counted.
 */
bool metrics_quantile(const char *text, const char *name, const char *labels, double quantile, double *out);

/* The value of the first label of that name anywhere in the text. False: not there, or longer than `size`. */
bool metrics_label(const char *text, const char *label, char *out, size_t size);

#endif
