/* Plain coroutines inside tasks.
 *
 * The standard functions are wrapped so that the scheduler knows the innermost
 * running state, and so that a yield that reaches no coroutine says so.
 */
#ifndef STROBE_TASK_COROUTINE_H
#define STROBE_TASK_COROUTINE_H

#include <lua.h>

/* Replaces functions in the global table `coroutine`. [-0, +0, m] */
void coroutine_open(lua_State *L);

#endif
