// Attempts that may only run while somebody vouches that nobody else runs them.
#define _GNU_SOURCE
#include <inttypes.h>

#include "CLinuxShim.h"
#include "attempt_state.h"
#include "launcher.h"

void attempts_hold_lease(int64_t until_ns) {
    attempts.lease_until_ns = until_ns;
}

void attempts_enforce_lease(void) {
    if (attempts.leased == 0) return;
    int64_t left = attempts.lease_until_ns - suanpan_boottime_ns();
    if (left > 0) {
        launcher_within(left);
        return;
    }
    launcher_log("the lease has ended: killing %" PRIu32 " attempts that depend on it", attempts.leased);
    for (uint32_t index = 0; index < attempts.capacity; index++) {
        struct attempt *attempt = attempt_at(index);
        if (attempt->group == NULL || attempt->lease_ended || !table_slot(index)->depends_on_lease) continue;
        attempt->lease_ended = true;
        attempts.leased--;
        group_kill(attempt->group);
    }
}
