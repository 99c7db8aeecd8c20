/* A type of userdata: a metatable with a name, which errors print, and methods. */
#ifndef STROBE_TASK_TYPE_H
#define STROBE_TASK_TYPE_H

#include <lauxlib.h>
#include <lua.h>

/* Registers the type; its methods are found by indexing. [-0, +0, m] */
void type_open(lua_State *L, const char *name, const luaL_Reg *methods);

#endif
