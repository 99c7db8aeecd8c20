/* SIGINT and SIGTERM: the first asks the main task to end, the second ends the
 * process at once. At a console SIGINT is escalation.h's. SIGPIPE is ignored: a write says that the
 * peer is gone. SIGUSR2 is the watchdog's. */
#ifndef STROBE_HOST_SIGNAL_H
#define STROBE_HOST_SIGNAL_H

#include "core/host/host.h"

/* 0, or a negative libuv error. */
int signal_open(struct host *host);
void signal_close(struct host *host);

/* A handler, with which system calls go on. */
void signal_set(int number, void (*handler)(int));

/* Ends the process as by that signal, without cleaning up. Safe in a handler. */
void signal_leave_at_once(int number);

/* Calls what on_signal set, once, after the first signal. To be asked each turn:
 * libuv itself does not look when it has no handles. */
void signal_deliver(struct host *host);

/* take_signal(number): SIGINT, SIGTERM, SIGPIPE or SIGUSR2 is the host's again, and any other is
 * let be; a handler of libuv's that was removed leaves it at the system's default. */
int signal_take(lua_State *L);

/* end_by_hangup(): SIGHUP ends the script as SIGTERM does, unless who started us has it ignored. */
int signal_end_by_hangup(lua_State *L);

/* on_signal(fn): fn(number) is called between two turns for the first signal. */
int signal_on(lua_State *L);

#endif
