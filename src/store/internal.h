/* What the files of this room share. Nobody else includes it. */
#ifndef AIBOX_STORE_INTERNAL_H
#define AIBOX_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/readers.h"
#include "store/seal.h"
#include "store/sql.h"
#include "store/store.h"
#include "store/writer.h"

#define SHA256_SIZE 32
#define UUID_BYTES  16

struct store {
    char *path;          /* the data folder */
    char *main_path;     /* aibox.db */
    char *pictures_path; /* pictures.db */
    int lock_fd;
    atomic_size_t capacity;
    struct seal_ring *ring;
    struct readers *readers;
    struct writer *writer;
    struct label_map_slot *labels;
    struct catalogue *catalogue; /* catalogue.h */

    /* The counter table as of the last commit, written by the writer thread. */
    atomic_size_t people, faces, events;
    atomic_uint_fast64_t events_total, events_lost;
    _Atomic int64_t event_bytes;  /* of events' pictures */
    _Atomic int64_t newest_event; /* seq of the newest one committed */

    atomic_size_t retention_keep;
    atomic_uint retention_days;
    _Atomic int64_t retention_bytes; /* 0: no limit */

    /* store_set_strangers(). */
    atomic_size_t stranger_keep;
    atomic_uint stranger_days; /* 0: nothing was said so far: nobody comes, nobody goes */
    _Atomic int64_t stranger_absent_ms;
    _Atomic int64_t last_stranger; /* the last number given */
};

/* open.c: brings both files, made when they are missing, to the newest version. */
enum aibox_status store_migrate(const char *main_path, const char *pictures_path, struct aibox_error *err);
/* open.c: the counters above, read again. */
enum aibox_status store_counters_load(struct store *store, struct sql *sql, struct aibox_error *err);

/* text.c: checks and small conversions */
/* PARAM naming `field` when NULL, empty (unless `may_be_empty`) or longer than `limit` bytes. */
enum aibox_status text_check(const char *field, const char *text, bool may_be_empty, size_t limit,
                             struct aibox_error *err);
/* PARAM unless `text` is a JSON object within STORE_MAX_INFO. */
enum aibox_status text_check_object(const char *field, const char *text, struct aibox_error *err);
bool text_list_append(struct store_text_list *list, const char *text); /* false: out of memory */
/* `%`, `_` and `\` escaped by `\`, between two `%`. NULL: out of memory. */
char *text_like_pattern(const char *part);
void uuid_pack(const char text[37], uint8_t out[UUID_BYTES]); /* text as id_uuid makes it */
bool uuid_parse(const char *text, uint8_t out[UUID_BYTES]);   /* any text; false when it is no UUID */
void uuid_print(const uint8_t bytes[UUID_BYTES], char out[37]);
enum aibox_status out_of_memory(struct aibox_error *err);

/* half.c: IEEE 754 binary16, round to nearest even, beyond the range the largest finite value. */
void half_from_float(const float *in, uint16_t *out, size_t n);
void half_to_float(const uint16_t *in, float *out, size_t n);

#endif
