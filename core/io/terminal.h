/* What there is to know of a terminal without taking it over. */
#ifndef STROBE_IO_TERMINAL_H
#define STROBE_IO_TERMINAL_H

#include <lua.h>

int luaopen_strobe_core_terminal(lua_State *L);

#endif
