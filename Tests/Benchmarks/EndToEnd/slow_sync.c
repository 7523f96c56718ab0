// LD_PRELOAD shim of (d): every fsync and fdatasync takes SLOW_SYNC_US microseconds longer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_more(void) {
    const char *text = getenv("SLOW_SYNC_US");
    if (text) usleep(atoi(text));
}

int fsync(int descriptor) {
    wait_more();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(descriptor);
}

int fdatasync(int descriptor) {
    wait_more();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(descriptor);
}
