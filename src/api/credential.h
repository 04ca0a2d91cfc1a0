/* The credentials that a request carries: its headers Authorization and Cookie (RFC 9110 § 11.6.2, RFC 7617, RFC 6265
 * § 4.2). Any thread. */
#ifndef AIBOX_API_CREDENTIAL_H
#define AIBOX_API_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#define CREDENTIAL_NAME     256 /* room for a name with NUL */
#define CREDENTIAL_PASSWORD 512

enum credential_scheme {
    CREDENTIAL_NONE,   /* no such header, or an empty one */
    CREDENTIAL_BEARER, /* `token` */
    CREDENTIAL_BASIC,  /* `name` and `password` */
    CREDENTIAL_BAD     /* anything else */
};

struct credential {
    const char *token; /* in the header */
    size_t token_size;
    char name[CREDENTIAL_NAME];
    char password[CREDENTIAL_PASSWORD];
};

/* Reads the value of Authorization; NULL: there is none. */
enum credential_scheme credential_read(const char *header, struct credential *out);

/* The value of cookie `name` in the header Cookie (NULL: there is none); its first one when there are several. NULL:
 * not there. */
const char *credential_find_cookie(const char *header, const char *name, size_t *size);

#endif
