#include "core/task/context.h"

#include "core/task/task.h"

/* The details in which a task keeps its context, and in the registry the place of
 * a callback's. */
#define DETAIL "context"
#define CALLBACK "strobe.context"

bool context_push(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  struct task *task = scheduler->current;
  if (!(task ? task->has_context : scheduler->has_context))
    return false;
  if (!task) {
    lua_getfield(L, LUA_REGISTRYINDEX, CALLBACK);
    return true;
  }
  task_push(L, task);
  future_get_detail(L, -1, DETAIL);
  lua_remove(L, -2);
  return true;
}

void context_give(lua_State *L, int index, struct task *task) {
  task->has_context = !lua_isnil(L, -1);
  future_set_detail(L, index, DETAIL);
}

void context_enter(lua_State *L) {
  scheduler_of(L)->has_context = !lua_isnil(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, CALLBACK);
}

void context_leave(lua_State *L) {
  if (!scheduler_of(L)->has_context)
    return;
  lua_pushnil(L);
  context_enter(L);
}

/* get() → the context of the task or callback that runs, or nil. */
static int context_get(lua_State *L) {
  return context_push(L);
}

/* set(context): gives it to the task or callback that runs; nil is none. */
static int context_set(lua_State *L) {
  struct task *task = scheduler_of(L)->current;
  lua_settop(L, 1);
  if (!task) {
    context_enter(L);
    return 0;
  }
  task_push(L, task);
  lua_insert(L, 1);
  context_give(L, 1, task);
  return 0;
}

/* of(task) → the context of that task, or nil. */
static int context_of(lua_State *L) {
  task_check(L, 1);
  future_get_detail(L, 1, DETAIL);
  return 1;
}

/* callback() → the number of the callback that runs, which is its identity. */
static int context_callback(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)scheduler_of(L)->callbacks);
  return 1;
}

static const luaL_Reg functions[] = {
    {"get", context_get},           {"set", context_set}, {"of", context_of},
    {"callback", context_callback}, {NULL, NULL},
};

int luaopen_strobe_core_context(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
