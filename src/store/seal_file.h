/* The file with the box's key: 64 hexadecimal digits and a line break. */
#ifndef AIBOX_STORE_SEAL_FILE_H
#define AIBOX_STORE_SEAL_FILE_H

#include <stdint.h>

#include "core/status.h"
#include "store/seal.h"

#define SEAL_FILE       "seal.key"  /* in the data folder */
#define SEAL_CREDENTIAL "aibox.key" /* in $CREDENTIALS_DIRECTORY */

/* As seal_ring_open() tells. */
enum aibox_status seal_file_read(const char *data_dir, const char *key_file, const char *main_path,
                                 uint8_t out[SEAL_KEY_SIZE], struct aibox_error *err);

#endif
