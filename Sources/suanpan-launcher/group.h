// Kill-and-count groups: whatever a process of an attempt forks stays in the attempt's group, can be killed with it,
// and keeps the group from being empty. An empty group goes back to a pool, so that a task in the steady state makes
// and removes no directory. Protocols/launcher.md says what each mode proves.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "launcher_protocol.h"

enum { GROUP_JOINS_MAX = 3 };

struct group {
    uint32_t number;  // its directories are named g<number>
    int born_in;      // the directory that clone3 places the child in, or -1: then it joins by itself
    int directory;    // of the tracking hierarchy
    int populated;    // what tells whether it is empty: cgroup.events or cgroup.procs
    // What the child writes "0" to, each a `tasks` file of v1 (or cgroup.procs of v2, where clone3 cannot place it).
    int joins[GROUP_JOINS_MAX];
    unsigned join_count;
    pid_t leader;  // the first process of the attempt, once started
    bool killed;   // cgroup.kill was used on it

    // The rest is for group.c.
    int track_join, memory_join, memory_peak, memory_events, cpu_join, cpu_usage;
    int64_t memory_bytes, cpu_milli;  // the limits as last written; 0: none
    bool memory_counts;               // the attempt is in a memory group
    uint64_t out_of_memory_base, cpu_base_ns;
    int64_t memory_peak_before;  // under the program before this one
    int64_t period_start_ns, period_used_ns;  // CPU time since then, for a period of the CPU limit
    struct group *next;
};

/// Finds out which hierarchies there are, ends what a predecessor left in them, and makes our directories.
/// `wanted` is 0 for the best mode there is. -1 with a logged reason when processes cannot be contained (so).
int group_setup(const char *cgroup_root, enum suanpan_isolation_mode wanted);
/// What the next program of this very process needs to find the groups again.
struct group_places {
    uint32_t mode;  // enum suanpan_isolation_mode
    uint32_t memory_in_track, cpu_in_track;
    uint32_t next_number;
};
struct group_places group_hand_over(void);
/// The same places, with what runs in them; instead of `group_setup`. -1 with a logged reason.
int group_take_over(const struct group_places *places);
/// A group in use, as it is told to the next program.
struct group_carried {
    uint32_t number;
    int32_t leader;
    uint32_t killed, reserved;
    int64_t memory_bytes, cpu_milli;
    uint64_t cpu_base_ns, out_of_memory_base;
    int64_t memory_peak_bytes;  // until now
};
struct group_carried group_carry(const struct group *group);
/// NULL with errno.
struct group *group_adopt(const struct group_carried *carried);

enum suanpan_isolation_mode group_mode(void);
const char *group_mode_name(void);
/// Bits of enum suanpan_limit.
uint32_t group_limits(void);

/// An empty group with these limits, or NULL with errno and the step that failed.
struct group *group_acquire(int64_t memory_bytes, int64_t cpu_milli, enum suanpan_step *step);
/// Takes back a group that is empty.
void group_release(struct group *group);

/// Whether somebody else has removed the directory of a group while it was empty, as keepers of hierarchies may.
bool group_is_gone(const struct group *group);
/// Forgets those of the pool that are gone, and makes our directories again where they are missing.
void group_restore(void);

bool group_is_empty(const struct group *group);
/// Sends SIGKILL to all processes. To be repeated until the group is empty.
void group_kill(struct group *group);
/// Any signal but SIGKILL: that one is repeated.
void group_signal(struct group *group, int signal);

struct group_usage {
    int64_t cpu_ns;             // 0 when the group does not tell
    int64_t memory_peak_bytes;  // 0 when the group does not tell
    bool out_of_memory;         // the kernel killed a process of it for want of memory
};
struct group_usage group_measure(struct group *group);

/// Kills what is in the group of this number, waits until it is proven empty and removes it.
void group_purge(uint32_t number);
/// Removes the groups that nobody uses.
void group_empty_pool(void);
/// Removes the pool and our directories.
void group_teardown(void);
