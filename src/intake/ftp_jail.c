#include "intake/ftp_jail.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- before ---------------------------------------------------------------------------------------------------- */

static bool copy_path(char out[PATH_MAX], const char *path)
{
    int size = snprintf(out, PATH_MAX, "%s", path);
    return size > 0 && size < PATH_MAX;
}

/* "usr/lib" for a system whose /lib is a link to it. */
static void read_link(const char *path, char *out, size_t size)
{
    ssize_t length = readlink(path, out, size - 1);
    out[length > 0 ? length : 0] = '\0';
}

bool ftp_jail_prepare(struct ftp_jail *jail, const char *root, const char *server, const char *cameras)
{
    snprintf(jail->uid_map, sizeof jail->uid_map, "%d %u 1\n", FTP_JAIL_ID, (unsigned)geteuid());
    snprintf(jail->gid_map, sizeof jail->gid_map, "%d %u 1\n", FTP_JAIL_ID, (unsigned)getegid());
    read_link("/lib", jail->lib_link, sizeof jail->lib_link);
    read_link("/lib64", jail->lib64_link, sizeof jail->lib64_link);
    return copy_path(jail->root, root) && copy_path(jail->server, server) && copy_path(jail->cameras, cameras);
}

pid_t ftp_jail_fork(void)
{
    /* Not unshare(2), which a process of several threads may not use for users, and which would need a second child
     * for the process numbers. */
    return (pid_t)syscall(SYS_clone,
                          (unsigned long)(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | SIGCHLD), NULL,
                          NULL, NULL, 0UL);
}

/* ---- in the child ------------------------------------------------------------------------------------------------ */

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    size_t size = strlen(text);
    bool fine = fd >= 0 && write(fd, text, size) == (ssize_t)size;
    if (fd >= 0)
        (void)close(fd);
    return fine;
}

/* Who the child is inside; a group list that can't be dropped must not be changed either. */
static bool become_user(const struct ftp_jail *jail)
{
    return write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", jail->uid_map) &&
           write_file("/proc/self/gid_map", jail->gid_map);
}

static bool bind_folder(const char *from, const char *to, unsigned long long attributes)
{
    struct mount_attr attr = {.attr_set = attributes};
    return mkdir(to, 0755) == 0 && mount(from, to, NULL, MS_BIND | MS_REC, NULL) == 0 &&
           mount_setattr(AT_FDCWD, to, AT_RECURSIVE, &attr, sizeof attr) == 0;
}

static bool bind_null(void)
{
    return mkdir("dev", 0755) == 0 && write_file("dev/null", "") &&
           mount("/dev/null", "dev/null", NULL, MS_BIND, NULL) == 0;
}

static bool add_library(const char *path, const char *name, const char *link)
{
    if (link[0] != '\0')
        return symlink(link, name) == 0;
    return access(path, F_OK) != 0 || bind_folder(path, name, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
}

/* The few files that a C library asks for. */
static bool add_names(void)
{
    return mkdir("etc", 0755) == 0 &&
           write_file("etc/passwd", FTP_JAIL_USER ":x:1000:1000::" FTP_JAIL_CAMERAS ":/none\n") &&
           write_file("etc/group", FTP_JAIL_USER ":x:1000:\n") && write_file("etc/nsswitch.conf", "hosts: files\n") &&
           write_file("etc/hosts", "127.0.0.1 localhost\n") && mkdir("run", 0755) == 0 && mkdir("tmp", 0755) == 0;
}

/* The working directory becomes the root; what was mounted before is gone. */
static bool leave_old_root(void)
{
    return syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0 && chdir("/") == 0;
}

const char *ftp_jail_enter(const struct ftp_jail *jail)
{
    if (!become_user(jail))
        return "user";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", jail->root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755") != 0 || chdir(jail->root) != 0)
        return "root";
    if (!bind_folder("/usr", "usr", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV) ||
        !add_library("/lib", "lib", jail->lib_link) || !add_library("/lib64", "lib64", jail->lib64_link))
        return "libraries";
    if (!bind_null() || !add_names())
        return "files";
    if (!bind_folder(jail->server, &FTP_JAIL_SERVER[1],
                     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC) ||
        !bind_folder(jail->cameras, &FTP_JAIL_CAMERAS[1], MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC))
        return "folders";
    return leave_old_root() ? NULL : "new root";
}
