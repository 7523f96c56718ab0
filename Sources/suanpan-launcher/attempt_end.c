// How an attempt ends: its first process is reaped, and what is left in its group is killed until the group is proven empty.
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/wait.h>

#include "CLinuxShim.h"
#include "attempt_state.h"
#include "launcher.h"
#include "output.h"

enum {
    RETRY_FIRST_NS = 500000,
    RETRY_LAST_NS = 64000000,
};

/// The group is empty: the attempt has ended.
static void finish(uint32_t index) {
    struct attempt *attempt = attempt_at(index);
    struct slot *slot = table_slot(index);
    output_finish(index);
    struct group_usage usage = group_measure(attempt->group);
    int status = attempt->wait_status;
    struct suanpan_end *end = &slot->end;
    end->manner = WIFEXITED(status) ? SUANPAN_MANNER_EXITED : SUANPAN_MANNER_SIGNALLED;
    end->value = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    if (attempt->lease_ended && WIFSIGNALED(status)) end->manner = SUANPAN_MANNER_LEASE_ENDED;
    // A job that lost one process to the kernel and still ended well has ended well.
    if (usage.out_of_memory && status != 0) end->manner = SUANPAN_MANNER_OUT_OF_MEMORY;
    end->cpu_ns = usage.cpu_ns > attempt->cpu_ns ? usage.cpu_ns : attempt->cpu_ns;
    end->memory_peak_bytes = usage.memory_peak_bytes > 0 ? usage.memory_peak_bytes : attempt->memory_peak_bytes;
    table_set_state(index, SLOT_ENDED);
    group_release(attempt->group);
    attempt->group = NULL;
    attempt->exited = false;
    attempts.running--;
    if (slot->depends_on_lease && !attempt->lease_ended) attempts.leased--;
    // The lane is busy again: nobody waits for this news.
    attempt_mark_dirty(index, attempt_leave_lane(index) ? NOTICE_LATER : NOTICE_NOW);
}

void attempt_doom(uint32_t index) {
    group_kill(attempt_at(index)->group);
    attempt_look_again(index);
}

void attempt_look_again(uint32_t index) {
    struct attempt *attempt = attempt_at(index);
    if (attempt->doomed) return;
    attempt->doomed = true;
    attempt->retry_delay_ns = RETRY_FIRST_NS;
    attempt->retry_at_ns = suanpan_boottime_ns() + RETRY_FIRST_NS;
    attempt->next_doomed = attempts.first_doomed;
    attempts.first_doomed = (int32_t)index;
    launcher_within(RETRY_FIRST_NS);
}

static int64_t nanoseconds(struct timeval time) {
    return (int64_t)time.tv_sec * 1000000000 + time.tv_usec * 1000;
}

static void first_process_exited(uint32_t index, int status, const struct rusage *usage) {
    struct attempt *attempt = attempt_at(index);
    struct slot *slot = table_slot(index);
    slot->end.ended_ns = suanpan_boottime_ns();
    attempt_unindex_process(index);
    attempt->exited = true;
    attempt->wait_status = status;
    attempt->cpu_ns = nanoseconds(usage->ru_utime) + nanoseconds(usage->ru_stime);
    attempt->memory_peak_bytes = (int64_t)usage->ru_maxrss * 1024;
    if (attempt->doomed) {
        // Looked at in this very turn of the loop.
        attempt->retry_at_ns = 0;
        attempt->retry_delay_ns = RETRY_FIRST_NS;
        return;
    }
    if (group_is_empty(attempt->group)) {
        finish(index);
        return;
    }
    slot->end.flags |= SUANPAN_END_LEFT_OVERS_KILLED;
    attempt_doom(index);
}

void attempts_reap(void) {
    for (;;) {
        int status;
        struct rusage usage;
        pid_t process = wait4(-1, &status, WNOHANG, &usage);
        if (process <= 0) return;
        int32_t index = attempt_find_process(process);
        if (index != ATTEMPT_NONE) first_process_exited((uint32_t)index, status, &usage);
    }
}

void attempts_look_at_doomed(void) {
    if (attempts.first_doomed == ATTEMPT_NONE) return;
    int64_t now = suanpan_boottime_ns();
    for (int32_t *link = &attempts.first_doomed; *link != ATTEMPT_NONE;) {
        uint32_t index = (uint32_t)*link;
        struct attempt *attempt = attempt_at(index);
        if (now >= attempt->retry_at_ns) {
            if (attempt->exited && group_is_empty(attempt->group)) {
                *link = attempt->next_doomed;
                attempt->doomed = false;
                finish(index);
                continue;
            }
            group_kill(attempt->group);
            if (attempt->retry_delay_ns < RETRY_LAST_NS) attempt->retry_delay_ns *= 2;
            attempt->retry_at_ns = now + attempt->retry_delay_ns;
        }
        launcher_within(attempt->retry_at_ns - now);
        link = &attempt->next_doomed;
    }
}
