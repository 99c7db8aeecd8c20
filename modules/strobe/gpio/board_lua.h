/* strobe.core.gpio: circuit boards for Lua, on the loop's time. */
#ifndef STROBE_GPIO_BOARD_LUA_H
#define STROBE_GPIO_BOARD_LUA_H

#include <lauxlib.h>
#include <lua.h>

int luaopen_strobe_core_gpio(lua_State *L);

#endif
