/* Several Lua values kept as one: a list with its length in `n`. */
#ifndef STROBE_TASK_VALUES_H
#define STROBE_TASK_VALUES_H

#include <lua.h>

/* Packs the top `count` values. [-count, +1, m] */
void values_pack(lua_State *L, int count);

/* Pushes the values of the list at the index; returns how many. [-0, +n, m] */
int values_unpack(lua_State *L, int index);

#endif
