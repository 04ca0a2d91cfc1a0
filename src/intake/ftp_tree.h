/* Folders whose content strangers made: nothing here follows a link. Any thread. */
#ifndef AIBOX_INTAKE_FTP_TREE_H
#define AIBOX_INTAKE_FTP_TREE_H

#include <dirent.h>
#include <stdbool.h>

/* A folder below the folder `at`, "a/b/c". -1 with errno: there is none, or a link is on the way. */
int ftp_tree_open(int at, const char *path);
/* The content of the folder `at`, for readdir(3) and closedir(3); `at` stays open. NULL with errno. */
DIR *ftp_tree_list(int at);

/*
 * Removes the folder `name` of the folder `at` with all that is in it. What lies deeper than FTP_TREE_DEPTH is moved
 * into the folder `top` first, under a name that begins with FTP_TREE_GONE, for a later call. False: something could
 * not be removed.
 */
bool ftp_tree_remove(int at, const char *name, int top);

#define FTP_TREE_DEPTH 16
#define FTP_TREE_GONE  ".gone."

#endif
