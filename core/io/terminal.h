/* Terminals: what there is to know of one without taking it over, and one that is ours to draw on.
 */
#ifndef STROBE_IO_TERMINAL_H
#define STROBE_IO_TERMINAL_H

#include <lua.h>

int luaopen_strobe_core_terminal(lua_State *L);

#endif
