#include "core/task/coroutine.h"

#include "core/task/debugger.h"
#include "core/task/interrupt.h"
#include "core/task/task.h"

/* Upvalue 1 of each wrapper: the original function. */

struct crossing {
  lua_State *outer;
  bool may_stop;
};

/* Whether L, which resumes a coroutine, can be stopped with it. */
static bool may_stop(const struct scheduler *scheduler, lua_State *L) {
  const struct task *task = scheduler->current;
  bool outer_may = task && (L == task_running_thread(task) || scheduler->may_stop);
  return outer_may && lua_isyieldable(L);
}

static struct crossing enter(lua_State *L, lua_State *inner) {
  struct scheduler *scheduler = scheduler_of(L);
  struct crossing crossing = {scheduler->running, scheduler->may_stop};
  if (inner) {
    scheduler->may_stop = scheduler->debugger && may_stop(scheduler, L);
    scheduler->running = inner;
    interrupt_follow(scheduler, inner);
    debugger_follow(scheduler, inner);
  }
  return crossing;
}

static void leave(lua_State *L, struct crossing crossing) {
  struct scheduler *scheduler = scheduler_of(L);
  scheduler->running = crossing.outer;
  scheduler->may_stop = crossing.may_stop;
  interrupt_follow(scheduler, crossing.outer);
}

/* Whether the coroutine that L has resumed came back because the debugger stops the task. */
static bool is_stopping(lua_State *L) {
  const struct scheduler *scheduler = scheduler_of(L);
  return scheduler->debugger && scheduler->current && debugger_holds(scheduler->current);
}

/* The thread of a task or a generator is the scheduler's alone. */
static bool refused(lua_State *L) {
  lua_State *inner = lua_tothread(L, 1);
  return inner && scheduler_owns(inner);
}

#define REFUSAL "this is the thread of a task: only the scheduler resumes or closes it"

static int resume_again(lua_State *L, int status, lua_KContext context);

/* Calls the original with the top `arguments` values; the thread is at index 1. */
static int resume(lua_State *L, int arguments) {
  struct crossing crossing = enter(L, lua_tothread(L, 1));
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, -arguments - 1);
  /* It raises for a bad argument only, and then `running` has not changed. */
  lua_call(L, arguments, LUA_MULTRET);
  leave(L, crossing);
  if (!is_stopping(L))
    return lua_gettop(L) - 1;
  lua_settop(L, 1);
  return lua_yieldk(L, 0, 0, resume_again);
}

/* The task goes on, and so does the coroutine in the middle of its code. */
static int resume_again(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  return resume(L, 1);
}

static int coroutine_resume(lua_State *L) {
  if (refused(L)) {
    lua_pushboolean(L, 0);
    lua_pushliteral(L, REFUSAL);
    return 2;
  }
  if (lua_gettop(L) == 0)
    lua_pushnil(L); /* for the original to complain of */
  lua_pushvalue(L, 1);
  lua_insert(L, 1);
  return resume(L, lua_gettop(L) - 1);
}

static int wrapped_again(lua_State *L, int status, lua_KContext context);

/* What coroutine.wrap returns; upvalue 1: the original's, upvalue 2: the thread. */
static int wrapped(lua_State *L) {
  struct crossing crossing = enter(L, lua_tothread(L, lua_upvalueindex(2)));
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  leave(L, crossing);
  if (status != LUA_OK)
    return lua_error(L);
  if (!is_stopping(L))
    return lua_gettop(L);
  lua_settop(L, 0);
  return lua_yieldk(L, 0, 0, wrapped_again);
}

static int wrapped_again(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  lua_settop(L, 0);
  return wrapped(L);
}

static int coroutine_wrap(lua_State *L) {
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  /* The original's function keeps its thread as its only upvalue. */
  if (!lua_getupvalue(L, -1, 1))
    lua_pushnil(L);
  lua_pushcclosure(L, wrapped, 2);
  return 1;
}

static int coroutine_yield(lua_State *L) {
  struct task *task = scheduler_of(L)->current;
  if (task && L == task_running_thread(task))
    return luaL_error(L, "coroutine.yield outside a coroutine: a task waits by async functions, "
                         "a generator yields by its first argument");
  return lua_yield(L, lua_gettop(L));
}

static int coroutine_close(lua_State *L) {
  if (refused(L))
    return luaL_error(L, REFUSAL);
  /* Where its `<close>` variables are closed. */
  struct crossing crossing = enter(L, lua_tothread(L, 1));
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  leave(L, crossing);
  return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

static void replace(lua_State *L, const char *name, lua_CFunction function) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, function, 1);
  lua_setfield(L, -2, name);
}

void coroutine_open(lua_State *L) {
  lua_getglobal(L, "coroutine");
  replace(L, "resume", coroutine_resume);
  replace(L, "wrap", coroutine_wrap);
  replace(L, "close", coroutine_close);
  replace(L, "yield", coroutine_yield);
  lua_pop(L, 1);
}
