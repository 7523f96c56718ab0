// The standard streams of attempts: a pipe each, always drained, kept in a file up to the order's limit. The file is
// made at the first byte, so a silent task costs none.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "launcher_protocol.h"

/// Makes the output directory and removes files that no slot of the table owns.
int output_setup(void);
/// The two pipes of an attempt, owned by its user so that /dev/stdout can be opened. -1 with errno.
int output_open(uint32_t index, uid_t user, gid_t group);
void output_watch(uint32_t index);
/// Reads once, a bounded amount. `stream` is 0 or 1.
void output_drain(uint32_t index, int stream);
/// Reads what is left of a dead attempt and closes its descriptors, whoever else holds the pipes.
void output_finish(uint32_t index);
void output_remove(uint32_t index);
/// Sets the byte counts of a predecessor's attempt by its files: it may have died between write and count.
void output_recount(uint32_t index);
