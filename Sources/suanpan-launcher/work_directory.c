#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spawn.h"

/// True when nobody but root, the launcher's user and `user` can put things into the directory or move them about. A
/// directory with the sticky bit lets others add names, not touch ours.
static bool is_trusted(int directory, uid_t user) {
    struct stat status;
    if (fstat(directory, &status) < 0) return false;
    if (status.st_uid != 0 && status.st_uid != geteuid() && status.st_uid != user) return false;
    return (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (status.st_mode & S_ISVTX) != 0;
}

/// Made as the user and not given to him afterwards: in his own directory he could put another of root's in its place meanwhile.
static int make(int parent, const char *name, uid_t user, gid_t group) {
    bool as_another = user != geteuid() || group != getegid();
    if (as_another) {
        (void)setfsgid(group);
        (void)setfsuid(user);
    }
    int result = mkdirat(parent, name, 0755), error = errno;
    if (as_another) {
        (void)setfsuid(geteuid());
        (void)setfsgid(getegid());
    }
    errno = error;
    return result;
}

/// In a directory that is the user's own, what is made belongs to the user at once; elsewhere only the last part.
static int enter(int parent, const char *name, bool last, uid_t user, gid_t group) {
    enum { flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
    int directory = openat(parent, name, flags);
    if (directory >= 0 || errno != ENOENT) return directory;
    struct stat status;
    if (fstat(parent, &status) < 0) return -1;
    if (!is_trusted(parent, user)) {
        errno = EACCES;
        return -1;
    }
    bool of_user = status.st_uid == user;
    if (make(parent, name, of_user ? user : geteuid(), of_user ? group : getegid()) < 0) {
        // Somebody was faster: what is there is as it is.
        return errno == EEXIST ? openat(parent, name, flags) : -1;
    }
    directory = openat(parent, name, flags);
    if (directory < 0) return -1;
    bool ours = fstat(directory, &status) == 0 && status.st_uid == geteuid();
    if (ours && last && !of_user && (user != geteuid() || group != getegid()) && fchown(directory, user, group) < 0) {
        int error = errno;
        close(directory);
        errno = error;
        return -1;
    }
    return directory;
}

int work_directory_make(const char *path, uid_t user, gid_t group) {
    if (path[0] != '/') {
        errno = EINVAL;
        return -1;
    }
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (directory >= 0 && *path != 0) {
        while (*path == '/') path++;
        size_t length = strcspn(path, "/");
        if (length == 0) break;
        char name[256];
        int next = -1;
        bool parent = length == 2 && path[0] == '.' && path[1] == '.';
        if (length >= sizeof name || parent) {
            errno = parent ? EINVAL : ENAMETOOLONG;
        } else {
            memcpy(name, path, length);
            name[length] = 0;
            path += length;
            next = enter(directory, name, path[strspn(path, "/")] == 0, user, group);
        }
        int error = errno;
        close(directory);
        errno = error;
        directory = next;
    }
    if (directory < 0) return -1;
    close(directory);
    return 0;
}
