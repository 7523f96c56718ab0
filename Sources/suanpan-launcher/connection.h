// The agent's connection: reads commands, writes events. Protocols/launcher.md is the specification.
//
// Events are derived from the state of the attempts when there is room for them, so a full socket costs no memory and
// loses nothing, and several changes of one attempt become one event.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Binds the socket of the run directory and listens, or goes on with one that does (-1: there is none). -1 with a logged reason.
int connection_setup(int inherited);
int connection_listener(void);
/// Ends the connection, if there is one, and logs why.
void connection_drop(const char *reason);
/// Takes a new connection; it replaces the one there is.
void connection_accept(void);
void connection_ready(uint32_t epoll_events);
/// Goes on with what earlier turns left over: commands of a packet, events to send.
void connection_turn(void);
bool connection_is_open(void);
/// Says goodbye and removes the socket.
void connection_teardown(void);
