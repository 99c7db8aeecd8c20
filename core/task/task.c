#include "core/task/task.h"

#include "core/task/body.h"
#include "core/task/context.h"
#include "core/task/debugger.h"
#include "core/task/error.h"
#include "core/task/generator.h"
#include "core/task/inspect.h"
#include "core/task/thread.h"
#include "core/task/wait.h"

#include <string.h>

#define TASK "Task"

struct task *task_check(lua_State *L, int index) {
  struct future *future = future_test(L, index);
  lua_getmetatable(L, index);
  if (!future || lua_topointer(L, -1) != scheduler_of(L)->task_type)
    luaL_typeerror(L, index, TASK);
  lua_pop(L, 1);
  return (struct task *)future;
}

static bool living(const struct task *task) {
  return task->future.state == FUTURE_PENDING;
}

lua_State *task_running_thread(const struct task *task) {
  return task->generator ? task->generator->thread.L : task->thread.L;
}

void task_push(lua_State *L, struct task *task) {
  thread_push_owner(L, task->thread);
}

void task_push_name(lua_State *L, struct task *task) {
  if (future_get_detail(L, -1, "name") == LUA_TSTRING)
    return;
  lua_pop(L, 1);
  lua_pushfstring(L, "Task-%I", (LUAI_UACINT)task->id);
}

static struct task *task_new(lua_State *L, struct scheduler *scheduler) {
  struct task *task = lua_newuserdatauv(L, sizeof *task, FUTURE_VALUES);
  const struct task *parent = scheduler->current;
  *task = (struct task){.job.run = scheduler_step,
                        .id = ++scheduler->next_id,
                        .parent = parent ? parent->id : 0,
                        .group = parent ? parent->group : 0,
                        .created = (uint64_t)scheduler->loop->now / 1000};
  future_init(&task->future);
  task->future.is_task = true;
  lua_rawgeti(L, LUA_REGISTRYINDEX, scheduler->task_metatable);
  lua_setmetatable(L, -2);
  return task;
}

/* Of a thread's first LUA_MINSTACK slots those left for arguments. */
enum { FREE_SLOTS = LUA_MINSTACK - 4 };

struct task *task_spawn(lua_State *L, int arguments) {
  struct scheduler *scheduler = scheduler_of(L);
  struct task *task = task_new(L, scheduler);
  if (context_push(L))
    context_give(L, -2, task);
  if (scheduler->debug)
    inspect_creation(L);
  task->thread = thread_acquire(L);
  lua_State *thread = task->thread.L;
  if (arguments > FREE_SLOTS && !lua_checkstack(thread, arguments + 4)) {
    thread_release(L, task->thread);
    luaL_error(L, "too many arguments for a task");
  }
  /* A C function has nothing to close, so it needs no protected call. */
  if (!lua_iscfunction(L, -arguments - 1))
    body_push(thread);
  lua_xmove(L, thread, arguments + 1);
  task_push(L, task);
  if (scheduler->watch)
    watch_created(scheduler->watch, task);
  list_append(&scheduler->tasks, &task->link);
  loop_ready(scheduler->loop, &task->job);
  if (scheduler->debugger)
    debugger_changed(scheduler);
  return task;
}

/* Counts a cancellation, whose message is on top. [-0, +0, m] */
static void ask(lua_State *L, struct task *task) {
  task->asked = true;
  if (task->cancels < TASK_MOST_CANCELS)
    task->cancels++;
  record_cancelled(scheduler_of(L), task,
                   lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL);
  task_push(L, task);
  lua_pushvalue(L, -2);
  future_set_detail(L, -2, "cancel_message");
  lua_pop(L, 1);
}

/* Asks the task, the task it awaits, and so on; returns the last one, whose wait
 * is to end. In a ring of tasks that is the one which closes the ring. */
static struct task *ask_all(lua_State *L, struct task *task) {
  struct task *first = task, *next;
  for (ask(L, task); (next = future_awaited_task(task)) && !next->asked; task = next)
    ask(L, next);
  for (; first && first->asked; first = future_awaited_task(first))
    first->asked = false;
  return task;
}

bool task_cancel(lua_State *L, struct task *task) {
  if (!living(task)) {
    lua_pop(L, 1);
    return false;
  }
  luaL_checkstack(L, 8, "no room to cancel");
  task = ask_all(L, task);
  lua_pop(L, 1);
  enum wait_cancel outcome = task->wait ? task->wait->cancel(L, task) : WAIT_OVER;
  if (outcome == WAIT_OVER)
    task->must_cancel = true;
  if (outcome == WAIT_LEFT) {
    task->raise_cancelled = true;
    wait_wake(task);
  }
  return true;
}

/* spawn(f, …) → Task: f(…) begins in the next turn. */
static int task_spawn_lua(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  task_spawn(L, lua_gettop(L) - 1);
  return 1;
}

/* As spawn, but what is no function goes to upvalue 1 with its arguments. */
static int task_create(lua_State *L) {
  if (lua_type(L, 1) == LUA_TFUNCTION)
    return task_spawn_lua(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

/* creator(other) → a function that spawns functions and leaves the rest to other. */
static int task_creator(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_pushcclosure(L, task_create, 1);
  return 1;
}

/* current() → the task that runs, or nil in a callback. */
static int task_current(lua_State *L) {
  struct task *task = scheduler_of(L)->current;
  if (task)
    task_push(L, task);
  else
    lua_pushnil(L);
  return 1;
}

/* current_id() → its number, or nil. */
static int task_current_id(lua_State *L) {
  struct task *task = scheduler_of(L)->current;
  if (!task)
    return 0;
  lua_pushinteger(L, (lua_Integer)task->id);
  return 1;
}

/* all() → the list of the living tasks, oldest first. */
static int task_all(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  lua_Integer n = 0;
  lua_newtable(L);
  for (struct list *link = scheduler->tasks.next; link != &scheduler->tasks; link = link->next) {
    task_push(L, list_entry(link, struct task, link));
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* may_wait() → whether the caller may wait here. */
static int task_may_wait(lua_State *L) {
  struct task *task = scheduler_of(L)->current;
  lua_pushboolean(L, task && L == task_running_thread(task) && lua_isyieldable(L));
  return 1;
}

/* task:cancelling() → how many cancellations were asked for and not taken back. */
static int task_cancelling(lua_State *L) {
  lua_pushinteger(L, task_check(L, 1)->cancels);
  return 1;
}

/* task:uncancel() → how many are left; at none, one not yet raised is dropped. */
static int task_uncancel(lua_State *L) {
  struct task *task = task_check(L, 1);
  if (task->cancels > 0 && --task->cancels == 0)
    task->must_cancel = false;
  lua_pushinteger(L, task->cancels);
  return 1;
}

static int task_get_name(lua_State *L) {
  struct task *task = task_check(L, 1);
  lua_settop(L, 1);
  task_push_name(L, task);
  return 1;
}

static int task_set_name(lua_State *L) {
  struct task *task = task_check(L, 1);
  const char *name = luaL_tolstring(L, 2, NULL);
  struct scheduler *scheduler = scheduler_of(L);
  record_named(scheduler, task, name);
  if (scheduler->watch)
    watch_named(scheduler->watch, task, name);
  future_set_detail(L, 1, "name");
  return 0;
}

/* task:get_detail(key), task:set_detail(key, value): what the Lua side keeps. */
static int task_get_detail_lua(lua_State *L) {
  future_check(L, 1);
  future_get_detail(L, 1, luaL_checkstring(L, 2));
  return 1;
}

static int task_set_detail_lua(lua_State *L) {
  future_check(L, 1);
  const char *key = luaL_checkstring(L, 2);
  lua_settop(L, 3);
  future_set_detail(L, 1, key);
  return 0;
}

static const char *task_waits_for(const struct task *task) {
  if (!task->wait)
    return "ready";
  return task->wait->describe ? task->wait->describe(task) : task->wait->name;
}

/* task:state() → "running", "finished", …, or what it waits for. */
static int task_state(lua_State *L) {
  static const char *const ended[] = {"", "finished", "failed", "cancelled"};
  struct task *task = task_check(L, 1);
  if (!living(task))
    lua_pushstring(L, ended[task->future.state]);
  else if (task == scheduler_of(L)->current)
    lua_pushliteral(L, "running");
  else
    lua_pushstring(L, task_waits_for(task));
  return 1;
}

/* task:threads() → its Lua threads, the innermost first: what debug.traceback
 * and debug.getinfo take. None once it has ended. */
static int task_threads(lua_State *L) {
  struct task *task = task_check(L, 1);
  lua_Integer n = 0;
  lua_newtable(L);
  if (!living(task))
    return 1;
  for (struct generator *g = task->generator; g; g = g->outer) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, g->thread.anchor);
    lua_rawseti(L, -2, ++n);
  }
  lua_rawgeti(L, LUA_REGISTRYINDEX, task->thread.anchor);
  lua_rawseti(L, -2, ++n);
  return 1;
}

/* task:awaited() → the Future or Task it awaits now, or nil. */
static int task_awaited(lua_State *L) {
  struct task *task = task_check(L, 1);
  if (!living(task) || !task->wait || strcmp(task->wait->name, "future") != 0)
    return 0;
  lua_State *thread = task_running_thread(task);
  lua_pushvalue(thread, 1);
  lua_xmove(thread, L, 1);
  return 1;
}

static int task_tostring(lua_State *L) {
  struct task *task = task_check(L, 1);
  lua_settop(L, 1);
  task_push_name(L, task);
  task_state(L);
  lua_pushfstring(L, "<Task %s %s>", lua_tostring(L, 2), lua_tostring(L, 3));
  return 1;
}

/* run_next(task) → whether it could: one that is ready runs as soon as the current one waits or
 * ends, before all others that are ready. */
static int task_run_next(lua_State *L) {
  struct task *task = task_check(L, 1);
  struct scheduler *scheduler = scheduler_of(L);
  bool ready = living(task) && task != scheduler->current && !task->wait && !task->frozen;
  if (ready) {
    list_remove(&task->job.link);
    loop_ready_next(scheduler->loop, &task->job);
  }
  lua_pushboolean(L, ready);
  return 1;
}

static const luaL_Reg methods[] = {
    {"cancelling", task_cancelling},
    {"uncancel", task_uncancel},
    {"get_name", task_get_name},
    {"set_name", task_set_name},
    {"get_detail", task_get_detail_lua},
    {"set_detail", task_set_detail_lua},
    {"state", task_state},
    {"threads", task_threads},
    {"awaited", task_awaited},
    {"__tostring", task_tostring},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"spawn", task_spawn_lua},   {"creator", task_creator},
    {"current", task_current},   {"current_id", task_current_id},
    {"all", task_all},           {"may_wait", task_may_wait},
    {"run_next", task_run_next}, {NULL, NULL},
};

int luaopen_strobe_core_task(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  luaL_newmetatable(L, TASK);
  luaL_setfuncs(L, methods, 0);
  future_add_methods(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  scheduler->task_type = lua_topointer(L, -1);
  scheduler->task_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
  luaL_newlib(L, functions);
  luaL_getmetatable(L, TASK);
  lua_setfield(L, -2, "Task");
  return 1;
}
