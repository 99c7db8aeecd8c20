/* strobe.core.copy: deep copies for Lua.
 *
 * The tables that are still to be filled are in a list, not on the C stack, so data may be nested
 * to any depth. */
#include "modules/strobe/live/copy_lua.h"

#include <lauxlib.h>
#include <stdbool.h>

/* What copy() has on its stack. */
enum { VALUE = 1, NAMES, METATABLES, MOST, COPIES, PENDING, FROM, TO, TOP = TO };

struct copying {
  lua_Integer pending; /* tables in the list */
  lua_Integer count;   /* tables that were met */
};

static bool is_key(int type) {
  return type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN;
}

/* Pushes an empty table with room for as much as the one on top has. [-0, +1, m] */
static void push_room(lua_State *L) {
  int from = lua_gettop(L), total = 0;
  int items = (int)lua_rawlen(L, from);
  for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1))
    total++;
  lua_createtable(L, items, total > items ? total - items : 0);
}

/* Replaces the table on top by its copy, which is filled later if it is new. [-1, +1, m] */
static void exchange(lua_State *L, struct copying *copying) {
  lua_pushvalue(L, -1);
  if (lua_rawget(L, COPIES) == LUA_TNIL) {
    lua_pop(L, 1);
    push_room(L);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, COPIES); /* [-2, +0, m] */
    lua_pushvalue(L, -2);
    lua_rawseti(L, PENDING, ++copying->pending); /* [-1, +0, m] */
  }
  lua_remove(L, -2);
}

/* Gives the copy the metatable which the new code has declared by the name of the old one.
 * [-0, +0, m] */
static bool set_metatable(lua_State *L) {
  if (!lua_getmetatable(L, FROM))
    return true;
  if (lua_rawget(L, NAMES) == LUA_TNIL || lua_rawget(L, METATABLES) != LUA_TTABLE) {
    lua_settop(L, TOP);
    return false;
  }
  lua_setmetatable(L, TO); /* [-1, +0, -] */
  return true;
}

/* Fills TO with what FROM has; false if that is something else than data. [-0, +0, m] */
static bool fill(lua_State *L, struct copying *copying) {
  for (lua_pushnil(L); lua_next(L, FROM);) { /* [-1, +2, -] */
    int type = lua_type(L, -1);
    if (!is_key(lua_type(L, -2)) || !(is_key(type) || type == LUA_TTABLE)) {
      lua_settop(L, TOP);
      return false;
    }
    if (type == LUA_TTABLE)
      exchange(L, copying);
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, TO); /* [-2, +0, m] */
  }
  return true;
}

/* Takes the next table out of the list, and its copy. [-0, +0, -] */
static void take(lua_State *L, struct copying *copying) {
  lua_rawgeti(L, PENDING, copying->pending);
  lua_replace(L, FROM);
  lua_pushnil(L);
  lua_rawseti(L, PENDING, copying->pending--);
  lua_pushvalue(L, FROM);
  lua_rawget(L, COPIES);
  lua_replace(L, TO);
}

/* copy(table, names, metatables, most) → copy, tables: a deep copy, and of how many tables. Shared
 * ones are shared in it. names has the names of metatables, metatables those that copies get, by
 * name. nil if there is something else than booleans, numbers, strings and tables of these, an
 * unknown metatable, or more than so many tables. */
static int copy(lua_State *L) {
  struct copying copying = {0, 0};
  luaL_checktype(L, VALUE, LUA_TTABLE);
  luaL_checktype(L, NAMES, LUA_TTABLE);
  luaL_checktype(L, METATABLES, LUA_TTABLE);
  lua_Integer most = luaL_checkinteger(L, MOST);
  lua_settop(L, MOST);
  lua_newtable(L); /* COPIES */
  lua_newtable(L); /* PENDING */
  lua_pushnil(L);
  lua_pushnil(L);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_pushvalue(L, VALUE);
  exchange(L, &copying);
  lua_pop(L, 1);
  while (copying.pending > 0) {
    take(L, &copying);
    if (copying.count++ >= most || !set_metatable(L) || !fill(L, &copying))
      return 0;
  }
  lua_pushvalue(L, VALUE);
  lua_rawget(L, COPIES);
  lua_pushinteger(L, copying.count);
  return 2;
}

static const luaL_Reg functions[] = {
    {"copy", copy},
    {NULL, NULL},
};

int luaopen_strobe_core_copy(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
