#define _GNU_SOURCE
#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attempt.h"
#include "launcher.h"

enum {
    /// Read of one stream in one turn of the loop: no chatty attempt starves the others.
    OUTPUT_TURN_BYTES = 65536,
    /// The largest pipe an unprivileged process can ask for, in turns, and one: an end to the last drain even when a
    /// process outside the group holds the pipe and goes on writing.
    OUTPUT_LAST_TURNS = 17,
};

static int output_directory = -1;

static void file_name(char name[64], const struct suanpan_attempt *attempt, int stream) {
    snprintf(name, 64, "%" PRIu64 ".%" PRIu32 ".%" PRIu32 ".%s", attempt->job, attempt->index, attempt->number,
        stream == 0 ? "out" : "err");
}

static void remove_strays(void) {
    int listing = openat(output_directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = listing < 0 ? NULL : fdopendir(listing);
    if (stream == NULL) return;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        struct suanpan_attempt attempt = {0};
        char suffix[4] = "";
        int fields = sscanf(entry->d_name, "%" SCNu64 ".%" SCNu32 ".%" SCNu32 ".%3s", &attempt.job, &attempt.index,
            &attempt.number, suffix);
        if (fields != 4) continue;
        if (attempt_find(&attempt) == ATTEMPT_NONE) (void)unlinkat(output_directory, entry->d_name, 0);
    }
    closedir(stream);
}

int output_setup(void) {
    if (mkdir(SUANPAN_LAUNCHER_OUTPUT, 0700) < 0 && errno != EEXIST) goto failed;
    output_directory = open(SUANPAN_LAUNCHER_OUTPUT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (output_directory < 0) goto failed;
    remove_strays();
    return 0;
failed:
    launcher_log("cannot use the directory %s: %s", SUANPAN_LAUNCHER_OUTPUT, strerror(errno));
    return -1;
}

// MARK: - Pipes

static void close_stream(struct attempt_stream *stream) {
    if (stream->read_end >= 0) close(stream->read_end);
    if (stream->write_end >= 0) close(stream->write_end);
    if (stream->file >= 0) close(stream->file);
    stream->read_end = stream->write_end = stream->file = -1;
}

static int open_stream(struct attempt_stream *stream, uid_t user, gid_t group) {
    int ends[2];
    *stream = (struct attempt_stream){.read_end = -1, .write_end = -1, .file = -1};
    if (pipe2(ends, O_CLOEXEC) < 0) return -1;
    stream->read_end = ends[0];
    stream->write_end = ends[1];
    // Only our end: the program expects a stream that blocks.
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) return -1;
    return user != geteuid() ? fchown(ends[1], user, group) : 0;
}

int output_open(uint32_t index, uid_t user, gid_t group) {
    struct attempt_stream *streams = attempt_at(index)->streams;
    streams[1].read_end = streams[1].write_end = streams[1].file = -1;
    if (open_stream(&streams[0], user, group) == 0 && open_stream(&streams[1], user, group) == 0) return 0;
    int error = errno;
    close_stream(&streams[0]);
    close_stream(&streams[1]);
    errno = error;
    return -1;
}

void output_watch(uint32_t index) {
    const struct attempt_stream *streams = attempt_at(index)->streams;
    for (int stream = 0; stream < 2; stream++)
        if (launcher_watch(streams[stream].read_end, stream == 0 ? WATCH_STDOUT : WATCH_STDERR, index, EPOLLIN) < 0)
            launcher_log("cannot watch a pipe; its output is read at the end: %s", strerror(errno));
}

// MARK: - Keeping

/// Writes to the stream's file as much as goes; the number of bytes kept.
static size_t keep(uint32_t index, int stream, const char *bytes, size_t length) {
    struct slot *slot = table_slot(index);
    struct attempt_stream *state = &attempt_at(index)->streams[stream];
    if (state->broken) return 0;
    if (state->file < 0) {
        char name[64];
        file_name(name, &slot->attempt, stream);
        slot->output_files |= 1u << stream;
        state->file = openat(output_directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    size_t kept = 0;
    while (state->file >= 0 && kept < length) {
        ssize_t written = write(state->file, bytes + kept, length - kept);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) break;
        kept += (size_t)written;
    }
    if (kept < length) {
        state->broken = true;
        slot->end.flags |= SUANPAN_END_OUTPUT_LOST;
        launcher_log("output of attempt %" PRIu64 ".%" PRIu32 ".%" PRIu32 " is dropped from now on: %s", slot->attempt.job,
            slot->attempt.index, slot->attempt.number, strerror(errno));
    }
    return kept;
}

/// One read; false when the pipe was empty.
static bool drain_once(uint32_t index, int stream) {
    static char buffer[OUTPUT_TURN_BYTES];
    struct slot *slot = table_slot(index);
    struct attempt_stream *state = &attempt_at(index)->streams[stream];
    ssize_t length = read(state->read_end, buffer, sizeof buffer);
    if (length <= 0) return length < 0 && errno == EINTR;
    int64_t room = slot->output_limit_bytes - slot->end.kept_bytes[stream];
    size_t wanted = room <= 0 ? 0 : room < length ? (size_t)room : (size_t)length;
    size_t kept = wanted == 0 ? 0 : keep(index, stream, buffer, wanted);
    slot->end.kept_bytes[stream] += (int64_t)kept;
    slot->end.dropped_bytes += length - (ssize_t)kept;
    if (kept > 0 && !state->notice_outstanding) attempt_mark_dirty(index, NOTICE_NOW);
    return true;
}

void output_drain(uint32_t index, int stream) {
    if (attempt_at(index)->streams[stream].read_end >= 0) (void)drain_once(index, stream);
}

void output_finish(uint32_t index) {
    for (int stream = 0; stream < 2; stream++) {
        struct attempt_stream *state = &attempt_at(index)->streams[stream];
        if (state->read_end < 0) continue;
        for (int turn = 0; turn < OUTPUT_LAST_TURNS && drain_once(index, stream); turn++) continue;
        close_stream(state);
    }
}

void output_remove(uint32_t index) {
    struct slot *slot = table_slot(index);
    for (int stream = 0; stream < 2; stream++) {
        if ((slot->output_files & (1u << stream)) == 0) continue;
        char name[64];
        file_name(name, &slot->attempt, stream);
        (void)unlinkat(output_directory, name, 0);
    }
}

void output_recount(uint32_t index) {
    struct slot *slot = table_slot(index);
    for (int stream = 0; stream < 2; stream++) {
        char name[64];
        struct stat status;
        file_name(name, &slot->attempt, stream);
        if (fstatat(output_directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0) continue;
        slot->output_files |= 1u << stream;
        slot->end.kept_bytes[stream] = status.st_size;
    }
}
