#define _GNU_SOURCE
#include "subreaper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "attempt.h"
#include "hierarchy.h"
#include "launcher.h"

static const char children_path[] = "/proc/thread-self/children";

int subreaper_setup(void) {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 || access(children_path, R_OK) < 0) {
        launcher_log("no cgroup hierarchy can be used, and processes cannot be followed without one: %s", strerror(errno));
        return -1;
    }
    return 0;
}

struct search {
    pid_t leader;
    bool kill;
    unsigned found;
};

/// A child of ours is a left-over of the leader's attempt, or of nobody's, when no running attempt accounts for it.
static void look_at_child(pid_t process, void *argument) {
    struct search *search = argument;
    pid_t session = getsid(process);
    bool in_running_session = session > 0 && session != search->leader && attempt_is_leader(session);
    if (process != search->leader && (attempt_is_leader(process) || in_running_session)) return;
    search->found++;
    if (search->kill) kill(process, SIGKILL);
}

/// The children of a dead process become ours, so one look at our own children finds the roots of all that is left:
/// no scan of the whole process table.
static unsigned search_children(pid_t leader, bool kill_found) {
    struct search search = {.leader = leader, .kill = kill_found};
    if (hierarchy_each_process(AT_FDCWD, children_path, look_at_child, &search) < 0) search.found++;
    return search.found;
}

bool subreaper_is_empty(pid_t leader) {
    return search_children(leader, false) == 0;
}

void subreaper_kill(pid_t leader) {
    // Once it is reaped, its number may be anybody's.
    if (leader > 1 && attempt_is_leader(leader)) kill(-leader, SIGKILL);
    (void)search_children(leader, true);
}

// MARK: - After a predecessor

struct process_status {
    char state;
    long session, threads;
    unsigned long long start_ticks;
};

/// From /proc/<process>/stat: fields 3, 6, 20 and 22, counted behind the name's last ')'.
static bool read_stat(const char *process, struct process_status *status) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%.32s/stat", process);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return false;
    ssize_t length = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    text[length > 0 ? length : 0] = 0;
    const char *tail = strrchr(text, ')');
    return tail != NULL
        && sscanf(tail + 1, " %c %*d %*d %ld %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d %llu", &status->state,
               &status->session, &status->threads, &status->start_ticks) == 4;
}

void subreaper_purge(pid_t leader, int64_t started_ns) {
    if (leader <= 1) return;
    int64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
    bool found = true;
    for (int64_t round = 0; found; round++) {
        found = false;
        DIR *processes = opendir("/proc");
        if (processes == NULL) return;
        for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
            struct process_status status;
            if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !read_stat(entry->d_name, &status)) continue;
            if (status.session != leader || (int64_t)status.start_ticks * tick_ns + 2 * tick_ns < started_ns) continue;
            // Dead, and whoever is its parent now may never ask; with threads left it executes yet.
            if (status.state == 'Z' && status.threads <= 1) continue;
            found = true;
            kill((pid_t)atol(entry->d_name), SIGKILL);
        }
        closedir(processes);
        if (round % 5000 == 4999) launcher_log("session %d still holds processes after SIGKILL", (int)leader);
        if (found) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}
