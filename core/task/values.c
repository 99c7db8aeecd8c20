#include "core/task/values.h"

#include <lauxlib.h>

void values_pack(lua_State *L, int count) {
  lua_createtable(L, count, 1);
  lua_insert(L, -count - 1);
  for (int i = count; i >= 1; i--)
    lua_rawseti(L, -i - 1, i);
  lua_pushinteger(L, count);
  lua_setfield(L, -2, "n");
}

int values_unpack(lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_getfield(L, index, "n");
  int count = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  luaL_checkstack(L, count, "too many values");
  for (int i = 1; i <= count; i++)
    lua_rawgeti(L, index, i);
  return count;
}
