#include "core/task/type.h"

#include <stdbool.h>

void type_open(lua_State *L, const char *name, const luaL_Reg *methods) {
  luaL_newmetatable(L, name);
  lua_pushvalue(L, -1);
  luaL_setfuncs(L, methods, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void *type_check(lua_State *L, int index, const char *name) {
  void *value = lua_touserdata(L, index);
  if (value && lua_getmetatable(L, index)) {
    bool same = lua_rawequal(L, -1, lua_upvalueindex(1));
    lua_pop(L, 1);
    if (same)
      return value;
  }
  return luaL_checkudata(L, index, name);
}
