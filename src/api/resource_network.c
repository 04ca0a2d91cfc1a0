/* How this machine is connected, and where its services are found: /api/network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/request.h"
#include "api/resources.h"
#include "api/server.h"
#include "cloud/cloud.h"
#include "core/clock.h"
#include "core/host_network.h"
#include "core/settings.h"

static void write_interface(struct json_out *out, const struct host_interface *interface)
{
    json_out_object_begin(out);
    json_out_key_text(out, "name", interface->name);
    json_out_key_text(out, "mac", interface->mac);
    json_out_key_bool(out, "up", interface->up);
    json_out_key_bool(out, "running", interface->running);
    json_out_key_bool(out, "loopback", interface->loopback);
    json_out_key(out, "addresses");
    json_out_array_begin(out);
    for (size_t i = 0; i < interface->n_addresses; i++) {
        json_out_object_begin(out);
        json_out_key_text(out, "address", interface->addresses[i].text);
        json_out_key_int(out, "bits", interface->addresses[i].bits);
        json_out_object_end(out);
    }
    json_out_array_end(out);
    json_out_object_end(out);
}

static void write_host(struct json_out *out, const struct host_network *host)
{
    json_out_key_text(out, "host_name", host->host_name);
    json_out_key(out, "interfaces");
    json_out_array_begin(out);
    for (size_t i = 0; i < host->n_interfaces; i++)
        write_interface(out, &host->interfaces[i]);
    json_out_array_end(out);
    json_out_key(out, "gateways");
    json_out_array_begin(out);
    for (size_t i = 0; i < host->n_routes; i++) {
        json_out_object_begin(out);
        json_out_key_text(out, "address", host->routes[i].gateway);
        json_out_key_text(out, "interface", host->routes[i].interface);
        json_out_object_end(out);
    }
    json_out_array_end(out);
    json_out_key(out, "dns");
    json_out_array_begin(out);
    for (size_t i = 0; i < host->n_servers; i++)
        json_out_text(out, host->servers[i]);
    json_out_array_end(out);
}

static void write_clock(struct json_out *out, const struct host_network *host)
{
    json_out_key(out, "clock");
    json_out_object_begin(out);
    json_out_key_int(out, "now", clock_realtime_ms());
    json_out_key_text(out, "zone", host->zone);
    json_out_key_int(out, "utc_offset_seconds", host->utc_offset_s);
    json_out_key(out, "synchronised");
    if (host->clock == HOST_CLOCK_UNKNOWN)
        json_out_null(out);
    else
        json_out_bool(out, host->clock == HOST_CLOCK_SYNCHRONISED);
    json_out_object_end(out);
}

/* ---- where the box is found ------------------------------------------------------------------------------------ */

/* The addresses of every interface, when it listens on all of them: IPv6 only if it does so there, too. */
static void write_urls_of_all(struct json_out *out, const struct host_network *host, bool v6, const char *scheme,
                              const char *port)
{
    char url[ADDRESS_TEXT + 32];

    for (size_t i = 0; i < host->n_interfaces; i++) {
        const struct host_interface *interface = &host->interfaces[i];
        for (size_t k = 0; k < interface->n_addresses && interface->up && !interface->loopback; k++) {
            const struct host_address *address = &interface->addresses[k];
            if (address->link_local || (address->v6 && !v6))
                continue;
            (void)snprintf(url, sizeof url, address->v6 ? "%s[%s]:%s/" : "%s%s:%s/", scheme, address->text, port);
            json_out_text(out, url);
        }
    }
}

/* What is to be typed into a browser of another device; of this machine, if it serves no other. */
static void write_urls(struct json_out *out, const struct host_network *host, const char *address, bool tls)
{
    const char *scheme = tls ? "https://" : "http://";
    const char *colon = strrchr(address, ':');
    bool all6 = strncmp(address, "[::]:", strlen("[::]:")) == 0;
    char url[128];

    json_out_key(out, "console_urls");
    json_out_array_begin(out);
    if (colon && (all6 || strncmp(address, "0.0.0.0:", strlen("0.0.0.0:")) == 0)) {
        write_urls_of_all(out, host, all6, scheme, colon + 1);
    } else {
        (void)snprintf(url, sizeof url, "%s%s/", scheme, address);
        json_out_text(out, url);
    }
    json_out_array_end(out);
}

static void write_services(struct json_out *out, struct api_context *ctx, const struct api_request *req,
                           const struct host_network *host)
{
    char mode[16];
    const char *address = api_address(req->api), *fingerprint = api_fingerprint(req->api);
    bool tls = strncmp(api_url(req->api), "https://", strlen("https://")) == 0;

    settings_text(ctx->settings, "tls.mode", mode, sizeof mode);
    json_out_key(out, "listen");
    json_out_object_begin(out);
    json_out_key_text(out, "address", address);
    json_out_key_bool(out, "loopback", api_is_loopback(req->api));
    json_out_key_bool(out, "tls", tls);
    json_out_key_text(out, "tls_mode", mode);
    json_out_key_text(out, "fingerprint", fingerprint);
    json_out_object_end(out);
    write_urls(out, host, address, tls);
    json_out_key_int(out, "ftp_port", settings_int(ctx->settings, "intake.ftp.port"));
    json_out_key(out, "platform");
    cloud_print(ctx->cloud, out);
}

static enum aibox_status get_network(struct api_context *ctx, struct api_request *req, struct api_response *res,
                                     struct aibox_error *err)
{
    struct host_network *host = malloc(sizeof *host); /* large for a stack */
    struct json_out *out = api_body(res);

    if (!host)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    host_network_read(host);
    json_out_object_begin(out);
    json_out_key(out, "data");
    json_out_object_begin(out);
    write_host(out, host);
    write_services(out, ctx, req, host);
    write_clock(out, host);
    json_out_object_end(out);
    json_out_object_end(out);
    free(host);
    return AIBOX_OK;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

const struct api_endpoint api_network_endpoints[] = {
    {.method = "GET",
     .path = "/api/network",
     .encodings = API_QUERY,
     .role = API_ADMIN,
     .handler = get_network,
     .tag = "system",
     .summary = "Read how the box is connected: interfaces, gateways, name servers, its own addresses and ports, the "
                "platform, the clock. They are set in the operating system, not here"},
};
const size_t api_network_count = sizeof api_network_endpoints / sizeof api_network_endpoints[0];
