#include "core/task/thread.h"

static struct thread thread_new(lua_State *L) {
  luaL_checkstack(L, 3, "no room for a thread");
  struct thread thread = {.L = lua_newthread(L)};
  lua_sethook(thread.L, NULL, 0, 0); /* that of its maker */
  scheduler_own(thread.L);
  thread.anchor = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushboolean(L, 0);
  thread.owner = luaL_ref(L, LUA_REGISTRYINDEX);
  return thread;
}

struct thread thread_acquire(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  struct thread thread =
      scheduler->idle_count > 0 ? scheduler->idle[--scheduler->idle_count] : thread_new(L);
  lua_rawseti(L, LUA_REGISTRYINDEX, thread.owner);
  return thread;
}

void thread_push_owner(lua_State *L, struct thread thread) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, thread.owner);
}

static void reset(lua_State *thread, lua_State *from) {
#if LUA_VERSION_RELEASE_NUM >= 50406
  lua_closethread(thread, from);
#else
  (void)from;
  lua_resetthread(thread);
#endif
}

void thread_close(lua_State *L, struct thread thread) {
  if (lua_status(thread.L) != LUA_OK)
    reset(thread.L, L);
  lua_settop(thread.L, 0);
}

void thread_release(lua_State *L, struct thread thread) {
  struct scheduler *scheduler = scheduler_of(L);
  thread_close(L, thread);
  if (lua_gethook(thread.L) && !scheduler->keeps_hooks) /* it was for whoever ran here */
    lua_sethook(thread.L, NULL, 0, 0);
  if (scheduler->idle_count < SCHEDULER_MOST_IDLE) {
    /* Not nil: a hole would mislead luaL_ref about the registry's length. */
    lua_pushboolean(L, 0);
    lua_rawseti(L, LUA_REGISTRYINDEX, thread.owner);
    scheduler->idle[scheduler->idle_count++] = thread;
    return;
  }
  luaL_unref(L, LUA_REGISTRYINDEX, thread.owner);
  luaL_unref(L, LUA_REGISTRYINDEX, thread.anchor);
}
