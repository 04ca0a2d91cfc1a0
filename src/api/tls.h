/* The certificate with which the server speaks TLS: none, one of the box's own making, or that of files. */
#ifndef AIBOX_API_TLS_H
#define AIBOX_API_TLS_H

#include <stdbool.h>

#include "core/settings.h"
#include "core/status.h"

#define TLS_FINGERPRINT 96 /* 32 bytes as "AB:CD:…" with NUL */

/* What tls_priorities allows: TLS 1.2 and 1.3, forward secrecy, authenticated encryption. GnuTLS priority string. */
extern char tls_priorities[]; /* never changed; the server takes no const */

struct tls {
    bool on;
    bool from_files;                   /* the operator's: known to his browsers */
    char *certificate;                 /* PEM, the whole chain; owned */
    char *key;                         /* PEM; owned */
    char fingerprint[TLS_FINGERPRINT]; /* SHA-256 of the certificate */
};

/*
 * As the settings tls.mode, tls.certificate and tls.key say. `self`: a certificate for the host's name and addresses is
 * made in `data_dir` (mode 0600) where there is none; ECDSA P-256, 10 years. `off`: nothing, and OK. PARAM naming the
 * setting whose file can't be read or used, or when key and certificate don't fit. The caller frees in any case.
 */
enum aibox_status tls_load(const struct settings *settings, const char *data_dir, struct tls *out,
                           struct aibox_error *err);
/* Whether the files would do as tls.certificate and tls.key: readable and in PEM form, each that is named ("" is not);
 * `together`, for tls.mode=files: both named, and the key being the certificate's. PARAM naming the setting. */
enum aibox_status tls_check_files(const char *certificate, const char *key, bool together, struct aibox_error *err);
void tls_free(struct tls *tls);

#endif
