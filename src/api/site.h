/*
 * The files of the web console, as scripts/console.mjs packs them into the program. Without a built console the table
 * is empty (site_none.c).
 */
#ifndef AIBOX_API_SITE_H
#define AIBOX_API_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* Stands in a page where the nonce of an answer goes: each answer has one of its own. */
#define SITE_NONCE_MARK "AIBOX-NONCE"

struct site_bytes {
    const uint8_t *data;
    size_t size;
};

/* One file. It is there plain, or compressed in both ways. */
struct site_file {
    const char *path; /* "/assets/index-3f2a.js"; of a page "/index.html" */
    const char *type; /* Content-Type */
    const char *etag; /* with its quotes */
    struct site_bytes plain, gzip, brotli;
    size_t size; /* bytes of the plain file */
};

/* Sorted by path (strcmp). Constant. */
extern const struct site_file site_files[];
extern const size_t site_count;

/* NULL: no such file. */
const struct site_file *site_find(const char *path);

enum site_coding { SITE_PLAIN, SITE_GZIP, SITE_BROTLI };

/* The best coding that an Accept-Encoding header (NULL: none) allows: brotli, gzip, plain (RFC 9110 § 12.5.3). */
enum site_coding site_coding_of(const char *accept_encoding);

/* Whether an If-None-Match header (NULL: none) names `etag` (RFC 9110 § 13.1.2; weak comparison). */
bool site_etag_matches(const char *if_none_match, const char *etag);

/* The plain bytes of `file`, malloc. PROCESS_FAILED without memory. */
enum aibox_status site_plain(const struct site_file *file, uint8_t **bytes, size_t *size, struct aibox_error *err);

/* A copy of text[0..size) with `nonce` in place of each mark; malloc. NULL without memory. */
uint8_t *site_put_nonce(const uint8_t *text, size_t size, const char *nonce, size_t *out_size);

#endif
