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
    int32_t first_exited;
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
/// Its first process has exited and its group is not empty yet.
void attempt_look_again(uint32_t index);
