#include "intake/ftp_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/id.h"

int ftp_tree_open(int at, const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, at, path, &how, sizeof how);
}

DIR *ftp_tree_list(int at)
{
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL && fd >= 0)
        (void)close(fd);
    return dir;
}

static bool move_to_top(int at, const char *name, int top)
{
    char gone[sizeof FTP_TREE_GONE + ID_ULID_SIZE] = FTP_TREE_GONE;
    id_ulid(gone + strlen(FTP_TREE_GONE));
    return renameat(at, name, top, gone) == 0;
}

static bool remove_folder(int at, const char *name, int top, int depth);

static bool remove_entry(int at, const char *name, int top, int depth)
{
    if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return false;
    return depth < FTP_TREE_DEPTH ? remove_folder(at, name, top, depth + 1) : move_to_top(at, name, top);
}

static bool remove_folder(int at, const char *name, int top, int depth)
{
    int fd = ftp_tree_open(at, name);
    DIR *dir = fd >= 0 ? ftp_tree_list(fd) : NULL;
    const struct dirent *entry;
    bool fine = dir != NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            fine = remove_entry(fd, entry->d_name, top, depth) && fine;
    if (dir != NULL)
        (void)closedir(dir);
    if (fd >= 0)
        (void)close(fd);
    return unlinkat(at, name, AT_REMOVEDIR) == 0 && fine;
}

bool ftp_tree_remove(int at, const char *name, int top)
{
    return remove_folder(at, name, top, 0);
}
