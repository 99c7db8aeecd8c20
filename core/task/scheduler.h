/* The scheduler: where Lua meets the loop.
 *
 * Every task is a Lua thread. One function, in scheduler.c, resumes them; what
 * a thread wants when it yields is said by `action`. All else that runs Lua
 * from the loop does so by scheduler_call, a protected call on the main state.
 */
#ifndef STROBE_TASK_SCHEDULER_H
#define STROBE_TASK_SCHEDULER_H

#include "core/loop/loop.h"
#include "core/task/events.h"
#include "core/task/record.h"

#include <lauxlib.h>
#include <lua.h>

/* Why a thread of a task yielded. */
enum action {
  ACTION_NONE,  /* a bare coroutine.yield: not ours */
  ACTION_PARK,  /* the task waits, or was made ready again */
  ACTION_SWITCH /* go on with the task's innermost thread, see generator.c */
};

/* What the judge says of the code that runs, see interrupt.c. */
enum interrupt_verdict {
  INTERRUPT_LET,     /* the request is answered */
  INTERRUPT_LATER,   /* it stays open */
  INTERRUPT_CLOSELY, /* as well, and each instruction is looked at */
  INTERRUPT_RAISE,   /* Interrupted is raised, once */
  INTERRUPT_CONDEMN  /* … at every instruction */
};

/* Idle threads kept for reuse; beyond that they are left to the collector. */
enum { SCHEDULER_MOST_IDLE = 512 };

/* A Lua thread and two places in the registry: one anchors the thread, the
 * other is for its owner, the Task or generator that runs in it. */
struct thread {
  lua_State *L;
  int anchor, owner;
};

struct debugger;
struct task;

/* A hook of somebody else's which ours has taken the place of, see interrupt.c. */
struct displaced_hook {
  lua_State *L; /* NULL: there is none */
  lua_Hook hook;
  int mask, count;
};

struct scheduler {
  struct loop *loop;
  lua_State *L;                            /* the main state; its stack is empty between turns */
  struct task *current;                    /* the task that runs now */
  lua_State *running;                      /* the innermost Lua state that runs now */
  struct list tasks;                       /* living tasks, oldest first */
  struct list held;                        /* jobs of frozen tasks that woke, see freeze.c */
  struct thread idle[SCHEDULER_MOST_IDLE]; /* threads for reuse, see thread.c */
  int idle_count;
  enum action action;
  int transfer;     /* values to resume with, on the innermost thread's stack */
  bool failed;      /* the body that just ended did so by an error */
  bool keeps_hooks; /* threads keep their hooks when a task ends: somebody samples */
  bool has_context; /* the callback that runs has one, see context.c */
  uint64_t next_id;
  uint64_t steps;
  uint64_t callbacks;   /* called so far */
  int64_t slow_step;    /* nanoseconds after which a step is reported */
  atomic_int interrupt; /* enum interrupt_reason, see interrupt.c */
  volatile int quit;    /* enum interrupt_quit */
  bool was_cut;         /* the step that runs: an error has said so, see interrupt.c */
  /* Looks at the state in which code that has gone on for long runs, or, with NULL, at what is
   * between two steps. True: what it left on top is to be raised, see interrupt.c. May raise
   * itself. */
  bool (*examine)(struct scheduler *scheduler, lua_State *L);
  /* What becomes of the code that runs now that a key was pressed: enum interrupt_verdict. `ours`:
   * it is in one of strobe's own modules. */
  enum interrupt_verdict (*judge)(struct scheduler *scheduler, bool ours);
  struct displaced_hook displaced;
  _Atomic uint64_t beat;               /* odd while Lua runs; another thread may read it */
  bool debug, warns;                   /* see inspect.h */
  const void *task_type, *future_type; /* metatables, for fast checks */
  int task_metatable;                  /* the Task metatable in the registry */
  struct watch *watch;                 /* NULL: nobody looks */
  struct watch watching;
  struct debugger *debugger; /* NULL: none is open */
  int hook_tag;              /* of threads whose debugging hook is up to date */
  bool may_stop; /* the plain coroutine that runs can be stopped with its task, see coroutine.c */
  struct record_book records;
};

/* The lowest bit of the tie tells the threads which the scheduler resumes. */
enum { SCHEDULER_OWNS = 1 };

static inline struct scheduler *scheduler_of(lua_State *L) {
  uintptr_t tie = *(uintptr_t *)lua_getextraspace(L);
  return (struct scheduler *)(tie & ~(uintptr_t)SCHEDULER_OWNS);
}

static inline void scheduler_own(lua_State *L) {
  *(uintptr_t *)lua_getextraspace(L) |= SCHEDULER_OWNS;
}

static inline bool scheduler_owns(lua_State *L) {
  return *(uintptr_t *)lua_getextraspace(L) & SCHEDULER_OWNS;
}

/* Lua begins to run, or has ended. */
static inline void scheduler_beat(struct scheduler *scheduler) {
  uint64_t beat = atomic_load_explicit(&scheduler->beat, memory_order_relaxed);
  atomic_store_explicit(&scheduler->beat, beat + 1, memory_order_relaxed);
}

static inline uint64_t scheduler_read_beat(const struct scheduler *scheduler) {
  return atomic_load_explicit(&scheduler->beat, memory_order_relaxed);
}

/* Ties the scheduler to the main state, whose threads all inherit the tie. */
void scheduler_open(struct scheduler *scheduler, lua_State *L, struct loop *loop);

void scheduler_close(struct scheduler *scheduler);

/* A task's job: runs it until it parks or ends. */
void scheduler_step(struct job *job);

/* Ends a task that is parked and linked to nothing, as cancelled. What it holds open is
 * closed, without waiting. [-0, +0, -] */
void scheduler_end(lua_State *L, struct task *task);

/* A callback of the loop has been called, whose function is on top: reports it when that took
 * long, and does not let the next task take the blame. [-0, +0, -] */
void scheduler_called(struct scheduler *scheduler);

/* Calls the function below `arguments` values on top of L, protected, and reports
 * its error with `what` it was. Returns a Lua status; on success `results` values
 * are left, else none. For callbacks: what is called may not wait. */
int scheduler_call(lua_State *L, int arguments, int results, const char *what);

#endif
