#include "core/task/body.h"

#include "core/task/debugger.h"
#include "core/task/error.h"
#include "core/task/scheduler.h"

static int failed(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  scheduler_of(L)->failed = true;
  return 1;
}

static int body_over(lua_State *L, int status, lua_KContext context) {
  (void)context;
  if (status == LUA_OK || status == LUA_YIELD)
    return lua_gettop(L) - 1;
  failure_take(L);
  if (debugger_keeps_failure(L))
    return debugger_park(L, failed);
  return failed(L, status, context);
}

/* The message handler is at index 1, the function above it. */
static int body(lua_State *L) {
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, body_over);
  return body_over(L, status, 0);
}

void body_push(lua_State *L) {
  lua_pushcfunction(L, body);
  lua_pushcfunction(L, error_handler);
}
