/* Stopping Lua that does not wait: a runaway loop.
 *
 * A request sets a count hook on the innermost running state. Once the step has
 * lasted longer than the slow limit, the hook raises Interrupted where the code
 * is; a step that ends by itself before that is left alone.
 */
#ifndef STROBE_TASK_INTERRUPT_H
#define STROBE_TASK_INTERRUPT_H

#include "core/task/scheduler.h"

/* A scheduler whose thread is to end, the code that runs soon or late notwithstanding. */
enum interrupt_quit {
  QUIT_NOT,
  QUIT_ONCE,  /* the hook raises at once; what cleans up after that may run */
  QUIT_ALWAYS /* it raises at every instruction */
};

/* Safe in a signal handler of the thread that runs the scheduler. */
void interrupt_request(struct scheduler *scheduler);

/* The same for a thread that is to end. */
void interrupt_quit(struct scheduler *scheduler, enum interrupt_quit quit);

/* A state becomes the innermost one while a request is open. */
void interrupt_follow(struct scheduler *scheduler, lua_State *L);

#endif
