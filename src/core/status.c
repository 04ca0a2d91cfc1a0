#include "core/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"

static const struct row {
    int code;
    int http;
    const char *name;
    const char *text;
} rows[] = {
#define X(name, code, wire, http, text) [AIBOX_##name] = {code, http, wire, text},
    AIBOX_STATUS_LIST(X)
#undef X
};

static const struct row *row_of(enum aibox_status status)
{
    assert((unsigned)status < AIBOX_STATUS_COUNT);
    return &rows[status];
}

int status_code(enum aibox_status status)
{
    return row_of(status)->code;
}

const char *status_name(enum aibox_status status)
{
    return row_of(status)->name;
}

int status_http(enum aibox_status status)
{
    return row_of(status)->http;
}

const char *status_text(enum aibox_status status)
{
    return row_of(status)->text;
}

/* Room for the byte after the cut (it tells whether the cut splits a character) and a NUL. */
#define MESSAGE_WORK_SIZE (sizeof(((struct aibox_error *)0)->message) + 4)

/* Cuts `text` (NUL-terminated) to what fits `err`, at a whole character. */
static void keep_message(struct aibox_error *err, const char *text)
{
    size_t size = utf8_prefix(text, strlen(text), sizeof err->message - 1);

    memcpy(err->message, text, size);
    err->message[size] = '\0';
}

enum aibox_status error_set(struct aibox_error *err, enum aibox_status status, const char *format, ...)
{
    /* Formatted aside, because an argument may be err->message itself. */
    char work[MESSAGE_WORK_SIZE];
    va_list args;

    if (!err)
        return status;
    err->status = status;
    if (!format) {
        keep_message(err, status_text(status));
        return status;
    }
    va_start(args, format);
    if (vsnprintf(work, sizeof work, format, args) < 0)
        work[0] = '\0';
    va_end(args);
    keep_message(err, work);
    return status;
}

void error_prefix(struct aibox_error *err, const char *format, ...)
{
    char work[MESSAGE_WORK_SIZE];
    va_list args;
    size_t used;

    if (!err)
        return;
    va_start(args, format);
    if (vsnprintf(work, sizeof work, format, args) < 0)
        work[0] = '\0';
    va_end(args);
    used = strlen(work);
    (void)snprintf(work + used, sizeof work - used, ": %s", err->message);
    keep_message(err, work);
}
