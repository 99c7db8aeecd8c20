/* The module strobe.core.http. */
#ifndef STROBE_HTTP_PARSER_LUA_H
#define STROBE_HTTP_PARSER_LUA_H

#include <lua.h>

int luaopen_strobe_core_http(lua_State *L);

#endif
