#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "CLinuxShim.h"
#include "attempt.h"
#include "launcher.h"
#include "spawn.h"

enum {
    EVENT_BYTES = 32768,  // of a packet of events
    PACKETS_PER_TURN = 16,
    REFUSALS_MAX = 64,
};

struct refusal {
    struct suanpan_attempt attempt;
    uint64_t fence;
    uint32_t reason;
    int32_t error;
};

/// What lies behind a packet in its buffer is nobody's: built with the address sanitizer, a look at it ends the program.
static void mark_readable(const void *from, size_t length, bool readable) {
#ifdef __SANITIZE_ADDRESS__
    extern void __asan_poison_memory_region(const volatile void *, size_t), __asan_unpoison_memory_region(const volatile void *, size_t);
    (readable ? __asan_unpoison_memory_region : __asan_poison_memory_region)(from, length);
#endif
    (void)from, (void)length, (void)readable;
}

static int listener = -1;

static struct {
    int descriptor;
    bool greeted;           // HELLO was received: the agent wants events
    bool waits_for_room;    // EPOLLOUT is asked for
    int64_t list_position;  // the next slot to list; -1 when the listing is complete
    bool welcome_due;

    // A received packet, worked off record by record over several turns.
    _Alignas(8) uint8_t in[SUANPAN_PACKET_BYTES_MAX];
    size_t in_at, in_end;

    // A packet of events being made, or made and not yet sent.
    _Alignas(8) uint8_t out[EVENT_BYTES];
    size_t out_end;
    uint16_t out_records;

    // Refusals have no slot to derive them from. When there is no room the connection ends, and the listing that
    // follows the next one tells the agent what is not there.
    struct refusal refusals[REFUSALS_MAX];
    unsigned refusal_count;
} connection = {.descriptor = -1};

bool connection_is_open(void) {
    return connection.descriptor >= 0;
}

static void drop(const char *reason) {
    if (connection.descriptor < 0) return;
    if (reason != NULL) launcher_log("connection dropped: %s", reason);
    close(connection.descriptor);
    connection.descriptor = -1;
    connection.in_at = connection.in_end = connection.out_end = 0;
}

// MARK: - Listening

int connection_listener(void) {
    return listener;
}

void connection_drop(const char *reason) {
    drop(reason);
}

int connection_setup(int inherited) {
    if (inherited >= 0) {
        listener = inherited;
        if (fcntl(listener, F_SETFD, FD_CLOEXEC) == 0 && launcher_watch(listener, WATCH_LISTENER, 0, EPOLLIN) == 0) return 0;
        launcher_log("cannot go on listening: %s", strerror(errno));
        return -1;
    }
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    // A relative name: the run directory is the current one, however long its path is. The lock is ours, so a socket
    // that lies there is a dead launcher's.
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SUANPAN_LAUNCHER_SOCKET};
    (void)unlink(SUANPAN_LAUNCHER_SOCKET);
    mode_t mask = umask(0177);
    int result = listener < 0 ? -1 : bind(listener, (struct sockaddr *)&address, sizeof address);
    (void)umask(mask);
    if (result == 0) result = listen(listener, 8);
    if (result == 0) result = launcher_watch(listener, WATCH_LISTENER, 0, EPOLLIN);
    if (result < 0) launcher_log("cannot listen on %s: %s", SUANPAN_LAUNCHER_SOCKET, strerror(errno));
    return result;
}

static void say_goodbye(uint32_t reason) {
    struct {
        struct suanpan_packet_header packet;
        struct suanpan_goodbye_record record;
    } goodbye = {
        .packet = {SUANPAN_LAUNCHER_VERSION, 1, sizeof goodbye},
        .record = {.header = {SUANPAN_GOODBYE, 0, sizeof goodbye.record}, .reason = reason},
    };
    // Best effort: the hang-up says the essential.
    if (connection.descriptor >= 0) (void)suanpan_seqpacket_send(connection.descriptor, &goodbye, sizeof goodbye);
}

void connection_accept(void) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0 && errno == EMFILE) {
        // Not to be left waiting: a listener that is ready would wake the loop for ever.
        spawn_use_last_files(true);
        descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        spawn_use_last_files(false);
    }
    if (descriptor < 0) return;
    if (suanpan_peer_user(descriptor) != (int64_t)geteuid()) {
        launcher_log("connection of another user refused");
        close(descriptor);
        return;
    }
    if (connection.descriptor >= 0) {
        say_goodbye(SUANPAN_GOODBYE_REPLACED);
        drop("a newer one takes its place");
    }
    if (launcher_watch(descriptor, WATCH_CONNECTION, 0, EPOLLIN) < 0) {
        close(descriptor);
        return;
    }
    connection.descriptor = descriptor;
    connection.greeted = connection.waits_for_room = connection.welcome_due = false;
    connection.list_position = -1;
    connection.out_records = 0;
    connection.refusal_count = 0;
    // An agent of a new release meets the launcher of the one before; that becomes its own first.
    if (launcher_is_replaced()) launcher_request_upgrade();
}

void connection_teardown(void) {
    say_goodbye(SUANPAN_GOODBYE_IDLE);
    drop(NULL);
    if (listener >= 0) (void)unlink(SUANPAN_LAUNCHER_SOCKET);
}

// MARK: - Events

/// Room for a record of `length` bytes, zeroed, with its header; NULL when this packet is full.
static void *append(uint16_t kind, size_t length) {
    size_t padded = (length + 7) & ~(size_t)7;
    if (connection.out_end == 0) connection.out_end = sizeof(struct suanpan_packet_header);
    if (connection.out_end + padded > sizeof connection.out) return NULL;
    struct suanpan_record_header *header = (void *)(connection.out + connection.out_end);
    memset(header, 0, padded);
    header->kind = kind;
    header->length = (uint32_t)padded;
    connection.out_end += padded;
    connection.out_records++;
    return header;
}

static bool append_welcome(void) {
    struct suanpan_welcome *welcome = append(SUANPAN_WELCOME, sizeof *welcome);
    if (welcome == NULL) return false;
    welcome->mode = group_mode();
    welcome->limits = group_limits();
    welcome->process_id = getpid();
    connection.welcome_due = false;
    return true;
}

/// Lists slots until the packet is full; true when all have been listed.
static bool append_listing(void) {
    for (; connection.list_position < table_capacity(); connection.list_position++) {
        uint32_t index = (uint32_t)connection.list_position;
        enum slot_state state = table_state(index);
        if (state == SLOT_FREE) continue;
        const struct slot *slot = table_slot(index);
        struct suanpan_known *known = append(SUANPAN_KNOWN, sizeof *known + slot->note_bytes);
        if (known == NULL) return false;
        known->attempt = slot->attempt;
        known->fence = slot->fence;
        known->lane = slot->lane;
        known->process_id = slot->process_id;
        known->note_bytes = slot->note_bytes;
        known->end = slot->end;
        memcpy(known + 1, slot->note, slot->note_bytes);
        struct attempt *attempt = attempt_at(index);
        attempt->told = state == SLOT_ENDED ? TOLD_ENDED : state == SLOT_WAITING ? TOLD_NOTHING : TOLD_STARTED;
        if (state == SLOT_RUNNING) attempt_mark_dirty(index, NOTICE_NOW);  // for its output
    }
    if (append(SUANPAN_LISTED, sizeof(struct suanpan_listed)) == NULL) return false;
    connection.list_position = -1;
    return true;
}

static bool append_refusals(void) {
    while (connection.refusal_count > 0) {
        struct suanpan_refused *refused = append(SUANPAN_REFUSED, sizeof *refused);
        if (refused == NULL) return false;
        const struct refusal *refusal = &connection.refusals[--connection.refusal_count];
        refused->attempt = refusal->attempt;
        refused->fence = refusal->fence;
        refused->reason = refusal->reason;
        refused->error = refusal->error;
    }
    return true;
}

static bool append_output_notices(uint32_t index) {
    const struct slot *slot = table_slot(index);
    for (uint32_t stream = 0; stream < 2; stream++) {
        struct attempt_stream *state = &attempt_at(index)->streams[stream];
        int64_t total = slot->end.kept_bytes[stream];
        if (state->notice_outstanding || total <= state->noticed_bytes) continue;
        struct suanpan_output_grew *grew = append(SUANPAN_OUTPUT_GREW, sizeof *grew);
        if (grew == NULL) return false;
        grew->attempt = slot->attempt;
        grew->stream = stream + 1;
        grew->total_bytes = total;
        state->noticed_bytes = total;
        state->notice_outstanding = true;
    }
    return true;
}

/// What the agent has not yet been told of one attempt; false when the packet is full first.
static bool append_attempt(uint32_t index) {
    struct attempt *attempt = attempt_at(index);
    const struct slot *slot = table_slot(index);
    bool ended = table_state(index) == SLOT_ENDED;
    if (attempt->told < TOLD_STARTED && slot->process_id > 0) {
        struct suanpan_started *started = append(SUANPAN_STARTED, sizeof *started);
        if (started == NULL) return false;
        started->attempt = slot->attempt;
        started->process_id = slot->process_id;
        started->at_ns = slot->end.started_ns;
        attempt->told = TOLD_STARTED;
    }
    if (!ended) return append_output_notices(index);
    if (attempt->told < TOLD_ENDED) {
        struct suanpan_ended *event = append(SUANPAN_ENDED, sizeof *event);
        if (event == NULL) return false;
        event->attempt = slot->attempt;
        event->end = slot->end;
        attempt->told = TOLD_ENDED;
    }
    return true;
}

/// Fills the packet with what there is to tell.
static void make_packet(void) {
    if (connection.welcome_due && !append_welcome()) return;
    if (connection.list_position >= 0 && !append_listing()) return;
    if (!append_refusals()) return;
    for (int32_t index; (index = attempt_first_dirty()) != ATTEMPT_NONE; attempt_pop_dirty())
        if (!append_attempt((uint32_t)index)) return;
}

static void send_events(void) {
    while (connection.descriptor >= 0 && connection.greeted) {
        if (connection.out_records == 0) {
            int64_t delay = attempts_notice_delay();
            if (delay > 0 && !connection.welcome_due && connection.list_position < 0 && connection.refusal_count == 0) {
                launcher_within(delay);
                break;
            }
            connection.out_end = 0;
            make_packet();
            if (connection.out_records == 0) {
                connection.out_end = 0;
                break;
            }
            struct suanpan_packet_header *header = (void *)connection.out;
            *header = (struct suanpan_packet_header){SUANPAN_LAUNCHER_VERSION, connection.out_records, (uint32_t)connection.out_end};
        }
        ssize_t sent = suanpan_seqpacket_send(connection.descriptor, connection.out, connection.out_end);
        if (sent == -EAGAIN) {
            if (!connection.waits_for_room) (void)launcher_rewatch(connection.descriptor, WATCH_CONNECTION, 0, EPOLLIN | EPOLLOUT);
            connection.waits_for_room = true;
            return;
        }
        if (sent < 0) {
            drop(sent == -EPIPE || sent == -ECONNRESET ? NULL : strerror((int)-sent));
            return;
        }
        connection.out_records = 0;
    }
    if (connection.waits_for_room && connection.descriptor >= 0) {
        (void)launcher_rewatch(connection.descriptor, WATCH_CONNECTION, 0, EPOLLIN);
        connection.waits_for_room = false;
    }
}

// MARK: - Commands

static void refuse(const struct suanpan_start *order, uint32_t reason, int error) {
    if (connection.refusal_count == REFUSALS_MAX) {
        drop("more refusals than there is room for");
        return;
    }
    connection.refusals[connection.refusal_count++] = (struct refusal){order->attempt, order->fence, reason, error};
}

static bool for_each(const struct suanpan_attempt_list *list, size_t length, void (*act)(const struct suanpan_attempt *)) {
    if (length < sizeof *list || list->count > (length - sizeof *list) / sizeof(struct suanpan_attempt)) return false;
    const struct suanpan_attempt *names = (const void *)(list + 1);
    for (uint32_t which = 0; which < list->count; which++) act(&names[which]);
    return true;
}

/// False when the record is malformed.
static bool handle(const struct suanpan_record_header *header) {
    size_t length = header->length;
    switch (header->kind) {
    case SUANPAN_HELLO:
        connection.greeted = connection.welcome_due = true;
        connection.list_position = 0;
        attempts_forget_told();
        return true;
    case SUANPAN_START: {
        struct start_request request;
        const struct suanpan_start *order = (const void *)header;
        if (!start_request_read(order, length, &request)) return false;
        int refusal = attempt_start(&request);
        if (refusal != 0) refuse(order, (uint32_t)refusal, errno);
        return true;
    }
    case SUANPAN_SIGNAL: {
        const struct suanpan_signal *order = (const void *)header;
        if (length < sizeof *order || order->signal < 1 || order->signal > 64) return false;
        attempt_signal(&order->attempt, order->signal);
        return true;
    }
    case SUANPAN_RELEASE: return for_each((const void *)header, length, attempt_release);
    case SUANPAN_WITHDRAW: return for_each((const void *)header, length, attempt_withdraw);
    case SUANPAN_ACK_OUTPUT: {
        const struct suanpan_ack_output *order = (const void *)header;
        if (length < sizeof *order) return false;
        attempt_acknowledge_output(&order->attempt, order->stream);
        return true;
    }
    case SUANPAN_HOLD_LEASE: {
        const struct suanpan_hold_lease *order = (const void *)header;
        if (length < sizeof *order) return false;
        attempts_hold_lease(order->until_ns);
        return true;
    }
    case SUANPAN_SHUTDOWN_IF_IDLE:
        launcher_request_exit(false);
        return true;
    default: return false;
    }
}

/// Works off the received packet; false when it has more than one turn may take.
static bool work_off_packet(void) {
    int starts = 0;
    while (connection.in_at < connection.in_end) {
        const struct suanpan_record_header *header = (const void *)(connection.in + connection.in_at);
        size_t left = connection.in_end - connection.in_at;
        if (left < sizeof *header || header->length < sizeof *header || header->length > left || header->length % 8 != 0) {
            drop("malformed packet");
            return true;
        }
        if (header->kind == SUANPAN_START && starts++ == STARTS_PER_TURN) return false;
        connection.in_at += header->length;
        if (!handle(header)) drop("malformed command");
        if (connection.descriptor < 0) return true;
    }
    return true;
}

/// False when no packet waits or the connection is gone.
static bool receive_packet(void) {
    mark_readable(connection.in, sizeof connection.in, true);
    ssize_t length = suanpan_seqpacket_receive(connection.descriptor, connection.in, sizeof connection.in);
    if (length == -EAGAIN) return false;
    if (length <= 0) {
        drop(NULL);
        return false;
    }
    const struct suanpan_packet_header *header = (const void *)connection.in;
    if ((size_t)length < sizeof *header || (size_t)length > sizeof connection.in || header->length != (size_t)length) {
        drop("malformed packet");
        return false;
    }
    if (header->version != SUANPAN_LAUNCHER_VERSION) {
        drop("another version of the protocol");
        return false;
    }
    // Up to the next multiple of 8: the sanitizer counts in those.
    size_t end = ((size_t)length + 7) & ~(size_t)7;
    mark_readable(connection.in + end, sizeof connection.in - end, false);
    connection.in_at = sizeof *header;
    connection.in_end = (size_t)length;
    return true;
}

void connection_ready(uint32_t epoll_events) {
    if ((epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return;
    for (int packets = 0; packets < PACKETS_PER_TURN && connection.descriptor >= 0; packets++) {
        // One packet at a time: the next stays in the socket, and a sender that is too fast finds it full.
        if (!work_off_packet()) break;
        if (connection.descriptor < 0 || !receive_packet()) return;
    }
    launcher_again();
}

void connection_turn(void) {
    if (connection.descriptor < 0) return;
    if (connection.in_at < connection.in_end && !work_off_packet()) launcher_again();
    send_events();
}
