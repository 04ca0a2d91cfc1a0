/*
 * Addresses as the platform names them, made into URLs. Pure functions: any thread.
 *
 * What begins with http:// or https:// is absolute and taken as it is; anything else is put behind a base. Characters
 * that no URL may hold (spaces, bytes beyond ASCII) are percent-encoded behind the host; a #fragment is left out.
 */
#ifndef AIBOX_CLOUD_ADDRESS_H
#define AIBOX_CLOUD_ADDRESS_H

#include "core/buffer.h"
#include "core/status.h"

#define ADDRESS_MAX 8192 /* bytes of a URL; signed ones are long */

/* Whom the box has logged in to. */
struct address_platform {
    const char *login_url;  /* absolute */
    const char *img_server; /* imgServerAddr; "" without */
    const char *dev_sno, *token;
};

enum address_use {
    ADDRESS_PLATFORM,         /* named by the login, `path`, `notify_path`: dev_sno and token are always added */
    ADDRESS_PICTURE,          /* `reg_url`: they are added for the hosts of the platform only */
    ADDRESS_RELATIVE_PICTURE, /* `relative_pic_url`: the base is img_server; they are added, to an absolute one as to
                                 reg_url */
    ADDRESS_BARE              /* as ADDRESS_PLATFORM, but nothing is added: what a receiver is known by */
};

/* The URL (malloc) into *out. COMMAND_PARAM naming `field` for what makes no http or https URL with a host. */
enum aibox_status address_compose(const struct address_platform *platform, enum address_use use, const char *field,
                                  const char *text, char **out, struct aibox_error *err);

/* scheme://host:port (malloc) of a composed URL: lower case, port always given. COMMAND_PARAM: no URL. */
enum aibox_status address_origin(const char *url, char **out, struct aibox_error *err);

/* A value in a query: all but the unreserved characters of RFC 3986 § 2.3 are encoded. */
void address_append_value(struct buffer *out, const char *text);

#endif
