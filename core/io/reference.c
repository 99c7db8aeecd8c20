#include "core/io/reference.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

/* In the registry: value → name. */
#define NAMES "strobe.references"

/* What Lua puts among the globals and strobe has replaced by functions of Lua. */
static const char *const replaced[] = {"dofile", "load", "loadfile", "print"};

static bool is_object(lua_State *L, int index) {
  int type = lua_type(L, index);
  return type == LUA_TTABLE || type == LUA_TFUNCTION;
}

/* names[value] = name, unless it has one; both are on top. [-2, +0, m] */
static void add_name(lua_State *L, int names) {
  lua_pushvalue(L, -2);
  bool known = lua_rawget(L, names) != LUA_TNIL;
  lua_pop(L, 1);
  if (known)
    lua_pop(L, 2);
  else
    lua_rawset(L, names);
}

static bool is_replaced(const char *key) {
  for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++)
    if (strcmp(key, replaced[i]) == 0)
      return true;
  return false;
}

/* Whether the member on top, with its key below it, is to be known by that. */
static bool is_member(lua_State *L, const char *module) {
  if (lua_type(L, -2) != LUA_TSTRING || !is_object(L, -1))
    return false;
  return strcmp(module, LUA_GNAME) != 0 || lua_iscfunction(L, -1) ||
         is_replaced(lua_tostring(L, -2));
}

/* Names the members of the module on top, whose name is below it. [-0, +0, m] */
static void add_members(lua_State *L, int names) {
  const char *module = lua_tostring(L, -2);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (is_member(L, module)) {
      lua_pushvalue(L, -1);
      lua_pushstring(L, module);
      lua_pushlstring(L, "", 1);
      lua_pushvalue(L, -5);
      lua_concat(L, 3);
      add_name(L, names);
    }
    lua_pop(L, 1);
  }
}

/* Names all modules, or their members. [-0, +0, m] */
static void add_loaded(lua_State *L, int names, bool members) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -2) == LUA_TSTRING && members && lua_istable(L, -1)) {
      add_members(L, names);
    } else if (lua_type(L, -2) == LUA_TSTRING && !members && is_object(L, -1)) {
      lua_pushvalue(L, -1);
      lua_pushvalue(L, -3);
      add_name(L, names);
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void reference_push_new_names(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  int names = lua_gettop(L);
  add_loaded(L, names, false);
  add_loaded(L, names, true);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, NAMES);
}

void reference_push_names(lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, NAMES) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  reference_push_new_names(L);
}

void reference_resolve(lua_State *L) {
  size_t size;
  const char *name = lua_tolstring(L, -1, &size);
  size_t module = strlen(name);
  lua_getglobal(L, "require");
  lua_pushlstring(L, name, module);
  lua_call(L, 1, 1);
  if (module < size) {
    if (!lua_istable(L, -1) || lua_getfield(L, -1, name + module + 1) == LUA_TNIL)
      luaL_error(L, "the module '%s' has no '%s' in a worker", name, name + module + 1);
    lua_remove(L, -2);
  }
  lua_remove(L, -2);
}
