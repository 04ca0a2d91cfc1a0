/* The head of an archive and the key that follows from it and the password. */
#ifndef AIBOX_BACKUP_ARCHIVE_KEY_H
#define AIBOX_BACKUP_ARCHIVE_KEY_H

#include "backup/archive.h"

#define ARCHIVE_STREAM_AT 40 /* header of the stream in the head */
#define ARCHIVE_KEY_SIZE  32

/* Fills the head but for the header of the stream. */
enum aibox_status archive_key_make(uint8_t head[ARCHIVE_HEAD], const char *password, uint8_t key[ARCHIVE_KEY_SIZE],
                                   struct aibox_error *err);
/* PARAM: it is no head, or asks for too much. */
enum aibox_status archive_key_read(const uint8_t head[ARCHIVE_HEAD], const char *password,
                                   uint8_t key[ARCHIVE_KEY_SIZE], struct aibox_error *err);

/* Little-endian. */
void archive_put_u64(uint8_t *out, uint64_t value);
uint64_t archive_get_u64(const uint8_t *in);

#endif
