// Where the launcher stands in the cgroup hierarchies, and the directories it makes there.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum { HIERARCHY_PATH_BYTES = 1024 };

struct hierarchy {
    int directory;  // of `path`; -1 when the hierarchy is not used
    char path[HIERARCHY_PATH_BYTES];
};

/// The directory of the calling process in the v1 hierarchy with `controller`, or in the v2 one when it is NULL.
bool hierarchy_position(const char *controller, char path[HIERARCHY_PATH_BYTES]);
/// Makes (or finds) `parent`/`name` and opens it; false with errno when we may not make groups there.
bool hierarchy_open(struct hierarchy *hierarchy, const char *parent, const char *name);
/// The same for a directory that was made before.
bool hierarchy_find(struct hierarchy *hierarchy, const char *path);
/// Switches `controller` on for groups below the hierarchy's directory. Moves the launcher itself out of `parent` into
/// a leaf when the kernel asks for that.
bool hierarchy_enable(const struct hierarchy *hierarchy, const char *parent, const char *controller);
/// The same for a hierarchy whose parent has it on.
bool hierarchy_enable_here(const struct hierarchy *hierarchy, const char *controller);
/// Whether somebody else has removed the open directory of a group or a hierarchy.
bool hierarchy_is_gone(int directory);
/// Makes a hierarchy's directory anew; false with errno, and then the old one stays open.
bool hierarchy_make_again(struct hierarchy *hierarchy);

/// Small files of a group directory; each takes one call of the kernel's. -1 with errno; reads end with a NUL.
ssize_t hierarchy_read(int descriptor, char *text, size_t capacity);
int hierarchy_write_at(int directory, const char *name, const char *text);
/// The number after `key` at the start of a line, or `missing`.
unsigned long long hierarchy_number(const char *text, const char *key, unsigned long long missing);

/// Calls `each` for the processes listed in a cgroup.procs file; their number, -1 with errno.
int hierarchy_each_process(int directory, const char *name, void (*each)(pid_t process, void *argument), void *argument);

/// Kills what is in the groups below `path`, waits until they are proven empty and removes them. `path` stays.
void hierarchy_purge(const char *path);
/// The same for one group in the directory `parent`, which is removed with what is in it.
void hierarchy_purge_group(int parent, const char *name);
/// Removes a directory and the directories in it; false when some are in use.
bool hierarchy_remove(int parent, const char *name);
