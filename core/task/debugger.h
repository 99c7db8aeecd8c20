/* The debugger: stops a task at a line, and no other.
 *
 * While there are breakpoints, each thread that runs has a hook for calls. One that enters code of
 * a file with breakpoints gets one for lines too; so only the tasks that run such code pay for it.
 * Where the task is to stop, the hook yields: the task is parked inside it, as if it waited, with
 * its stack as it is, and the loop and all others go on. What decides is Lua, see strobe.debug: its
 * handlers run on a thread of their own, to which a task in a hook looks like a parked one.
 *
 * A cancellation of a stopped task is kept until it waits next; a second one lets it go. Where
 * nothing may be parked (a callback, a call from C) the handlers are asked, but nothing stops.
 */
#ifndef STROBE_TASK_DEBUGGER_H
#define STROBE_TASK_DEBUGGER_H

#include "core/task/task.h"

extern const struct wait_kind debugger_stopped, debugger_leaving;

/* Whether the task is stopped, or was and has not run since. */
static inline bool debugger_holds(const struct task *task) {
  return task->wait == &debugger_stopped || task->wait == &debugger_leaving;
}

/* Gives the thread the hook that it should have. */
void debugger_hook(struct scheduler *scheduler, lua_State *L);

/* A thread is about to run. */
static inline void debugger_follow(struct scheduler *scheduler, lua_State *L) {
  if (scheduler->debugger)
    debugger_hook(scheduler, L);
}

bool debugger_is_hook(lua_Hook hook);

/* An error is at the index, its stack is still there. `caught`: by a pcall, not by the task. */
void debugger_failing(lua_State *L, int index, bool caught);

/* Whether the task is to stop now that such an error has unwound the call; true but once. */
bool debugger_keeps_failure(lua_State *L);

/* Stops the current task; `k` goes on. */
int debugger_park(lua_State *L, lua_KFunction k);

/* A task was made, has ended, or goes on by itself: only who expects that is told, and once. */
void debugger_changed(struct scheduler *scheduler);

/* A task has ended. */
void debugger_forget(struct scheduler *scheduler, const struct task *task);

int luaopen_strobe_core_debugger(lua_State *L);

#endif
