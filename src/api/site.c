#include "api/site.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* the largest window, in a gzip wrapper */

const struct site_file *site_find(const char *path)
{
    size_t low = 0;
    size_t high = site_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(path, site_files[middle].path);

        if (order == 0)
            return &site_files[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* ---- headers ------------------------------------------------------------------------------------------- */

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t");
}

/* Whether the parameters of an Accept-Encoding member, up to `end`, refuse it: a weight of 0. */
static bool is_refused(const char *at, const char *end)
{
    const char *q = memchr(at, ';', (size_t)(end - at));

    if (!q)
        return false;
    q = skip_space(q + 1);
    if (q >= end || (*q != 'q' && *q != 'Q') || q[1] != '=')
        return false;
    q += 2;
    if (*q != '0')
        return false;
    q++;
    if (*q == '.')
        q++;
    while (*q == '0')
        q++;
    return q >= end || *q == ' ' || *q == '\t';
}

/* Whether the header accepts that coding by name. */
static bool accepts(const char *header, const char *coding)
{
    size_t size = strlen(coding);
    const char *at = header ? header : "";

    while (*at) {
        const char *end;

        at = skip_space(at);
        end = at + strcspn(at, ",");
        if (strncasecmp(at, coding, size) == 0 && (at + size == end || strchr("; \t", at[size])))
            return !is_refused(at, end);
        at = *end ? end + 1 : end;
    }
    return false;
}

enum site_coding site_coding_of(const char *accept_encoding)
{
    if (accepts(accept_encoding, "br"))
        return SITE_BROTLI;
    return accepts(accept_encoding, "gzip") ? SITE_GZIP : SITE_PLAIN;
}

bool site_etag_matches(const char *if_none_match, const char *etag)
{
    size_t size = strlen(etag);
    const char *at = if_none_match ? if_none_match : "";

    while (*at) {
        const char *end;

        at = skip_space(at);
        end = at + strcspn(at, ",");
        if (*at == '*')
            return true;
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        if (strncmp(at, etag, size) == 0 && skip_space(at + size) == end)
            return true;
        at = *end ? end + 1 : end;
    }
    return false;
}

/* ---- contents ------------------------------------------------------------------------------------------ */

/* The inflated size is known, and the data is our own: anything but one whole stream is a fault of the build. */
static bool inflate_all(const struct site_file *file, uint8_t *out)
{
    z_stream stream = {.next_in = (Bytef *)file->gzip.data, .avail_in = (uInt)file->gzip.size};
    bool whole;

    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
        return false;
    stream.next_out = out;
    stream.avail_out = (uInt)file->size;
    whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out == file->size;
    (void)inflateEnd(&stream);
    return whole;
}

enum aibox_status site_plain(const struct site_file *file, uint8_t **bytes, size_t *size, struct aibox_error *err)
{
    uint8_t *copy = malloc(file->size + 1);

    *bytes = NULL;
    *size = file->size;
    if (!copy)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (file->plain.data) {
        memcpy(copy, file->plain.data, file->size);
    } else if (!inflate_all(file, copy)) {
        free(copy);
        return error_set(err, AIBOX_PROCESS_FAILED, "%s can't be unpacked", file->path);
    }
    *bytes = copy;
    return AIBOX_OK;
}

uint8_t *site_put_nonce(const uint8_t *text, size_t size, const char *nonce, size_t *out_size)
{
    const size_t mark_size = strlen(SITE_NONCE_MARK);
    const size_t nonce_size = strlen(nonce);
    const uint8_t *at = text;
    const uint8_t *const end = text + size;
    size_t marks = 0;
    uint8_t *out;
    uint8_t *to;

    for (const uint8_t *mark = at; (mark = memmem(mark, (size_t)(end - mark), SITE_NONCE_MARK, mark_size)) != NULL;
         mark += mark_size)
        marks++;
    *out_size = size - marks * mark_size + marks * nonce_size;
    out = to = malloc(*out_size + 1);
    while (out && at < end) {
        const uint8_t *mark = memmem(at, (size_t)(end - at), SITE_NONCE_MARK, mark_size);
        size_t before = (size_t)((mark ? mark : end) - at);

        memcpy(to, at, before);
        to += before;
        at += before;
        if (mark) {
            memcpy(to, nonce, nonce_size);
            to += nonce_size;
            at += mark_size;
        }
    }
    return out;
}
