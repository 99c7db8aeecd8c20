#include "core/task/wait.h"

#include "core/task/error.h"

static int raise_cancelled(lua_State *L, struct task *task) {
  task_push(L, task);
  const char *message =
      task_get_detail(L, -1, "cancel_message") == LUA_TSTRING ? lua_tostring(L, -1) : "";
  return error_raise(L, "CancelledError", "%s", message);
}

struct task *wait_enter(lua_State *L) {
  struct task *task = scheduler_of(L)->current;
  if (!task)
    error_mistake(L, "cannot wait here: no task is running (in a callback, use create_task)");
  if (L != task_running_thread(task))
    error_mistake(L, "cannot wait in a plain coroutine: use async.generator or create_task");
  if (!lua_isyieldable(L))
    error_mistake(L, "cannot wait across a call from C (a sort, gsub or metamethod callback)");
  if (task->must_cancel) {
    task->must_cancel = false;
    raise_cancelled(L, task);
  }
  return task;
}

int wait_park(lua_State *L, struct task *task, const struct wait_kind *kind, void *object,
              lua_KFunction k) {
  task->wait = kind;
  task->wait_object = object;
  scheduler_of(L)->action = ACTION_PARK;
  return lua_yieldk(L, 0, 0, k);
}

void wait_resumed(lua_State *L) {
  struct task *task = scheduler_of(L)->current;
  if (task->raise_cancelled) {
    task->raise_cancelled = false;
    raise_cancelled(L, task);
  }
}

void wait_wake(struct task *task) {
  task->wait = NULL;
  loop_ready(scheduler_of(task->thread.L)->loop, &task->job);
}

int wait_turn(lua_State *L, struct task *task, lua_KFunction k) {
  struct scheduler *scheduler = scheduler_of(L);
  loop_ready(scheduler->loop, &task->job);
  scheduler->action = ACTION_PARK;
  return lua_yieldk(L, 0, 0, k);
}
