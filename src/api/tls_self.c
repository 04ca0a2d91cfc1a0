#include "api/tls_self.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/id.h"

#define DAYS           3650
#define BACKDATED_S    86400 /* for clocks that are slow */
#define SERIAL_SIZE    16
#define MOST_ADDRESSES 64
#define HOST_NAME      256

/* Every step goes on only when those before succeeded. */
static void step(int *result, int outcome)
{
    if (*result >= 0)
        *result = outcome;
}

static void add_name(gnutls_x509_crt_t certificate, gnutls_x509_subject_alt_name_t kind, const void *name, size_t size,
                     int *result)
{
    step(result, gnutls_x509_crt_set_subject_alt_name(certificate, kind, name, (unsigned)size, GNUTLS_FSAN_APPEND));
}

/* Those of the interfaces, but link-local ones, which mean another machine on each network. */
static void add_addresses(gnutls_x509_crt_t certificate, int *result)
{
    struct ifaddrs *all = NULL;
    size_t n = 0;

    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *each = all; each && n < MOST_ADDRESSES; each = each->ifa_next) {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;

        if (each->ifa_addr && each->ifa_addr->sa_family == AF_INET) {
            memcpy(&v4, each->ifa_addr, sizeof v4);
            add_name(certificate, GNUTLS_SAN_IPADDRESS, &v4.sin_addr, sizeof v4.sin_addr, result);
            n++;
        } else if (each->ifa_addr && each->ifa_addr->sa_family == AF_INET6) {
            memcpy(&v6, each->ifa_addr, sizeof v6);
            if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
                continue;
            add_name(certificate, GNUTLS_SAN_IPADDRESS, &v6.sin6_addr, sizeof v6.sin6_addr, result);
            n++;
        }
    }
    freeifaddrs(all);
}

static void fill_in(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, int *result)
{
    uint8_t serial[SERIAL_SIZE];
    char host[HOST_NAME] = "";
    time_t now = time(NULL);

    id_random(serial, sizeof serial);
    serial[0] &= 0x7f; /* a positive number */
    serial[0] |= 0x01;
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0' || strlen(host) > 64)
        memcpy(host, "aibox", sizeof "aibox");
    step(result, gnutls_x509_crt_set_version(certificate, 3));
    step(result, gnutls_x509_crt_set_serial(certificate, serial, sizeof serial));
    step(result, gnutls_x509_crt_set_activation_time(certificate, now - BACKDATED_S));
    step(result, gnutls_x509_crt_set_expiration_time(certificate, now + (time_t)DAYS * 86400));
    step(result,
         gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, host, (unsigned)strlen(host)));
    step(result, gnutls_x509_crt_set_key(certificate, key));
    step(result, gnutls_x509_crt_set_basic_constraints(certificate, 0, -1));
    step(result, gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE));
    step(result, gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0));
    add_name(certificate, GNUTLS_SAN_DNSNAME, host, strlen(host), result);
    add_name(certificate, GNUTLS_SAN_DNSNAME, "localhost", strlen("localhost"), result);
    add_addresses(certificate, result);
    step(result, gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0));
}

/* A copy with a NUL behind it, from memory that is GnuTLS's. */
static char *copy_text(const gnutls_datum_t *text)
{
    char *copy = malloc((size_t)text->size + 1);

    if (copy) {
        memcpy(copy, text->data, text->size);
        copy[text->size] = '\0';
    }
    return copy;
}

enum aibox_status tls_make_self(char **certificate, char **key, struct aibox_error *err)
{
    gnutls_x509_crt_t x509 = NULL;
    gnutls_x509_privkey_t private_key = NULL;
    gnutls_datum_t certificate_text = {0}, key_text = {0};
    int result = 0;

    *certificate = *key = NULL;
    step(&result, gnutls_x509_privkey_init(&private_key));
    step(&result, result < 0 ? result
                             : gnutls_x509_privkey_generate(private_key, GNUTLS_PK_ECDSA,
                                                            GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    step(&result, result < 0 ? result : gnutls_x509_crt_init(&x509));
    if (result >= 0)
        fill_in(x509, private_key, &result);
    if (result >= 0)
        step(&result, gnutls_x509_crt_export2(x509, GNUTLS_X509_FMT_PEM, &certificate_text));
    if (result >= 0)
        step(&result,
             gnutls_x509_privkey_export2_pkcs8(private_key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key_text));
    if (result >= 0) {
        *certificate = copy_text(&certificate_text);
        *key = copy_text(&key_text);
    }
    if (key_text.data)
        gnutls_memset(key_text.data, 0, key_text.size);
    gnutls_free(key_text.data);
    gnutls_free(certificate_text.data);
    if (x509)
        gnutls_x509_crt_deinit(x509);
    if (private_key)
        gnutls_x509_privkey_deinit(private_key);
    if (*certificate && *key)
        return AIBOX_OK;
    free(*certificate);
    free(*key);
    *certificate = *key = NULL;
    return error_set(err, AIBOX_PROCESS_FAILED, "a certificate can't be made: %s",
                     result < 0 ? gnutls_strerror(result) : "out of memory");
}
