#include "intake/ftp_server.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "intake/ftp_files.h"
#include "intake/ftp_folder.h"
#include "intake/ftp_jail.h"

/* Whether nobody else listens on the port; the server itself would only end. */
static bool port_is_free(int port)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in plain = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1, off = 0;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool v6 = fd >= 0;
    if (!v6)
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (v6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    bool is_free = (v6 ? bind(fd, (struct sockaddr *)&address, sizeof address)
                       : bind(fd, (struct sockaddr *)&plain, sizeof plain)) == 0 ||
                   errno != EADDRINUSE;
    if (fd >= 0)
        (void)close(fd);
    return is_free;
}

struct names {
    char user[64], group[64];
};

/* What the server's user is called where it runs. */
static bool read_names(bool jailed, struct names *out)
{
    struct passwd user, *has_user = NULL;
    struct group group, *has_group = NULL;
    char text[4096];
    snprintf(out->user, sizeof out->user, "%s", FTP_JAIL_USER);
    snprintf(out->group, sizeof out->group, "%s", FTP_JAIL_USER);
    if (jailed)
        return true;
    if (getpwuid_r(geteuid(), &user, text, sizeof text, &has_user) != 0 || has_user == NULL)
        return false;
    snprintf(out->user, sizeof out->user, "%s", user.pw_name);
    if (getgrgid_r(getegid(), &group, text, sizeof text, &has_group) != 0 || has_group == NULL)
        return false;
    snprintf(out->group, sizeof out->group, "%s", group.gr_name);
    return true;
}

static enum aibox_status write_config(const struct ftp_server_place *place, bool jailed, struct aibox_error *err)
{
    const struct settings *settings = place->settings;
    char ports[32], address[256];
    struct names names;
    struct ftp_config config = {.port = (int)settings_int(settings, "intake.ftp.port"),
                                .public_address = address,
                                .user = names.user,
                                .group = names.group,
                                .folder = jailed ? FTP_JAIL_SERVER : place->folder,
                                .run_folder = jailed ? "/run" : place->folder,
                                .max_bytes = FTP_PICTURE_MAX_BYTES};
    settings_text(settings, "intake.ftp.passive_ports", ports, sizeof ports);
    settings_text(settings, "intake.ftp.public_address", address, sizeof address);
    if (!ftp_passive_parse(ports, &config.passive_first, &config.passive_last))
        return error_set(err, AIBOX_PARAM, "intake.ftp.passive_ports: expected FIRST-LAST, two ports");
    if (!ftp_public_address_valid(address))
        return error_set(err, AIBOX_PARAM, "intake.ftp.public_address: expected an IPv4 address or a host name");
    if (!port_is_free(config.port))
        return error_set(err, AIBOX_PROCESS_FAILED, "port %d is in use by another program", config.port);
    if (!jailed && geteuid() == 0)
        return error_set(err, AIBOX_PROCESS_FAILED,
                         "the FTP server is not run as root, and this kernel permits no user namespace");
    if (!read_names(jailed, &names))
        return error_set(err, AIBOX_PROCESS_FAILED, "the box's user has no name in /etc/passwd or /etc/group");
    struct buffer text;
    buffer_init(&text, 16384);
    ftp_config_print(&config, &text);
    enum aibox_status status = ftp_file_replace(place->folder_fd, FTP_CONFIG_NAME, &text, err);
    buffer_free(&text);
    return status;
}

enum aibox_status ftp_server_start(const struct ftp_server_place *place, bool jailed, bool *refused,
                                   struct ftp_process *out, struct aibox_error *err)
{
    const char *program = ftp_process_program();
    struct ftp_jail jail;
    char config[PATH_MAX + 32], root[PATH_MAX + 8];
    *refused = false;
    if (program == NULL)
        return error_set(err, AIBOX_PROCESS_FAILED, "proftpd is not installed (Debian package proftpd-core)");
    if (!ftp_process_has_module("mod_vroot"))
        return error_set(err, AIBOX_PROCESS_FAILED,
                         "mod_vroot of proftpd is not installed (Debian package proftpd-mod-vroot)");
    enum aibox_status status = write_config(place, jailed, err);
    if (status != AIBOX_OK)
        return status;
    if (!jailed) {
        snprintf(config, sizeof config, "%s/" FTP_CONFIG_NAME, place->folder);
        return ftp_process_start(program, config, NULL, refused, out, err);
    }
    snprintf(root, sizeof root, "%s/" FTP_SERVER_JAIL, place->folder);
    if (!ftp_jail_prepare(&jail, root, place->folder, place->cameras))
        return error_set(err, AIBOX_PROCESS_FAILED, "the data folder's path is too long");
    return ftp_process_start(program, FTP_JAIL_SERVER "/" FTP_CONFIG_NAME, &jail, refused, out, err);
}
