#define _GNU_SOURCE
#include "CLinuxShim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <sys/un.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

// MARK: - Wake-ups and clocks

int suanpan_eventfd_create(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int suanpan_eventfd_signal(int descriptor) {
    // EAGAIN means that the count is at its maximum: the reader is awake already.
    if (eventfd_write(descriptor, 1) == 0 || errno == EAGAIN) return 0;
    return -errno;
}

int suanpan_eventfd_drain(int descriptor) {
    eventfd_t count;
    if (eventfd_read(descriptor, &count) == 0) return 1;
    return errno == EAGAIN ? 0 : -errno;
}

int suanpan_timer_create(void) {
    int descriptor = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int suanpan_timer_arm(int descriptor, int64_t delay_ns) {
    struct itimerspec time = {0};  // all zero disarms
    if (delay_ns >= 0) {
        if (delay_ns == 0) delay_ns = 1;
        time.it_value.tv_sec = delay_ns / 1000000000;
        time.it_value.tv_nsec = delay_ns % 1000000000;
    }
    return timerfd_settime(descriptor, 0, &time, NULL) < 0 ? -errno : 0;
}

int suanpan_timer_drain(int descriptor) {
    uint64_t expirations;
    if (read(descriptor, &expirations, sizeof expirations) == (ssize_t)sizeof expirations) return 1;
    return errno == EAGAIN ? 0 : -errno;
}

int suanpan_writability_create(int descriptor) {
    int set = epoll_create1(EPOLL_CLOEXEC);
    if (set < 0) return -errno;
    struct epoll_event event = {.events = EPOLLOUT};
    if (epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) == 0) return set;
    int error = errno;
    close(set);
    return -error;
}

int64_t suanpan_boottime_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// MARK: - Files

int suanpan_syncfs(int descriptor) { return syncfs(descriptor) == 0 ? 0 : -errno; }

ssize_t suanpan_copy_range(int source, int target, size_t count) {
    ssize_t copied = copy_file_range(source, NULL, target, NULL, count, 0);
    return copied < 0 ? -errno : copied;
}

int suanpan_is_in_memory(const char *path) {
    struct statfs status;
    if (statfs(path, &status) < 0) return -errno;
    return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

// MARK: - Accounts

int suanpan_enter_account(uid_t user, gid_t group) {
    // setfsuid(2) tells failure only by leaving things as they were; a second call with an impossible user reads them.
    setfsgid(group);
    setfsuid(user);
    if ((gid_t)setfsgid((gid_t)-1) == group && (uid_t)setfsuid((uid_t)-1) == user) return 0;
    suanpan_leave_account();
    return -EPERM;
}

void suanpan_leave_account(void) {
    setfsuid(geteuid());
    setfsgid(getegid());
}

int suanpan_clock_is_synchronised(void) {
    struct timex clock = {.modes = 0};
    if (adjtimex(&clock) < 0) return -errno;
    return (clock.status & STA_UNSYNC) == 0;
}

// MARK: - The calling process

int suanpan_set_thread_name(const char *name) {
    return prctl(PR_SET_NAME, name, 0, 0, 0) < 0 ? -errno : 0;
}

int suanpan_set_parent_death_signal(int signal) {
    return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) < 0 ? -errno : 0;
}

int suanpan_set_no_new_privileges(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

// MARK: - SOCK_SEQPACKET

static int connect_at(int directory, const char *name, int buffer_bytes) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    // The name goes through /proc/self/fd, so that the length of the directory's path does not matter.
    int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof address.sun_path) return -ENAMETOOLONG;
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -errno;
    // Best effort: the kernel's default holds one packet of the largest size.
    (void)setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) return descriptor;
    int error = errno;
    close(descriptor);
    return -error;
}

int suanpan_seqpacket_connect(const char *directory, const char *name, int buffer_bytes) {
    int descriptor = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    int result = connect_at(descriptor, name, buffer_bytes);
    close(descriptor);
    return result;
}

ssize_t suanpan_seqpacket_send(int descriptor, const void *packet, size_t length) {
    ssize_t sent;
    do sent = send(descriptor, packet, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

ssize_t suanpan_seqpacket_receive(int descriptor, void *packet, size_t capacity) {
    ssize_t received;
    do received = recv(descriptor, packet, capacity, MSG_DONTWAIT | MSG_TRUNC);
    while (received < 0 && errno == EINTR);
    return received < 0 ? -errno : received;
}

int64_t suanpan_peer_user(int descriptor) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -1;
    return peer.uid;
}

// MARK: - Starting programs

pid_t suanpan_spawn_session(const char *program, const char *const arguments[], const char *log_path) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t none;
    pid_t process = -1;
    int error = posix_spawnattr_init(&attributes);
    if (error != 0) return -error;
    error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        posix_spawnattr_destroy(&attributes);
        return -error;
    }
    sigemptyset(&none);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    if (error == 0) error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0) error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    enum { log_flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW };
    if (error == 0) error = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_path, log_flags, 0600);
    // POSIX leaves out a const here; posix_spawn does not write to the strings.
    if (error == 0) error = posix_spawn(&process, program, &actions, &attributes, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error != 0 ? -error : process;
}

// MARK: - clone3

#if defined(SYS_clone3) && (defined(__x86_64__) || defined(__aarch64__))

/// The system call and the child's first instructions. The child has another stack, so it must never return into the
/// C code around the call: it goes straight to `entry` and stays there.
static long clone3_on_stack(struct clone_args *arguments, size_t length, void (*entry)(void *), void *argument) {
#if defined(__x86_64__)
    long result = SYS_clone3;
    register void (*entry_register)(void *) __asm__("r8") = entry;
    register void *argument_register __asm__("r9") = argument;
    __asm__ volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "xor %%ebp, %%ebp\n\t"
        "mov %%r9, %%rdi\n\t"
        "call *%%r8\n\t"
        "ud2\n"
        "1:"
        : "+a"(result)
        : "D"(arguments), "S"(length), "r"(entry_register), "r"(argument_register)
        : "rcx", "r11", "cc", "memory");
    return result;
#else
    register long x8 __asm__("x8") = SYS_clone3;
    register long x0 __asm__("x0") = (long)arguments;
    register long x1 __asm__("x1") = (long)length;
    register void (*entry_register)(void *) __asm__("x9") = entry;
    register void *argument_register __asm__("x10") = argument;
    __asm__ volatile(
        "svc #0\n\t"
        "cbnz x0, 1f\n\t"
        "mov x29, xzr\n\t"
        "mov x0, x10\n\t"
        "blr x9\n\t"
        "brk #1\n"
        "1:"
        : "+r"(x0)
        : "r"(x1), "r"(x8), "r"(entry_register), "r"(argument_register)
        : "cc", "memory");
    return x0;
#endif
}

pid_t suanpan_clone_vfork(void (*entry)(void *argument), void *argument, void *stack, size_t stack_bytes, int cgroup) {
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_VFORK | CLONE_FILES,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)stack,
        .stack_size = stack_bytes,
    };
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)cgroup;
    }
    return (pid_t)clone3_on_stack(&arguments, sizeof arguments, entry, argument);
}

#else

pid_t suanpan_clone_vfork(void (*entry)(void *argument), void *argument, void *stack, size_t stack_bytes, int cgroup) {
    (void)entry, (void)argument, (void)stack, (void)stack_bytes, (void)cgroup;
    return -ENOSYS;
}

#endif
