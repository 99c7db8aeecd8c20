/* Waiting for several futures at once. asyncio.wait */
#ifndef STROBE_TASK_JOIN_H
#define STROBE_TASK_JOIN_H

#include <lua.h>

int luaopen_strobe_core_join(lua_State *L);

#endif
