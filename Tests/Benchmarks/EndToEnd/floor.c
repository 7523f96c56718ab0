// The floor of (a): posix_spawn and wait of /bin/true, `width` at a time. Prints tasks a second and CPU ms a task.
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static double cpu(int who) {
    struct rusage usage;
    getrusage(who, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 10000, width = argc > 2 ? atoi(argv[2]) : 2, started = 0, running = 0;
    char *arguments[] = {"/bin/true", NULL};
    double begin = seconds();
    while (started < count || running > 0) {
        while (started < count && running < width) {
            pid_t child;
            if (posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) != 0) return 1;
            started++;
            running++;
        }
        if (wait(NULL) > 0) running--;
    }
    double wall = seconds() - begin;
    printf("%.1f %.4f\n", count / wall, (cpu(RUSAGE_SELF) + cpu(RUSAGE_CHILDREN)) * 1000 / count);
    return 0;
}
