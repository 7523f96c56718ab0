// Starts one process: clone, what the child does to itself, exec.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "group.h"

struct spawn_order {
    char *const *arguments;
    char *const *environment;
    const char *work_directory;
    bool make_directory;  // the agent chose it; one that a request named is never made, least of all as root
    uid_t user;
    gid_t group_of_user;
    const uint8_t *processors;  // a bit for each that it may run on
    size_t processors_bytes;    // 0: any
    const struct group *group;
    int output[2];  // what becomes descriptors 1 and 2
};

struct spawn_failure {
    enum suanpan_step step;
    int error;
};

/// Remembers what a child must be given back, and finds out what the kernel can do. Before anything else opens
/// descriptors: it reserves some.
int spawn_setup(void);
/// How many descriptors a child may have open, as the launcher found it; and what the program before found.
uint64_t spawn_child_file_limit(void);
void spawn_keep_child_file_limit(uint64_t soft);
/// For a moment: the few descriptors that attempts may not take can be had.
void spawn_use_last_files(bool use);
/// True when a child that is born in this group of the v2 hierarchy lives.
bool spawn_can_place(int cgroup);

/// The new process, whose program has been executed; -1 with `failure` when it has not.
pid_t spawn(const struct spawn_order *order, struct spawn_failure *failure);

/// Makes a missing work directory and gives it to its user. Follows no symbolic link, and makes nothing where somebody
/// other than root and that user could have prepared the way. -1 with errno.
int work_directory_make(const char *path, uid_t user, gid_t group);
