/* Lua threads for tasks and generators: acquired, released, used again.
 *
 * A thread is anchored in the registry from its making to its end, and its
 * owner as long as it has one. A released thread keeps its stack for the next.
 */
#ifndef STROBE_TASK_THREAD_H
#define STROBE_TASK_THREAD_H

#include "core/task/scheduler.h"

/* A thread with an empty stack, which anchors the owner on top of L's stack.
 * Raises when there is no memory. [-1, +0, m] */
struct thread thread_acquire(lua_State *L);

/* Pushes the owner. [-0, +1, -] */
void thread_push_owner(lua_State *L, struct thread thread);

/* Closes what a parked thread holds open, without waiting; its stack is empty then. [-0, +0, -] */
void thread_close(lua_State *L, struct thread thread);

/* Takes back a thread that returned, failed or is parked for ever; what it
 * still holds open is closed, without waiting. */
void thread_release(lua_State *L, struct thread thread);

#endif
