#include "core/task/protect.h"

#include "core/task/debugger.h"

static int show(lua_State *L) {
  debugger_failing(L, 1, true);
  return 1;
}

/* Upvalue 1: the caller's own message handler. */
static int show_and_handle(lua_State *L) {
  lua_settop(L, 1);
  debugger_failing(L, 1, true);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static int failed(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

/* Index 1: the message handler; what the call returned lies above it. */
static int finish(lua_State *L, int status, lua_KContext context) {
  if (status == LUA_OK || status == LUA_YIELD) {
    lua_pushboolean(L, 1);
    lua_replace(L, 1);
    return lua_gettop(L);
  }
  if (debugger_keeps_failure(L))
    return debugger_park(L, failed);
  return failed(L, status, context);
}

int protect_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushcfunction(L, show);
  lua_insert(L, 1);
  return finish(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, finish), 0);
}

int protect_xpcall(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, show_and_handle, 1);
  lua_pushvalue(L, 1);
  lua_replace(L, 2);
  lua_replace(L, 1); /* the handler, the function, its arguments */
  return finish(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, finish), 0);
}
