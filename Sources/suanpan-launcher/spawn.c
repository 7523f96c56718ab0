#define _GNU_SOURCE
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CLinuxShim.h"
#include "launcher.h"

enum {
    SPAWN_STACK_BYTES = 128 * 1024,  // the kernel's longest path, twice, and room
    /// Descriptors that the child keeps from the launcher's table: 0 to 2 and the two that become 1 and 2.
    SPAWN_OUTPUT_FIRST = 3,
    SPAWN_KEPT = 5,
    /// Attempts may not take them: a group's kill and count need one each, the agent's connection one.
    LAST_FILES = 16,
};

static _Alignas(64) char child_stack[SPAWN_STACK_BYTES];

static struct {
    bool has_clone3;
    bool lowered_oom_score;  // the launcher's own; a child must not inherit it
    struct rlimit files, files_of_child;
    uid_t user;
    gid_t group;
    sigset_t no_signals;
} defaults;

// MARK: - The child

// From here to exec the child runs in the launcher's memory on a stack of its own while the launcher waits. System calls
// only: no malloc, no stdio, no lock. The calls that change users go to the kernel directly, because glibc's wrappers
// signal the other threads of a process, and those are not here.

// The stack is used again and again without unwinding, so the address sanitizer must not mark frames on it.
#define IN_CHILD __attribute__((no_sanitize("address")))

struct child {
    const struct spawn_order *order;
    // Written by the child, read by the launcher after it goes on: the memory is shared, so no pipe is needed.
    volatile enum suanpan_step step;
    volatile int error;
};

IN_CHILD static _Noreturn void fail(struct child *child, enum suanpan_step step, int error) {
    child->step = step;
    child->error = error;
    for (;;) syscall(SYS_exit_group, 127);
}

IN_CHILD static void join_groups(struct child *child) {
    const struct group *group = child->order->group;
    for (unsigned which = 0; which < group->join_count; which++)
        if (write(group->joins[which], "0", 1) != 1) fail(child, SUANPAN_STEP_JOIN_GROUP, errno);
}

/// Leaves the launcher's descriptor table for one with the first five entries: what the child pays does not grow
/// with the number of attempts that run. Everything of the launcher is close-on-exec besides.
IN_CHILD static void take_descriptors(struct child *child) {
    if (syscall(SYS_close_range, SPAWN_KEPT, ~0u, CLOSE_RANGE_UNSHARE) < 0 && syscall(SYS_unshare, CLONE_FILES) < 0)
        fail(child, SUANPAN_STEP_OUTPUT, errno);
    // Descriptor 0 is /dev/null in the launcher already.
    for (int stream = 0; stream < 2; stream++)
        if (dup2(SPAWN_OUTPUT_FIRST + stream, 1 + stream) < 0) fail(child, SUANPAN_STEP_OUTPUT, errno);
}

IN_CHILD static void reset_attributes(struct child *child) {
    if (setsid() < 0) fail(child, SUANPAN_STEP_SESSION, errno);
    if (defaults.lowered_oom_score) {
        int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        if (score < 0 || write(score, "0", 1) != 1) fail(child, SUANPAN_STEP_SESSION, errno);
        close(score);
    }
    if (defaults.files.rlim_cur != defaults.files_of_child.rlim_cur
        && syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &defaults.files_of_child, NULL) < 0)
        fail(child, SUANPAN_STEP_SESSION, errno);
}

/// Before the user is another one: no right is needed, but security modules may look at who asks.
IN_CHILD static void bind_processors(struct child *child) {
    size_t bytes = child->order->processors_bytes;
    if (bytes == 0) return;
    // The kernel takes whole words.
    unsigned long mask[SUANPAN_PROCESSORS_BYTES_MAX / sizeof(unsigned long)] = {0};
    memcpy(mask, child->order->processors, bytes);
    size_t words = (bytes + sizeof(unsigned long) - 1) / sizeof(unsigned long);
    if (syscall(SYS_sched_setaffinity, 0, words * sizeof(unsigned long), mask) < 0) fail(child, SUANPAN_STEP_PROCESSORS, errno);
}

IN_CHILD static void become_user(struct child *child) {
    uid_t user = child->order->user;
    gid_t group = child->order->group_of_user;
    if (user == defaults.user && group == defaults.group) return;
    if (defaults.user == 0 && syscall(SYS_setgroups, 1, &group) < 0) fail(child, SUANPAN_STEP_USER, errno);
    if (syscall(SYS_setresgid, group, group, group) < 0) fail(child, SUANPAN_STEP_USER, errno);
    if (syscall(SYS_setresuid, user, user, user) < 0) fail(child, SUANPAN_STEP_USER, errno);
    // Believed only when seen: all six identities.
    uid_t users[3];
    gid_t groups[3];
    if (syscall(SYS_getresuid, &users[0], &users[1], &users[2]) < 0 || syscall(SYS_getresgid, &groups[0], &groups[1], &groups[2]) < 0)
        fail(child, SUANPAN_STEP_USER, errno);
    for (int which = 0; which < 3; which++)
        if (users[which] != user || groups[which] != group) fail(child, SUANPAN_STEP_USER, EPERM);
}

IN_CHILD static const char *search_path(char *const *environment) {
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, "PATH=", 5) == 0) return *environment + 5;
    return "/usr/local/bin:/usr/bin:/bin";
}

/// execvp with the order's own PATH. Returns the errno that says most: a program that was found and may not be
/// executed counts more than places without one.
IN_CHILD static int execute(const struct spawn_order *order) {
    const char *program = order->arguments[0];
    if (*program == 0) return ENOENT;
    if (strchr(program, '/') != NULL) {
        execve(program, order->arguments, order->environment);
        return errno;
    }
    int error = ENOENT;
    size_t name_bytes = strlen(program) + 1;
    for (const char *place = search_path(order->environment);; place++) {
        const char *end = strchrnul(place, ':');
        size_t place_bytes = (size_t)(end - place);
        char path[4096];
        if (place_bytes + 1 + name_bytes <= sizeof path) {
            // An empty entry is the current directory, as POSIX has it.
            memcpy(path, place, place_bytes);
            if (place_bytes > 0) path[place_bytes++] = '/';
            memcpy(path + place_bytes, program, name_bytes);
            execve(path, order->arguments, order->environment);
            if (errno != ENOENT && errno != ENOTDIR) error = errno;
        }
        if (*end == 0) return error;
        place = end;
    }
}

IN_CHILD static _Noreturn void child_main(void *argument) {
    struct child *child = argument;
    join_groups(child);
    take_descriptors(child);
    reset_attributes(child);
    bind_processors(child);
    become_user(child);
    // As its user: what the user may not enter is refused.
    if (chdir(child->order->work_directory) < 0) fail(child, SUANPAN_STEP_WORK_DIRECTORY, errno);
    sigprocmask(SIG_SETMASK, &defaults.no_signals, NULL);
    fail(child, SUANPAN_STEP_EXECUTE, execute(child->order));
}

IN_CHILD static void child_entry(void *argument) {
    child_main(argument);
}

IN_CHILD static int child_entry_of_clone(void *argument) {
    child_main(argument);
}

// MARK: - The launcher's side

/// Sees whether clone3 is there: old kernels lack it, seccomp filters of containers hide it.
IN_CHILD static void probe_entry(void *argument) {
    (void)argument;
    for (;;) syscall(SYS_exit_group, 0);
}

static int reserve_descriptors(void) {
    for (int descriptor = SPAWN_OUTPUT_FIRST; descriptor < SPAWN_KEPT; descriptor++)
        if (dup3(STDIN_FILENO, descriptor, O_CLOEXEC) < 0) return -1;
    return 0;
}

/// Room for the pipes of many attempts, less what kills and the agent's connection must find when those have taken it all. Children
/// get the limit back that the launcher was started with.
static void raise_file_limit(void) {
    if (getrlimit(RLIMIT_NOFILE, &defaults.files) < 0) return;
    defaults.files_of_child = defaults.files;
    rlim_t most = defaults.files.rlim_max;
    defaults.files.rlim_cur = most > 4 * LAST_FILES ? most - LAST_FILES : most;
    if (setrlimit(RLIMIT_NOFILE, &defaults.files) < 0) defaults.files = defaults.files_of_child;
}

void spawn_use_last_files(bool use) {
    struct rlimit limit = defaults.files;
    if (use) limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

uint64_t spawn_child_file_limit(void) {
    return defaults.files_of_child.rlim_cur;
}

void spawn_keep_child_file_limit(uint64_t soft) {
    defaults.files_of_child.rlim_cur = soft;
}

/// The launcher is the last that the machine should sacrifice: with it, every attempt ends.
static void lower_oom_score(void) {
    int score = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    if (score < 0) return;
    char text[16] = "";
    // A service manager may have set it lower.
    bool is_lower = read(score, text, sizeof text - 1) > 0 && atoi(text) <= -900;
    defaults.lowered_oom_score = is_lower || pwrite(score, "-900", 4, 0) == 4;
    close(score);
}

int spawn_setup(void) {
    if (reserve_descriptors() < 0) {
        launcher_log("cannot reserve descriptors: %s", strerror(errno));
        return -1;
    }
    defaults.user = geteuid();
    defaults.group = getegid();
    sigemptyset(&defaults.no_signals);
    raise_file_limit();
    lower_oom_score();
    defaults.has_clone3 = spawn_can_place(-1);
    return 0;
}

bool spawn_can_place(int cgroup) {
    pid_t probe = suanpan_clone_vfork(probe_entry, NULL, child_stack, sizeof child_stack, cgroup);
    int status = -1;
    return probe > 0 && waitpid(probe, &status, 0) == probe && status == 0;
}

static pid_t clone_child(struct child *child) {
    if (defaults.has_clone3) {
        return suanpan_clone_vfork(child_entry, child, child_stack, sizeof child_stack, child->order->group->born_in);
    }
    pid_t process = clone(child_entry_of_clone, child_stack + sizeof child_stack, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, child);
    return process < 0 ? -errno : process;
}

static pid_t attempt_once(const struct spawn_order *order, struct spawn_failure *failure) {
    struct child child = {.order = order};
    for (int stream = 0; stream < 2; stream++)
        if (dup3(order->output[stream], SPAWN_OUTPUT_FIRST + stream, O_CLOEXEC) < 0) {
            *failure = (struct spawn_failure){SUANPAN_STEP_OUTPUT, errno};
            return -1;
        }
    pid_t process = clone_child(&child);
    (void)reserve_descriptors();
    if (process < 0) {
        *failure = (struct spawn_failure){SUANPAN_STEP_CLONE, -process};
        return -1;
    }
    if (child.step == SUANPAN_STEP_NONE) return process;
    (void)waitpid(process, NULL, 0);
    *failure = (struct spawn_failure){child.step, child.error};
    return -1;
}

pid_t spawn(const struct spawn_order *order, struct spawn_failure *failure) {
    // Looked for, not tried: the first task of a job would pay for two processes. Whatever else is wrong with the
    // directory the child finds out, as its user.
    if (order->make_directory && access(order->work_directory, F_OK) < 0 && errno == ENOENT
        && work_directory_make(order->work_directory, order->user, order->group_of_user) < 0) {
        *failure = (struct spawn_failure){SUANPAN_STEP_WORK_DIRECTORY, errno};
        return -1;
    }
    return attempt_once(order, failure);
}
