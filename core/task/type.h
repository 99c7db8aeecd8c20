/* A type of userdata: a metatable with a name, which errors print, and methods. */
#ifndef STROBE_TASK_TYPE_H
#define STROBE_TASK_TYPE_H

#include <lauxlib.h>
#include <lua.h>

/* Registers the type; its methods are found by indexing, and have the metatable as their
 * first upvalue. [-0, +0, m] */
void type_open(lua_State *L, const char *name, const luaL_Reg *methods);

/* What luaL_checkudata does, with less ado inside a method of the type. [-0, +0, v] */
void *type_check(lua_State *L, int index, const char *name);

#endif
