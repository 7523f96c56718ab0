// The packets between an agent and its launcher, shared by C and Swift. Protocols/launcher.md is the specification.
//
// Both ends run on one machine, so fields are in the machine's byte order. Every structure is laid out without hidden
// padding and its size is asserted; every record starts on a multiple of eight bytes.
#pragma once

#include <stdint.h>

#define SUANPAN_LAUNCHER_VERSION 3u
#define SUANPAN_LAUNCHER_SOCKET "launcher.sock"
#define SUANPAN_LAUNCHER_LOCK "launcher.lock"
#define SUANPAN_LAUNCHER_TABLE "attempts.table"
#define SUANPAN_LAUNCHER_OUTPUT "output"

/// One packet, headers included. Below the default socket buffer of Linux, so that a packet never fails with EMSGSIZE.
#define SUANPAN_PACKET_BYTES_MAX 131072u
#define SUANPAN_NOTE_BYTES_MAX 512u
#define SUANPAN_PROCESSORS_BYTES_MAX 256u
/// Thousandths of a core in one START; more than any machine has, little enough to count with.
#define SUANPAN_CPU_MILLI_MAX ((int64_t)1 << 40)
/// Slots of the attempt table: running attempts and ended ones not yet released.
#define SUANPAN_ATTEMPTS_MAX 65536u

// Exit statuses of the launcher program, after sysexits(3).
enum {
    SUANPAN_LAUNCHER_EXIT_USAGE = 64,
    SUANPAN_LAUNCHER_EXIT_SYSTEM = 71,
    /// Another launcher holds the run directory.
    SUANPAN_LAUNCHER_EXIT_TAKEN = 75,
};

/// Commands count from 1, events from 129.
enum suanpan_record_kind {
    SUANPAN_HELLO = 1,
    SUANPAN_START = 2,
    SUANPAN_SIGNAL = 3,
    SUANPAN_RELEASE = 4,
    SUANPAN_ACK_OUTPUT = 5,
    SUANPAN_SHUTDOWN_IF_IDLE = 6,
    SUANPAN_WITHDRAW = 7,
    SUANPAN_HOLD_LEASE = 8,

    SUANPAN_WELCOME = 129,
    SUANPAN_KNOWN = 130,
    SUANPAN_LISTED = 131,
    SUANPAN_STARTED = 132,
    SUANPAN_ENDED = 133,
    SUANPAN_OUTPUT_GREW = 134,
    SUANPAN_REFUSED = 135,
    SUANPAN_GOODBYE = 136,
};

/// How the launcher contains the processes of an attempt.
enum suanpan_isolation_mode {
    SUANPAN_MODE_CGROUP2 = 1,
    SUANPAN_MODE_CGROUP1 = 2,
    SUANPAN_MODE_SUBREAPER = 3,
};

/// Which limits of an order bind.
enum suanpan_limit {
    SUANPAN_LIMIT_MEMORY = 1,
    SUANPAN_LIMIT_CPU = 2,
};

enum suanpan_manner {
    SUANPAN_MANNER_EXITED = 1,
    SUANPAN_MANNER_SIGNALLED = 2,
    SUANPAN_MANNER_OUT_OF_MEMORY = 3,
    SUANPAN_MANNER_NOT_FOUND = 4,
    SUANPAN_MANNER_CANNOT_EXECUTE = 5,
    SUANPAN_MANNER_DRIVER_LOST = 6,
    /// It waited in its lane and was withdrawn, or its launcher ended: no process was ever made.
    SUANPAN_MANNER_NOT_STARTED = 7,
    /// Nobody held the lease any longer: it was killed, or never started.
    SUANPAN_MANNER_LEASE_ENDED = 8,
};

/// What was being done when a start failed; part of SUANPAN_MANNER_CANNOT_EXECUTE.
enum suanpan_step {
    SUANPAN_STEP_NONE = 0,
    SUANPAN_STEP_STOPPING = 1,
    SUANPAN_STEP_PIPES = 2,
    SUANPAN_STEP_GROUP = 3,
    SUANPAN_STEP_LIMITS = 4,
    SUANPAN_STEP_CLONE = 5,
    SUANPAN_STEP_JOIN_GROUP = 6,
    SUANPAN_STEP_SESSION = 7,
    SUANPAN_STEP_OUTPUT = 8,
    SUANPAN_STEP_USER = 9,
    SUANPAN_STEP_WORK_DIRECTORY = 10,
    SUANPAN_STEP_EXECUTE = 11,
    SUANPAN_STEP_PROCESSORS = 12,
};

enum suanpan_stream {
    SUANPAN_STDOUT = 1,
    SUANPAN_STDERR = 2,
};

enum suanpan_end_flag {
    /// A write of output failed (a full disk, say); what followed was counted as dropped.
    SUANPAN_END_OUTPUT_LOST = 1,
    /// Processes of the attempt outlived its first process and were killed.
    SUANPAN_END_LEFT_OVERS_KILLED = 2,
};

enum suanpan_refusal {
    /// The fence of a START is below one already seen for the attempt.
    SUANPAN_REFUSED_FENCE = 1,
    /// The attempt table holds SUANPAN_ATTEMPTS_MAX attempts, or cannot grow.
    SUANPAN_REFUSED_TABLE = 2,
};

enum suanpan_goodbye {
    /// A newer connection took this one's place.
    SUANPAN_GOODBYE_REPLACED = 1,
    /// The launcher exits on request; nothing runs.
    SUANPAN_GOODBYE_IDLE = 2,
};

struct suanpan_packet_header {
    uint16_t version;
    uint16_t records;
    uint32_t length;  // of the whole packet
};

struct suanpan_record_header {
    uint16_t kind;
    uint16_t detail;  // START: bytes of its bitmap of processors, 0 for any; a launcher before them ignores it. Else 0
    uint32_t length;  // of the whole record, a multiple of 8
};

struct suanpan_attempt {
    uint64_t job;
    uint32_t index;
    uint32_t number;
};

/// How an attempt ended. Times are CLOCK_BOOTTIME nanoseconds.
struct suanpan_end {
    uint32_t manner;
    int32_t value;  // exit code, signal or errno, by manner
    uint32_t step;
    uint32_t flags;
    int64_t started_ns;
    int64_t ended_ns;
    int64_t cpu_ns;
    int64_t memory_peak_bytes;
    int64_t kept_bytes[2];  // bytes of stdout and stderr that can be read
    int64_t dropped_bytes;  // beyond the limit or not writable, both streams
};

// Commands.

struct suanpan_hello {
    struct suanpan_record_header header;
};

/// Followed by: the work directory, `argument_count` arguments, `environment_count` entries, each with its NUL and
/// `strings_bytes` together; then `note_bytes` of note; then `header.detail` bytes of a bitmap of processors, the lowest
/// first; then zeros up to a multiple of 8.
struct suanpan_start {
    struct suanpan_record_header header;
    struct suanpan_attempt attempt;
    uint64_t fence;
    uint64_t lane;               // attempts with the same number run one after the other, in the order of their STARTs
    int64_t cpu_milli;           // 0: not limited
    int64_t memory_bytes;        // 0: not limited
    int64_t output_limit_bytes;  // of each stream
    uint32_t user_id;
    uint32_t group_id;
    uint32_t argument_count;
    uint32_t environment_count;
    uint32_t strings_bytes;
    uint32_t note_bytes;
    uint32_t make_directory;  // 1: make the work directory when it is missing, and give it to the user
    uint32_t depends_on_lease;  // 1: it must not run beyond the instant of the last HOLD_LEASE
};

struct suanpan_hold_lease {
    struct suanpan_record_header header;
    int64_t until_ns;  // CLOCK_BOOTTIME
};

struct suanpan_signal {
    struct suanpan_record_header header;
    struct suanpan_attempt attempt;
    int32_t signal;
    uint32_t reserved;
};

/// RELEASE and WITHDRAW. Followed by `count` attempts.
struct suanpan_attempt_list {
    struct suanpan_record_header header;
    uint32_t count;
    uint32_t reserved;
};

struct suanpan_ack_output {
    struct suanpan_record_header header;
    struct suanpan_attempt attempt;
    uint32_t stream;
    uint32_t reserved;
};

struct suanpan_shutdown_if_idle {
    struct suanpan_record_header header;
};

// Events.

struct suanpan_welcome {
    struct suanpan_record_header header;
    uint32_t mode;
    uint32_t limits;
    int32_t process_id;
    uint32_t reserved;
};

/// Followed by `note_bytes` of note and zeros up to a multiple of 8. While the attempt runs `end.manner` is 0; while it
/// waits `process_id` is too.
struct suanpan_known {
    struct suanpan_record_header header;
    struct suanpan_attempt attempt;
    uint64_t fence;
    uint64_t lane;
    int32_t process_id;
    uint32_t note_bytes;
    struct suanpan_end end;
};

struct suanpan_listed {
    struct suanpan_record_header header;
};

struct suanpan_started {
    struct suanpan_record_header header;
    struct suanpan_attempt attempt;
    int32_t process_id;
    uint32_t reserved;
    int64_t at_ns;
};

struct suanpan_ended {
    struct suanpan_record_header header;
    struct suanpan_attempt attempt;
    struct suanpan_end end;
};

struct suanpan_output_grew {
    struct suanpan_record_header header;
    struct suanpan_attempt attempt;
    uint32_t stream;
    uint32_t reserved;
    int64_t total_bytes;
};

struct suanpan_refused {
    struct suanpan_record_header header;
    struct suanpan_attempt attempt;
    uint64_t fence;
    uint32_t reason;
    int32_t error;
};

struct suanpan_goodbye_record {
    struct suanpan_record_header header;
    uint32_t reason;
    uint32_t reserved;
};

_Static_assert(sizeof(struct suanpan_packet_header) == 8, "layout");
_Static_assert(sizeof(struct suanpan_record_header) == 8, "layout");
_Static_assert(sizeof(struct suanpan_attempt) == 16, "layout");
_Static_assert(sizeof(struct suanpan_end) == 72, "layout");
_Static_assert(sizeof(struct suanpan_start) == 96, "layout");
_Static_assert(sizeof(struct suanpan_hold_lease) == 16, "layout");
_Static_assert(sizeof(struct suanpan_signal) == 32, "layout");
_Static_assert(sizeof(struct suanpan_attempt_list) == 16, "layout");
_Static_assert(sizeof(struct suanpan_ack_output) == 32, "layout");
_Static_assert(sizeof(struct suanpan_welcome) == 24, "layout");
_Static_assert(sizeof(struct suanpan_known) == 120, "layout");
_Static_assert(sizeof(struct suanpan_started) == 40, "layout");
_Static_assert(sizeof(struct suanpan_ended) == 96, "layout");
_Static_assert(sizeof(struct suanpan_output_grew) == 40, "layout");
_Static_assert(sizeof(struct suanpan_refused) == 40, "layout");
_Static_assert(sizeof(struct suanpan_goodbye_record) == 16, "layout");
