/* Stopping Lua that does not wait: a runaway loop.
 *
 * A request sets a count hook on the innermost running state. For a signal, once the step has
 * lasted longer than the slow limit, the hook raises Interrupted where the code is, once; a step
 * that ends by itself before that is left alone. To examine, it asks the scheduler's `examine`;
 * what that condemns gets its error again and again until the step ends or it is pardoned, so that
 * no pcall survives it. strobe's own modules are not cut: what they hold together stays whole, and
 * their clean-up runs. For a key that was pressed at a console it asks the scheduler's `judge`.
 *
 * No hook is left on: one that nobody needs any more takes itself off when it is called next, and
 * puts that of a debugger or profiler back.
 */
#ifndef STROBE_TASK_INTERRUPT_H
#define STROBE_TASK_INTERRUPT_H

#include "core/task/scheduler.h"

enum interrupt_reason {
  INTERRUPT_SIGNAL = 1,
  INTERRUPT_EXAMINE = 2,
  INTERRUPT_CONDEMNED = 4,
  INTERRUPT_KEY = 8
};

/* A scheduler whose thread is to end, the code that runs soon or late notwithstanding. */
enum interrupt_quit {
  QUIT_NOT,
  QUIT_ONCE,  /* the hook raises at once; what cleans up after that may run */
  QUIT_ALWAYS /* it raises at every instruction */
};

/* Safe in a signal handler of the thread that runs the scheduler. */
void interrupt_request(struct scheduler *scheduler, enum interrupt_reason reason);

/* The same for a thread that is to end. */
void interrupt_quit(struct scheduler *scheduler, enum interrupt_quit quit);

/* Ends requests of that kind. */
void interrupt_withdraw(struct scheduler *scheduler, enum interrupt_reason reason);

/* Whether an error is raised at every instruction. */
bool interrupt_is_condemned(const struct scheduler *scheduler);

/* Sets the hook while a request is open; interrupt_follow, which is cheap, tells. */
void interrupt_hook(struct scheduler *scheduler, lua_State *L);

/* A state becomes the innermost one. */
static inline void interrupt_follow(struct scheduler *scheduler, lua_State *L) {
  if (atomic_load_explicit(&scheduler->interrupt, memory_order_relaxed))
    interrupt_hook(scheduler, L);
}

/* What was condemned has been left. Needs no memory. */
void interrupt_pardon(struct scheduler *scheduler);

void interrupt_close_requests(struct scheduler *scheduler);

/* A step has ended, and with it all requests. */
static inline void interrupt_end(struct scheduler *scheduler) {
  if (atomic_load_explicit(&scheduler->interrupt, memory_order_relaxed))
    interrupt_close_requests(scheduler);
}

#endif
