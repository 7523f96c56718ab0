// LD_PRELOAD shim of the fault tests: a wall clock that is wrong, and a disk whose synchronisation fails. SUANPAN_SHIM names a file of
// two 64-bit numbers that the test changes while the daemon runs: nanoseconds to add to the wall clock, and how many of the next
// fsync and fdatasync calls fail with EIO.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *controls(void) {
    static volatile int64_t *mapped;
    static int64_t none[2];
    if (mapped) return mapped;
    const char *path = getenv("SUANPAN_SHIM");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *memory = file >= 0 ? mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    if (file >= 0) close(file);
    mapped = memory == MAP_FAILED ? none : memory;
    return mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t nanoseconds = now->tv_nsec + controls()[0] % 1000000000;
        now->tv_sec += controls()[0] / 1000000000 + nanoseconds / 1000000000 - (nanoseconds < 0);
        now->tv_nsec = nanoseconds < 0 ? nanoseconds + 1000000000 : nanoseconds % 1000000000;
    }
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (result) *result = precise.tv_sec;
    return precise.tv_sec;
}

static int fails(void) {
    if (controls()[1] <= 0) return 0;
    if (__sync_fetch_and_sub(&controls()[1], 1) <= 0) return 0;
    errno = EIO;
    return 1;
}

int fsync(int descriptor) {
    return fails() ? -1 : ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(descriptor);
}

int fdatasync(int descriptor) {
    return fails() ? -1 : ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(descriptor);
}
