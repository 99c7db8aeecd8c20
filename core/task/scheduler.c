#include "core/task/scheduler.h"

#include "core/task/context.h"
#include "core/task/debugger.h"
#include "core/task/error.h"
#include "core/task/freeze.h"
#include "core/task/generator.h"
#include "core/task/inspect.h"
#include "core/task/interrupt.h"
#include "core/task/task.h"
#include "core/task/thread.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SLOW_STEP = 100 * 1000 * 1000 };

void scheduler_open(struct scheduler *scheduler, lua_State *L, struct loop *loop) {
  memset(scheduler, 0, sizeof *scheduler);
  scheduler->loop = loop;
  scheduler->L = scheduler->running = L;
  scheduler->slow_step = SLOW_STEP;
  list_init(&scheduler->tasks);
  list_init(&scheduler->held);
  *(uintptr_t *)lua_getextraspace(L) = (uintptr_t)scheduler;
}

void scheduler_close(struct scheduler *scheduler) {
  record_close(&scheduler->records);
  scheduler->watch = NULL;
  scheduler->loop->watch = NULL;
  events_close(&scheduler->watching);
}

/* How a task ended: with `count` results, or an error, on its thread's stack. */
struct ending {
  struct task *task;
  enum { RETURNED, FAILED, CANCELLED } how;
  int count;
};

/* Hands the ending to the Task. May raise for want of memory. */
static void settle(const struct ending *ending) {
  struct task *task = ending->task;
  lua_State *L = task->thread.L;
  int count = ending->count;
  if (ending->how == CANCELLED)
    lua_settop(L, 0);
  task_push(L, task);
  if (ending->how == CANCELLED) {
    future_get_detail(L, -1, "cancel_message");
    future_end_cancelled(L, -2, &task->future);
    return;
  }
  if (count > 0)
    lua_insert(L, -count - 1);
  if (ending->how == FAILED) {
    inspect_failure(L, task); /* first: it may raise, and ends nothing */
    future_fail(L, -count - 1, &task->future);
  } else {
    future_finish(L, -count - 1, &task->future, count);
  }
}

static int settle_protected(lua_State *L) {
  const struct ending *ending = lua_touserdata(L, 1);
  luaL_checkstack(ending->task->thread.L, 8, "no room to end a task");
  settle(ending);
  return 0;
}

/* Without memory to end as it should, the task fails with what pcall left on top:
 * at least whoever awaits it goes on. [-1, +0, -] */
static void settle_poorly(lua_State *L, struct task *task) {
  fprintf(stderr, "strobe: Task-%" PRIu64 " could not end as it should: %s\n", task->id,
          lua_tostring(L, -1));
  task_push(L, task);
  lua_insert(L, -2);
  future_abandon(L, -2, &task->future);
  lua_pop(L, 1);
}

/* A result at the most, and nothing else kept with the task: needs no memory, since
 * an ended thread has LUA_MINSTACK slots. */
static bool settles_freely(const struct ending *ending) {
  return ending->how == RETURNED && ending->count <= 1 && !ending->task->future.detailed;
}

static void end_task(lua_State *L, struct scheduler *scheduler, struct ending ending) {
  if (settles_freely(&ending)) {
    settle(&ending);
  } else {
    lua_pushcfunction(L, settle_protected);
    lua_pushlightuserdata(L, &ending);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
      settle_poorly(L, ending.task);
  }
  if (scheduler->watch)
    watch_ended(scheduler->watch, ending.task);
  if (scheduler->debugger)
    debugger_forget(scheduler, ending.task);
  record_ended(scheduler, ending.task);
  list_remove(&ending.task->link);
  thread_release(L, ending.task->thread);
}

void scheduler_end(lua_State *L, struct task *task) {
  thread_close(L, task->thread);
  end_task(L, scheduler_of(L), (struct ending){task, CANCELLED, 0});
  record_closed(scheduler_of(L));
}

static int ending_of(bool cancelled, bool failed) {
  return cancelled ? CANCELLED : failed ? FAILED : RETURNED;
}

/* The one place that resumes a thread. */
static int resume(struct scheduler *scheduler, lua_State *L, int *count) {
  int transfer = scheduler->transfer;
  scheduler->transfer = 0;
  scheduler->action = ACTION_NONE;
  scheduler->failed = false;
  scheduler->running = L;
  interrupt_follow(scheduler, L);
  debugger_follow(scheduler, L);
  return lua_resume(L, scheduler->L, transfer, count);
}

/* Runs the task until it parks or ends. */
static void run(struct scheduler *scheduler, struct task *task) {
  for (;;) {
    struct generator *generator = task->generator;
    lua_State *L = task_running_thread(task);
    int count;
    int status = resume(scheduler, L, &count);
    if (status == LUA_YIELD) {
      if (scheduler->action == ACTION_SWITCH)
        continue;
      if (scheduler->action == ACTION_NONE) { /* coroutine.yield: as sleep(0) */
        lua_pop(L, count);
        task->yielded = true;
        loop_ready(scheduler->loop, &task->job);
      }
      return;
    }
    bool failed = status != LUA_OK || scheduler->failed;
    count = status == LUA_OK ? count : 1;
    if (!generator) {
      bool cancelled = task->must_cancel && !failed;
      if (scheduler->warns && !cancelled && !failed)
        inspect_returned(scheduler, task);
      end_task(scheduler->L, scheduler, (struct ending){task, ending_of(cancelled, failed), count});
      return;
    }
    generator_finish(scheduler->L, generator, count, failed);
  }
}

/* What went wrong in reporting `what` is on top. [-1, +0, -] */
static void print_last_resort(lua_State *L, const char *what) {
  const char *reason = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error";
  fprintf(stderr, "strobe: a %s could not be reported: %s\n", what, reason);
  lua_pop(L, 1);
}

struct slow_step {
  struct task *task;         /* NULL when it has ended; or for a callback */
  struct task_record record; /* number 0: a callback, whose function is below */
  int64_t taken;
};

/* Sets the fields `name` and `where` of the report on top to those of a callback; its
 * function is at index 2. [-0, +0, m] */
static void name_callback(lua_State *L) {
  lua_Debug info;
  lua_pushliteral(L, "a callback");
  lua_setfield(L, -2, "name");
  lua_pushvalue(L, 2);
  lua_getinfo(L, ">S", &info);
  lua_pushfstring(L, "%s:%d", info.short_src, info.linedefined);
  lua_setfield(L, -2, "where");
}

/* The fields of a task, which may have ended. [-0, +0, m] */
static void name_task(lua_State *L, const struct slow_step *step) {
  if (step->task) {
    task_push(L, step->task);
    lua_setfield(L, -2, "task");
  }
  lua_pushstring(L, step->record.name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, step->record.unit[0] ? step->record.unit : NULL);
  lua_setfield(L, -2, "unit");
}

static int report_slow_protected(lua_State *L) {
  const struct slow_step *step = lua_touserdata(L, 1);
  lua_createtable(L, 0, 4);
  lua_pushliteral(L, "slow step");
  lua_setfield(L, -2, "message");
  lua_pushnumber(L, clock_seconds(step->taken));
  lua_setfield(L, -2, "seconds");
  if (step->record.id > 0)
    name_task(L, step);
  else
    name_callback(L);
  error_report(L);
  return 0;
}

/* The function of a callback is on top. */
static void report_slow(struct scheduler *scheduler, struct task *task, int64_t taken) {
  lua_State *L = scheduler->L;
  struct slow_step step = {.taken = taken};
  if (task) {
    record_read(scheduler, task, &step.record);
    step.task = task->future.state == FUTURE_PENDING ? task : NULL;
  }
  lua_pushcfunction(L, report_slow_protected);
  lua_pushlightuserdata(L, &step);
  if (!task)
    lua_pushvalue(L, -3);
  if (lua_pcall(L, task ? 1 : 2, 0, 0) != LUA_OK)
    print_last_resort(L, "slow step");
}

/* Time since the job before, by the coarse clock. */
static inline int64_t time_taken(struct loop *loop) {
  int64_t began = loop->stamp, now = clock_real_coarse();
  if (now < began) /* the coarse clock stands behind the one read before the batch */
    return 0;
  loop->stamp = now;
  return now - began;
}

/* A step has ended; whoever was told that it was cut need not hear how long it took. The function
 * of a callback is on top. */
static inline void look_back(struct scheduler *scheduler, struct task *task) {
  int64_t taken = time_taken(scheduler->loop);
  if (!scheduler->was_cut) {
    if (taken > scheduler->slow_step)
      report_slow(scheduler, task, taken);
    return;
  }
  scheduler->was_cut = false;
  scheduler->watching.excused = true;
}

void scheduler_called(struct scheduler *scheduler) {
  look_back(scheduler, NULL);
}

void scheduler_step(struct job *job) {
  struct task *task = list_entry(job, struct task, job);
  struct scheduler *scheduler = scheduler_of(task->thread.L);
  if (task->frozen) {
    freeze_hold(scheduler, task);
    return;
  }
  bool was_stopped = debugger_holds(task); /* in code that cannot raise, or has failed */
  task->wait = NULL;
  if (task->must_cancel && !was_stopped) {
    task->must_cancel = false;
    if (!task->started) {
      end_task(scheduler->L, scheduler, (struct ending){task, CANCELLED, 0});
      return;
    }
    task->raise_cancelled = true;
  }
  if (!task->started) {
    scheduler->transfer = lua_gettop(task->thread.L) - 1;
    task->started = true;
  }
  task->yielded = false;
  scheduler->current = task;
  scheduler->steps++;
  task->resumes++;
  task->resumed = scheduler->loop->now;
  if (scheduler->watch)
    watch_resumed(scheduler->watch, task);
  scheduler_beat(scheduler);
  run(scheduler, task);
  scheduler_beat(scheduler);
  if (scheduler->watch && task->future.state == FUTURE_PENDING)
    watch_parked(scheduler->watch, task);
  scheduler->current = NULL;
  scheduler->running = scheduler->L;
  interrupt_end(scheduler); /* what was to be stopped has ended */
  look_back(scheduler, task);
}

/* The protected part of reporting: error, what it was. */
static int report_error(lua_State *L) {
  const char *what = lua_touserdata(L, 2);
  lua_settop(L, 1);
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
  return 0;
}

int scheduler_call(lua_State *L, int arguments, int results, const char *what) {
  int base = lua_gettop(L) - arguments;
  lua_pushcfunction(L, error_handler);
  lua_insert(L, base);
  struct scheduler *scheduler = scheduler_of(L);
  bool outermost = !(scheduler_read_beat(scheduler) & 1);
  scheduler->callbacks++;
  if (outermost)
    scheduler_beat(scheduler);
  int status = lua_pcall(L, arguments, results, base);
  if (outermost) {
    scheduler_beat(scheduler);
    interrupt_pardon(scheduler);
  }
  lua_remove(L, base);
  context_leave(L);
  if (status == LUA_OK)
    return status;
  lua_pushcfunction(L, report_error);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, (void *)what);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK)
    print_last_resort(L, what);
  return status;
}
