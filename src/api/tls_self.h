/* A certificate that the box makes for itself. */
#ifndef AIBOX_API_TLS_SELF_H
#define AIBOX_API_TLS_SELF_H

#include "core/status.h"

/* Makes key and certificate as PEM texts (malloc): ECDSA P-256, valid for 10 years, for the host's name, localhost and
 * the addresses that its interfaces have now. */
enum aibox_status tls_make_self(char **certificate, char **key, struct aibox_error *err);

#endif
