/* Header values with parameters: `multipart/form-data; boundary="a b"` (RFC 9110 § 5.6.6). Any thread. */
#ifndef AIBOX_API_HEADER_VALUE_H
#define AIBOX_API_HEADER_VALUE_H

#include <stdbool.h>
#include <stddef.h>

/* True when what stands before the first ';' is `token`, whatever its case. */
bool header_value_is(const char *value, size_t size, const char *token);

enum header_parameter { HEADER_PARAMETER_ABSENT, HEADER_PARAMETER_FOUND, HEADER_PARAMETER_TOO_LONG };

/*
 * Finds parameter `name` (any case) of value[0..size) and writes its text with NUL into out[0..out_size), quotes taken
 * off. In a quoted text \" and \\ stand for " and \; any other backslash is itself, as old browsers send paths.
 */
enum header_parameter header_value_parameter(const char *value, size_t size, const char *name, char *out,
                                             size_t out_size);

#endif
