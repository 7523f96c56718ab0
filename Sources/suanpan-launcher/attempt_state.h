// What the files about attempts share: all attempts, and the chains they are found by.
#pragma once

#include "attempt.h"

struct attempts {
    struct attempt *all;
    int32_t *by_name, *by_process, *by_lane;  // heads of chains; as many as the table has slots
    uint32_t capacity;                        // a power of two
    uint32_t running, waiting;
    uint32_t leased;         // of the running, those that depend on the lease and were not killed for want of it
    int64_t lease_until_ns;  // 0: nobody has held it since this launcher began
    int32_t first_dirty, last_dirty;
    int64_t dirty_since_ns;  // when the first of them came; 0: something is urgent
    int32_t first_doomed;
    int32_t first_due, last_due;
};

extern struct attempts attempts;

/// As much room as the table has; the chains are made anew. -1 with no memory.
int attempts_follow_capacity(void);
/// As a slot's attempt is before anything of it exists.
void attempt_clear(uint32_t index);
void attempt_index_name(uint32_t index);
void attempt_index_process(uint32_t index);
/// It holds its lane from now on.
void attempt_index_lane(uint32_t index);
/// The lane is its own and free: it starts in one of the next turns.
void attempt_make_due(uint32_t index);
/// Kills everything in its group, and again until the group is proven empty: a single SIGKILL may fail or come too early.
void attempt_doom(uint32_t index);
/// The same without the first of the kills: while attempts are taken over, not all are known that must be spared.
void attempt_look_again(uint32_t index);
/// Whose first process it is, or ATTEMPT_NONE.
int32_t attempt_find_process(pid_t process);
void attempt_unindex_process(uint32_t index);
/// The lane goes to the next in it. True when there is one.
bool attempt_leave_lane(uint32_t index);
