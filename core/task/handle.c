#include "core/task/handle.h"

#include "core/task/context.h"
#include "core/task/error.h"
#include "core/task/time.h"
#include "core/task/type.h"
#include "core/task/values.h"

#define HANDLE "Handle"

enum { HANDLE_FUNCTION = 1, HANDLE_ARGUMENTS, HANDLE_CONTEXT, HANDLE_VALUES = HANDLE_CONTEXT };

struct handle {
  struct job job;
  struct timer timer;
  struct scheduler *scheduler;
  int64_t when;
  int anchor; /* LUA_NOREF when it is not due */
  bool cancelled;
};

static void unanchor(lua_State *L, struct handle *handle) {
  luaL_unref(L, LUA_REGISTRYINDEX, handle->anchor);
  handle->anchor = LUA_NOREF;
}

/* The protected part of running a Handle. */
static int call(lua_State *L) {
  int count = 0;
  if (lua_getiuservalue(L, 1, HANDLE_CONTEXT) != LUA_TNIL)
    context_enter(L);
  else
    lua_pop(L, 1);
  lua_getiuservalue(L, 1, HANDLE_FUNCTION);
  if (lua_getiuservalue(L, 1, HANDLE_ARGUMENTS) == LUA_TTABLE) {
    lua_insert(L, 2);
    count = values_unpack(L, 2);
  } else {
    lua_pop(L, 1);
  }
  lua_call(L, count, 0);
  return 0;
}

static void handle_run(struct job *job) {
  struct handle *handle = list_entry(job, struct handle, job);
  lua_State *L = handle->scheduler->L;
  lua_rawgeti(L, LUA_REGISTRYINDEX, handle->anchor);
  unanchor(L, handle);
  if (!handle->cancelled) {
    struct scheduler *scheduler = handle->scheduler;
    lua_getiuservalue(L, -1, HANDLE_FUNCTION);
    lua_pushcfunction(L, call);
    lua_pushvalue(L, -3);
    scheduler_call(L, 1, 0, "callback");
    scheduler_called(scheduler);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void handle_fire(struct timer *timer) {
  struct handle *handle = list_entry(timer, struct handle, timer);
  loop_ready(handle->scheduler->loop, &handle->job);
}

static struct handle *handle_new(lua_State *L, int arguments) {
  if (arguments > 0)
    values_pack(L, arguments);
  else
    lua_pushnil(L);
  struct handle *handle = lua_newuserdatauv(L, sizeof *handle, HANDLE_VALUES);
  *handle = (struct handle){.job.run = handle_run,
                            .timer.fire = handle_fire,
                            .scheduler = scheduler_of(L),
                            .anchor = LUA_NOREF};
  list_init(&handle->job.link);
  luaL_setmetatable(L, HANDLE);
  lua_insert(L, -3);
  lua_setiuservalue(L, -3, HANDLE_ARGUMENTS);
  lua_setiuservalue(L, -2, HANDLE_FUNCTION);
  if (context_push(L))
    lua_setiuservalue(L, -2, HANDLE_CONTEXT);
  return handle;
}

void handle_anchor(lua_State *L) {
  struct handle *handle = lua_touserdata(L, -1);
  lua_pushvalue(L, -1);
  if (handle->anchor == LUA_NOREF)
    handle->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
  else
    lua_rawseti(L, LUA_REGISTRYINDEX, handle->anchor);
}

void handle_reserve(lua_State *L) {
  struct handle *handle = lua_touserdata(L, -1);
  lua_pushboolean(L, 0); /* not nil: a hole would mislead luaL_ref */
  handle->anchor = luaL_ref(L, LUA_REGISTRYINDEX);
}

struct job *handle_push(lua_State *L, int arguments) {
  return &handle_new(L, arguments)->job;
}

bool handle_has_function(lua_State *L, int index) {
  index = lua_absindex(L, index);
  lua_getiuservalue(L, -1, HANDLE_FUNCTION);
  bool same = lua_rawequal(L, -1, index);
  lua_pop(L, 1);
  return same;
}

void handle_push_function(lua_State *L) {
  lua_getiuservalue(L, -1, HANDLE_FUNCTION);
}

void handle_discard(lua_State *L, struct job *job) {
  if (job->run != handle_run)
    return;
  struct handle *handle = list_entry(job, struct handle, job);
  list_remove(&job->link);
  timer_stop(&handle->scheduler->loop->timers, &handle->timer);
  unanchor(L, handle);
}

/* call_soon(fn, …) → Handle: fn(…) runs in the next turn. */
static int handle_call_soon(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  struct handle *handle = handle_new(L, lua_gettop(L) - 1);
  handle_anchor(L);
  loop_ready(handle->scheduler->loop, &handle->job);
  return 1;
}

static int call_at(lua_State *L, int64_t when) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  struct handle *handle = handle_new(L, lua_gettop(L) - 2);
  handle->when = when;
  handle_anchor(L);
  if (when == CLOCK_NEVER || timer_start(&handle->scheduler->loop->timers, &handle->timer, when))
    return 1;
  unanchor(L, handle);
  return luaL_error(L, "not enough memory for a timer");
}

/* call_later(seconds, fn, …) → Handle */
static int handle_call_later(lua_State *L) {
  double seconds = time_check_seconds(L, 1);
  return call_at(L, clock_after(&scheduler_of(L)->loop->clock, seconds));
}

/* call_at(when, fn, …) → Handle; `when` on the clock of time(). */
static int handle_call_at(lua_State *L) {
  return call_at(L, clock_at(time_check_seconds(L, 1)));
}

static int handle_cancel(lua_State *L) {
  struct handle *handle = luaL_checkudata(L, 1, HANDLE);
  handle->cancelled = true;
  handle_discard(L, &handle->job);
  return 0;
}

static int handle_cancelled(lua_State *L) {
  struct handle *handle = luaL_checkudata(L, 1, HANDLE);
  lua_pushboolean(L, handle->cancelled);
  return 1;
}

static int handle_when(lua_State *L) {
  struct handle *handle = luaL_checkudata(L, 1, HANDLE);
  lua_pushnumber(L, clock_seconds(handle->when));
  return 1;
}

static const luaL_Reg methods[] = {
    {"cancel", handle_cancel},
    {"cancelled", handle_cancelled},
    {"when", handle_when},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"call_soon", handle_call_soon},
    {"call_later", handle_call_later},
    {"call_at", handle_call_at},
    {NULL, NULL},
};

int luaopen_strobe_core_handle(lua_State *L) {
  type_open(L, HANDLE, methods);
  luaL_newlib(L, functions);
  return 1;
}
