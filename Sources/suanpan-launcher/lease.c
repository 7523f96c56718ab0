// Attempts that may only run while somebody vouches that nobody else runs them.
#define _GNU_SOURCE
#include <inttypes.h>
#include <sys/epoll.h>

#include "CLinuxShim.h"
#include "attempt_state.h"
#include "launcher.h"

// The loop's own wait stands still while the machine is suspended (CLOCK_MONOTONIC); a lease does not.
static struct {
    int timer;
    int64_t armed_for_ns;
} lease = {.timer = -1};

int attempts_lease_setup(void) {
    lease.timer = suanpan_timer_create();
    return lease.timer < 0 ? -1 : launcher_watch(lease.timer, WATCH_LEASE, 0, EPOLLIN);
}

void attempts_lease_due(void) {
    (void)suanpan_timer_drain(lease.timer);
    lease.armed_for_ns = 0;
}

void attempts_hold_lease(int64_t until_ns) {
    attempts.lease_until_ns = until_ns;
}

int64_t attempts_lease_left_ns(void) {
    return attempts.leased == 0 ? INT64_MAX : attempts.lease_until_ns - suanpan_boottime_ns();
}

void attempts_enforce_lease(void) {
    int64_t left = attempts_lease_left_ns();
    if (left == INT64_MAX) return;
    if (left > 0) {
        if (lease.armed_for_ns == attempts.lease_until_ns) return;
        // Without the timer the loop looks often instead.
        if (suanpan_timer_arm(lease.timer, left) < 0) launcher_within(left < 1000000000 ? left : 1000000000);
        else lease.armed_for_ns = attempts.lease_until_ns;
        return;
    }
    launcher_log("the lease has ended: killing %" PRIu32 " attempts that depend on it", attempts.leased);
    for (uint32_t index = 0; index < attempts.capacity; index++) {
        struct attempt *attempt = attempt_at(index);
        if (attempt->group == NULL || attempt->lease_ended || !table_slot(index)->depends_on_lease) continue;
        attempt->lease_ended = true;
        attempts.leased--;
        attempt_doom(index);
    }
}
