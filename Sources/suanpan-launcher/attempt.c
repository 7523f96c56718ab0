#define _GNU_SOURCE
#include "attempt.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CLinuxShim.h"
#include "attempt_state.h"
#include "handover.h"
#include "launcher.h"
#include "output.h"
#include "spawn.h"
#include "subreaper.h"

struct attempts attempts = {
    .first_dirty = ATTEMPT_NONE,
    .last_dirty = ATTEMPT_NONE,
    .first_doomed = ATTEMPT_NONE,
    .first_due = ATTEMPT_NONE,
    .last_due = ATTEMPT_NONE,
};

struct attempt *attempt_at(uint32_t index) {
    return &attempts.all[index];
}

uint32_t attempts_unfinished(void) {
    return attempts.running + attempts.waiting;
}

// MARK: - Indexes

static uint32_t name_bucket(const struct suanpan_attempt *name) {
    uint64_t mixed = name->job * 0x9e3779b97f4a7c15u ^ ((uint64_t)name->index << 32 | name->number) * 0xc2b2ae3d27d4eb4fu;
    return (uint32_t)(mixed >> 32) & (attempts.capacity - 1);
}

static uint32_t process_bucket(pid_t process) {
    return (uint32_t)process * 0x9e3779b1u >> 7 & (attempts.capacity - 1);
}

static uint32_t lane_bucket(uint64_t lane) {
    return (uint32_t)(lane * 0x9e3779b97f4a7c15u >> 32) & (attempts.capacity - 1);
}

static bool same_name(const struct suanpan_attempt *left, const struct suanpan_attempt *right) {
    return left->job == right->job && left->index == right->index && left->number == right->number;
}

int32_t attempt_find(const struct suanpan_attempt *name) {
    int32_t index = attempts.by_name[name_bucket(name)];
    while (index != ATTEMPT_NONE && !same_name(&table_slot((uint32_t)index)->attempt, name)) index = attempts.all[index].next_by_name;
    return index;
}

int32_t attempt_find_process(pid_t process) {
    int32_t index = attempts.by_process[process_bucket(process)];
    while (index != ATTEMPT_NONE && table_slot((uint32_t)index)->process_id != process) index = attempts.all[index].next_by_process;
    return index;
}

/// Who holds the lane: it runs, or is due to.
static int32_t find_holder(uint64_t lane) {
    int32_t index = attempts.by_lane[lane_bucket(lane)];
    while (index != ATTEMPT_NONE && table_slot((uint32_t)index)->lane != lane) index = attempts.all[index].next_by_lane;
    return index;
}

bool attempt_is_leader(pid_t process) {
    return attempt_find_process(process) != ATTEMPT_NONE;
}

void attempt_index_name(uint32_t index) {
    int32_t *head = &attempts.by_name[name_bucket(&table_slot(index)->attempt)];
    attempts.all[index].next_by_name = *head;
    *head = (int32_t)index;
}

void attempt_index_process(uint32_t index) {
    int32_t *head = &attempts.by_process[process_bucket(table_slot(index)->process_id)];
    attempts.all[index].next_by_process = *head;
    *head = (int32_t)index;
}

void attempt_index_lane(uint32_t index) {
    int32_t *head = &attempts.by_lane[lane_bucket(table_slot(index)->lane)];
    attempts.all[index].next_by_lane = *head;
    *head = (int32_t)index;
    attempts.all[index].holds_lane = true;
}

static void unindex_lane(uint32_t index) {
    int32_t *link = &attempts.by_lane[lane_bucket(table_slot(index)->lane)];
    while (*link != (int32_t)index) link = &attempts.all[*link].next_by_lane;
    *link = attempts.all[index].next_by_lane;
    attempts.all[index].holds_lane = false;
}

static void unindex_name(uint32_t index) {
    int32_t *link = &attempts.by_name[name_bucket(&table_slot(index)->attempt)];
    while (*link != (int32_t)index) link = &attempts.all[*link].next_by_name;
    *link = attempts.all[index].next_by_name;
}

void attempt_unindex_process(uint32_t index) {
    int32_t *link = &attempts.by_process[process_bucket(table_slot(index)->process_id)];
    while (*link != (int32_t)index) link = &attempts.all[*link].next_by_process;
    *link = attempts.all[index].next_by_process;
}

void attempt_clear(uint32_t index) {
    attempts.all[index] = (struct attempt){
        .next_by_name = ATTEMPT_NONE,
        .next_by_process = ATTEMPT_NONE,
        .next_by_lane = ATTEMPT_NONE,
        .next_dirty = ATTEMPT_NONE,
        .next_doomed = ATTEMPT_NONE,
        .next_in_lane = ATTEMPT_NONE,
        .next_due = ATTEMPT_NONE,
    };
    for (int stream = 0; stream < 2; stream++)
        attempts.all[index].streams[stream] = (struct attempt_stream){.read_end = -1, .write_end = -1, .file = -1};
}

/// As much room as the table has; the chains are made anew.
int attempts_follow_capacity(void) {
    uint32_t capacity = table_capacity();
    if (capacity == attempts.capacity) return 0;
    struct attempt *all = realloc(attempts.all, capacity * sizeof *all);
    if (all == NULL) return -1;
    attempts.all = all;
    int32_t *heads = malloc(3 * (size_t)capacity * sizeof *heads);
    if (heads == NULL) return -1;
    free(attempts.by_name);
    attempts.by_name = heads;
    attempts.by_process = heads + capacity;
    attempts.by_lane = heads + 2 * (size_t)capacity;
    memset(heads, 0xff, 3 * (size_t)capacity * sizeof *heads);
    uint32_t before = attempts.capacity;
    attempts.capacity = capacity;
    for (uint32_t index = before; index < capacity; index++) attempt_clear(index);
    for (uint32_t index = 0; index < capacity; index++) {
        if (table_state(index) == SLOT_FREE) continue;
        attempt_index_name(index);
        if (index < before && all[index].group != NULL && !all[index].exited) attempt_index_process(index);
        if (index < before && all[index].holds_lane) attempt_index_lane(index);
    }
    return 0;
}

// MARK: - The queue of things to tell

void attempt_mark_dirty(uint32_t index, enum urgency urgency) {
    struct attempt *attempt = &attempts.all[index];
    if (urgency == NOTICE_NOW) attempts.dirty_since_ns = 0;
    else if (attempts.first_dirty == ATTEMPT_NONE) attempts.dirty_since_ns = suanpan_boottime_ns();
    if (attempt->dirty) return;
    attempt->dirty = true;
    attempt->next_dirty = ATTEMPT_NONE;
    if (attempts.last_dirty == ATTEMPT_NONE) attempts.first_dirty = (int32_t)index;
    else attempts.all[attempts.last_dirty].next_dirty = (int32_t)index;
    attempts.last_dirty = (int32_t)index;
}

int64_t attempts_notice_delay(void) {
    if (attempts.first_dirty == ATTEMPT_NONE || attempts.dirty_since_ns == 0) return 0;
    int64_t delay = attempts.dirty_since_ns + NOTICE_DELAY_NS - suanpan_boottime_ns();
    return delay > 0 ? delay : 0;
}

int32_t attempt_first_dirty(void) {
    return attempts.first_dirty;
}

void attempt_pop_dirty(void) {
    struct attempt *attempt = &attempts.all[attempts.first_dirty];
    attempts.first_dirty = attempt->next_dirty;
    if (attempts.first_dirty == ATTEMPT_NONE) attempts.last_dirty = ATTEMPT_NONE;
    attempt->dirty = false;
}

void attempts_forget_told(void) {
    while (attempts.first_dirty != ATTEMPT_NONE) attempt_pop_dirty();
    for (uint32_t index = 0; index < attempts.capacity; index++) {
        struct attempt *attempt = &attempts.all[index];
        attempt->told = TOLD_NOTHING;
        for (int stream = 0; stream < 2; stream++) {
            attempt->streams[stream].notice_outstanding = false;
            attempt->streams[stream].noticed_bytes = 0;
        }
    }
}

// MARK: - Taking over

int attempts_setup(const struct handover *handover) {
    if (attempts_follow_capacity() < 0) {
        launcher_log("no memory for the attempts");
        return -1;
    }
    int64_t now = suanpan_boottime_ns();
    if (output_setup() < 0) return -1;
    if (handover != NULL && attempts_take_over(handover) < 0) return -1;
    for (uint32_t index = 0; index < table_capacity(); index++) {
        enum slot_state state = table_state(index);
        if (state != SLOT_STARTING && state != SLOT_RUNNING && state != SLOT_WAITING) continue;
        if (attempt_at(index)->group != NULL || attempt_at(index)->order != NULL) continue;
        struct slot *slot = table_slot(index);
        if (state == SLOT_WAITING) {
            slot->end.manner = SUANPAN_MANNER_NOT_STARTED;
            slot->end.started_ns = slot->end.ended_ns = now;
            table_set_state(index, SLOT_ENDED);
            continue;
        }
        if (group_mode() == SUANPAN_MODE_SUBREAPER && table_is_of_this_boot()) subreaper_purge(slot->process_id, slot->end.started_ns);
        output_recount(index);
        slot->end.manner = SUANPAN_MANNER_DRIVER_LOST;
        slot->end.ended_ns = now;
        table_set_state(index, SLOT_ENDED);
    }
    return 0;
}

// MARK: - Lanes

void attempt_make_due(uint32_t index) {
    attempt_at(index)->next_due = ATTEMPT_NONE;
    if (attempts.last_due == ATTEMPT_NONE) attempts.first_due = (int32_t)index;
    else attempts.all[attempts.last_due].next_due = (int32_t)index;
    attempts.last_due = (int32_t)index;
    launcher_again();
}

bool attempt_leave_lane(uint32_t index) {
    struct attempt *attempt = attempt_at(index);
    if (!attempt->holds_lane) return false;
    unindex_lane(index);
    int32_t next = attempt->next_in_lane;
    if (next == ATTEMPT_NONE) return false;
    attempt_index_lane((uint32_t)next);
    attempt_make_due((uint32_t)next);
    return true;
}

static void end_waiting(uint32_t index) {
    struct slot *slot = table_slot(index);
    struct attempt *attempt = attempt_at(index);
    free(attempt->order);
    attempt->order = NULL;
    attempts.waiting--;
    slot->end.manner = SUANPAN_MANNER_NOT_STARTED;
    slot->end.started_ns = slot->end.ended_ns = suanpan_boottime_ns();
    table_set_state(index, SLOT_ENDED);
    attempt_mark_dirty(index, NOTICE_NOW);
    (void)attempt_leave_lane(index);
}

static void withdraw(uint32_t index) {
    struct attempt *attempt = attempt_at(index);
    if (attempt->holds_lane) {
        // Due: its turn comes in this very round of the loop.
        attempt->withdrawn = true;
        return;
    }
    int32_t previous = find_holder(table_slot(index)->lane);
    while (attempts.all[previous].next_in_lane != (int32_t)index) previous = attempts.all[previous].next_in_lane;
    attempts.all[previous].next_in_lane = attempt->next_in_lane;
    end_waiting(index);
}

/// Keeps the order until the lane is free. -1 when there is no memory.
static int line_up(uint32_t index, const struct suanpan_start *order) {
    struct attempt *attempt = attempt_at(index);
    attempt->order = malloc(order->header.length);
    if (attempt->order == NULL) return -1;
    memcpy(attempt->order, order, order->header.length);
    attempts.waiting++;
    int32_t last = find_holder(order->lane);
    while (attempts.all[last].next_in_lane != ATTEMPT_NONE) last = attempts.all[last].next_in_lane;
    attempts.all[last].next_in_lane = (int32_t)index;
    return 0;
}

// MARK: - Starting

static void end_unstarted(uint32_t index, enum suanpan_step step, int error) {
    struct slot *slot = table_slot(index);
    bool missing = step == SUANPAN_STEP_EXECUTE && error == ENOENT;
    slot->end.manner = missing ? SUANPAN_MANNER_NOT_FOUND : SUANPAN_MANNER_CANNOT_EXECUTE;
    slot->end.value = error;
    slot->end.step = step;
    slot->end.ended_ns = suanpan_boottime_ns();
    table_set_state(index, SLOT_ENDED);
    attempt_mark_dirty(index, NOTICE_NOW);
    (void)attempt_leave_lane(index);
}

/// The coordinator may have given it to another node by now.
static void end_unleased(uint32_t index) {
    struct slot *slot = table_slot(index);
    slot->end.manner = SUANPAN_MANNER_LEASE_ENDED;
    slot->end.ended_ns = suanpan_boottime_ns();
    table_set_state(index, SLOT_ENDED);
    attempt_mark_dirty(index, NOTICE_NOW);
    (void)attempt_leave_lane(index);
}

/// Claims a slot; nothing of the attempt exists yet. The fields come before the state.
static int64_t claim(const struct start_request *request, enum slot_state state) {
    int64_t claimed = table_claim();
    if (claimed < 0) return -1;
    uint32_t index = (uint32_t)claimed;
    if (attempts_follow_capacity() < 0) {
        table_free(index);
        return -1;
    }
    const struct suanpan_start *order = request->order;
    struct slot *slot = table_slot(index);
    slot->group = 0;
    slot->attempt = order->attempt;
    slot->fence = order->fence;
    slot->process_id = 0;
    slot->note_bytes = order->note_bytes;
    slot->end = (struct suanpan_end){.started_ns = suanpan_boottime_ns()};
    slot->output_limit_bytes = order->output_limit_bytes;
    slot->lane = order->lane;
    slot->output_files = 0;
    slot->depends_on_lease = order->depends_on_lease;
    memcpy(slot->note, request->note, order->note_bytes);
    table_set_state(index, state);
    attempt_clear(index);
    attempt_index_name(index);
    return index;
}

/// Makes the process in a group; -1 with the failure. The output of the attempt is open.
static pid_t spawn_in(struct group *group, uint32_t index, const struct start_request *request, struct spawn_failure *failure) {
    const struct suanpan_start *order = request->order;
    struct attempt *attempt = attempt_at(index);
    table_slot(index)->group = group->number;
    struct spawn_order spawn_order = {
        .arguments = request->arguments,
        .environment = request->environment,
        .work_directory = request->work_directory,
        .make_directory = order->make_directory != 0,
        .user = order->user_id,
        .group_of_user = order->group_id,
        .processors = request->processors,
        .processors_bytes = order->header.detail,
        .group = group,
        .output = {attempt->streams[0].write_end, attempt->streams[1].write_end},
    };
    return spawn(&spawn_order, failure);
}

static void launch(uint32_t index, const struct start_request *request) {
    const struct suanpan_start *order = request->order;
    struct attempt *attempt = attempt_at(index);
    struct slot *slot = table_slot(index);
    if (launcher_is_stopping()) {
        end_unstarted(index, SUANPAN_STEP_STOPPING, ECANCELED);
        return;
    }
    if (slot->depends_on_lease && suanpan_boottime_ns() >= attempts.lease_until_ns) {
        end_unleased(index);
        return;
    }
    if (output_open(index, order->user_id, order->group_id) < 0) {
        int error = errno;
        output_finish(index);
        end_unstarted(index, SUANPAN_STEP_PIPES, error);
        return;
    }
    struct spawn_failure failure = {SUANPAN_STEP_NONE, 0};
    struct group *group = NULL;
    pid_t process = -1;
    // Once more where somebody else removed our groups: the attempt can do nothing about that.
    for (int round = 0; process < 0 && round < 2; round++) {
        enum suanpan_step step = SUANPAN_STEP_NONE;
        group = group_acquire(order->memory_bytes, order->cpu_milli, &step);
        bool gone = group == NULL && (errno == ENOENT || errno == ENODEV);
        if (group == NULL) {
            failure = (struct spawn_failure){step, errno};
        } else if ((process = spawn_in(group, index, request, &failure)) < 0) {
            gone = group_is_gone(group);
            (void)group_measure(group);  // what the failed start used is not the next attempt's
            group_release(group);
        }
        if (!gone) break;
        group_restore();
    }
    if (process < 0) {
        output_finish(index);
        end_unstarted(index, failure.step, failure.error);
        return;
    }
    group->leader = process;
    attempt->group = group;
    slot->process_id = process;
    slot->end.started_ns = suanpan_boottime_ns();
    table_set_state(index, SLOT_RUNNING);
    attempt_index_process(index);
    attempts.running++;
    if (slot->depends_on_lease) attempts.leased++;
    output_watch(index);
    attempt_mark_dirty(index, NOTICE_LATER);
}

int attempt_start(const struct start_request *request) {
    const struct suanpan_start *order = request->order;
    int32_t known = attempt_find(&order->attempt);
    if (known != ATTEMPT_NONE) {
        struct slot *slot = table_slot((uint32_t)known);
        if (order->fence < slot->fence) {
            errno = ESTALE;
            return SUANPAN_REFUSED_FENCE;
        }
        slot->fence = order->fence;
        attempt_at((uint32_t)known)->told = TOLD_NOTHING;
        attempt_mark_dirty((uint32_t)known, NOTICE_NOW);
        return 0;
    }
    bool waits = find_holder(order->lane) != ATTEMPT_NONE;
    int64_t index = claim(request, waits ? SLOT_WAITING : SLOT_STARTING);
    if (index < 0) return SUANPAN_REFUSED_TABLE;
    if (!waits) {
        attempt_index_lane((uint32_t)index);
        launch((uint32_t)index, request);
    } else if (line_up((uint32_t)index, order) < 0) {
        end_unstarted((uint32_t)index, SUANPAN_STEP_CLONE, ENOMEM);
    }
    return 0;
}

void attempts_start_due(int count) {
    while (attempts.first_due != ATTEMPT_NONE) {
        if (count-- == 0) {
            launcher_again();
            return;
        }
        uint32_t index = (uint32_t)attempts.first_due;
        struct attempt *attempt = attempt_at(index);
        attempts.first_due = attempt->next_due;
        if (attempts.first_due == ATTEMPT_NONE) attempts.last_due = ATTEMPT_NONE;
        if (attempt->withdrawn || launcher_is_stopping()) {
            end_waiting(index);
            continue;
        }
        struct suanpan_start *order = attempt->order;
        struct start_request request;
        attempt->order = NULL;
        attempts.waiting--;
        table_set_state(index, SLOT_STARTING);
        // It was read once, when it came.
        (void)start_request_read(order, order->header.length, &request);
        launch(index, &request);
        free(order);
    }
}

// MARK: - Other commands

void attempt_withdraw(const struct suanpan_attempt *name) {
    int32_t index = attempt_find(name);
    if (index != ATTEMPT_NONE && table_state((uint32_t)index) == SLOT_WAITING) withdraw((uint32_t)index);
}

void attempt_signal(const struct suanpan_attempt *name, int signal) {
    int32_t index = attempt_find(name);
    if (index == ATTEMPT_NONE) return;
    if (table_state((uint32_t)index) == SLOT_WAITING) withdraw((uint32_t)index);
    else if (attempts.all[index].group == NULL) return;
    else if (signal == SIGKILL) attempt_doom((uint32_t)index);
    else if (signal == SIGTERM) group_signal(attempts.all[index].group, signal);
    // Whatever else it is, most processes would end by it: it is for the first one, which knows what it means.
    else if (!attempts.all[index].exited && attempts.all[index].group->leader > 1) kill(attempts.all[index].group->leader, signal);
}

void attempt_release(const struct suanpan_attempt *name) {
    int32_t found = attempt_find(name);
    if (found == ATTEMPT_NONE) return;
    uint32_t index = (uint32_t)found;
    if (table_state(index) != SLOT_ENDED) {
        launcher_log("attempt %" PRIu64 ".%" PRIu32 ".%" PRIu32 " cannot be released: it has not ended", name->job, name->index,
            name->number);
        return;
    }
    output_remove(index);
    unindex_name(index);
    if (attempts.all[index].dirty) {
        // In the queue: the slot may be claimed again before its turn comes, so it has to leave it now.
        int32_t previous = ATTEMPT_NONE;
        for (int32_t at = attempts.first_dirty; at != found; at = attempts.all[at].next_dirty) previous = at;
        int32_t next = attempts.all[index].next_dirty;
        if (previous == ATTEMPT_NONE) attempts.first_dirty = next;
        else attempts.all[previous].next_dirty = next;
        if (attempts.last_dirty == found) attempts.last_dirty = previous;
        attempts.all[index].dirty = false;
    }
    table_free(index);
}

void attempt_acknowledge_output(const struct suanpan_attempt *name, uint32_t stream) {
    int32_t index = attempt_find(name);
    if (index == ATTEMPT_NONE || (stream != SUANPAN_STDOUT && stream != SUANPAN_STDERR)) return;
    struct attempt_stream *state = &attempts.all[index].streams[stream - 1];
    state->notice_outstanding = false;
    if (table_slot((uint32_t)index)->end.kept_bytes[stream - 1] > state->noticed_bytes) attempt_mark_dirty((uint32_t)index, NOTICE_NOW);
}
