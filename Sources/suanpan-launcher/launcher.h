// What the files of the launcher share. Protocols/launcher.md says what the program is and why it is as it is.
//
// One thread, one epoll. The current directory is the run directory from the start on, so names in it are relative
// and the length of its path does not matter. All signals are blocked for good and none is ignored, so a child needs
// its mask emptied and nothing else.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct launcher_options {
    const char *run_directory;
    const char *cgroup_root;  // NULL: below the launcher's own position
    int isolation;            // enum suanpan_isolation_mode, or 0: the best that there is
    int64_t linger_ns;
    char **arguments;  // of the program, without what is for the hand-over
    int take_over;  // the descriptor that the program before has written into; -1: there was none
};

/// Starts in one turn of the loop: each takes about 0.3 ms, and exits and output of others want their turn.
enum { STARTS_PER_TURN = 4 };

/// The kind of a watched descriptor: the upper half of its epoll datum, the slot's index is the lower.
enum watch_kind {
    WATCH_SIGNALS = 1,
    WATCH_LISTENER = 2,
    WATCH_CONNECTION = 3,
    WATCH_STDOUT = 4,
    WATCH_STDERR = 5,
    WATCH_LEASE = 6,
};

/// One line on standard error, with the program's name before it.
void launcher_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Adds a descriptor to the loop, level-triggered. -1 with errno.
int launcher_watch(int descriptor, enum watch_kind kind, uint32_t index, uint32_t events);
int launcher_rewatch(int descriptor, enum watch_kind kind, uint32_t index, uint32_t events);

/// The loop becomes the program that stands at its path now, before the next turn.
void launcher_request_upgrade(void);
/// Whether another program stands at our path than the one that runs, and has not been asked yet.
bool launcher_is_replaced(void);

/// The loop comes round at once instead of waiting: work is left over.
void launcher_again(void);
/// The loop comes round after at most this long.
void launcher_within(int64_t delay_ns);

/// Ends the loop when nothing runs; with `stop`, no further start is accepted either.
void launcher_request_exit(bool stop);
/// True from the first SIGTERM or SIGINT on.
bool launcher_is_stopping(void);
