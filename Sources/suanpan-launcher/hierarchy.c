#define _GNU_SOURCE
#include "hierarchy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "launcher.h"
#include "spawn.h"

// MARK: - Finding our position

/// True when `item` is one of the comma-separated items of `list`.
static bool list_holds(const char *list, const char *item) {
    size_t length = strlen(item);
    for (const char *at = list; (at = strstr(at, item)) != NULL; at += length)
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == 0)) return true;
    return false;
}

/// Reads the mount point of the hierarchy and which part of it is mounted there, from /proc/self/mountinfo.
static bool find_mount(const char *controller, char *root, char *point, size_t capacity) {
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (file == NULL) return false;
    char *line = NULL;
    size_t line_capacity = 0;
    bool found = false;
    while (!found && getline(&line, &line_capacity, file) > 0) {
        char *tail = strstr(line, " - ");
        char at_root[HIERARCHY_PATH_BYTES], at_point[HIERARCHY_PATH_BYTES], type[64], options[512];
        if (tail == NULL || sscanf(line, "%*s %*s %*s %1023s %1023s", at_root, at_point) != 2) continue;
        if (sscanf(tail, " - %63s %*s %511s", type, options) != 2) continue;
        found = controller == NULL ? strcmp(type, "cgroup2") == 0 : strcmp(type, "cgroup") == 0 && list_holds(options, controller);
        if (found) {
            snprintf(root, capacity, "%s", at_root);
            snprintf(point, capacity, "%s", at_point);
        }
    }
    free(line);
    fclose(file);
    return found;
}

/// Reads our path within the hierarchy from /proc/self/cgroup: lines of number, controllers and path.
static bool find_path(const char *controller, char *path, size_t capacity) {
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file == NULL) return false;
    char *line = NULL;
    size_t line_capacity = 0;
    bool found = false;
    while (!found && getline(&line, &line_capacity, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':');
        char *position = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (position == NULL) continue;
        *position++ = 0;
        controllers++;
        found = controller == NULL ? *controllers == 0 : list_holds(controllers, controller);
        if (found) snprintf(path, capacity, "%s", position);
    }
    free(line);
    fclose(file);
    return found;
}

bool hierarchy_position(const char *controller, char path[HIERARCHY_PATH_BYTES]) {
    char root[HIERARCHY_PATH_BYTES], point[HIERARCHY_PATH_BYTES], own[HIERARCHY_PATH_BYTES];
    if (!find_mount(controller, root, point, sizeof root) || !find_path(controller, own, sizeof own)) return false;
    const char *below = own;
    if (strcmp(root, "/") != 0) {
        // Only a part is mounted (a container without a namespace of its own): our path must lie in that part.
        size_t length = strlen(root);
        if (strncmp(own, root, length) != 0 || (own[length] != '/' && own[length] != 0)) return false;
        below = own + length;
    }
    if (strcmp(below, "/") == 0) below = "";
    int length = snprintf(path, HIERARCHY_PATH_BYTES, "%s%s", point, below);
    return length > 0 && length < HIERARCHY_PATH_BYTES;
}

// MARK: - Small files

ssize_t hierarchy_read(int descriptor, char *text, size_t capacity) {
    ssize_t length = pread(descriptor, text, capacity - 1, 0);
    text[length > 0 ? length : 0] = 0;
    return length;
}

/// Kills and counts must be possible when attempts hold all the descriptors that there are.
static int open_at(int directory, const char *name, int flags) {
    int descriptor = openat(directory, name, flags | O_CLOEXEC);
    if (descriptor >= 0 || errno != EMFILE) return descriptor;
    spawn_use_last_files(true);
    descriptor = openat(directory, name, flags | O_CLOEXEC);
    int error = errno;
    spawn_use_last_files(false);
    errno = error;
    return descriptor;
}

int hierarchy_write_at(int directory, const char *name, const char *text) {
    int descriptor = open_at(directory, name, O_WRONLY);
    if (descriptor < 0) return -1;
    ssize_t written = write(descriptor, text, strlen(text));
    int error = errno;
    close(descriptor);
    errno = error;
    return written < 0 ? -1 : 0;
}

unsigned long long hierarchy_number(const char *text, const char *key, unsigned long long missing) {
    size_t length = strlen(key);
    for (const char *line = text; line != NULL && *line != 0; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, key, length) == 0 && line[length] == ' ') return strtoull(line + length + 1, NULL, 10);
    }
    return missing;
}

int hierarchy_each_process(int directory, const char *name, void (*each)(pid_t process, void *argument), void *argument) {
    int descriptor = open_at(directory, name, O_RDONLY);
    if (descriptor < 0) return -1;
    char text[4096];
    ssize_t length;
    int count = 0;
    long process = 0;
    // A number may be cut by the end of a read; the separator after it is what completes it.
    while ((length = read(descriptor, text, sizeof text)) > 0)
        for (ssize_t at = 0; at < length; at++) {
            if (text[at] >= '0' && text[at] <= '9') {
                process = process * 10 + (text[at] - '0');
                continue;
            }
            // 0 stands for a process that our PID namespace does not show; 1 is never ours.
            if (process > 1 && each != NULL) each((pid_t)process, argument);
            if (process > 0) count++;
            process = 0;
        }
    close(descriptor);
    return length < 0 ? -1 : count;
}

// MARK: - Our directories

/// Makes the directory where it is missing.
static bool open_at_path(struct hierarchy *hierarchy) {
    if (mkdir(hierarchy->path, 0755) < 0 && errno != EEXIST) return false;
    int directory = open(hierarchy->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return false;
    // Making a directory is not enough: somebody's tmpfs would allow that too.
    int processes = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (processes < 0) {
        close(directory);
        return false;
    }
    close(processes);
    hierarchy->directory = directory;
    return true;
}

bool hierarchy_find(struct hierarchy *hierarchy, const char *path) {
    snprintf(hierarchy->path, sizeof hierarchy->path, "%s", path);
    return open_at_path(hierarchy);
}

bool hierarchy_open(struct hierarchy *hierarchy, const char *parent, const char *name) {
    int length = snprintf(hierarchy->path, sizeof hierarchy->path, "%s/%s", parent, name);
    if (length < 0 || (size_t)length >= sizeof hierarchy->path) {
        errno = ENAMETOOLONG;
        return false;
    }
    return open_at_path(hierarchy);
}

bool hierarchy_is_gone(int directory) {
    return faccessat(directory, "cgroup.procs", F_OK, 0) < 0 && (errno == ENOENT || errno == ENODEV);
}

bool hierarchy_make_again(struct hierarchy *hierarchy) {
    int old = hierarchy->directory;
    if (!open_at_path(hierarchy)) return false;
    close(old);
    return true;
}

static bool enable_at(int directory, const char *controller) {
    char word[64];
    snprintf(word, sizeof word, "+%s", controller);
    return hierarchy_write_at(directory, "cgroup.subtree_control", word) == 0;
}

bool hierarchy_enable_here(const struct hierarchy *hierarchy, const char *controller) {
    return enable_at(hierarchy->directory, controller);
}

bool hierarchy_enable(const struct hierarchy *hierarchy, const char *parent, const char *controller) {
    int above = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (above < 0) return false;
    bool enabled = enable_at(above, controller);
    if (!enabled && errno == EBUSY) {
        // A group with processes of its own cannot have groups with controllers below it. Where the launcher is the
        // only one (a service of its own with Delegate=yes), it steps aside into a leaf.
        char process[24];
        snprintf(process, sizeof process, "%d", getpid());
        int leaf = mkdirat(hierarchy->directory, "launcher", 0755) < 0 && errno != EEXIST
            ? -1 : openat(hierarchy->directory, "launcher", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (leaf >= 0 && hierarchy_write_at(leaf, "cgroup.procs", process) == 0) enabled = enable_at(above, controller);
        if (leaf >= 0) close(leaf);
    }
    close(above);
    return enabled && enable_at(hierarchy->directory, controller);
}

static void kill_process(pid_t process, void *argument) {
    (void)argument;
    kill(process, SIGKILL);
}

/// One round of killing in a group directory and those below it; the number of processes that were there.
static int purge_once(int directory) {
    int count = hierarchy_each_process(directory, "cgroup.procs", kill_process, NULL);
    if (count < 0) count = 0;
    int listing = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = listing < 0 ? NULL : fdopendir(listing);
    if (stream == NULL) return count;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
        int below = openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (below < 0) continue;
        count += purge_once(below);
        close(below);
    }
    closedir(stream);
    return count;
}

bool hierarchy_remove(int parent, const char *name) {
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
    int listing = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = listing < 0 ? NULL : fdopendir(listing);
    if (stream == NULL) return false;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') hierarchy_remove(dirfd(stream), entry->d_name);
    closedir(stream);
    return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

/// It waits without an end: an attempt may be called ended only when its group is proven
/// empty, and a process that the kernel cannot end is a fault of the machine that the log must show.
void hierarchy_purge_group(int parent, const char *name) {
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return;
    for (int64_t round = 0;; round++) {
        (void)hierarchy_write_at(directory, "cgroup.kill", "1");
        // Both conditions: just after the last exit the list is empty and the directory still busy.
        if (purge_once(directory) == 0 && hierarchy_remove(parent, name)) break;
        if (round % 5000 == 4999) launcher_log("group %s still holds processes after SIGKILL", name);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    close(directory);
}

void hierarchy_purge(const char *path) {
    int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) return;
    DIR *stream = fdopendir(parent);
    if (stream == NULL) {
        close(parent);
        return;
    }
    // Only the names that we give: the leaf of the launcher itself stays.
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        if (entry->d_type == DT_DIR && entry->d_name[0] == 'g') hierarchy_purge_group(parent, entry->d_name);
    closedir(stream);
}
