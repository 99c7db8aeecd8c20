/* One way to wait: park the task, know how to wake it, know how to cancel it.
 *
 * A C function that waits calls wait_enter, links the task's job to whatever
 * will make it ready, and returns wait_park. Its continuation first calls
 * wait_resumed, which raises when the task was cancelled meanwhile.
 */
#ifndef STROBE_TASK_WAIT_H
#define STROBE_TASK_WAIT_H

#include "core/task/task.h"

/* What became of asking a wait to end by cancellation. */
enum wait_cancel {
  WAIT_LEFT,      /* unlinked: the task is to be made ready */
  WAIT_DELEGATED, /* what is awaited was cancelled instead; its end wakes the task */
  WAIT_OVER       /* the task is about to run anyway */
};

struct wait_kind {
  const char *name; /* for people: "sleep", "read", … */
  enum wait_cancel (*cancel)(lua_State *L, struct task *task);
  const char *(*describe)(const struct task *task); /* NULL: the name says it all */
};

/* The current task, if it may wait here; raises otherwise. A cancellation that
 * is due is raised now. [-0, +0, v] */
struct task *wait_enter(lua_State *L);

/* Parks the task, which must be linked to its waker already; `k` goes on. */
int wait_park(lua_State *L, struct task *task, const struct wait_kind *kind, void *object,
              lua_KFunction k);

/* Gives the wait that begins a deadline, `timeout` nanoseconds from now; 0 is
 * none. For kinds whose `cancel` always leaves. Raises without memory. */
void wait_deadline(lua_State *L, struct task *task, int64_t timeout);

/* Raises CancelledError if that is how the wait ended. True when its deadline
 * ended it. [-0, +0, v] */
bool wait_resumed(lua_State *L);

/* What a task's timer does when its wait is a sleep. */
void wait_timer_wakes(struct timer *timer);

/* The task whose timer it is; NULL when it is no task's. */
struct task *wait_task_of(struct timer *timer);

/* Makes a parked task ready; its links must be undone. */
void wait_wake(struct task *task);

/* Lets every task that is ready run before the current one goes on. */
int wait_turn(lua_State *L, struct task *task, lua_KFunction k);

#endif
