/* Tasks looked at from Lua: their records, who waits for whom, the ring of events. */
#ifndef STROBE_TASK_INSPECT_H
#define STROBE_TASK_INSPECT_H

#include "core/task/task.h"

/* Keeps where the Task on top is made, for its reports. In debug mode only. [-0, +0, m] */
void inspect_creation(lua_State *L);

/* Keeps the trace of the failure on top, by which the task ends. [-0, +0, m] */
void inspect_failure(lua_State *L, struct task *task);

/* A task is about to return: warns if it takes no notice of having been cancelled. */
void inspect_returned(struct scheduler *scheduler, struct task *task);

/* A task is about to await another: warns if that one waits for it, directly or by others. [-0, +0,
 * m] */
void inspect_await(lua_State *L, struct task *task, struct task *awaited);

/* Pushes the first task which waits for that one, of so many futures in the list at the index;
 * false when there is none. [-0, +1 | 0, -] */
bool inspect_push_circle(lua_State *L, struct task *task, int index, int count);

/* As inspect_await, for such a list. [-0, +0, m] */
void inspect_join(lua_State *L, struct task *task, int index, int count);

/* The first of the timers that fired was late by so many nanoseconds. The task is parked no more,
 * and has not run since; NULL: it is no task's. */
void inspect_late(struct scheduler *scheduler, struct task *task, int64_t late);

/* Something of that name was collected while it was open. In a finalizer. [-0, +0, -] */
void inspect_collected(lua_State *L, const char *name);

int luaopen_strobe_core_inspect(lua_State *L);

#endif
