/* An async generator: a body in a thread of its own that yields values to
 * whoever iterates it, and may wait. PEP 525.
 *
 * A generator runs inside the task that resumes it: the task's innermost thread
 * is then the generator's. Going in and coming out are yields to the scheduler,
 * which goes on with the innermost thread at once (ACTION_SWITCH).
 */
#ifndef STROBE_TASK_GENERATOR_H
#define STROBE_TASK_GENERATOR_H

#include "core/task/scheduler.h"

struct task;

struct generator {
  struct thread thread; /* L is NULL once the body has ended */
  struct generator *outer;
  struct task *task; /* in which it runs, or NULL */
  bool started, throwing, yielded, failed;
};

/* The body has ended with `results` values on its stack: hands them to the
 * thread that resumed it. */
void generator_finish(lua_State *L, struct generator *generator, int results, bool failed);

int luaopen_strobe_core_generator(lua_State *L);

#endif
