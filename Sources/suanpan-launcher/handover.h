// An upgrade in place: the launcher becomes the program that stands at its path now (execve), as the same process. Its children stay
// its children, the lock and the listening socket stay open, and what only the running program knew is written down for the
// next one. Protocols/launcher.md, "Upgrade".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "group.h"

/// Of the records below and of the attempt table. A program takes over from any format up to its own, and says so when it is asked
/// (`--takes-over FORMAT`).
enum { HANDOVER_FORMAT = 1 };

struct handover_header {
    char magic[8];
    uint32_t format;
    uint32_t header_bytes, record_bytes;  // as the writer knew them: a newer reader takes what is missing for 0
    uint32_t count;
    int32_t lock, listener;
    uint32_t stopping, reserved;
    int64_t lease_until_ns;
    uint64_t child_file_limit;
    struct group_places places;
};

enum handover_flag {
    HANDOVER_WAITS = 1,  // behind others of its lane; its order follows the record
    HANDOVER_DUE = 2,    // waits, and the lane is its own
    HANDOVER_EXITED = 4,
    HANDOVER_WITHDRAWN = 8,
    HANDOVER_LEASE_ENDED = 16,
    HANDOVER_BROKEN = 32,  // the standard output cannot be kept any more; the next bit is the standard error's
    HANDOVER_DOOMED = 128,  // killed until its group is empty
};

/// An attempt that runs or waits.
struct handover_record {
    uint32_t index, flags;
    int32_t next_in_lane;
    int32_t wait_status;
    int32_t read_end[2], write_end[2], file[2];
    int64_t cpu_ns, memory_peak_bytes;
    struct group_carried group;
    uint32_t order_bytes, reserved;  // of the order that follows, a multiple of 8
};

/// What was read: the header, and the records one after the other.
struct handover {
    struct handover_header header;
    uint8_t *records;
    size_t records_bytes;
};

/// Calls `body` with each record and its order; false as soon as that returns false or a length is wrong.
bool handover_each(
    const struct handover *handover, bool (*body)(const struct handover_record *record, const uint8_t *order, void *argument), void *argument);

/// Reads what the program before wrote into the descriptor. False with a logged reason.
bool handover_read(int descriptor, struct handover *handover);
void handover_free(struct handover *handover);

/// Becomes the program at `path`. Returns only when that was not possible, and then nothing has changed: true when somebody still
/// writes the file, who will be done soon.
bool handover_execute(const char *path, char *const *arguments, int lock, bool stopping);

/// In attempt_handover.c: writes a record for each attempt that runs or waits, and marks its descriptors as inherited (or not any
/// more). -1 with errno.
int attempts_hand_over(int descriptor, uint32_t *count);
void attempts_inherit(bool inherited);
/// -1 with a logged reason.
int attempts_take_over(const struct handover *handover);
