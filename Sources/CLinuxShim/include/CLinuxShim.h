// The few calls of Linux that Swift's Glibc module lacks, each wrapped once and thinly. A call returns its result, or
// the negative errno; nothing here keeps state.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "launcher_protocol.h"

#if defined(__cplusplus)
extern "C" {
#endif

/// A non-blocking, close-on-exec eventfd with the count 0.
int suanpan_eventfd_create(void);
/// Adds 1: wakes whoever polls the descriptor. Never blocks.
int suanpan_eventfd_signal(int descriptor);
/// Sets the count to 0; 1 when it was above, 0 when it was not.
int suanpan_eventfd_drain(int descriptor);

/// A non-blocking, close-on-exec timerfd on CLOCK_BOOTTIME, not armed. Readable when it has expired.
int suanpan_timer_create(void);
/// Lets it expire once, `delay_ns` from now (at least 1); -1 disarms it.
int suanpan_timer_arm(int descriptor, int64_t delay_ns);
/// 1 when it had expired, 0 when it had not.
int suanpan_timer_drain(int descriptor);
/// A descriptor that is readable while `descriptor` is writable, for loops that wait for readability only.
int suanpan_writability_create(int descriptor);

/// CLOCK_BOOTTIME in nanoseconds: goes on during suspend, no step of the wall clock reaches it.
int64_t suanpan_boottime_ns(void);

/// 1 when the kernel says that the wall clock is kept in step with others (NTP), 0 when not, or the negative errno.
int suanpan_clock_is_synchronised(void);

/// PR_SET_NAME: what `ps` and `top` show of the calling thread, at most 15 bytes.
int suanpan_set_thread_name(const char *name);
/// PR_SET_PDEATHSIG: the calling process gets `signal` when the thread that started it ends. 0 switches it off.
int suanpan_set_parent_death_signal(int signal);
/// PR_SET_NO_NEW_PRIVS: no later exec gains privileges, in this process and its descendants.
int suanpan_set_no_new_privileges(void);

/// A non-blocking, close-on-exec SOCK_SEQPACKET socket connected to `directory`/`name`. The directory's path may be
/// longer than a socket address holds. `buffer_bytes` asks for that much room in the send buffer.
int suanpan_seqpacket_connect(const char *directory, const char *name, int buffer_bytes);
/// Sends one whole packet or nothing: its size, or -EAGAIN when the buffer is full. Raises no SIGPIPE.
ssize_t suanpan_seqpacket_send(int descriptor, const void *packet, size_t length);
/// Receives one packet: its true size (larger than `capacity` when it was cut off), 0 at the end, -EAGAIN when none waits.
ssize_t suanpan_seqpacket_receive(int descriptor, void *packet, size_t capacity);
/// The user at the other end of a connected local socket, or -1.
int64_t suanpan_peer_user(int descriptor);

/// Starts a program in a session of its own, with standard error appended to `log_path` and the other two standard
/// streams on /dev/null. Its process id, or the negative errno.
pid_t suanpan_spawn_session(const char *program, const char *const arguments[], const char *log_path);

/// Lets the calling thread, and it alone, meet files as this user and group: what they may not do, it may not, and what it
/// makes is theirs. Needs root. A negative errno changes nothing.
int suanpan_enter_account(uid_t user, gid_t group);
/// Undoes `suanpan_enter_account`: the thread is the process's own user again.
void suanpan_leave_account(void);

/// syncfs(2): everything written to the descriptor's file system is on its disk. A negative errno otherwise.
int suanpan_syncfs(int descriptor);
/// copy_file_range(2) at both descriptors' own positions: bytes copied, 0 at the end, or a negative errno.
ssize_t suanpan_copy_range(int source, int target, size_t count);

/// 1 when the file system of `path` keeps its files in memory (tmpfs, ramfs), 0 when it does not, or a negative errno.
int suanpan_is_in_memory(const char *path);

/// A process started by clone3 with CLONE_VM, CLONE_VFORK and CLONE_FILES: it runs `entry(argument)` in the caller's
/// memory on a stack of its own while the caller waits, until it executes a program or exits. `entry` must not return
/// and may use nothing but system calls. `cgroup` is a directory of the v2 hierarchy that the process is born in, or
/// -1. -ENOSYS where the kernel or the machine has no clone3.
pid_t suanpan_clone_vfork(void (*entry)(void *argument), void *argument, void *stack, size_t stack_bytes, int cgroup);

#if defined(__cplusplus)
}
#endif
