/* The module strobe.core.ws. */
#ifndef STROBE_WS_CONNECTION_LUA_H
#define STROBE_WS_CONNECTION_LUA_H

#include <lua.h>

int luaopen_strobe_core_ws(lua_State *L);

#endif
