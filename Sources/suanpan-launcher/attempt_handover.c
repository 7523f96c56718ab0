// What of the attempts goes from one program of this process to the next.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempt_state.h"
#include "handover.h"
#include "launcher.h"
#include "output.h"

// MARK: - Handing over

static struct handover_record record_of(uint32_t index) {
    const struct attempt *attempt = attempt_at(index);
    struct handover_record record = {
        .index = index,
        .next_in_lane = attempt->next_in_lane,
        .wait_status = attempt->wait_status,
        .cpu_ns = attempt->cpu_ns,
        .memory_peak_bytes = attempt->memory_peak_bytes,
    };
    if (attempt->order != NULL) {
        record.flags |= HANDOVER_WAITS | (attempt->holds_lane ? HANDOVER_DUE : 0u);
        record.order_bytes = (attempt->order->header.length + 7u) & ~7u;
    }
    if (attempt->group != NULL) record.group = group_carry(attempt->group);
    if (attempt->exited) record.flags |= HANDOVER_EXITED;
    if (attempt->doomed) record.flags |= HANDOVER_DOOMED;
    if (attempt->withdrawn) record.flags |= HANDOVER_WITHDRAWN;
    if (attempt->lease_ended) record.flags |= HANDOVER_LEASE_ENDED;
    for (int stream = 0; stream < 2; stream++) {
        record.read_end[stream] = attempt->streams[stream].read_end;
        record.write_end[stream] = attempt->streams[stream].write_end;
        record.file[stream] = attempt->streams[stream].file;
        if (attempt->streams[stream].broken) record.flags |= (uint32_t)HANDOVER_BROKEN << stream;
    }
    return record;
}

static int write_all(int descriptor, const void *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t written = write(descriptor, (const char *)bytes + done, length - done);
        if (written < 0) return -1;
        done += (size_t)written;
    }
    return 0;
}

int attempts_hand_over(int descriptor, uint32_t *count) {
    static const char padding[8];
    for (uint32_t index = 0; index < attempts.capacity; index++) {
        const struct attempt *attempt = attempt_at(index);
        if (attempt->group == NULL && attempt->order == NULL) continue;
        struct handover_record record = record_of(index);
        size_t length = attempt->order == NULL ? 0 : attempt->order->header.length;
        if (write_all(descriptor, &record, sizeof record) < 0 || write_all(descriptor, attempt->order, length) < 0
            || write_all(descriptor, padding, record.order_bytes - length) < 0)
            return -1;
        ++*count;
    }
    return 0;
}

void attempts_inherit(bool inherited) {
    for (uint32_t index = 0; index < attempts.capacity; index++) {
        const struct attempt *attempt = attempt_at(index);
        for (int stream = 0; attempt->group != NULL && stream < 2; stream++) {
            const int descriptors[] = {
                attempt->streams[stream].read_end, attempt->streams[stream].write_end, attempt->streams[stream].file};
            for (int which = 0; which < 3; which++)
                if (descriptors[which] >= 0) (void)fcntl(descriptors[which], F_SETFD, inherited ? 0 : FD_CLOEXEC);
        }
    }
}

// MARK: - Taking over

static bool take_order(uint32_t index, const struct handover_record *record, const uint8_t *order) {
    struct attempt *attempt = attempt_at(index);
    struct start_request request;
    attempt->order = malloc(record->order_bytes);
    if (attempt->order == NULL) return false;
    memcpy(attempt->order, order, record->order_bytes);
    size_t length = attempt->order->header.length;
    if (length > record->order_bytes || !start_request_read(attempt->order, length, &request)) return false;
    attempts.waiting++;
    attempt->withdrawn = (record->flags & HANDOVER_WITHDRAWN) != 0;
    if ((record->flags & HANDOVER_DUE) == 0) return true;
    attempt_index_lane(index);
    attempt_make_due(index);
    return true;
}

static bool take_running(uint32_t index, const struct handover_record *record) {
    struct attempt *attempt = attempt_at(index);
    struct slot *slot = table_slot(index);
    attempt->group = group_adopt(&record->group);
    if (attempt->group == NULL) {
        // The others go on. This one ends as if the launcher had died.
        launcher_log("cannot open the group of attempt %" PRIu64 ".%" PRIu32 ".%" PRIu32 " again, it ends: %s", slot->attempt.job,
            slot->attempt.index, slot->attempt.number, strerror(errno));
        for (int stream = 0; stream < 2; stream++) {
            close(record->read_end[stream]);
            close(record->write_end[stream]);
            if (record->file[stream] >= 0) close(record->file[stream]);
        }
        if (group_mode() != SUANPAN_MODE_SUBREAPER) group_purge(record->group.number);
        return true;
    }
    attempts.running++;
    attempt->lease_ended = (record->flags & HANDOVER_LEASE_ENDED) != 0;
    if (slot->depends_on_lease && !attempt->lease_ended) attempts.leased++;
    attempt->wait_status = record->wait_status;
    attempt->cpu_ns = record->cpu_ns;
    attempt->memory_peak_bytes = record->memory_peak_bytes;
    for (int stream = 0; stream < 2; stream++) {
        attempt->streams[stream].read_end = record->read_end[stream];
        attempt->streams[stream].write_end = record->write_end[stream];
        attempt->streams[stream].file = record->file[stream];
        attempt->streams[stream].broken = (record->flags & (uint32_t)HANDOVER_BROKEN << stream) != 0;
    }
    attempt_index_lane(index);
    attempt->exited = (record->flags & HANDOVER_EXITED) != 0;
    if (!attempt->exited) attempt_index_process(index);
    if (record->flags & (HANDOVER_DOOMED | HANDOVER_EXITED)) attempt_look_again(index);
    output_watch(index);
    return true;
}

static bool take(const struct handover_record *record, const uint8_t *order, void *argument) {
    (void)argument;
    if (record->index >= attempts.capacity) return false;
    enum slot_state state = table_state(record->index);
    bool waits = (record->flags & HANDOVER_WAITS) != 0;
    if (state != (waits ? SLOT_WAITING : SLOT_RUNNING) || record->next_in_lane >= (int32_t)attempts.capacity) return false;
    attempt_at(record->index)->next_in_lane = record->next_in_lane;
    return waits ? take_order(record->index, record, order) : take_running(record->index, record);
}

int attempts_take_over(const struct handover *handover) {
    attempts.lease_until_ns = handover->header.lease_until_ns;
    if (handover_each(handover, take, NULL)) {
        attempts_inherit(false);
        return 0;
    }
    launcher_log("what the program before has written down is not what the table says");
    return -1;
}
