// Containing attempts without cgroups. The launcher is the subreaper of all its descendants, so an orphan becomes its
// child and cannot hide; which attempt an orphan belongs to is told by its session. What this cannot prove is in
// Protocols/launcher.md.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// -1 with a logged reason.
int subreaper_setup(void);
/// True when no process is left of the attempt whose first process was `leader` and has been reaped. Children of ours
/// that belong to no running attempt count as left over.
bool subreaper_is_empty(pid_t leader);
/// Kills the leader's session and every child of ours that belongs to no running attempt.
void subreaper_kill(pid_t leader);
/// Kills what a dead predecessor's attempt left: processes of the session `leader`, started at `started_ns` at the earliest.
void subreaper_purge(pid_t leader, int64_t started_ns);
