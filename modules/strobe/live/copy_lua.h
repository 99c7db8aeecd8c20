/* Deep copies of plain data: the state of a unit, whose events wait meanwhile. */
#ifndef STROBE_LIVE_COPY_LUA_H
#define STROBE_LIVE_COPY_LUA_H

#include <lua.h>

/* The module strobe.core.copy. */
int luaopen_strobe_core_copy(lua_State *L);

#endif
