/* manifest.json, the first member of a backup. */
#ifndef AIBOX_BACKUP_MANIFEST_H
#define AIBOX_BACKUP_MANIFEST_H

#include "backup/backup.h"
#include "core/json_out.h"

#define MANIFEST_NAME "manifest.json"
#define MANIFEST_MAX  ((size_t)64 << 10)

void manifest_write(const struct backup_contents *contents, struct json_out *out);
/* PARAM: it is none, or of a later format. */
enum aibox_status manifest_read(const char *text, size_t size, struct backup_contents *out, struct aibox_error *err);

#endif
