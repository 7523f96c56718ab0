// The attempt table: a memory-mapped file that outlives the launcher and the agent. Protocols/launcher.md has the
// states of a slot.
//
// Invariant: after a kill -9 at any instruction the file is readable. A slot's `state` is written last, with release
// order, so whoever sees a state sees the fields that belong to it. There is no sync: the table survives the death of
// processes, not that of the machine (then no process is left to find either).
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "launcher_protocol.h"

enum slot_state {
    SLOT_FREE = 0,
    SLOT_STARTING = 1,  // claimed; a process may exist
    SLOT_RUNNING = 2,   // its program runs, or its group is being emptied
    SLOT_ENDED = 3,     // `end` is final; kept until released
    SLOT_WAITING = 4,   // behind others of its lane; no process was made
};

struct slot {
    _Atomic uint32_t state;
    uint32_t group;  // the number of its kill-and-count group
    struct suanpan_attempt attempt;
    uint64_t fence;
    int32_t process_id;
    uint32_t note_bytes;
    struct suanpan_end end;
    int64_t output_limit_bytes;
    uint64_t lane;
    uint32_t output_files;  // bit 0: stdout has a file, bit 1: stderr
    uint32_t depends_on_lease;
    uint32_t reserved[14];
    uint8_t note[SUANPAN_NOTE_BYTES_MAX];
};

/// Directories that groups were made in: the tracking hierarchy, then those of the memory and CPU limits.
enum { TABLE_GROUP_DIRECTORIES = 3, TABLE_GROUP_DIRECTORY_BYTES = 1024 };

/// Opens DIR/attempts.table of the current directory, making it when it is missing or not readable as a table (then
/// the old file is put aside). -1 with a logged reason when there can be none.
int table_open(void);
/// True when the file was written in this boot of the machine: its process ids and groups still mean something.
bool table_is_of_this_boot(void);

uint32_t table_capacity(void);
/// Valid until the next `table_claim`, which may move the mapping.
struct slot *table_slot(uint32_t index);
enum slot_state table_state(uint32_t index);
void table_set_state(uint32_t index, enum slot_state state);

/// The index of a free slot, growing the table when all are taken; -1 with errno when it cannot grow.
int64_t table_claim(void);
void table_free(uint32_t index);

/// The directories noted by the predecessor, and their replacement by ours.
const char *table_group_directory(unsigned which);
void table_note_group_directory(unsigned which, const char *path);
