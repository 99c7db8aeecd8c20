/* Time for Lua: the clock read, tasks put to sleep. */
#ifndef STROBE_TASK_TIME_H
#define STROBE_TASK_TIME_H

#include <lauxlib.h>
#include <lua.h>

/* An argument in seconds: any number but NaN. [-0, +0, v] */
double time_check_seconds(lua_State *L, int index);

int luaopen_strobe_core_time(lua_State *L);

#endif
