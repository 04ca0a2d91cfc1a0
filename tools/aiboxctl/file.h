/* Reading whole files, and writing new ones that never replace another. */
#ifndef AIBOXCTL_FILE_H
#define AIBOXCTL_FILE_H

#include <stddef.h>

#include "core/buffer.h"
#include "core/status.h"

/* The whole file into `out` (initialised, with its maximum). NOT_FOUND, IMAGE_TOO_LARGE (beyond the maximum),
 * PROCESS_FAILED; the message names the file. */
enum aibox_status file_read(const char *path, struct buffer *out, struct aibox_error *err);

/*
 * A new file `name` in the open folder `dir`: `name` must hold no '/' and must not exist, not even as a link.
 * PARAM, PROCESS_FAILED; after a failure no file is left behind.
 */
enum aibox_status file_create(int dir, const char *name, const void *bytes, size_t size, struct aibox_error *err);

/* Opens a folder for new files: makes it when it isn't there; PARAM when it holds anything. *dir is to be closed. */
enum aibox_status folder_open_new(const char *path, int *dir, struct aibox_error *err);

#endif
