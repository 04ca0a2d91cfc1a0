#include "api/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/tls_self.h"
#include "core/log.h"

#define PEM_MAX     ((size_t)256 << 10)
#define MOST_CHAIN  16
#define PATH_ROOM   PATH_MAX
#define DIGEST_SIZE 32
#define KEY_ID_SIZE 64

char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:"
                        "+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:%SERVER_PRECEDENCE";

/* ---- files ----------------------------------------------------------------------------------------------------- */

/* Reads a file as text (malloc); NULL and errno. */
static char *read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    char *text = NULL;
    size_t size = 0;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size <= 0 || (uint64_t)info.st_size > PEM_MAX) {
        errno = EINVAL;
        goto out;
    }
    text = malloc((size_t)info.st_size + 1);
    while (text && size < (size_t)info.st_size) {
        ssize_t got = read(fd, text + size, (size_t)info.st_size - size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            free(text);
            text = NULL;
            errno = EIO;
            goto out;
        }
        size += (size_t)got;
    }
    if (text)
        text[size] = '\0';
out:
    (void)close(fd);
    return text;
}

/* Written beside, made durable, and put into place as a whole. */
static bool write_file(const char *path, const char *text)
{
    char beside[PATH_ROOM];
    size_t size = strlen(text);
    bool written = false;
    int length = snprintf(beside, sizeof beside, "%s.new", path);

    if (length < 0 || (size_t)length >= sizeof beside)
        return false;
    (void)unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    written = write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
    written = close(fd) == 0 && written && rename(beside, path) == 0;
    if (!written)
        (void)unlink(beside);
    return written;
}

/* ---- what the files hold ---------------------------------------------------------------------------------------- */

static void print_fingerprint(gnutls_x509_crt_t certificate, char out[TLS_FINGERPRINT])
{
    uint8_t digest[DIGEST_SIZE];
    size_t size = sizeof digest;

    out[0] = '\0';
    if (gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, digest, &size) != 0)
        return;
    for (size_t i = 0; i < size; i++)
        (void)snprintf(out + 3 * i, TLS_FINGERPRINT - 3 * i, "%02X%s", digest[i], i + 1 < size ? ":" : "");
}

static void warn_of_time(gnutls_x509_crt_t certificate)
{
    time_t now = time(NULL);
    time_t end = gnutls_x509_crt_get_expiration_time(certificate);

    if (end < now)
        log_warn("api", "the certificate is expired since=%lld", (long long)end);
    else if (end - now < (time_t)14 * 86400)
        log_warn("api", "the certificate expires soon days=%lld", (long long)((end - now) / 86400));
    if (gnutls_x509_crt_get_activation_time(certificate) > now)
        log_warn("api", "the certificate is not valid yet");
}

static bool same_key(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
    uint8_t of_certificate[KEY_ID_SIZE], of_key[KEY_ID_SIZE];
    size_t size = sizeof of_certificate, key_size = sizeof of_key;

    return gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, of_certificate, &size) == 0 &&
           gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key, &key_size) == 0 && size == key_size &&
           memcmp(of_certificate, of_key, size) == 0;
}

/* What the two files hold; zeroed: nothing. */
struct parsed {
    gnutls_x509_crt_t chain[MOST_CHAIN];
    unsigned n;
    gnutls_x509_privkey_t key;
};

static void parsed_free(struct parsed *parsed)
{
    if (parsed->key)
        gnutls_x509_privkey_deinit(parsed->key);
    for (unsigned i = 0; i < parsed->n; i++)
        gnutls_x509_crt_deinit(parsed->chain[i]);
}

static enum aibox_status parse_chain(const char *pem, struct parsed *parsed, struct aibox_error *err)
{
    gnutls_datum_t text = {(unsigned char *)pem, (unsigned)strlen(pem)};
    unsigned n = MOST_CHAIN;

    if (gnutls_x509_crt_list_import(parsed->chain, &n, &text, GNUTLS_X509_FMT_PEM, 0) <= 0)
        return error_set(err, AIBOX_PARAM, "tls.certificate: the file holds no certificates in PEM form");
    parsed->n = n;
    return AIBOX_OK;
}

static enum aibox_status parse_key(const char *pem, struct parsed *parsed, struct aibox_error *err)
{
    gnutls_datum_t text = {(unsigned char *)pem, (unsigned)strlen(pem)};

    if (gnutls_x509_privkey_init(&parsed->key) != 0)
        return error_set(err, AIBOX_PROCESS_FAILED, "out of memory");
    if (gnutls_x509_privkey_import2(parsed->key, &text, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN) != 0)
        return error_set(err, AIBOX_PARAM, "tls.key: the file holds no key in PEM form without a password");
    return AIBOX_OK;
}

static enum aibox_status check_match(const struct parsed *parsed, struct aibox_error *err)
{
    return same_key(parsed->chain[0], parsed->key)
               ? AIBOX_OK
               : error_set(err, AIBOX_PARAM, "tls.key: not the key of the first certificate of tls.certificate");
}

/* Whether both can be read and belong together; notes the fingerprint. */
static enum aibox_status check_pair(struct tls *tls, struct aibox_error *err)
{
    struct parsed parsed = {0};
    enum aibox_status status = parse_chain(tls->certificate, &parsed, err);

    if (status == AIBOX_OK)
        status = parse_key(tls->key, &parsed, err);
    if (status == AIBOX_OK)
        status = check_match(&parsed, err);
    if (status == AIBOX_OK) {
        print_fingerprint(parsed.chain[0], tls->fingerprint);
        warn_of_time(parsed.chain[0]);
    }
    parsed_free(&parsed);
    return status;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

/* The file that the setting `name` has as its value. */
static enum aibox_status load_named(const char *name, const char *path, char **out, struct aibox_error *err)
{
    if (path[0] == '\0')
        return error_set(err, AIBOX_PARAM, "%s: the path of a file is expected, as tls.mode is files", name);
    *out = read_file(path);
    if (*out)
        return AIBOX_OK;
    return error_set(err, AIBOX_PARAM, "%s: the file can't be read: %s", name, strerror(errno));
}

static enum aibox_status load_setting(const struct settings *settings, const char *name, char **out,
                                      struct aibox_error *err)
{
    char path[PATH_ROOM];

    (void)settings_text(settings, name, path, sizeof path);
    return load_named(name, path, out, err);
}

enum aibox_status tls_check_files(const char *certificate, const char *key, bool together, struct aibox_error *err)
{
    struct tls files = {0};
    struct parsed parsed = {0};
    enum aibox_status status = AIBOX_OK;

    if (together || certificate[0] != '\0')
        status = load_named("tls.certificate", certificate, &files.certificate, err);
    if (status == AIBOX_OK && (together || key[0] != '\0'))
        status = load_named("tls.key", key, &files.key, err);
    if (status == AIBOX_OK && files.certificate)
        status = parse_chain(files.certificate, &parsed, err);
    if (status == AIBOX_OK && files.key)
        status = parse_key(files.key, &parsed, err);
    if (status == AIBOX_OK && together)
        status = check_match(&parsed, err);
    parsed_free(&parsed);
    tls_free(&files);
    return status;
}

static enum aibox_status load_self(const char *data_dir, struct tls *out, struct aibox_error *err)
{
    char certificate[PATH_ROOM], key[PATH_ROOM];

    if (snprintf(certificate, sizeof certificate, "%s/tls-certificate.pem", data_dir) >= (int)sizeof certificate ||
        snprintf(key, sizeof key, "%s/tls-key.pem", data_dir) >= (int)sizeof key)
        return error_set(err, AIBOX_PARAM, "the data folder's name is too long");
    out->certificate = read_file(certificate);
    out->key = read_file(key);
    if (out->certificate && out->key)
        return AIBOX_OK;
    free(out->certificate);
    free(out->key);
    enum aibox_status status = tls_make_self(&out->certificate, &out->key, err);
    if (status != AIBOX_OK)
        return status;
    if (!write_file(key, out->key) || !write_file(certificate, out->certificate))
        return error_set(err, AIBOX_PROCESS_FAILED, "the certificate can't be stored: %s", strerror(errno));
    log_info("api", "certificate made");
    return AIBOX_OK;
}

enum aibox_status tls_load(const struct settings *settings, const char *data_dir, struct tls *out,
                           struct aibox_error *err)
{
    enum aibox_status status;
    char mode[16];

    *out = (struct tls){0};
    (void)settings_text(settings, "tls.mode", mode, sizeof mode);
    if (strcmp(mode, "off") == 0)
        return AIBOX_OK;
    out->from_files = strcmp(mode, "files") == 0;
    if (out->from_files) {
        status = load_setting(settings, "tls.certificate", &out->certificate, err);
        if (status == AIBOX_OK)
            status = load_setting(settings, "tls.key", &out->key, err);
    } else if (data_dir) {
        status = load_self(data_dir, out, err);
    } else {
        status = error_set(err, AIBOX_PARAM, "tls.mode: self needs a data folder");
    }
    if (status == AIBOX_OK)
        status = check_pair(out, err);
    out->on = status == AIBOX_OK;
    return status;
}

void tls_free(struct tls *tls)
{
    if (tls->key)
        sodium_memzero(tls->key, strlen(tls->key));
    free(tls->key);
    free(tls->certificate);
    *tls = (struct tls){0};
}
