#define _GNU_SOURCE
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempt_state.h"
#include "connection.h"
#include "launcher.h"
#include "spawn.h"

enum {
    HANDOVER_BYTES_MAX = 1 << 30,
    /// How long the next program may take to say that it can; jobs wait for their turn meanwhile.
    ANSWER_MS = 2000,
};

static const char handover_magic[8] = {'S', 'U', 'A', 'N', 'P', 'A', 'N', 'h'};

// MARK: - Reading

void handover_free(struct handover *handover) {
    free(handover->records);
    handover->records = NULL;
}

bool handover_read(int descriptor, struct handover *handover) {
    struct stat status;
    uint8_t *bytes = NULL;
    memset(handover, 0, sizeof *handover);
    if (fstat(descriptor, &status) < 0 || status.st_size < (off_t)offsetof(struct handover_header, places) || status.st_size > HANDOVER_BYTES_MAX)
        goto malformed;
    size_t length = (size_t)status.st_size;
    bytes = malloc(length);
    if (bytes == NULL || pread(descriptor, bytes, length, 0) != (ssize_t)length) goto malformed;
    uint32_t header_bytes = ((const struct handover_header *)(const void *)bytes)->header_bytes;
    if (header_bytes < offsetof(struct handover_header, places) || header_bytes > length || header_bytes % 8 != 0) goto malformed;
    memcpy(&handover->header, bytes, header_bytes < sizeof handover->header ? header_bytes : sizeof handover->header);
    if (memcmp(handover->header.magic, handover_magic, sizeof handover_magic) != 0 || handover->header.format > HANDOVER_FORMAT) goto malformed;
    handover->records_bytes = length - header_bytes;
    memmove(bytes, bytes + header_bytes, handover->records_bytes);
    handover->records = bytes;
    return true;
malformed:
    free(bytes);
    launcher_log("what the program before has written down cannot be read");
    return false;
}

bool handover_each(
    const struct handover *handover, bool (*body)(const struct handover_record *record, const uint8_t *order, void *argument), void *argument) {
    size_t at = 0;
    uint32_t known = handover->header.record_bytes;
    for (uint32_t which = 0; which < handover->header.count; which++) {
        struct handover_record record = {0};
        if (known % 8 != 0 || known > handover->records_bytes - at) return false;
        memcpy(&record, handover->records + at, known < sizeof record ? known : sizeof record);
        at += known;
        if (record.order_bytes % 8 != 0 || record.order_bytes > handover->records_bytes - at) return false;
        if (!body(&record, handover->records + at, argument)) return false;
        at += record.order_bytes;
    }
    return at == handover->records_bytes;
}

// MARK: - Handing over

static int inherit(int descriptor, bool inherited) {
    return fcntl(descriptor, F_SETFD, inherited ? 0 : FD_CLOEXEC);
}

/// The arguments, with an option before them, where even a `--` among them does not hide it. To be freed; NULL with no memory.
static char **arguments_after(const char *option, int value, char *const *arguments) {
    size_t count = 0;
    while (arguments[count] != NULL) count++;
    char **all = malloc((count + 3) * sizeof *all + 16);
    if (all == NULL) return NULL;
    char *text = (char *)(all + count + 3);
    snprintf(text, 16, "%d", value);
    all[0] = arguments[0];
    all[1] = (char *)option;
    all[2] = text;
    memcpy(all + 3, arguments + 1, count * sizeof *all);
    return all;
}

/// Whether the program at `path` can go on from here, with these arguments: it is asked while nothing is at stake yet.
static bool can_take_over(const char *path, char *const *arguments, bool *is_written) {
    char **asking = arguments_after("--takes-over", HANDOVER_FORMAT, arguments);
    char *environment[] = {NULL};
    // It starts with our blocked signals, and needs none.
    pid_t process;
    int error = asking == NULL ? ENOMEM : posix_spawn(&process, path, NULL, NULL, asking, environment);
    free(asking);
    *is_written = error == ETXTBSY;
    if (error != 0) {
        launcher_log("%s cannot be executed: %s", path, strerror(error));
        return false;
    }
    int64_t left_ms = attempts_lease_left_ns() / 1000000;
    int handle = (int)syscall(SYS_pidfd_open, process, 0), status = 0;
    struct pollfd waiting = {.fd = handle, .events = POLLIN};
    bool answered = handle >= 0 && poll(&waiting, 1, left_ms > ANSWER_MS ? ANSWER_MS : left_ms < 0 ? 0 : (int)left_ms) == 1;
    if (handle >= 0) close(handle);
    // One that does not answer may not die soon either: it is reaped like any other.
    if (!answered) kill(process, SIGKILL);
    else if (waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    launcher_log("%s does not take over from this program; it goes on as it is", path);
    return false;
}

/// The descriptor with everything written down, or -1 with errno.
static int write_down(int lock, bool stopping) {
    int descriptor = memfd_create("suanpan-handover", MFD_CLOEXEC);
    if (descriptor < 0) return -1;
    struct handover_header header = {
        .format = HANDOVER_FORMAT,
        .header_bytes = sizeof header,
        .record_bytes = sizeof(struct handover_record),
        .lock = lock,
        .listener = connection_listener(),
        .stopping = stopping,
        .lease_until_ns = attempts.lease_until_ns,
        .child_file_limit = spawn_child_file_limit(),
        .places = group_hand_over(),
    };
    memcpy(header.magic, handover_magic, sizeof header.magic);
    bool written = lseek(descriptor, sizeof header, SEEK_SET) >= 0 && attempts_hand_over(descriptor, &header.count) == 0
        && pwrite(descriptor, &header, sizeof header, 0) == sizeof header;
    bool fits = written && lseek(descriptor, 0, SEEK_CUR) <= HANDOVER_BYTES_MAX;
    if (!fits) {
        int error = written ? EFBIG : errno;
        close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}

bool handover_execute(const char *path, char *const *arguments, int lock, bool stopping) {
    bool is_written;
    if (!can_take_over(path, arguments, &is_written)) return is_written;
    group_empty_pool();
    int descriptor = write_down(lock, stopping);
    if (descriptor < 0) {
        launcher_log("cannot write down what runs: %s", strerror(errno));
        return false;
    }
    char **next = arguments_after("--take-over", descriptor, arguments);
    if (next == NULL) {
        launcher_log("no memory for the arguments of %s", path);
        close(descriptor);
        return false;
    }
    // The agent connects again and hears everything from the next program.
    connection_drop("this program is replaced");
    int kept[] = {descriptor, lock, connection_listener()};
    for (size_t which = 0; which < sizeof kept / sizeof *kept; which++) (void)inherit(kept[which], true);
    attempts_inherit(true);
    launcher_log("becoming %s", path);
    (void)execv(path, next);
    launcher_log("cannot execute %s: %s", path, strerror(errno));
    free(next);
    attempts_inherit(false);
    for (size_t which = 0; which < sizeof kept / sizeof *kept; which++) (void)inherit(kept[which], false);
    close(descriptor);
    return false;
}
