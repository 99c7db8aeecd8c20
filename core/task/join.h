/* Waiting for several futures at once. asyncio.wait */
#ifndef STROBE_TASK_JOIN_H
#define STROBE_TASK_JOIN_H

#include "core/task/task.h"

/* The task whose wait for several the job is part of; NULL: the job is another. */
struct task *join_task_of(const struct job *job);

/* The same, unless that wait may end before the future of this job does. */
struct task *join_held_up(const struct job *job);

int luaopen_strobe_core_join(lua_State *L);

#endif
