#include "core/task/future.h"

#include "core/task/error.h"
#include "core/task/handle.h"
#include "core/task/inspect.h"
#include "core/task/join.h"
#include "core/task/task.h"
#include "core/task/values.h"
#include "core/task/wait.h"

#define FUTURE "Future"

struct future *future_test(lua_State *L, int index) {
  if (!lua_getmetatable(L, index))
    return NULL;
  const void *type = lua_topointer(L, -1);
  struct scheduler *scheduler = scheduler_of(L);
  lua_pop(L, 1);
  if (type != scheduler->task_type && type != scheduler->future_type)
    return NULL;
  return lua_touserdata(L, index); /* NULL for a table with that metatable */
}

struct future *future_check(lua_State *L, int index) {
  struct future *future = future_test(L, index);
  if (!future)
    luaL_typeerror(L, index, "Future or Task");
  return future;
}

void future_init(struct future *future) {
  *future = (struct future){.state = FUTURE_PENDING, .empty = true};
  list_init(&future->waiters);
}

/* A pending future holds its callbacks, so that one which nobody can end is
 * collected with them: a table among its details keeps the Handles by their jobs.
 * Its key there is an address, since to look up a string can take memory. */
static const char callbacks_key;

/* Pushes that table, or something else when there is none. [-0, +1, -] */
static bool push_callbacks(lua_State *L, int index) {
  if (lua_getiuservalue(L, index, FUTURE_DETAILS) != LUA_TTABLE)
    return false;
  int type = lua_rawgetp(L, -1, &callbacks_key);
  lua_remove(L, -2);
  return type == LUA_TTABLE;
}

/* Replaces it by the value on top; there are details. [-1, +0, m] */
static void set_callbacks(lua_State *L, int index) {
  lua_getiuservalue(L, index, FUTURE_DETAILS);
  lua_insert(L, -2);
  lua_rawsetp(L, -2, &callbacks_key);
  lua_pop(L, 1);
}

/* Pushes the table of details, made when there was none. [-0, +1, m] */
static void push_details(lua_State *L, int index) {
  if (lua_getiuservalue(L, index, FUTURE_DETAILS) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, index, FUTURE_DETAILS);
  ((struct future *)lua_touserdata(L, index))->detailed = true;
}

/* The Handle is on top. [-0, +0, m] */
static void hold_callback(lua_State *L, int index, struct job *job) {
  int handle = lua_gettop(L);
  if (!push_callbacks(L, index)) {
    push_details(L, index);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    set_callbacks(L, index);
  }
  lua_pushvalue(L, handle);
  lua_rawsetp(L, -2, job);
  lua_settop(L, handle);
}

/* They are due now: anchors them, in the places reserved for that. [-0, +0, -] */
static void anchor_callbacks(lua_State *L, int index, struct future *future) {
  int top = lua_gettop(L);
  if (!future->detailed)
    return;
  if (push_callbacks(L, index)) {
    for (struct list *link = future->waiters.next; link != &future->waiters; link = link->next) {
      if (lua_rawgetp(L, top + 1, list_entry(link, struct job, link)) == LUA_TUSERDATA)
        handle_anchor(L);
      lua_pop(L, 1);
    }
    lua_pushnil(L);
    set_callbacks(L, index);
  }
  lua_settop(L, top);
}

/* Tells who looks on which tasks the end of a future makes ready. */
static void tell_waiters(struct watch *watch, const struct future *future) {
  for (struct list *link = future->waiters.next; link != &future->waiters; link = link->next) {
    const struct job *job = list_entry(link, struct job, link);
    if (job->run == scheduler_step)
      watch_ready(watch, list_entry(job, struct task, job));
  }
}

static void end(lua_State *L, int index, struct future *future, enum future_state state) {
  struct scheduler *scheduler = scheduler_of(L);
  if (list_empty(&future->waiters)) {
    future->state = state;
    return;
  }
  anchor_callbacks(L, index, future);
  future->state = state;
  if (scheduler->watch)
    tell_waiters(scheduler->watch, future);
  loop_ready_all(scheduler->loop, &future->waiters);
}

void future_finish(lua_State *L, int index, struct future *future, int count) {
  index = lua_absindex(L, index);
  if (count > 1)
    values_pack(L, count);
  if (count > 0)
    lua_setiuservalue(L, index, FUTURE_RESULT);
  future->empty = count == 0;
  future->packed = count > 1;
  end(L, index, future, FUTURE_FINISHED);
}

void future_fail(lua_State *L, int index, struct future *future) {
  index = lua_absindex(L, index);
  if (error_is(L, -1, "CancelledError")) {
    lua_getfield(L, -1, "message");
    lua_remove(L, -2);
    future_end_cancelled(L, index, future);
    return;
  }
  if (!failure_check(L, -1))
    failure_push(L);
  lua_getfield(L, -1, "error");
  lua_setiuservalue(L, index, FUTURE_RESULT);
  future_set_detail(L, index, "failure");
  end(L, index, future, FUTURE_FAILED);
}

void future_end_cancelled(lua_State *L, int index, struct future *future) {
  index = lua_absindex(L, index);
  if (lua_isnil(L, -1))
    lua_pop(L, 1);
  else
    future_set_detail(L, index, "cancel_message");
  end(L, index, future, FUTURE_CANCELLED);
}

void future_abandon(lua_State *L, int index, struct future *future) {
  index = lua_absindex(L, index);
  lua_setiuservalue(L, index, FUTURE_RESULT);
  future->empty = future->packed = false;
  end(L, index, future, FUTURE_FAILED);
}

/* Appends the task on top to the list at the index. [-1, +0, m] */
static void append(lua_State *L, int index) {
  lua_rawseti(L, index, (lua_Integer)lua_rawlen(L, index) + 1);
}

void future_push_waiters(lua_State *L, int index, struct future *future) {
  int tasks = lua_gettop(L) + 1, callbacks = tasks + 1, handles = tasks + 2;
  index = lua_absindex(L, index);
  luaL_checkstack(L, 6, "no room for the waiters");
  lua_newtable(L);
  lua_newtable(L);
  bool has_callbacks = push_callbacks(L, index);
  for (struct list *link = future->waiters.next; link != &future->waiters; link = link->next) {
    struct job *job = list_entry(link, struct job, link);
    struct task *task =
        job->run == scheduler_step ? list_entry(job, struct task, job) : join_task_of(job);
    if (task) {
      task_push(L, task);
      append(L, tasks);
    } else if (has_callbacks && lua_rawgetp(L, handles, job) == LUA_TUSERDATA) {
      handle_push_function(L);
      append(L, callbacks);
    }
    lua_settop(L, handles);
  }
  lua_settop(L, callbacks);
}

bool future_cancel(lua_State *L, int index, struct future *future) {
  if (future->is_task)
    return task_cancel(L, (struct task *)future);
  if (future->state != FUTURE_PENDING) {
    lua_pop(L, 1);
    return false;
  }
  future_end_cancelled(L, index, future);
  return true;
}

int future_get_detail(lua_State *L, int index, const char *key) {
  if (lua_getiuservalue(L, index, FUTURE_DETAILS) != LUA_TTABLE)
    return LUA_TNIL;
  int type = lua_getfield(L, -1, key);
  lua_remove(L, -2);
  return type;
}

void future_set_detail(lua_State *L, int index, const char *key) {
  index = lua_absindex(L, index);
  push_details(L, index);
  lua_insert(L, -2);
  lua_setfield(L, -2, key);
  lua_pop(L, 1);
}

/* Marks the failure of a future as seen and pushes it. [-0, +1, m] */
static void retrieve(lua_State *L, int index) {
  if (future_get_detail(L, index, "failure") == LUA_TTABLE) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "retrieved");
  }
}

/* Raises the error of the future; the task remembers where it came from. */
static int raise_failure(lua_State *L, int index) {
  struct task *task = scheduler_of(L)->current;
  retrieve(L, index);
  if (task) {
    task_push(L, task);
    lua_pushvalue(L, -2);
    future_set_detail(L, -2, "origin");
    lua_pop(L, 1);
  }
  lua_getiuservalue(L, index, FUTURE_RESULT);
  return lua_error(L);
}

static int raise_cancelled(lua_State *L, int index) {
  bool has = future_get_detail(L, index, "cancel_message") == LUA_TSTRING;
  return error_raise(L, "CancelledError", "%s", has ? lua_tostring(L, -1) : "");
}

int future_outcome(lua_State *L, int index, struct future *future) {
  index = lua_absindex(L, index);
  if (future->state == FUTURE_FAILED)
    return raise_failure(L, index);
  if (future->state == FUTURE_CANCELLED)
    return raise_cancelled(L, index);
  if (future->empty)
    return 0;
  lua_getiuservalue(L, index, FUTURE_RESULT);
  return future->packed ? values_unpack(L, -1) : 1;
}

/* Cancelling a task that awaits a future cancels the future; it lies at index 1
 * of the frame in which the task is parked. Awaited tasks are left to task_cancel;
 * one that is met here closes a ring of tasks, which is cut. */
static enum wait_cancel cancel_awaited(lua_State *L, struct task *task) {
  struct future *future = task->wait_object;
  lua_State *parked = task_running_thread(task);
  if (future->state != FUTURE_PENDING)
    return WAIT_OVER;
  if (future->is_task) {
    list_remove(&task->job.link);
    return WAIT_LEFT;
  }
  luaL_checkstack(L, 4, "no room to cancel");
  lua_pushvalue(parked, 1);
  lua_xmove(parked, L, 1);
  task_push(L, task);
  future_get_detail(L, -1, "cancel_message");
  lua_remove(L, -2);
  bool asked = future_cancel(L, -2, future);
  lua_pop(L, 1);
  return asked ? WAIT_DELEGATED : WAIT_OVER;
}

static const struct wait_kind awaiting = {"future", cancel_awaited, NULL};

struct task *future_awaited_task(const struct task *task) {
  if (task->wait != &awaiting)
    return NULL;
  struct future *future = task->wait_object;
  return future->is_task && future->state == FUTURE_PENDING ? (struct task *)future : NULL;
}

static int await_over(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  wait_resumed(L);
  return future_outcome(L, 1, lua_touserdata(L, 1));
}

/* future:await() → the results, or raises the error. Waits. */
static int future_await(lua_State *L) {
  struct future *future = future_check(L, 1);
  lua_settop(L, 1);
  if (future->state != FUTURE_PENDING)
    return future_outcome(L, 1, future);
  struct task *task = wait_enter(L);
  if (future == &task->future)
    return luaL_error(L, "a task cannot await itself");
  if (future->is_task && scheduler_of(L)->warns)
    inspect_await(L, task, (struct task *)future);
  list_append(&future->waiters, &task->job.link);
  return wait_park(L, task, &awaiting, future, await_over);
}

static int future_done(lua_State *L) {
  lua_pushboolean(L, future_check(L, 1)->state != FUTURE_PENDING);
  return 1;
}

static int future_cancelled(lua_State *L) {
  lua_pushboolean(L, future_check(L, 1)->state == FUTURE_CANCELLED);
  return 1;
}

static struct future *check_ended(lua_State *L) {
  struct future *future = future_check(L, 1);
  if (future->state == FUTURE_PENDING)
    error_raise(L, "InvalidStateError", "Result is not set.");
  return future;
}

/* future:result() → the results; raises its error, or InvalidStateError. */
static int future_result(lua_State *L) {
  return future_outcome(L, 1, check_ended(L));
}

/* future:exception() → its error or nil; raises when pending or cancelled. */
static int future_exception(lua_State *L) {
  struct future *future = check_ended(L);
  if (future->state == FUTURE_CANCELLED)
    return raise_cancelled(L, 1);
  if (future->state != FUTURE_FAILED)
    return 0;
  retrieve(L, 1);
  lua_getiuservalue(L, 1, FUTURE_RESULT);
  return 1;
}

/* future:failure() → the record of how it failed, or nil. */
static int future_failure(lua_State *L) {
  future_check(L, 1);
  retrieve(L, 1);
  return 1;
}

static int future_cancel_method(lua_State *L) {
  struct future *future = future_check(L, 1);
  lua_settop(L, 2);
  lua_pushboolean(L, future_cancel(L, 1, future));
  return 1;
}

/* future:add_done_callback(fn): fn(future) runs in a turn after its end. */
static int future_add_done_callback(lua_State *L) {
  struct future *future = future_check(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  lua_pushvalue(L, 1);
  struct job *job = handle_push(L, 1);
  if (future->state == FUTURE_PENDING) {
    handle_reserve(L);
    hold_callback(L, 1, job);
    list_append(&future->waiters, &job->link);
  } else {
    handle_anchor(L);
    loop_ready(scheduler_of(L)->loop, job);
  }
  return 0;
}

/* future:remove_done_callback(fn) → how many there were. */
static int future_remove_done_callback(lua_State *L) {
  struct future *future = future_check(L, 1);
  lua_Integer count = 0;
  lua_settop(L, 2);
  if (!push_callbacks(L, 1)) {
    lua_pushinteger(L, 0);
    return 1;
  }
  for (struct list *link = future->waiters.next, *next; link != &future->waiters; link = next) {
    struct job *job = list_entry(link, struct job, link);
    next = link->next;
    if (lua_rawgetp(L, 3, job) == LUA_TUSERDATA && handle_has_function(L, 2)) {
      handle_discard(L, job);
      lua_pushnil(L);
      lua_rawsetp(L, 3, job);
      count++;
    }
    lua_settop(L, 3);
  }
  lua_pushinteger(L, count);
  return 1;
}

static struct future *check_pending(lua_State *L) {
  struct future *future = luaL_checkudata(L, 1, FUTURE);
  if (future->state != FUTURE_PENDING)
    error_raise(L, "InvalidStateError", "the future has ended already");
  return future;
}

static int future_set_result(lua_State *L) {
  struct future *future = check_pending(L);
  future_finish(L, 1, future, lua_gettop(L) - 1);
  return 0;
}

static int future_set_exception(lua_State *L) {
  struct future *future = check_pending(L);
  luaL_argcheck(L, !lua_isnoneornil(L, 2), 2, "an error is needed");
  lua_settop(L, 2);
  future_fail(L, 1, future);
  return 0;
}

static int future_new(lua_State *L) {
  struct future *future = lua_newuserdatauv(L, sizeof *future, FUTURE_VALUES);
  future_init(future);
  luaL_setmetatable(L, FUTURE);
  return 1;
}

/* Callbacks of a future that nobody can end any more are let go. */
static int future_gc(lua_State *L) {
  struct future *future = lua_touserdata(L, 1);
  struct list *link;
  while ((link = list_shift(&future->waiters)))
    handle_discard(L, list_entry(link, struct job, link));
  return 0;
}

static const char *const state_names[] = {"pending", "finished", "failed", "cancelled"};

static int future_tostring(lua_State *L) {
  struct future *future = future_check(L, 1);
  lua_pushfstring(L, "<Future %s>", state_names[future->state]);
  return 1;
}

static const luaL_Reg shared_methods[] = {
    {"await", future_await},
    {"done", future_done},
    {"cancelled", future_cancelled},
    {"result", future_result},
    {"exception", future_exception},
    {"failure", future_failure},
    {"cancel", future_cancel_method},
    {"add_done_callback", future_add_done_callback},
    {"remove_done_callback", future_remove_done_callback},
    {NULL, NULL},
};

static const luaL_Reg future_methods[] = {
    {"set_result", future_set_result},
    {"set_exception", future_set_exception},
    {"__gc", future_gc},
    {"__tostring", future_tostring},
    {NULL, NULL},
};

void future_add_methods(lua_State *L) {
  luaL_setfuncs(L, shared_methods, 0);
}

/* is(value) → whether it is a Future or a Task. */
static int future_is(lua_State *L) {
  lua_pushboolean(L, future_test(L, 1) != NULL);
  return 1;
}

/* all(list) → whether every element is a Future or a Task. */
static int future_all(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Unsigned count = lua_rawlen(L, 1);
  bool all = true;
  for (lua_Unsigned i = 1; all && i <= count; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i);
    all = future_test(L, -1) != NULL;
    lua_pop(L, 1);
  }
  lua_pushboolean(L, all);
  return 1;
}

static const luaL_Reg functions[] = {
    {"new", future_new}, {"await", future_await}, {"is", future_is}, {"all", future_all},
    {NULL, NULL},
};

int luaopen_strobe_core_future(lua_State *L) {
  luaL_newmetatable(L, FUTURE);
  luaL_setfuncs(L, future_methods, 0);
  future_add_methods(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  scheduler_of(L)->future_type = lua_topointer(L, -1);
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
