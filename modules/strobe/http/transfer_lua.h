/* strobe.core.transfer: HTTP requests and their responses for Lua. */
#ifndef STROBE_HTTP_TRANSFER_LUA_H
#define STROBE_HTTP_TRANSFER_LUA_H

#include <lua.h>

int luaopen_strobe_core_transfer(lua_State *L);

#endif
