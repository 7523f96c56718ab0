// The floor of fleet.py: what libzmq itself costs. A ROUTER with CURVE and a ZAP handler that admits everybody; every message is
// answered with a frame as large as a welcome (an unknown field, which agents skip). Once `count` connections have been answered it
// prints the seconds since it began and its CPU seconds, and ends.
//
//   router SECRET-KEY-FILE ENDPOINT COUNT
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { SLOTS = 1 << 18 };
static uint32_t seen[SLOTS];

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static double cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// 1 for a routing id that was not there before; 0 is never one.
static int add(uint32_t id) {
    uint32_t slot = id * 2654435761u >> 14;
    while (seen[slot] != 0) {
        if (seen[slot] == id) return 0;
        slot = (slot + 1) % SLOTS;
    }
    seen[slot] = id;
    return 1;
}

static void *admit(void *context) {
    void *socket = zmq_socket(context, ZMQ_REP);
    zmq_bind(socket, "inproc://zeromq.zap.01");
    for (;;) {
        char request_id[64], rest[256];
        int part = 0, more = 1, length = 0;
        size_t size = sizeof more;
        while (more) {
            int count = zmq_recv(socket, part == 1 ? request_id : rest, part == 1 ? sizeof request_id : sizeof rest, 0);
            if (count < 0) return NULL;
            if (part++ == 1) length = count;
            zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
        }
        zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
        zmq_send(socket, request_id, length, ZMQ_SNDMORE);
        zmq_send(socket, "200", 3, ZMQ_SNDMORE);
        zmq_send(socket, "OK", 2, ZMQ_SNDMORE);
        zmq_send(socket, "user", 4, ZMQ_SNDMORE);
        zmq_send(socket, "", 0, 0);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return 64;
    unsigned char key[32];
    FILE *file = fopen(argv[1], "rb");
    if (file == NULL || fread(key, 1, sizeof key, file) != sizeof key) return 66;
    fclose(file);
    int count = atoi(argv[3]), answered = 0, one = 1, backlog = 8192, large = 100000;
    void *context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, large);
    pthread_t thread;
    pthread_create(&thread, NULL, admit, context);
    struct timespec pause = {0, 50000000};
    nanosleep(&pause, NULL);
    double begin = seconds();
    void *socket = zmq_socket(context, ZMQ_ROUTER);
    zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &one, sizeof one);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, key, sizeof key);
    zmq_setsockopt(socket, ZMQ_BACKLOG, &backlog, sizeof backlog);
    zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "agents", 6);
    if (zmq_bind(socket, argv[2]) != 0) return 69;
    char frame[64] = {0x7a, 62};
    static char message[1 << 20];
    while (answered < count) {
        unsigned char id[256];
        int length = zmq_recv(socket, id, sizeof id, 0);
        if (length != 5 || zmq_recv(socket, message, sizeof message, 0) < 0) continue;
        uint32_t number;
        memcpy(&number, id + 1, 4);
        zmq_send(socket, id, length, ZMQ_SNDMORE);
        zmq_send(socket, frame, sizeof frame, 0);
        answered += add(number);
    }
    printf("%.2f %.2f\n", seconds() - begin, cpu());
    fflush(stdout);
    _exit(0);
}
