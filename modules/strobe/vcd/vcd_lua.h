/* The module strobe.core.vcd: the VCD engines for Lua. */
#ifndef STROBE_VCD_VCD_LUA_H
#define STROBE_VCD_VCD_LUA_H

#include <lua.h>

int luaopen_strobe_core_vcd(lua_State *L);

#endif
