/* A task: a function that runs in its own Lua thread and may wait. asyncio.Task.
 *
 * A task is in exactly one place: it runs, its job is in the ready queue, or it
 * is parked and its job is linked to what will wake it. A living task is held
 * by its thread's anchor. A task is a future: first member, same user values.
 */
#ifndef STROBE_TASK_TASK_H
#define STROBE_TASK_TASK_H

#include "core/task/future.h"
#include "core/task/scheduler.h"

struct generator;
struct wait_kind;

struct task {
  struct future future;
  struct job job;
  struct list link; /* in scheduler->tasks */
  struct thread thread;
  struct generator *generator;  /* the innermost one that runs in this task */
  const struct wait_kind *wait; /* how the task is parked, or NULL */
  void *wait_object;
  struct timer timer;
  uint64_t id, parent; /* who made it; 0: a callback, or the host */
  uint64_t group; /* the task that leads it, 0: none; those that a task makes are in its group */
  uint64_t created : 48; /* microseconds of loop time */
  uint16_t cancels : 8;  /* cancellations asked for and not taken back */
  bool started : 1;
  bool has_context : 1;     /* among its details, see context.c */
  bool must_cancel : 1;     /* a cancellation is due at the next wait */
  bool raise_cancelled : 1; /* the wait that ends now ended by cancellation */
  bool asked : 1;           /* task_cancel has been here */
  bool timed_out : 1;       /* … by its deadline */
  bool yielded : 1;         /* it gave way to those that were ready before it, see shuffle.c */
  bool frozen : 1;          /* not to be resumed, see freeze.c */
  uint32_t resumes;         /* how often it ran, modulo 2^32 */
  uint32_t note;            /* see record.h; 0: none */
  int64_t resumed;          /* when it last ran, in loop time */
};

enum { TASK_MOST_CANCELS = 255 };

/* Makes a ready task of the function and arguments on top; leaves the Task. L has
 * room for 8 more values. [-(arguments+1), +1, m] */
struct task *task_spawn(lua_State *L, int arguments);

/* The Task at the index, or an argument error. */
struct task *task_check(lua_State *L, int index);

/* Asks a task to end: CancelledError is raised where it waits. The message is
 * on top, or nil. False when it has ended already. [-1, +0, m] */
bool task_cancel(lua_State *L, struct task *task);

/* Pushes the Task itself; only while it lives. [-0, +1, -] */
void task_push(lua_State *L, struct task *task);

/* Pushes its name; the Task is on top. [-0, +1, m] */
void task_push_name(lua_State *L, struct task *task);

static inline int task_get_detail(lua_State *L, int index, const char *key) {
  return future_get_detail(L, index, key);
}

/* The thread in which the task runs or is parked. */
lua_State *task_running_thread(const struct task *task);

int luaopen_strobe_core_task(lua_State *L);

#endif
