// The life of an attempt: start, output, exit, the group's emptying, release. What must survive the launcher is in the
// attempt table's slot; `struct attempt` is what only the running launcher needs. Both go by the slot's index.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "group.h"
#include "table.h"

enum { ATTEMPT_NONE = -1 };

/// What the connected agent has been told of an attempt.
enum told {
    TOLD_NOTHING = 0,
    TOLD_STARTED = 1,
    TOLD_ENDED = 2,
};

struct attempt_stream {
    int read_end;   // of the pipe, watched by the loop
    int write_end;  // kept open, so that the process's exit is one wake-up (SIGCHLD) and not three
    int file;       // -1 until the first byte
    bool broken;    // a write failed: no hole in the middle of kept output
    bool notice_outstanding;
    int64_t noticed_bytes;
};

struct attempt {
    struct group *group;  // NULL when not running
    struct attempt_stream streams[2];
    enum told told;
    bool dirty;      // in the queue of attempts with something to tell
    bool exited;     // the first process has been reaped; the group is not yet proven empty
    bool doomed;     // killed again until its group is empty
    int wait_status;
    int64_t cpu_ns, memory_peak_bytes;  // of the first process and what it waited for
    bool holds_lane, withdrawn;
    bool lease_ended;  // killed for want of a lease
    struct suanpan_start *order;  // of one that waits, a copy; NULL otherwise
    int64_t retry_at_ns, retry_delay_ns;
    int32_t next_by_name, next_by_process, next_by_lane, next_dirty, next_doomed;
    int32_t next_in_lane;  // who starts when this one has ended
    int32_t next_due;
};

struct handover;

/// Takes over the table: attempts of a dead predecessor, whose groups are empty by now, have ended `driver lost`. Those that a living
/// one hands over go on. -1 with a logged reason.
int attempts_setup(const struct handover *handover);

struct attempt *attempt_at(uint32_t index);
/// The slot's index, or ATTEMPT_NONE.
int32_t attempt_find(const struct suanpan_attempt *name);
/// True when `process` is the first process of an attempt that has not ended.
bool attempt_is_leader(pid_t process);
/// Those that run, and those that wait for one that does.
uint32_t attempts_unfinished(void);

struct start_request {
    const struct suanpan_start *order;
    const char *work_directory;
    char *const *arguments;
    char *const *environment;
    const uint8_t *note;
    const uint8_t *processors;  // a bit for each, the lowest first
};

/// Checks every length of the order and points at its strings where they lie; valid until the next call. False when
/// the order is malformed.
bool start_request_read(const struct suanpan_start *order, size_t length, struct start_request *request);

/// Starts an attempt, lines it up behind the others of its lane, or announces a known one again. A start that fails is
/// an attempt that has ended.
/// 0, or a refusal (enum suanpan_refusal) with errno, when there is no slot that could tell the outcome.
int attempt_start(const struct start_request *request);
/// An attempt that waits never starts; one that does not runs on.
void attempt_withdraw(const struct suanpan_attempt *name);
/// One that waits is withdrawn.
void attempt_signal(const struct suanpan_attempt *name, int signal);
void attempt_release(const struct suanpan_attempt *name);
void attempt_acknowledge_output(const struct suanpan_attempt *name, uint32_t stream);

/// The loop is woken when the lease ends, also by a machine that was suspended. -1 with errno.
int attempts_lease_setup(void);
/// The timer has woken the loop.
void attempts_lease_due(void);
/// What depends on the lease may run until this instant.
void attempts_hold_lease(int64_t until_ns);
/// Kills what depends on the lease when that has passed, whatever has become of the agent.
void attempts_enforce_lease(void);
/// How long nothing needs to be killed for want of a lease; INT64_MAX when nothing that runs depends on one.
int64_t attempts_lease_left_ns(void);

/// Reaps every process that has exited.
void attempts_reap(void);
/// Looks again at those that are killed until their group is empty.
void attempts_look_at_doomed(void);

/// Starts attempts whose lane has become theirs, at most `count`; the loop comes round at once for the rest.
void attempts_start_due(int count);

enum urgency {
    NOTICE_LATER,  // within NOTICE_DELAY_NS: several changes become one packet, and the agent wakes once for them
    NOTICE_NOW,
};
enum { NOTICE_DELAY_NS = 16000000 };

/// The queue of attempts with something to tell.
void attempt_mark_dirty(uint32_t index, enum urgency urgency);
/// How long the queue may wait yet; 0 when something in it is urgent or overdue.
int64_t attempts_notice_delay(void);
int32_t attempt_first_dirty(void);
void attempt_pop_dirty(void);
/// A new agent knows nothing yet.
void attempts_forget_told(void);
