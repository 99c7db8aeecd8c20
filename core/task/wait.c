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

static void deadline_passed(struct timer *timer) {
  struct task *task = list_entry(timer, struct task, timer);
  task->wait->cancel(scheduler_of(task->thread.L)->L, task);
  task->timed_out = true;
  wait_wake(task);
}

void wait_timer_wakes(struct timer *timer) {
  wait_wake(list_entry(timer, struct task, timer));
}

struct task *wait_task_of(struct timer *timer) {
  bool is_ours = timer->fire == deadline_passed || timer->fire == wait_timer_wakes;
  return is_ours ? list_entry(timer, struct task, timer) : NULL;
}

void wait_deadline(lua_State *L, struct task *task, int64_t timeout) {
  struct loop *loop = scheduler_of(L)->loop;
  if (timeout <= 0)
    return;
  task->timer.fire = deadline_passed;
  if (!timer_start(&loop->timers, &task->timer, clock_now(&loop->clock) + timeout))
    error_mistake(L, "not enough memory for a timer");
}

bool wait_resumed(lua_State *L) {
  struct task *task = scheduler_of(L)->current;
  if (task->raise_cancelled) {
    task->raise_cancelled = task->timed_out = false;
    raise_cancelled(L, task);
  }
  bool timed_out = task->timed_out;
  task->timed_out = false;
  return timed_out;
}

void wait_wake(struct task *task) {
  struct scheduler *scheduler = scheduler_of(task->thread.L);
  struct loop *loop = scheduler->loop;
  if (scheduler->watch)
    watch_ready(scheduler->watch, task);
  timer_stop(&loop->timers, &task->timer);
  task->wait = NULL;
  loop_ready(loop, &task->job);
}

int wait_turn(lua_State *L, struct task *task, lua_KFunction k) {
  struct scheduler *scheduler = scheduler_of(L);
  task->yielded = true;
  loop_ready(scheduler->loop, &task->job);
  scheduler->action = ACTION_PARK;
  return lua_yieldk(L, 0, 0, k);
}
