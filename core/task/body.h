/* The function at the bottom of every thread of a task or a generator.
 *
 * It calls the user's function in protected mode inside the thread, so that
 * `<close>` variables run on errors too and may wait. When the call failed,
 * scheduler->failed is set and the failure is the thread's only result.
 */
#ifndef STROBE_TASK_BODY_H
#define STROBE_TASK_BODY_H

#include <lua.h>

/* Pushes what has to lie below the user's function and its arguments. [-0, +2, -] */
void body_push(lua_State *L);

#endif
