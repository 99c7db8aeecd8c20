/* Another order of the tasks that are ready, drawn by a seed: for finding races. */
#ifndef STROBE_TASK_SHUFFLE_H
#define STROBE_TASK_SHUFFLE_H

#include <lua.h>

/* The module strobe.core.shuffle. */
int luaopen_strobe_core_shuffle(lua_State *L);

#endif
