// libzmq, and the two kernel interfaces of the poll loop that Swift's Glibc module lacks.
#pragma once

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <zmq.h>

// Refuses whatever the ZAP handler has not admitted. The option is a draft in name only: release builds of libzmq 4.3
// know the number, their header does not.
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

// ETERM and the constants of <sys/epoll.h> are macros over casts or enumerations, which Swift does not import as numbers.
static const int czmq_eterm = ETERM;

static inline int czmq_eventfd(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

// Adds one to the counter; it never fails in a way that matters: a full counter is readable already.
static inline void czmq_eventfd_signal(int descriptor) {
    eventfd_write(descriptor, 1);
}

static inline void czmq_eventfd_clear(int descriptor) {
    eventfd_t value;
    eventfd_read(descriptor, &value);
}

static inline int czmq_epoll_create(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

// Watches `descriptor` for reading, level-triggered; `tag` comes back with its events. 0, or the error number.
static inline int czmq_epoll_add(int poll, int descriptor, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = tag}};
    return epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : errno;
}

static inline void czmq_epoll_remove(int poll, int descriptor) {
    struct epoll_event event = {0};
    epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, &event);
}

// Writes the tags of at most `capacity` ready descriptors; returns their number, 0 when interrupted.
static inline int czmq_epoll_wait(int poll, uint64_t *tags, int capacity, int timeout_milliseconds) {
    struct epoll_event events[256];
    if (capacity > 256) capacity = 256;
    int count = epoll_wait(poll, events, capacity, timeout_milliseconds);
    for (int i = 0; i < count; i++) tags[i] = events[i].data.u64;
    return count < 0 ? 0 : count;
}

// Names the calling thread; the kernel keeps 15 bytes.
static inline void czmq_name_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}
