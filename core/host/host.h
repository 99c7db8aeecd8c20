/* The host: one process, one loop, one Lua state. A worker of an executor has a host of its own in
 * its thread, which takes no signals.
 *
 * Its main task calls `main` of the Lua module strobe.command with the command
 * line; what that returns is the exit status. All policy is there.
 */
#ifndef STROBE_HOST_HOST_H
#define STROBE_HOST_HOST_H

#include "core/host/escalation.h"
#include "core/host/scavenger.h"
#include "core/host/watchdog.h"
#include "core/io/pool.h"
#include "core/loop/loop.h"
#include "core/task/scheduler.h"

struct host {
  struct loop loop;
  struct scheduler scheduler;
  lua_State *L;
  struct runtime runtime; /* for the threads of executors */
  uv_async_t signal;      /* wakes the loop for a signal that came */
  struct scavenger scavenger;
  struct watchdog watchdog; /* a worker has none */
  struct escalation escalation;
  int argc;
  char **argv;
};

/* 0, or a negative libuv error; the host then holds nothing. */
int host_open(struct host *host, int argc, char **argv);

/* Runs the main task to its end; returns the process's exit status. */
int host_run(struct host *host);

void host_close(struct host *host);

static inline struct host *host_of(lua_State *L) {
  return list_entry(scheduler_of(L), struct host, scheduler);
}

/* The module strobe.core.host. */
int luaopen_strobe_core_host(lua_State *L);

#endif
