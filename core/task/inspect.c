#include "core/task/inspect.h"

#include "core/task/error.h"
#include "core/task/join.h"
#include "core/task/traceback.h"
#include "core/task/wait.h"

#include <string.h>

void inspect_creation(lua_State *L) {
  luaL_checkstack(L, 8, "no room for a traceback");
  traceback_push(L, 1);
  future_set_detail(L, -2, "created_by");
}

void inspect_failure(lua_State *L, struct task *task) {
  int failure = lua_gettop(L);
  luaL_checkstack(L, 6, "no room for a trace");
  if (!failure_check(L, failure))
    return;
  lua_getfield(L, failure, "error");
  if (lua_istable(L, -1)) {
    lua_pushliteral(L, "message");
    lua_rawget(L, -2);
  }
  const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error";
  lua_getfield(L, failure, "traceback");
  const char *trace = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  record_failed(scheduler_of(L), task, lua_pushfstring(L, "%s\n%s", message, trace));
  lua_settop(L, failure);
}

/* The table of one. [-0, +1, m] */
static void push_warning(lua_State *L) {
  lua_createtable(L, 0, 4);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "warning");
}

/* Calls the function with that light userdata as its only argument, outside of any other call into
 * Lua. What it has to say may fail for want of memory. */
static void report_by(lua_State *L, lua_CFunction function, void *argument) {
  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, argument);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    lua_pop(L, 1);
}

static int report_swallowed(lua_State *L) {
  struct task *task = lua_touserdata(L, 1);
  push_warning(L);
  task_push(L, task);
  if (task_get_detail(L, -1, "created_by") == LUA_TSTRING)
    lua_setfield(L, -3, "created_by");
  else
    lua_pop(L, 1);
  task_push_name(L, task);
  lua_pushfstring(L,
                  "%s was cancelled, and returned as if it was not: CancelledError was swallowed",
                  lua_tostring(L, -1));
  lua_setfield(L, -4, "message");
  lua_pop(L, 1);
  lua_setfield(L, -2, "task");
  error_report(L);
  return 0;
}

void inspect_returned(struct scheduler *scheduler, struct task *task) {
  if (task->cancels > 0)
    report_by(scheduler->L, report_swallowed, task);
}

struct late_timer {
  struct task *task;
  int64_t late;
};

static int report_late(lua_State *L) {
  const struct late_timer *timer = lua_touserdata(L, 1);
  char file[RECORD_TEXT];
  int line;
  push_warning(L);
  lua_pushfstring(L, "a timer is late by %d ms", (int)(timer->late / 1000000));
  lua_setfield(L, -2, "message");
  if (timer->task) {
    task_push(L, timer->task);
    lua_setfield(L, -2, "task");
  }
  if (timer->task && record_where(timer->task, file, &line)) {
    lua_pushfstring(L, "%s:%d", file, line);
    lua_setfield(L, -2, "at");
  }
  error_report(L);
  return 0;
}

void inspect_late(struct scheduler *scheduler, struct task *task, int64_t late) {
  struct late_timer timer = {task, late};
  report_by(scheduler->L, report_late, &timer);
}

static int report_collected(lua_State *L) {
  push_warning(L);
  lua_pushfstring(L, "a %s was collected while it was open: close it", lua_touserdata(L, 1));
  lua_setfield(L, -2, "message");
  error_report(L);
  return 0;
}

void inspect_collected(lua_State *L, const char *name) {
  if (scheduler_of(L)->warns)
    report_by(L, report_collected, (void *)name);
}

/* Tasks that are looked at: that many tell of most circles, and cost little. */
enum { MOST_HELD_UP = 1000 };

struct held_up {
  int count;
  const struct task *tasks[MOST_HELD_UP];
};

/* Finds who goes on after the task only: itself, who waits for it, who waits for those. */
static void find_held_up(const struct task *task, struct held_up *held_up) {
  held_up->count = 1;
  held_up->tasks[0] = task;
  for (int i = 0; i < held_up->count; i++) {
    const struct list *waiters = &held_up->tasks[i]->future.waiters;
    for (struct list *link = waiters->next; link != waiters; link = link->next) {
      struct job *job = list_entry(link, struct job, link);
      const struct task *waiter =
          job->run == scheduler_step ? list_entry(job, struct task, job) : join_held_up(job);
      if (waiter && held_up->count < MOST_HELD_UP)
        held_up->tasks[held_up->count++] = waiter;
    }
  }
}

static bool is_held_up(const struct held_up *held_up, const struct future *future) {
  for (int i = 0; i < held_up->count; i++)
    if (&held_up->tasks[i]->future == future)
      return true;
  return false;
}

static void report_circle(lua_State *L, struct task *task, struct task *awaited) {
  luaL_checkstack(L, 8, "no room for a warning");
  push_warning(L);
  task_push(L, task);
  task_push_name(L, task);
  task_push(L, awaited);
  task_push_name(L, awaited);
  lua_pushfstring(L, "%s awaits %s, which waits for it: they wait for each other for ever",
                  lua_tostring(L, -3), lua_tostring(L, -1));
  lua_setfield(L, -6, "message");
  lua_pop(L, 3);
  lua_setfield(L, -2, "task");
  error_report(L);
}

void inspect_await(lua_State *L, struct task *task, struct task *awaited) {
  struct held_up held_up;
  find_held_up(task, &held_up);
  if (is_held_up(&held_up, &awaited->future))
    report_circle(L, task, awaited);
}

bool inspect_push_circle(lua_State *L, struct task *task, int index, int count) {
  struct held_up held_up;
  find_held_up(task, &held_up);
  for (int i = 1; i <= count; i++) {
    lua_rawgeti(L, index, i);
    struct future *future = future_test(L, -1);
    if (future && is_held_up(&held_up, future))
      return true;
    lua_pop(L, 1);
  }
  return false;
}

void inspect_join(lua_State *L, struct task *task, int index, int count) {
  if (!inspect_push_circle(L, task, index, count))
    return;
  report_circle(L, task, task_check(L, -1));
  lua_pop(L, 1);
}

/* --- Records as tables ------------------------------------------------------------------ */

static void set_time(lua_State *L, const char *key, int64_t nanoseconds) {
  lua_pushnumber(L, clock_seconds(nanoseconds));
  lua_setfield(L, -2, key);
}

static void set_integer(lua_State *L, const char *key, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, key);
}

static void set_string(lua_State *L, const char *key, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, key);
}

static void push_cancel(lua_State *L, const struct record_cancel *cancel) {
  lua_createtable(L, 0, 3);
  if (cancel->by > 0)
    set_integer(L, "by", cancel->by);
  if (cancel->reason[0])
    set_string(L, "reason", cancel->reason);
  set_time(L, "at", cancel->at);
}

static void push_wait(lua_State *L, const struct task_record *record, const struct task *task) {
  char file[RECORD_TEXT];
  int line;
  lua_createtable(L, 0, 6);
  set_string(L, "kind", record->kind);
  set_time(L, "since", record->resumed);
  if (record->awaited > 0)
    set_integer(L, "task", record->awaited);
  if (record->deadline > 0)
    set_time(L, "deadline", record->deadline);
  if (record_where(task, file, &line)) {
    set_string(L, "file", file);
    set_integer(L, "line", (uint64_t)line);
  }
}

/* Where a task comes from, into the table on top. */
static void push_origin(lua_State *L, const struct task_record *record) {
  if (record->parent > 0)
    set_integer(L, "parent", record->parent);
  if (record->group > 0)
    set_integer(L, "group", record->group);
  if (record->unit[0]) {
    set_string(L, "unit", record->unit);
    set_integer(L, "gen", (uint64_t)record->generation);
  }
}

static void push_record(lua_State *L, const struct task_record *record) {
  static const char *const states[] = {"ready",    "running", "waiting",   "frozen", "cancelling",
                                       "returned", "failed",  "cancelled", "closed"};
  lua_createtable(L, 0, 16);
  set_integer(L, "id", record->id);
  set_string(L, "name", record->name);
  set_string(L, "state", states[record->state]);
  set_time(L, "created", record->created);
  set_integer(L, "resumes", record->resumes);
  set_integer(L, "cancelling", record->cancelling);
  push_origin(L, record);
  if (record->resumes > 0)
    set_time(L, "last_resume", record->resumed);
  if (record->ended > 0)
    set_time(L, "ended", record->ended);
  if (record->run > 0) {
    set_time(L, "run_time", record->run);
    set_time(L, "max_run_time", record->longest);
  }
  if (record->trace)
    set_string(L, "trace", record->trace);
  if (record->cancel.asked) {
    push_cancel(L, &record->cancel);
    lua_setfield(L, -2, "cancelled");
  }
}

/* record(task) → {id=, name=, state=, created=, resumes=, waiting_on=, …}: times in seconds. */
static int inspect_record(lua_State *L) {
  struct task_record record;
  struct task *task = task_check(L, 1);
  record_read(scheduler_of(L), task, &record);
  push_record(L, &record);
  if (record.kind[0]) {
    push_wait(L, &record, task);
    lua_setfield(L, -2, "waiting_on");
  }
  lua_pushvalue(L, 1);
  task_push_name(L, task); /* all of it */
  lua_setfield(L, 2, "name");
  if (future_get_detail(L, 1, "created_by") == LUA_TSTRING)
    lua_setfield(L, 2, "created_by");
  lua_settop(L, 2);
  return 1;
}

/* own(task, unit, gen): the task runs code of that generation of a unit. */
static int inspect_own(lua_State *L) {
  struct task *task = task_check(L, 1);
  record_owned(scheduler_of(L), task, luaL_checkstring(L, 2), luaL_checkinteger(L, 3));
  return 0;
}

/* id(task) → its number. */
static int inspect_id(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)task_check(L, 1)->id);
  return 1;
}

/* find(id) → the living task of that number, or nil. */
static int inspect_find(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  uint64_t id = (uint64_t)luaL_checkinteger(L, 1);
  for (struct list *link = scheduler->tasks.next; link != &scheduler->tasks; link = link->next) {
    struct task *task = list_entry(link, struct task, link);
    if (task->id == id) {
      task_push(L, task);
      return 1;
    }
  }
  return 0;
}

/* Jobs that are looked at, so that a look stays short. */
enum { MOST_JOBS = 100 };

/* yielded() → the list of the tasks that are ready because they gave way, as by sleep(0): of the
 * first jobs only. */
static int inspect_yielded(lua_State *L) {
  const struct list *ready = &scheduler_of(L)->loop->ready;
  int jobs = 0;
  lua_Integer count = 0;
  lua_newtable(L);
  for (struct list *link = ready->next; link != ready && jobs++ < MOST_JOBS; link = link->next) {
    struct job *job = list_entry(link, struct job, link);
    if (job->run != scheduler_step || !list_entry(job, struct task, job)->yielded)
      continue;
    task_push(L, list_entry(job, struct task, job));
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

/* ended() → the records of the tasks that ended last, the newest first. */
static int inspect_ended(lua_State *L) {
  struct task_record record;
  lua_newtable(L);
  for (uint32_t i = 0; record_read_ended(scheduler_of(L), i, &record); i++) {
    push_record(L, &record);
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* --- Who waits for whom ----------------------------------------------------------------- */

/* waiters(future) → the list of the tasks that wait for it, and the list of its callbacks. */
static int inspect_waiters(lua_State *L) {
  future_push_waiters(L, 1, future_check(L, 1));
  return 2;
}

/* awaiting(task) → the list of the futures it waits for. */
static int inspect_awaiting(lua_State *L) {
  struct task *task = task_check(L, 1);
  const char *kind = task->future.state == FUTURE_PENDING && task->wait ? task->wait->name : "";
  lua_State *parked = task_running_thread(task);
  lua_newtable(L);
  if (strcmp(kind, "future") == 0) {
    lua_pushvalue(parked, 1);
    lua_xmove(parked, L, 1);
    lua_rawseti(L, -2, 1);
  } else if (strcmp(kind, "futures") == 0) {
    lua_pushvalue(parked, 3); /* see join.c */
    lua_xmove(parked, L, 1);
  }
  return 1;
}

/* entry(task) → the function of a task that has not begun. */
static int inspect_entry(lua_State *L) {
  struct task *task = task_check(L, 1);
  if (task->started || task->future.state != FUTURE_PENDING)
    return 0;
  lua_State *thread = task->thread.L;
  bool has_body = lua_tocfunction(thread, 2) == error_handler; /* see body.c */
  lua_pushvalue(thread, has_body ? 3 : 1);
  lua_xmove(thread, L, 1);
  return 1;
}

/* --- Modes ------------------------------------------------------------------------------ */

/* debug([on]) → whether debug mode is on. */
static int inspect_debug(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  if (!lua_isnoneornil(L, 1))
    scheduler->debug = lua_toboolean(L, 1);
  lua_pushboolean(L, scheduler->debug);
  return 1;
}

/* warnings([on]) → whether what seldom is meant is reported: a cancellation that was swallowed,
 * tasks that wait for each other, timers that are late, handles that were collected while open. */
static int inspect_warnings(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  if (!lua_isnoneornil(L, 1)) {
    scheduler->warns = lua_toboolean(L, 1);
    events_warn(scheduler, scheduler->warns);
  }
  lua_pushboolean(L, scheduler->warns);
  return 1;
}

/* keep_hooks(on): whether threads keep their hooks when the tasks that ran in them end. */
static int inspect_keep_hooks(lua_State *L) {
  scheduler_of(L)->keeps_hooks = lua_toboolean(L, 1);
  return 0;
}

/* times([on]) → whether the time that tasks take is measured. */
static int inspect_times(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  if (!lua_isnoneornil(L, 1))
    events_take_times(scheduler, lua_toboolean(L, 1));
  lua_pushboolean(L, scheduler->watching.timing);
  return 1;
}

/* --- Events ----------------------------------------------------------------------------- */

static void name_living(struct scheduler *scheduler) {
  struct task_record record;
  for (struct list *link = scheduler->tasks.next; link != &scheduler->tasks; link = link->next) {
    const struct task *task = list_entry(link, struct task, link);
    record_read(scheduler, task, &record);
    if (task->note > 0)
      watch_named(scheduler->watch, task, record.name);
  }
}

/* trace_start(capacity): a new ring of so many events. */
static int inspect_trace_start(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  lua_Integer capacity = luaL_checkinteger(L, 1);
  luaL_argcheck(L, capacity > 0 && capacity <= EVENTS_MOST, 1, "1 to 16777216 events expected");
  if (!events_start(scheduler, (uint32_t)capacity))
    return luaL_error(L, "not enough memory for a ring of %I events", (LUAI_UACINT)capacity);
  name_living(scheduler);
  if (scheduler->current)
    watch_resumed(scheduler->watch, scheduler->current);
  return 0;
}

static int inspect_trace_stop(lua_State *L) {
  events_stop(scheduler_of(L));
  return 0;
}

/* trace_status() → whether it runs, the ring's capacity, how many events there were. */
static int inspect_trace_status(lua_State *L) {
  const struct watch *watch = &scheduler_of(L)->watching;
  lua_pushboolean(L, watch->recording);
  lua_pushinteger(L, watch->capacity);
  lua_pushinteger(L, (lua_Integer)watch->count);
  return 3;
}

/* trace_event(place) → kind, nanoseconds, task, other, text; nothing behind the last one. */
static int inspect_trace_event(lua_State *L) {
  static const char *const kinds[] = {"created", "named",   "ready",  "resumed", "parked",
                                      "ended",   "polling", "polled", "timers"};
  lua_Integer place = luaL_checkinteger(L, 1);
  const struct event *event =
      place > 0 ? events_at(&scheduler_of(L)->watching, (uint64_t)place - 1) : NULL;
  if (!event)
    return 0;
  lua_pushstring(L, kinds[event->kind]);
  lua_pushinteger(L, event->time);
  lua_pushinteger(L, (lua_Integer)event->task);
  lua_pushinteger(L, (lua_Integer)event->other);
  lua_pushstring(L, event->text);
  return 5;
}

static const luaL_Reg functions[] = {
    {"record", inspect_record},
    {"own", inspect_own},
    {"id", inspect_id},
    {"find", inspect_find},
    {"yielded", inspect_yielded},
    {"ended", inspect_ended},
    {"waiters", inspect_waiters},
    {"awaiting", inspect_awaiting},
    {"entry", inspect_entry},
    {"debug", inspect_debug},
    {"warnings", inspect_warnings},
    {"keep_hooks", inspect_keep_hooks},
    {"times", inspect_times},
    {"trace_start", inspect_trace_start},
    {"trace_stop", inspect_trace_stop},
    {"trace_status", inspect_trace_status},
    {"trace_event", inspect_trace_event},
    {NULL, NULL},
};

int luaopen_strobe_core_inspect(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
