#define _GNU_SOURCE
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher.h"

enum { TABLE_HEADER_BYTES = 4096, TABLE_CAPACITY_MIN = 64, TABLE_FORMAT = 2 };

static const char table_magic[8] = {'S', 'U', 'A', 'N', 'P', 'A', 'N', 't'};

struct table_header {
    char magic[8];
    uint32_t format;
    uint32_t slot_bytes;
    _Atomic uint32_t capacity;
    uint32_t reserved;
    char boot_id[40];
    char group_directory[TABLE_GROUP_DIRECTORIES][TABLE_GROUP_DIRECTORY_BYTES];
};

_Static_assert(sizeof(struct table_header) <= TABLE_HEADER_BYTES, "layout");
_Static_assert(sizeof(struct slot) == 704, "layout");

static struct {
    int descriptor;
    struct table_header *header;  // the start of the mapping
    size_t mapped_bytes;
    bool of_this_boot;
    char boot_id[40];
    // Free slots as a stack, so that the slots in use stay few and warm. Room for every slot of the table.
    uint32_t *free_slots;
    uint32_t free_count;
} table = {.descriptor = -1};

static size_t bytes_for(uint32_t capacity) {
    return TABLE_HEADER_BYTES + (size_t)capacity * sizeof(struct slot);
}

uint32_t table_capacity(void) {
    return atomic_load_explicit(&table.header->capacity, memory_order_relaxed);
}

struct slot *table_slot(uint32_t index) {
    return (struct slot *)((char *)table.header + TABLE_HEADER_BYTES) + index;
}

enum slot_state table_state(uint32_t index) {
    return (enum slot_state)atomic_load_explicit(&table_slot(index)->state, memory_order_acquire);
}

void table_set_state(uint32_t index, enum slot_state state) {
    atomic_store_explicit(&table_slot(index)->state, state, memory_order_release);
}

bool table_is_of_this_boot(void) {
    return table.of_this_boot;
}

const char *table_group_directory(unsigned which) {
    return table.header->group_directory[which];
}

void table_note_group_directory(unsigned which, const char *path) {
    snprintf(table.header->group_directory[which], TABLE_GROUP_DIRECTORY_BYTES, "%s", path);
}

/// Makes the file and the mapping large enough for `capacity` slots. The blocks are allocated first: a write to a hole
/// of a mapped file on a full disk would end the process with SIGBUS.
static int resize(uint32_t capacity) {
    size_t bytes = bytes_for(capacity);
    int error = posix_fallocate(table.descriptor, 0, (off_t)bytes);
    if (error != 0) {
        errno = error;
        return -1;
    }
    void *mapping = table.header == NULL
        ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, table.descriptor, 0)
        : mremap(table.header, table.mapped_bytes, bytes, MREMAP_MAYMOVE);
    if (mapping == MAP_FAILED) return -1;
    table.header = mapping;
    table.mapped_bytes = bytes;
    uint32_t *free_slots = realloc(table.free_slots, capacity * sizeof *free_slots);
    if (free_slots == NULL) return -1;
    table.free_slots = free_slots;
    return 0;
}

/// Puts the slots [from, to) on the free stack, lowest on top.
static void stack_free_slots(uint32_t from, uint32_t to) {
    for (uint32_t index = to; index > from; index--)
        if (table_state(index - 1) == SLOT_FREE) table.free_slots[table.free_count++] = index - 1;
}

int64_t table_claim(void) {
    if (table.free_count == 0) {
        uint32_t capacity = table_capacity();
        if (capacity >= SUANPAN_ATTEMPTS_MAX) {
            errno = ENOSPC;
            return -1;
        }
        if (resize(capacity * 2) < 0) return -1;
        atomic_store_explicit(&table.header->capacity, capacity * 2, memory_order_release);
        stack_free_slots(capacity, capacity * 2);
    }
    return table.free_slots[--table.free_count];
}

void table_free(uint32_t index) {
    table_set_state(index, SLOT_FREE);
    table.free_slots[table.free_count++] = index;
}

// MARK: - Opening

/// The capacity of a readable table, or 0.
static uint32_t readable_capacity(void) {
    struct stat status;
    struct table_header header;
    if (fstat(table.descriptor, &status) < 0 || pread(table.descriptor, &header, sizeof header, 0) != sizeof header) return 0;
    uint32_t capacity = header.capacity;
    bool readable = memcmp(header.magic, table_magic, sizeof table_magic) == 0 && header.format == TABLE_FORMAT
        && header.slot_bytes == sizeof(struct slot) && capacity >= TABLE_CAPACITY_MIN && capacity <= SUANPAN_ATTEMPTS_MAX
        && (capacity & (capacity - 1)) == 0 && status.st_size >= (off_t)bytes_for(capacity);
    return readable ? capacity : 0;
}

static void read_boot_id(void) {
    int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor < 0 ? -1 : read(descriptor, table.boot_id, 36);
    if (length < 36) memset(table.boot_id, 0, sizeof table.boot_id);
    if (descriptor >= 0) close(descriptor);
}

static int open_file(void) {
    table.descriptor = open(SUANPAN_LAUNCHER_TABLE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (table.descriptor < 0) launcher_log("cannot open %s: %s", SUANPAN_LAUNCHER_TABLE, strerror(errno));
    return table.descriptor;
}

/// What a dead process may have torn is put right: lengths that are used as such, and strings without an end.
static void sanitise(void) {
    for (unsigned which = 0; which < TABLE_GROUP_DIRECTORIES; which++)
        table.header->group_directory[which][TABLE_GROUP_DIRECTORY_BYTES - 1] = 0;
    for (uint32_t index = 0; index < table_capacity(); index++) {
        struct slot *slot = table_slot(index);
        if (table_state(index) > SLOT_WAITING) table_set_state(index, SLOT_FREE);
        if (slot->note_bytes > SUANPAN_NOTE_BYTES_MAX) slot->note_bytes = 0;
    }
}

static int start_afresh(void) {
    if (resize(TABLE_CAPACITY_MIN) < 0) {
        launcher_log("cannot make %s: %s", SUANPAN_LAUNCHER_TABLE, strerror(errno));
        return -1;
    }
    // The magic is written last: a file without it is no table and is replaced by the next launcher.
    struct table_header *header = table.header;
    header->format = TABLE_FORMAT;
    header->slot_bytes = sizeof(struct slot);
    memcpy(header->boot_id, table.boot_id, sizeof header->boot_id);
    atomic_store_explicit(&header->capacity, TABLE_CAPACITY_MIN, memory_order_release);
    memcpy(header->magic, table_magic, sizeof table_magic);
    table.of_this_boot = true;
    stack_free_slots(0, TABLE_CAPACITY_MIN);
    return 0;
}

int table_open(void) {
    read_boot_id();
    if (open_file() < 0) return -1;
    uint32_t capacity = readable_capacity();
    if (capacity == 0) {
        struct stat status;
        if (fstat(table.descriptor, &status) == 0 && status.st_size > 0) {
            launcher_log("%s is not readable as a table of this version; put aside as %s.bad", SUANPAN_LAUNCHER_TABLE,
                SUANPAN_LAUNCHER_TABLE);
            (void)rename(SUANPAN_LAUNCHER_TABLE, SUANPAN_LAUNCHER_TABLE ".bad");
            close(table.descriptor);
            if (open_file() < 0) return -1;
        }
        return start_afresh();
    }
    if (resize(capacity) < 0) {
        launcher_log("cannot map %s: %s", SUANPAN_LAUNCHER_TABLE, strerror(errno));
        return -1;
    }
    sanitise();
    table.of_this_boot = memcmp(table.header->boot_id, table.boot_id, sizeof table.boot_id) == 0;
    memcpy(table.header->boot_id, table.boot_id, sizeof table.boot_id);
    stack_free_slots(0, capacity);
    return 0;
}
