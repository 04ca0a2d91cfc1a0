/* The HTTP server of the box: REST API, health, metrics. */
#ifndef AIBOX_API_API_H
#define AIBOX_API_API_H

#include <stdbool.h>
#include <stdint.h>

#include "core/settings.h"
#include "core/status.h"

struct accounts;
struct api;
struct backup;
struct cloud;
struct door;
struct feed;
struct flow;
struct intake;
struct jobs;
struct report;
struct report_config;
struct store;
struct terminals;

/* What handlers work on. All must outlive the server. */
struct api_context {
    struct settings *settings;
    struct store *store;
    struct flow *flow;
    struct door *door;
    struct intake *intake;
    struct cloud *cloud;
    struct jobs *jobs;
    const char *data_dir;   /* folder of the Unix socket and of a certificate that the box makes; NULL: neither */
    const char *upload_dir; /* folder for what is being uploaded; NULL: uploads are not offered */
    struct report_config *reports;
    struct report *report;
    struct feed *feed;
    struct backup *backup;
    void (*restart)(void); /* has the box start anew, soon: every room is closed in order, and opened again */
    struct accounts *accounts;
    struct terminals *terminals;
};

/*
 * `listen`: "127.0.0.1:5555", "0.0.0.0:80", "[::1]:5555"; port 0 picks one. Fails with one clear sentence: busy port,
 * not an address, access.mode=open on an address that is not loopback. Serves at once; what needs the gallery answers
 * GROUP_NOT_LOADED until flow says it is ready.
 */
enum aibox_status api_open(const struct api_context *ctx, const char *listen, struct api **out,
                           struct aibox_error *err);

/* SHA-256 of the certificate, "AB:CD:…"; "" without TLS. */
const char *api_fingerprint(const struct api *api);
/* The address served, "127.0.0.1:5555". Valid until api_close. */
const char *api_address(const struct api *api);
/* The same as a URL, "http://127.0.0.1:5555". */
const char *api_url(const struct api *api);

/* Stops accepting, lets running requests end for at most `grace_ms`, closes. */
void api_close(struct api *api, int64_t grace_ms);

#endif
