/* The context: one value that a task or a callback hands on to the tasks and
 * callbacks it makes. What it means is for strobe.async.context to say.
 */
#ifndef STROBE_TASK_CONTEXT_H
#define STROBE_TASK_CONTEXT_H

#include "core/task/scheduler.h"

struct task;

/* Pushes the context of what runs now, if it has one. [-0, +(0|1), m] */
bool context_push(lua_State *L);

/* Gives the living task at the index the context on top. [-1, +0, m] */
void context_give(lua_State *L, int index, struct task *task);

/* The callback that is called now runs in the context on top, until
 * context_leave, which does not raise. [-1, +0, m] */
void context_enter(lua_State *L);
void context_leave(lua_State *L);

int luaopen_strobe_core_context(lua_State *L);

#endif
