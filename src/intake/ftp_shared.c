#include "intake/ftp_shared.h"

#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static bool is_name(const char *text)
{
    return text[0] != '.' && text[0] != '-' && strspn(text, NAME_CHARACTERS) == strlen(text);
}

/* "$6$salt$hash": what crypt(3) makes, without anything that ends a field of the accounts file. */
static bool is_hash(const char *text)
{
    return text[0] == '$' && strspn(text, NAME_CHARACTERS "$/=,") == strlen(text);
}

void ftp_shared_read(const struct settings *settings, struct ftp_shared *out)
{
    *out = (struct ftp_shared){.on = false};
    size_t hash = settings_text(settings, "intake.ftp.password_hash", out->hash, sizeof out->hash);
    size_t user = settings_text(settings, "intake.ftp.user", out->user, sizeof out->user);
    settings_text(settings, "intake.ftp.directory", out->directory, sizeof out->directory);
    out->on = hash > 0;
    if (!out->on)
        return;
    if (!is_hash(out->hash))
        out->wrong = "intake.ftp.password_hash: expected what `openssl passwd -6` prints";
    else if (user == 0 || user >= sizeof out->user || !is_name(out->user))
        out->wrong = "intake.ftp.user: expected letters, digits, '.', '_' and '-', at most 31";
    else if (!is_name(out->directory))
        out->wrong = "intake.ftp.directory: expected one folder's name of letters, digits, '.', '_' and '-'";
}

static void print_camera(const struct ftp_shared *shared, const struct device *device, const char *folder,
                         struct buffer *out)
{
    buffer_appendf(out,
                   "<Class %s>\n"
                   "  From %s\n"
                   "</Class>\n"
                   "<IfClass %s>\n"
                   "  DefaultRoot %s/%s\n"
                   "  <Limit LOGIN>\n"
                   "    Order allow,deny\n"
                   "    AllowUser %s\n"
                   "    AllowUser %s\n"
                   "    DenyAll\n"
                   "  </Limit>\n"
                   "</IfClass>\n",
                   device->ftp_user, device->ip, device->ftp_user, folder, device->ftp_user, device->ftp_user,
                   shared->user);
}

static bool is_account(const struct device *device)
{
    return device->type == DEVICE_CAPTURE_CAMERA && device->ftp_user[0] != '\0';
}

void ftp_shared_print(const struct ftp_shared *shared, const struct device_list *devices, const char *folder,
                      struct buffer *out)
{
    if (!shared->on || shared->wrong != NULL) {
        buffer_append_text(out, "DefaultRoot ~\n");
        return;
    }
    buffer_append_text(out, "LoadModule mod_ifsession.c\n");
    for (size_t i = 0; i < devices->count; i++)
        if (is_account(devices->items[i]))
            print_camera(shared, devices->items[i], folder, out);
    /* A connection has the first class that its address is in. */
    buffer_appendf(out,
                   "<Class others>\n"
                   "  From all\n"
                   "</Class>\n"
                   "<IfClass others>\n"
                   "  DefaultRoot ~\n"
                   "  <Limit LOGIN>\n"
                   "    Order deny,allow\n"
                   "    DenyUser %s\n"
                   "    AllowAll\n"
                   "  </Limit>\n"
                   "</IfClass>\n",
                   shared->user);
}
