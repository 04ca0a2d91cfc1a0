/* Comma-separated values (RFC 4180): writing lines, and reading what spreadsheets make of them. */
#ifndef AIBOX_FLOW_CSV_H
#define AIBOX_FLOW_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"
#include "core/status.h"

#define CSV_MAX_CELLS  128
#define CSV_MAX_RECORD ((size_t)1 << 20) /* bytes of a record's cells */

/* Appends one line; a field is quoted when it holds a comma, a quote or a line end, or begins or ends with a
 * blank. NULL is an empty field. */
void csv_add_line(struct buffer *out, const char *const *fields, size_t n);

/*
 * Reads records out of a text in memory: fields in quotes, doubled quotes, line ends CRLF, LF or CR, a byte order mark;
 * separated by ',', ';' or tabs, whichever the first record has most of; in UTF-8, or else in GB 18030 (the superset of
 * GBK, code page 936), as programs on Chinese Windows write it. Blank lines are left out, and blanks around a field
 * that is not in quotes.
 */
struct csv_reader {
    const char *text; /* the caller's */
    size_t size;
    size_t at;   /* where the next record begins */
    size_t line; /* of it, from 1 */
    char separator;
    bool gbk;
};

/* PARAM: UTF-16, or neither UTF-8 nor GB 18030. */
enum aibox_status csv_begin(struct csv_reader *reader, const char *text, size_t size, struct aibox_error *err);

struct csv_record {
    size_t at;   /* where it began: put into reader.at it is read again */
    size_t line; /* on which it began */
    size_t count;
    const char *cells[CSV_MAX_CELLS]; /* UTF-8; valid until the next record is read */
    struct buffer text;
    size_t starts[CSV_MAX_CELLS];
};
void csv_record_init(struct csv_record *record);
void csv_record_free(struct csv_record *record);

enum csv_step {
    CSV_RECORD,
    CSV_BROKEN, /* `err` (PARAM) says why, with the line; reading goes on behind it */
    CSV_END
};
enum csv_step csv_next(struct csv_reader *reader, struct csv_record *record, struct aibox_error *err);

#endif
