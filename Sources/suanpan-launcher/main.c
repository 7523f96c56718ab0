// suanpan-launcher: starts, confines and reaps the processes of a node's jobs. It outlives the agent, so that the
// agent can end, be upgraded or crash and find its jobs running. Protocols/launcher.md is the specification.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CLinuxShim.h"
#include "attempt.h"
#include "connection.h"
#include "handover.h"
#include "launcher.h"
#include "output.h"
#include "spawn.h"

enum {
    EVENTS_PER_TURN = 64,
    LINGER_DEFAULT_S = 10,
    LINGER_MAX_S = 86400,
    /// While somebody still writes the file: 10 s.
    UPGRADE_TRIES = 100,
    UPGRADE_RETRY_NS = 100000000,
};

static struct {
    int epoll;
    int signals;
    int64_t wait_ns;  // until the next turn; below 0: as long as nothing happens
    bool stopping, exit_requested;
    int upgrade_tries;  // left; 0: no upgrade is asked for
    int64_t upgrade_at_ns;
    int lock;
    struct stat asked;  // the last program that an agent's connection has led to an upgrade
    char program[PATH_MAX];  // where this program stood when it was started
    char **arguments;
    int64_t idle_since_ns;  // 0: an agent is connected or something runs
} loop = {.epoll = -1, .signals = -1, .lock = -1};

// MARK: - Services to the other files

void launcher_log(const char *format, ...) {
    // One write a line: the file is shared with nobody, but a reader should see whole lines.
    char line[512];
    int length = snprintf(line, sizeof line, "suanpan-launcher[%d]: ", getpid());
    va_list arguments;
    va_start(arguments, format);
    int text = vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    va_end(arguments);
    if (text > 0) length += text;
    if (length > (int)sizeof line - 2) length = (int)sizeof line - 2;
    line[length++] = '\n';
    (void)!write(STDERR_FILENO, line, (size_t)length);
}

static int control(int operation, int descriptor, enum watch_kind kind, uint32_t index, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)kind << 32 | index};
    return epoll_ctl(loop.epoll, operation, descriptor, &event);
}

int launcher_watch(int descriptor, enum watch_kind kind, uint32_t index, uint32_t events) {
    return control(EPOLL_CTL_ADD, descriptor, kind, index, events);
}

int launcher_rewatch(int descriptor, enum watch_kind kind, uint32_t index, uint32_t events) {
    return control(EPOLL_CTL_MOD, descriptor, kind, index, events);
}

void launcher_within(int64_t delay_ns) {
    if (delay_ns < 0) delay_ns = 0;
    if (loop.wait_ns < 0 || delay_ns < loop.wait_ns) loop.wait_ns = delay_ns;
}

void launcher_again(void) {
    launcher_within(0);
}

void launcher_request_exit(bool stop) {
    if (stop) loop.stopping = true;
    else loop.exit_requested = true;
    launcher_again();
}

void launcher_request_upgrade(void) {
    loop.upgrade_tries = UPGRADE_TRIES;
    loop.upgrade_at_ns = 0;
    launcher_again();
}

static const char replaced_mark[] = " (deleted)";

/// The kernel marks the name of a file that is gone, also where another stands under that name by now.
static bool cut_replaced_mark(char *path) {
    size_t length = strlen(path), mark = sizeof replaced_mark - 1;
    if (length <= mark || strcmp(path + length - mark, replaced_mark) != 0) return false;
    path[length - mark] = 0;
    return true;
}

static bool read_own_path(char *path, size_t capacity) {
    ssize_t length = readlink("/proc/self/exe", path, capacity - 1);
    if (length < 0) return false;
    path[length] = 0;
    return true;
}

bool launcher_is_replaced(void) {
    char path[sizeof loop.program];
    struct stat there;
    if (!read_own_path(path, sizeof path) || !cut_replaced_mark(path) || stat(path, &there) < 0) return false;
    // One that was asked and cannot is not asked again for each agent that connects.
    if (there.st_dev == loop.asked.st_dev && there.st_ino == loop.asked.st_ino) return false;
    loop.asked = there;
    return true;
}

bool launcher_is_stopping(void) {
    return loop.stopping;
}

// MARK: - The loop

static void read_signals(void) {
    struct signalfd_siginfo received[16];
    ssize_t length;
    while ((length = read(loop.signals, received, sizeof received)) > 0)
        for (size_t which = 0; which < (size_t)length / sizeof *received; which++)
            if (received[which].ssi_signo == SIGHUP) {
                launcher_request_upgrade();
            } else if (received[which].ssi_signo != SIGCHLD && !loop.stopping) {
                launcher_log("stopping: no further starts, exit when nothing runs");
                launcher_request_exit(true);
            }
    attempts_reap();
}

static void dispatch(const struct epoll_event *event) {
    uint32_t index = (uint32_t)event->data.u64;
    switch ((enum watch_kind)(event->data.u64 >> 32)) {
    case WATCH_SIGNALS: read_signals(); break;
    case WATCH_LISTENER: connection_accept(); break;
    case WATCH_CONNECTION: connection_ready(event->events); break;
    // A slot reused in this very turn is drained in vain at worst: reads do not block.
    case WATCH_STDOUT: output_drain(index, 0); break;
    case WATCH_STDERR: output_drain(index, 1); break;
    case WATCH_LEASE: attempts_lease_due(); break;
    }
}

/// True when the launcher has nothing to stay for.
static bool may_exit(int64_t linger_ns) {
    bool requested = loop.exit_requested;
    loop.exit_requested = false;
    if (attempts_unfinished() > 0) {
        loop.idle_since_ns = 0;
        return false;
    }
    if (loop.stopping || requested) return true;
    if (connection_is_open()) {
        loop.idle_since_ns = 0;
        return false;
    }
    int64_t now = suanpan_boottime_ns();
    if (loop.idle_since_ns == 0) loop.idle_since_ns = now;
    if (now - loop.idle_since_ns >= linger_ns) return true;
    launcher_within(loop.idle_since_ns + linger_ns - now);
    return false;
}

static void run(int64_t linger_ns) {
    struct epoll_event events[EVENTS_PER_TURN];
    loop.wait_ns = 0;
    for (;;) {
        // 1. Wait. Rounded up, so that a timer is due when the loop comes round.
        int64_t wait_ms = loop.wait_ns < 0 ? -1 : loop.wait_ns / 1000000 + (loop.wait_ns % 1000000 != 0);
        int timeout_ms = wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
        loop.wait_ns = -1;
        int count = epoll_wait(loop.epoll, events, EVENTS_PER_TURN, timeout_ms);
        // 2. What happened: exits, output, commands.
        for (int which = 0; which < count; which++) dispatch(&events[which]);
        // 3. Groups that were not empty at once, or are to be.
        attempts_look_at_doomed();
        // 4. Lanes that have become free.
        attempts_start_due(STARTS_PER_TURN);
        // 5. What nobody holds a lease for. After a stop of any length, before anything else is told.
        attempts_enforce_lease();
        // 6. Commands left over, then everything there is to tell, in as few packets as it takes.
        connection_turn();
        // 7. Become the program that stands at our path now, between two turns: nothing is half done.
        if (loop.upgrade_tries > 0 && suanpan_boottime_ns() >= loop.upgrade_at_ns) {
            bool again = handover_execute(loop.program, loop.arguments, loop.lock, loop.stopping);
            loop.upgrade_tries = again ? loop.upgrade_tries - 1 : 0;
            loop.upgrade_at_ns = suanpan_boottime_ns() + UPGRADE_RETRY_NS;
            launcher_again();
        }
        if (loop.upgrade_tries > 0) launcher_within(loop.upgrade_at_ns - suanpan_boottime_ns());
        // 8. Stay or go.
        if (may_exit(linger_ns)) return;
    }
}

// MARK: - Setting up

static int setup_descriptors(bool takes_over) {
    // 0 is what attempts read; 1 is not used; 2 is the log. Nothing else is inherited.
    // Were some of the three closed, /dev/null fills them on the way up.
    int null = open("/dev/null", O_RDWR);
    while (null >= 0 && null < 2) null = dup(null);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0) return -1;
    // What the program before left open, it left open for us.
    if (takes_over) return 0;
    if (syscall(SYS_close_range, 3, ~0u, 0) < 0)
        for (int descriptor = 3; descriptor < 1024; descriptor++) close(descriptor);
    return 0;
}

static int setup_signals(void) {
    // Dispositions first: an ignored signal would stay ignored in every attempt.
    for (int number = 1; number < NSIG; number++) (void)signal(number, SIG_DFL);
    sigset_t all, wanted;
    sigfillset(&all);
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGHUP);
    if (sigprocmask(SIG_SETMASK, &all, NULL) < 0) return -1;
    loop.signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    return loop.signals < 0 ? -1 : launcher_watch(loop.signals, WATCH_SIGNALS, 0, EPOLLIN);
}

/// What every attempt inherits is set here once instead of in each child.
static int setup_inherited(void) {
    (void)umask(022);
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) < 0) return -1;
    return suanpan_set_no_new_privileges();
}

static int setup_process(bool takes_over) {
    (void)setsid();  // fails when whoever started us has seen to it
    if (setup_descriptors(takes_over) < 0 || spawn_setup() < 0) return -1;
    loop.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop.epoll < 0 || setup_signals() < 0 || attempts_lease_setup() < 0 || setup_inherited() < 0) return -1;
    return 0;
}

/// 0, or the exit status. The lock lives as long as the process; the kernel takes it back however that ends.
static int enter_run_directory(const char *path, int inherited_lock) {
    // The program before has entered it, whatever a relative path meant then.
    if (inherited_lock >= 0) {
        loop.lock = inherited_lock;
        return fcntl(inherited_lock, F_SETFD, FD_CLOEXEC) < 0 ? SUANPAN_LAUNCHER_EXIT_SYSTEM : 0;
    }
    if (chdir(path) < 0) {
        launcher_log("cannot enter %s: %s", path, strerror(errno));
        return SUANPAN_LAUNCHER_EXIT_SYSTEM;
    }
    int lock = open(SUANPAN_LAUNCHER_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (lock < 0) {
        launcher_log("cannot open %s/%s: %s", path, SUANPAN_LAUNCHER_LOCK, strerror(errno));
        return SUANPAN_LAUNCHER_EXIT_SYSTEM;
    }
    loop.lock = lock;
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
        // The process id is for people; nothing reads it.
        if (ftruncate(lock, 0) == 0) (void)!dprintf(lock, "%d\n", getpid());
        return 0;
    }
    if (errno == EWOULDBLOCK) {
        launcher_log("another launcher holds %s", path);
        return SUANPAN_LAUNCHER_EXIT_TAKEN;
    }
    launcher_log("cannot lock %s/%s: %s", path, SUANPAN_LAUNCHER_LOCK, strerror(errno));
    return SUANPAN_LAUNCHER_EXIT_SYSTEM;
}

static const char usage[] =
    "usage: suanpan-launcher --run-dir DIR [--linger SECONDS] [--cgroup-root PATH] [--isolation MODE]\n"
    "\n"
    "Starts, confines and reaps the processes of jobs for the agent that connects to DIR/launcher.sock.\n"
    "\n"
    "  --run-dir DIR       socket, lock, attempt table and output files; must exist\n"
    "  --linger SECONDS    exit when no agent is connected and nothing runs for this long (default 10)\n"
    "  --cgroup-root PATH  directory of the cgroup v2 hierarchy to make groups below (default: own position)\n"
    "  --isolation MODE    cgroup2, cgroup1, subreaper, or auto: the first that works (default)\n"
    "  --help              print this text\n"
    "\n"
    "SIGTERM and SIGINT: accept no further starts, exit when nothing runs. SIGHUP: become the program that stands at this\n"
    "one's path now, as the same process; what runs goes on.\n"
    "Exit status: 0, 64 wrong usage, 71 the system refused something, 75 another launcher holds DIR.\n";

static _Noreturn void exit_usage(void) {
    fputs(usage, stderr);
    exit(SUANPAN_LAUNCHER_EXIT_USAGE);
}

static struct launcher_options parse_options(int argument_count, char **arguments) {
    static const struct option known[] = {
        {"run-dir", required_argument, NULL, 'd'},
        {"linger", required_argument, NULL, 'l'},
        {"cgroup-root", required_argument, NULL, 'c'},
        {"isolation", required_argument, NULL, 'i'},
        {"take-over", required_argument, NULL, 't'},
        {"takes-over", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct launcher_options options = {
        .arguments = arguments, .take_over = -1, .linger_ns = (int64_t)LINGER_DEFAULT_S * 1000000000};
    long format = -1;
    for (int option; (option = getopt_long(argument_count, arguments, "", known, NULL)) != -1;) {
        char *end = NULL;
        long seconds;
        switch (option) {
        case 'd': options.run_directory = optarg; break;
        case 'c': options.cgroup_root = optarg; break;
        case 'i':
            if (strcmp(optarg, "cgroup2") == 0) options.isolation = SUANPAN_MODE_CGROUP2;
            else if (strcmp(optarg, "cgroup1") == 0) options.isolation = SUANPAN_MODE_CGROUP1;
            else if (strcmp(optarg, "subreaper") == 0) options.isolation = SUANPAN_MODE_SUBREAPER;
            else if (strcmp(optarg, "auto") != 0) exit_usage();
            break;
        case 'l':
            seconds = strtol(optarg, &end, 10);
            if (end == optarg || *end != 0 || seconds < 0 || seconds > LINGER_MAX_S) exit_usage();
            options.linger_ns = (int64_t)seconds * 1000000000;
            break;
        // The two are for the program before this one, and stand before the others.
        case 't':
            options.take_over = (int)strtol(optarg, &end, 10);
            if (end == optarg || *end != 0 || options.take_over < 3 || optind != 3) exit_usage();
            arguments[2] = arguments[0];
            options.arguments = arguments + 2;
            break;
        case 'f': format = strtol(optarg, NULL, 10); break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default: exit_usage();
        }
    }
    if (options.run_directory == NULL || optind != argument_count) exit_usage();
    // Asked whether it can take over with these very arguments.
    if (format >= 0) exit(format <= HANDOVER_FORMAT ? 0 : 1);
    return options;
}

/// Places and what runs in them: found as they are, or as the program before handed them over.
static int setup_attempts(const struct launcher_options *options, const struct handover *before) {
    if (table_open() < 0) return -1;
    int result = before != NULL ? group_take_over(&before->header.places)
                                : group_setup(options->cgroup_root, (enum suanpan_isolation_mode)options->isolation);
    if (result < 0 || attempts_setup(before) < 0) return -1;
    return connection_setup(before != NULL ? before->header.listener : -1);
}

int main(int argument_count, char **arguments) {
    struct launcher_options options = parse_options(argument_count, arguments);
    struct handover handover, *before = NULL;
    if (setup_process(options.take_over >= 0) < 0) {
        launcher_log("cannot set up the process: %s", strerror(errno));
        return SUANPAN_LAUNCHER_EXIT_SYSTEM;
    }
    loop.arguments = options.arguments;
    if (!read_own_path(loop.program, sizeof loop.program)) return SUANPAN_LAUNCHER_EXIT_SYSTEM;
    // Replaced once more just now: what stands there is what the next upgrade is for.
    (void)cut_replaced_mark(loop.program);
    if (options.take_over >= 0) {
        if (!handover_read(options.take_over, &handover)) return SUANPAN_LAUNCHER_EXIT_SYSTEM;
        close(options.take_over);
        before = &handover;
        loop.stopping = handover.header.stopping != 0;
        spawn_keep_child_file_limit(handover.header.child_file_limit);
    }
    int status = enter_run_directory(options.run_directory, before != NULL ? before->header.lock : -1);
    if (status != 0) return status;
    if (setup_attempts(&options, before) < 0) return SUANPAN_LAUNCHER_EXIT_SYSTEM;
    launcher_log("ready, isolation %s%s%s", group_mode_name(), group_limits() & SUANPAN_LIMIT_MEMORY ? ", memory binds" : "",
        group_limits() & SUANPAN_LIMIT_CPU ? ", cpu binds" : "");
    if (before != NULL) {
        handover_free(before);
        // Whoever exited meanwhile was told to the program before.
        attempts_reap();
    }
    run(options.linger_ns);
    connection_teardown();
    group_teardown();
    return 0;
}
