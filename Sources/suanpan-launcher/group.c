#define _GNU_SOURCE
#include "group.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CLinuxShim.h"
#include "hierarchy.h"
#include "launcher.h"
#include "spawn.h"
#include "subreaper.h"
#include "table.h"

enum {
    /// Empty groups kept for the next attempts; more than a node usually runs at once.
    GROUP_POOL_MAX = 256,
    /// A memory group that still holds this much (page cache of its last attempt) is replaced rather than reused: the
    /// next attempt's peak would show its predecessor.
    GROUP_RESIDUE_BYTES_MAX = 4 << 20,
    CPU_PERIOD_US = 100000,
    CPU_PERIOD_NS = CPU_PERIOD_US * 1000,
};

static struct {
    enum suanpan_isolation_mode mode;
    struct hierarchy track, memory, cpu;  // in cgroup2 with controllers all three are one directory
    bool memory_in_track, cpu_in_track;
    bool born_inside;  // clone3 can place a child in a v2 group
    uint32_t next_number;
    struct group *pool;
    unsigned pool_count;
} groups = {.track.directory = -1, .memory.directory = -1, .cpu.directory = -1};

enum suanpan_isolation_mode group_mode(void) {
    return groups.mode;
}

const char *group_mode_name(void) {
    return groups.mode == SUANPAN_MODE_CGROUP2 ? "cgroup2" : groups.mode == SUANPAN_MODE_CGROUP1 ? "cgroup1" : "subreaper";
}

uint32_t group_limits(void) {
    return (groups.memory.directory >= 0 || groups.memory_in_track ? SUANPAN_LIMIT_MEMORY : 0u)
        | (groups.cpu.directory >= 0 || groups.cpu_in_track ? SUANPAN_LIMIT_CPU : 0u);
}

// MARK: - Setting up

static int open_in(int directory, const char *name, int flags) {
    return openat(directory, name, flags | O_CLOEXEC);
}

/// Makes g<number> in a hierarchy and opens it for a moment; -1 with errno.
static int make_directory(const struct hierarchy *hierarchy, const char *name) {
    if (mkdirat(hierarchy->directory, name, 0755) < 0 && errno != EEXIST) return -1;
    return open_in(hierarchy->directory, name, O_RDONLY | O_DIRECTORY);
}

static bool setup_v2(const char *cgroup_root, const char *name) {
    char parent[HIERARCHY_PATH_BYTES];
    if (cgroup_root != NULL) snprintf(parent, sizeof parent, "%s", cgroup_root);
    else if (!hierarchy_position(NULL, parent)) return false;
    if (!hierarchy_open(&groups.track, parent, name)) return false;
    groups.memory_in_track = hierarchy_enable(&groups.track, parent, "memory");
    groups.cpu_in_track = hierarchy_enable(&groups.track, parent, "cpu");
    return true;
}

static bool setup_v1(const char *name) {
    // Any hierarchy counts and kills. Memory comes first because it also limits: one write for both.
    static const char *const controllers[] = {"memory", "freezer", "pids", "cpuacct", "name=systemd"};
    char parent[HIERARCHY_PATH_BYTES];
    for (unsigned which = 0; which < sizeof controllers / sizeof *controllers; which++)
        if (hierarchy_position(controllers[which], parent) && hierarchy_open(&groups.track, parent, name)) {
            groups.memory_in_track = which == 0;
            return true;
        }
    return false;
}

static void setup_v1_limit(struct hierarchy *hierarchy, const char *controller, const char *name) {
    char parent[HIERARCHY_PATH_BYTES];
    if (hierarchy_position(controller, parent)) (void)hierarchy_open(hierarchy, parent, name);
}

/// Tries it: old kernels cannot, and see `group_release` for when new ones kill what they place.
static bool can_be_born_inside(void) {
    int directory = make_directory(&groups.track, "probe");
    bool can = directory >= 0 && spawn_can_place(directory);
    if (directory >= 0) close(directory);
    (void)hierarchy_remove(groups.track.directory, "probe");
    return can;
}

int group_setup(const char *cgroup_root, enum suanpan_isolation_mode wanted) {
    // First what a predecessor left, wherever it stood. Then our own places, in case the table was lost.
    if (table_is_of_this_boot())
        for (unsigned which = 0; which < TABLE_GROUP_DIRECTORIES; which++)
            if (*table_group_directory(which) != 0) hierarchy_purge(table_group_directory(which));

    // The name is the same for every launcher of one run directory, and no other's.
    struct stat status;
    if (stat(".", &status) < 0) return -1;
    char name[64];
    snprintf(name, sizeof name, "suanpan-%llx-%llx", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);

    bool any = wanted == 0 && cgroup_root == NULL;
    if ((wanted == 0 || wanted == SUANPAN_MODE_CGROUP2) && setup_v2(cgroup_root, name)) groups.mode = SUANPAN_MODE_CGROUP2;
    else if ((any || wanted == SUANPAN_MODE_CGROUP1) && setup_v1(name)) groups.mode = SUANPAN_MODE_CGROUP1;
    else if ((any || wanted == SUANPAN_MODE_SUBREAPER) && subreaper_setup() == 0) groups.mode = SUANPAN_MODE_SUBREAPER;
    else {
        launcher_log("cannot contain processes%s%s: %s", cgroup_root != NULL ? " below " : "", cgroup_root != NULL ? cgroup_root : "",
            strerror(errno));
        return -1;
    }
    if (groups.mode != SUANPAN_MODE_SUBREAPER) {
        if (!groups.memory_in_track) setup_v1_limit(&groups.memory, "memory", name);
        if (!groups.cpu_in_track) setup_v1_limit(&groups.cpu, "cpu", name);
    }
    const struct hierarchy *hierarchies[TABLE_GROUP_DIRECTORIES] = {&groups.track, &groups.memory, &groups.cpu};
    for (unsigned which = 0; which < TABLE_GROUP_DIRECTORIES; which++) {
        bool used = hierarchies[which]->directory >= 0;
        if (used) hierarchy_purge(hierarchies[which]->path);
        table_note_group_directory(which, used ? hierarchies[which]->path : "");
    }
    groups.born_inside = groups.mode == SUANPAN_MODE_CGROUP2 && can_be_born_inside();
    return 0;
}

void group_teardown(void) {
    struct hierarchy *hierarchies[] = {&groups.track, &groups.memory, &groups.cpu};
    group_empty_pool();
    for (unsigned which = 0; which < sizeof hierarchies / sizeof *hierarchies; which++) {
        if (hierarchies[which]->directory < 0) continue;
        hierarchy_purge(hierarchies[which]->path);
        (void)rmdir(hierarchies[which]->path);
    }
}

void group_purge(uint32_t number) {
    char name[24];
    snprintf(name, sizeof name, "g%u", number);
    const struct hierarchy *hierarchies[] = {&groups.track, &groups.memory, &groups.cpu};
    for (unsigned which = 0; which < sizeof hierarchies / sizeof *hierarchies; which++)
        if (hierarchies[which]->directory >= 0) hierarchy_purge_group(hierarchies[which]->directory, name);
}

// MARK: - Making and removing groups

static void close_all(struct group *group) {
    int *descriptors[] = {&group->directory, &group->populated, &group->track_join, &group->memory_join, &group->memory_peak,
        &group->memory_events, &group->cpu_join, &group->cpu_usage};
    for (unsigned which = 0; which < sizeof descriptors / sizeof *descriptors; which++) {
        if (*descriptors[which] >= 0) close(*descriptors[which]);
        *descriptors[which] = -1;
    }
}

static void destroy(struct group *group) {
    close_all(group);
    char name[24];
    snprintf(name, sizeof name, "g%u", group->number);
    const struct hierarchy *hierarchies[] = {&groups.track, &groups.memory, &groups.cpu};
    for (unsigned which = 0; which < sizeof hierarchies / sizeof *hierarchies; which++)
        // A directory that is busy for a moment longer stays, empty; the teardown or the next launcher removes it.
        if (hierarchies[which]->directory >= 0) (void)hierarchy_remove(hierarchies[which]->directory, name);
    free(group);
}

void group_empty_pool(void) {
    while (groups.pool != NULL) {
        struct group *group = groups.pool;
        groups.pool = group->next;
        destroy(group);
    }
    groups.pool_count = 0;
}

/// Opens the files of the memory limit. Optional ones may be missing: an old kernel tells no peak.
static void open_memory(struct group *group, int directory, bool v2) {
    const char *peak = v2 ? "memory.peak" : "memory.max_usage_in_bytes";
    group->memory_peak = open_in(directory, peak, O_RDWR);
    if (group->memory_peak < 0) group->memory_peak = open_in(directory, peak, O_RDONLY);
    group->memory_events = open_in(directory, v2 ? "memory.events" : "memory.oom_control", O_RDONLY);
    // When the kernel must kill, it kills the attempt and not one process of it.
    if (v2) (void)hierarchy_write_at(directory, "memory.oom.group", "1");
}

/// Opens a group's directories, making them where they are missing.
static struct group *open_group(uint32_t number) {
    struct group *group = calloc(1, sizeof *group);
    if (group == NULL) return NULL;
    group->directory = group->populated = group->track_join = group->memory_join = group->memory_peak = -1;
    group->memory_events = group->cpu_join = group->cpu_usage = -1;
    group->born_in = -1;
    group->number = number;
    if (groups.mode == SUANPAN_MODE_SUBREAPER) return group;

    char name[24];
    snprintf(name, sizeof name, "g%u", group->number);
    bool v2 = groups.mode == SUANPAN_MODE_CGROUP2;
    int directory = make_directory(&groups.track, name);
    if (directory >= 0) {
        group->directory = directory;
        group->born_in = groups.born_inside ? directory : -1;
        group->populated = open_in(directory, v2 ? "cgroup.events" : "cgroup.procs", O_RDONLY);
        if (v2) group->cpu_usage = open_in(directory, "cpu.stat", O_RDONLY);
        if (!v2) group->track_join = open_in(directory, "tasks", O_WRONLY);
        else if (!groups.born_inside) group->track_join = open_in(directory, "cgroup.procs", O_WRONLY);
        if (groups.memory_in_track) open_memory(group, directory, v2);
    }
    bool joinable = (v2 && groups.born_inside) || group->track_join >= 0;
    if (directory < 0 || group->populated < 0 || !joinable) {
        int error = errno;
        destroy(group);
        errno = error;
        return NULL;
    }
    return group;
}

static struct group *make(void) {
    return open_group(++groups.next_number);
}

// MARK: - Limits

static int write_number_at(int directory, const char *name, int64_t number) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    return hierarchy_write_at(directory, name, text);
}

static int write_memory_limit(int directory, bool v2, int64_t bytes) {
    if (v2) {
        (void)hierarchy_write_at(directory, "memory.swap.max", bytes > 0 ? "0" : "max");
        return bytes > 0 ? write_number_at(directory, "memory.max", bytes) : hierarchy_write_at(directory, "memory.max", "max");
    }
    if (bytes <= 0) bytes = -1;
    // The limit with swap may never be below the one without: raise it first, lower it last. Without swap
    // accounting the file does not exist.
    (void)write_number_at(directory, "memory.memsw.limit_in_bytes", bytes);
    if (write_number_at(directory, "memory.limit_in_bytes", bytes) < 0) return -1;
    (void)write_number_at(directory, "memory.memsw.limit_in_bytes", bytes);
    return 0;
}

static int write_cpu_limit(int directory, bool v2, int64_t milli) {
    int64_t quota_us = milli * (CPU_PERIOD_US / 1000);
    if (quota_us < 1000) quota_us = 1000;  // the kernel's minimum
    if (!v2) return write_number_at(directory, "cpu.cfs_quota_us", milli > 0 ? quota_us : -1);
    char text[48];
    if (milli > 0) snprintf(text, sizeof text, "%lld %d", (long long)quota_us, CPU_PERIOD_US);
    else snprintf(text, sizeof text, "max %d", CPU_PERIOD_US);
    return hierarchy_write_at(directory, "cpu.max", text);
}

/// Opens (making it) the group's directory in the hierarchy of a limit that is not the tracking one.
static int limit_directory(const struct group *group, const struct hierarchy *hierarchy) {
    char name[24];
    snprintf(name, sizeof name, "g%u", group->number);
    return make_directory(hierarchy, name);
}

static int apply_memory(struct group *group, int64_t bytes) {
    bool separate = groups.memory.directory >= 0;
    group->memory_counts = groups.memory_in_track || (separate && bytes > 0);
    // An attempt without a limit does not enter a separate memory group, so its limit does not matter.
    if (!group->memory_counts || (group->memory_bytes == bytes && (!separate || group->memory_join >= 0))) return 0;
    bool v2 = groups.memory_in_track && groups.mode == SUANPAN_MODE_CGROUP2;
    int directory = separate ? limit_directory(group, &groups.memory) : group->directory;
    if (directory < 0) return -1;
    if (separate && group->memory_join < 0) {
        group->memory_join = open_in(directory, "tasks", O_WRONLY);
        open_memory(group, directory, false);
    }
    int result = separate && group->memory_join < 0 ? -1 : write_memory_limit(directory, v2, bytes);
    int error = errno;
    if (separate) close(directory);
    errno = error;
    if (result == 0) group->memory_bytes = bytes;
    return result;
}

static int apply_cpu(struct group *group, int64_t milli) {
    bool separate = groups.cpu.directory >= 0;
    if (!groups.cpu_in_track && (!separate || milli <= 0)) return 0;
    if (group->cpu_milli == milli && (!separate || group->cpu_join >= 0)) return 0;
    int directory = separate ? limit_directory(group, &groups.cpu) : group->directory;
    if (directory < 0) return -1;
    if (separate && group->cpu_join < 0) group->cpu_join = open_in(directory, "tasks", O_WRONLY);
    int result = separate && group->cpu_join < 0 ? -1 : write_cpu_limit(directory, groups.cpu_in_track, milli);
    int error = errno;
    if (separate) close(directory);
    errno = error;
    if (result == 0) group->cpu_milli = milli;
    return result;
}

/// What the child joins by itself, the tracking group first. `tasks` rather than cgroup.procs in v1: moving the one
/// thread that writes needs no lock against all forks and exits of the machine, and the child has no other thread.
static void choose_joins(struct group *group, int64_t memory_bytes, int64_t cpu_milli) {
    group->join_count = 0;
    if (group->track_join >= 0) group->joins[group->join_count++] = group->track_join;
    if (memory_bytes > 0 && group->memory_join >= 0) group->joins[group->join_count++] = group->memory_join;
    if (cpu_milli > 0 && group->cpu_join >= 0) group->joins[group->join_count++] = group->cpu_join;
}

static uint64_t out_of_memory_kills(const struct group *group) {
    char text[512];
    if (group->memory_events < 0 || hierarchy_read(group->memory_events, text, sizeof text) <= 0) return 0;
    return hierarchy_number(text, "oom_kill", 0);
}

static uint64_t cpu_used_ns(const struct group *group) {
    char text[512];
    if (group->cpu_usage < 0 || hierarchy_read(group->cpu_usage, text, sizeof text) <= 0) return 0;
    return hierarchy_number(text, "usage_usec", 0) * 1000;
}

static int64_t memory_peak(const struct group *group) {
    char text[32];
    if (group->memory_peak < 0 || hierarchy_read(group->memory_peak, text, sizeof text) <= 0) return 0;
    return strtoll(text, NULL, 10);
}

// MARK: - Lending and taking back

static int prepare(struct group *group, int64_t memory_bytes, int64_t cpu_milli, enum suanpan_step *step) {
    *step = SUANPAN_STEP_LIMITS;
    if (apply_memory(group, memory_bytes) < 0 || apply_cpu(group, cpu_milli) < 0) return -1;
    // Where the kernel cannot reset the peak, `group_release` has kept it small.
    if (group->memory_counts && group->memory_peak >= 0) (void)!pwrite(group->memory_peak, "0", 1, 0);
    choose_joins(group, memory_bytes, cpu_milli);
    group->leader = 0;
    return 0;
}

/// Whether the group's last users have used up half of what its CPU limit allows in a period. The next one would begin
/// stopped by the kernel, and the launcher with it, which waits for the program to be executed.
static bool is_spent(const struct group *group, int64_t now) {
    if (group->cpu_milli <= 0 || now - group->period_start_ns >= CPU_PERIOD_NS) return false;
    return group->period_used_ns > group->cpu_milli * (CPU_PERIOD_NS / 1000) / 2;
}

/// The group of the pool that was used last and is not spent, or NULL: the warmest.
static struct group *take_rested(void) {
    int64_t now = suanpan_boottime_ns();
    for (struct group **link = &groups.pool; *link != NULL; link = &(*link)->next) {
        struct group *group = *link;
        if (is_spent(group, now)) continue;
        *link = group->next;
        groups.pool_count--;
        group->next = NULL;
        return group;
    }
    return NULL;
}

struct group *group_acquire(int64_t memory_bytes, int64_t cpu_milli, enum suanpan_step *step) {
    for (struct group *group; (group = take_rested()) != NULL;) {
        if (prepare(group, memory_bytes, cpu_milli, step) == 0) return group;
        // A used group may hold more page cache than the new limit allows; a new one tells whether the limit is at fault.
        destroy(group);
    }
    *step = SUANPAN_STEP_GROUP;
    struct group *group = make();
    if (group == NULL) return NULL;
    if (prepare(group, memory_bytes, cpu_milli, step) == 0) return group;
    int error = errno;
    destroy(group);
    errno = error;
    return NULL;
}

void group_release(struct group *group) {
    bool large = group->memory_counts && memory_peak(group) > GROUP_RESIDUE_BYTES_MAX;
    // A group on which cgroup.kill was used once is dead for us: Linux (6.12 to 6.18 at least) compares the count of
    // kills of the *parent's* group when a child is born in another one, and kills the child for the difference.
    if (large || group->killed || groups.pool_count >= GROUP_POOL_MAX) {
        destroy(group);
        return;
    }
    group->next = groups.pool;
    groups.pool = group;
    groups.pool_count++;
}

// MARK: - From one program of this process to the next

struct group_places group_hand_over(void) {
    return (struct group_places){groups.mode, groups.memory_in_track, groups.cpu_in_track, groups.next_number};
}

int group_take_over(const struct group_places *places) {
    struct hierarchy *hierarchies[TABLE_GROUP_DIRECTORIES] = {&groups.track, &groups.memory, &groups.cpu};
    groups.mode = (enum suanpan_isolation_mode)places->mode;
    groups.memory_in_track = places->memory_in_track != 0;
    groups.cpu_in_track = places->cpu_in_track != 0;
    groups.next_number = places->next_number;
    if (groups.mode == SUANPAN_MODE_SUBREAPER) return subreaper_setup();
    // Where we stand has changed since they were made (see `hierarchy_enable`), so the table tells.
    for (unsigned which = 0; which < TABLE_GROUP_DIRECTORIES; which++) {
        if (*table_group_directory(which) == 0 || hierarchy_find(hierarchies[which], table_group_directory(which))) continue;
        launcher_log("cannot open %s again: %s", table_group_directory(which), strerror(errno));
        return -1;
    }
    groups.born_inside = groups.mode == SUANPAN_MODE_CGROUP2 && can_be_born_inside();
    return 0;
}

struct group_carried group_carry(const struct group *group) {
    int64_t peak = memory_peak(group);
    return (struct group_carried){
        .number = group->number,
        .leader = group->leader,
        .killed = group->killed,
        // What the group was last written with may be an earlier attempt's.
        .memory_bytes = group->memory_counts ? group->memory_bytes : 0,
        .cpu_milli = group->cpu_milli,
        .cpu_base_ns = group->cpu_base_ns,
        .out_of_memory_base = group->out_of_memory_base,
        .memory_peak_bytes = peak > group->memory_peak_before ? peak : group->memory_peak_before,
    };
}

struct group *group_adopt(const struct group_carried *carried) {
    struct group *group = open_group(carried->number);
    if (group == NULL) return NULL;
    enum suanpan_step step;
    // The limits stand already; written again they are the same, and what they need is open.
    if (groups.mode != SUANPAN_MODE_SUBREAPER && prepare(group, carried->memory_bytes, carried->cpu_milli, &step) < 0) {
        int error = errno;
        close_all(group);
        free(group);
        errno = error;
        return NULL;
    }
    group->leader = carried->leader;
    group->killed = carried->killed != 0;
    group->cpu_base_ns = carried->cpu_base_ns;
    group->out_of_memory_base = carried->out_of_memory_base;
    group->memory_peak_before = carried->memory_peak_bytes;
    return group;
}

// MARK: - What somebody else removed

bool group_is_gone(const struct group *group) {
    return group->directory >= 0 && hierarchy_is_gone(group->directory);
}

void group_restore(void) {
    for (struct group **link = &groups.pool; *link != NULL;) {
        struct group *kept = *link;
        if (!group_is_gone(kept)) {
            link = &kept->next;
            continue;
        }
        *link = kept->next;
        groups.pool_count--;
        destroy(kept);
    }
    struct hierarchy *hierarchies[] = {&groups.track, &groups.memory, &groups.cpu};
    for (unsigned which = 0; which < sizeof hierarchies / sizeof *hierarchies; which++) {
        if (hierarchies[which]->directory < 0 || !hierarchy_is_gone(hierarchies[which]->directory)) continue;
        if (!hierarchy_make_again(hierarchies[which])) {
            launcher_log("%s is gone and cannot be made again: %s", hierarchies[which]->path, strerror(errno));
            continue;
        }
        launcher_log("somebody removed %s: made again", hierarchies[which]->path);
        if (which != 0 || groups.mode != SUANPAN_MODE_CGROUP2) continue;
        if (groups.memory_in_track) (void)hierarchy_enable_here(hierarchies[which], "memory");
        if (groups.cpu_in_track) (void)hierarchy_enable_here(hierarchies[which], "cpu");
    }
}

// MARK: - Measuring

struct group_usage group_measure(struct group *group) {
    struct group_usage usage = {0};
    if (groups.mode == SUANPAN_MODE_SUBREAPER) return usage;
    uint64_t cpu_ns = cpu_used_ns(group);
    usage.cpu_ns = (int64_t)(cpu_ns - group->cpu_base_ns);
    group->cpu_base_ns = cpu_ns;
    int64_t now = suanpan_boottime_ns();
    if (now - group->period_start_ns >= CPU_PERIOD_NS) {
        group->period_start_ns = now;
        group->period_used_ns = 0;
    }
    group->period_used_ns += usage.cpu_ns;
    if (!group->memory_counts) return usage;
    usage.memory_peak_bytes = memory_peak(group);
    if (usage.memory_peak_bytes < group->memory_peak_before) usage.memory_peak_bytes = group->memory_peak_before;
    group->memory_peak_before = 0;
    uint64_t kills = out_of_memory_kills(group);
    usage.out_of_memory = kills > group->out_of_memory_base;
    group->out_of_memory_base = kills;
    return usage;
}

// MARK: - Killing and counting

bool group_is_empty(const struct group *group) {
    char text[256];
    switch (groups.mode) {
    case SUANPAN_MODE_CGROUP2:
        // What cannot be read proves nothing.
        return hierarchy_read(group->populated, text, sizeof text) > 0 && hierarchy_number(text, "populated", 1) == 0;
    case SUANPAN_MODE_CGROUP1: return hierarchy_read(group->populated, text, sizeof text) == 0;
    case SUANPAN_MODE_SUBREAPER: return subreaper_is_empty(group->leader);
    }
    return false;
}

static void deliver(pid_t process, void *argument) {
    kill(process, *(const int *)argument);
}

void group_kill(struct group *group) {
    if (groups.mode == SUANPAN_MODE_SUBREAPER) {
        subreaper_kill(group->leader);
        return;
    }
    // Linux 5.14 has cgroup.kill, which no fork escapes. Before, rounds of signals: a process with SIGKILL pending
    // cannot fork, so the rounds come to an end.
    group->killed = true;
    if (groups.mode == SUANPAN_MODE_CGROUP2 && hierarchy_write_at(group->directory, "cgroup.kill", "1") == 0) return;
    int signal = SIGKILL;
    (void)hierarchy_each_process(group->directory, "cgroup.procs", deliver, &signal);
}

void group_signal(struct group *group, int signal) {
    if (groups.mode == SUANPAN_MODE_SUBREAPER) {
        if (group->leader > 1) kill(-group->leader, signal);
    } else {
        (void)hierarchy_each_process(group->directory, "cgroup.procs", deliver, &signal);
    }
}
