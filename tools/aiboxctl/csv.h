/* Lines of comma-separated values (RFC 4180, line ends of Unix). */
#ifndef AIBOXCTL_CSV_H
#define AIBOXCTL_CSV_H

#include <stddef.h>

#include "core/buffer.h"

/* Appends one line; a field is quoted when it holds a comma, a quote or a line end. NULL is an empty field. */
void csv_add_line(struct buffer *out, const char *const *fields, size_t n);

#endif
