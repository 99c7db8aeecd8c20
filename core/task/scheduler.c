#include "core/task/scheduler.h"

#include "core/task/context.h"
#include "core/task/error.h"
#include "core/task/generator.h"
#include "core/task/interrupt.h"
#include "core/task/task.h"
#include "core/task/thread.h"

#include <string.h>

enum { SLOW_STEP = 100 * 1000 * 1000 };

void scheduler_open(struct scheduler *scheduler, lua_State *L, struct loop *loop) {
  memset(scheduler, 0, sizeof *scheduler);
  scheduler->loop = loop;
  scheduler->L = scheduler->running = L;
  scheduler->slow_step = SLOW_STEP;
  list_init(&scheduler->tasks);
  *(uintptr_t *)lua_getextraspace(L) = (uintptr_t)scheduler;
}

/* The task's body has ended and left `count` values on its stack. */
static void task_end(struct scheduler *scheduler, struct task *task, int count, bool failed) {
  lua_State *L = task->thread.L;
  lua_checkstack(L, 8);
  task_push(L, task);
  if (count > 0)
    lua_insert(L, -count - 1);
  if (failed)
    future_fail(L, -count - 1, &task->future);
  else
    future_finish(L, -count - 1, &task->future, count);
  list_remove(&task->link);
  thread_release(scheduler->L, task->thread);
}

/* Ends a task that was cancelled before it began, or returned with the
 * cancellation still due. */
static void task_end_cancelled(struct scheduler *scheduler, struct task *task) {
  lua_State *L = task->thread.L;
  lua_settop(L, 0);
  task_push(L, task);
  future_get_detail(L, -1, "cancel_message");
  future_end_cancelled(L, -2, &task->future);
  list_remove(&task->link);
  thread_release(scheduler->L, task->thread);
}

/* The one place that resumes a thread. */
static int resume(struct scheduler *scheduler, struct task *task, lua_State *L, int *count) {
  int transfer = task->transfer;
  task->transfer = 0;
  scheduler->action = ACTION_NONE;
  scheduler->failed = false;
  scheduler->running = L;
  return lua_resume(L, scheduler->L, transfer, count);
}

/* Runs the task until it parks or ends. */
static void run(struct scheduler *scheduler, struct task *task) {
  for (;;) {
    struct generator *generator = task->generator;
    lua_State *L = task_running_thread(task);
    int count;
    int status = resume(scheduler, task, L, &count);
    if (status == LUA_YIELD) {
      if (scheduler->action == ACTION_SWITCH)
        continue;
      if (scheduler->action == ACTION_NONE) { /* coroutine.yield: as sleep(0) */
        lua_pop(L, count);
        loop_ready(scheduler->loop, &task->job);
      }
      return;
    }
    bool failed = status != LUA_OK || scheduler->failed;
    count = status == LUA_OK ? count : 1;
    if (!generator) {
      if (task->must_cancel && !failed)
        task_end_cancelled(scheduler, task);
      else
        task_end(scheduler, task, count, failed);
      return;
    }
    generator_finish(scheduler->L, generator, count, failed);
  }
}

static void report_slow(struct scheduler *scheduler, struct task *task, int64_t taken) {
  lua_State *L = scheduler->L;
  lua_createtable(L, 0, 4);
  lua_pushliteral(L, "slow step");
  lua_setfield(L, -2, "message");
  lua_pushnumber(L, clock_seconds(taken));
  lua_setfield(L, -2, "seconds");
  if (task->future.state == FUTURE_PENDING) {
    task_push(L, task);
    lua_setfield(L, -2, "task");
  }
  error_report(L);
}

void scheduler_step(struct job *job) {
  struct task *task = list_entry(job, struct task, job);
  struct scheduler *scheduler = scheduler_of(task->thread.L);
  task->wait = NULL;
  if (task->must_cancel) {
    task->must_cancel = false;
    if (!task->started) {
      task_end_cancelled(scheduler, task);
      return;
    }
    task->raise_cancelled = true;
  }
  task->started = true;
  scheduler->current = task;
  scheduler->steps++;
  struct loop *loop = scheduler->loop;
  run(scheduler, task);
  scheduler->current = NULL;
  scheduler->running = scheduler->L;
  scheduler->interrupt = 0; /* what was to be stopped has ended */
  int64_t began = loop->stamp, now = clock_real_coarse();
  if (now < began) /* the coarse clock stands behind the one read before the batch */
    return;
  loop->stamp = now;
  int64_t taken = now - began;
  if (taken > scheduler->slow_step)
    report_slow(scheduler, task, taken);
}

int scheduler_call(lua_State *L, int arguments, int results, const char *what) {
  int base = lua_gettop(L) - arguments;
  lua_pushcfunction(L, error_handler);
  lua_insert(L, base);
  scheduler_of(L)->callbacks++;
  int status = lua_pcall(L, arguments, results, base);
  lua_remove(L, base);
  context_leave(L);
  if (status == LUA_OK)
    return status;
  failure_take(L);
  if (!failure_check(L, -1))
    failure_push(L);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "retrieved");
  lua_createtable(L, 0, 2);
  lua_pushfstring(L, "error in a %s", what);
  lua_setfield(L, -2, "message");
  lua_insert(L, -2);
  lua_setfield(L, -2, "failure");
  error_report(L);
  return status;
}
