#include "core/task/inspect.h"

#include "core/task/error.h"
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

static int report_swallowed(lua_State *L) {
  struct task *task = lua_touserdata(L, 1);
  lua_createtable(L, 0, 4);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "warning");
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
  lua_State *L = scheduler->L;
  if (task->cancels == 0)
    return;
  lua_pushcfunction(L, report_swallowed);
  lua_pushlightuserdata(L, task);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    lua_pop(L, 1);
}

/* Links of a chain of tasks that are looked at: that many tell of most circles, and cost little. */
enum { MOST_LINKS = 1000 };

void inspect_await(lua_State *L, struct task *task, struct task *awaited) {
  struct task *last = awaited, *next;
  for (int i = 0; i < MOST_LINKS && (next = future_awaited_task(last)) && next != task; i++)
    last = next;
  if (future_awaited_task(last) != task)
    return;
  luaL_checkstack(L, 8, "no room for a warning");
  lua_createtable(L, 0, 3);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "warning");
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

static void push_record(lua_State *L, const struct task_record *record) {
  static const char *const states[] = {"ready",    "running", "waiting",
                                       "returned", "failed",  "cancelled"};
  lua_createtable(L, 0, 10);
  set_integer(L, "id", record->id);
  set_string(L, "name", record->name);
  set_string(L, "state", states[record->state]);
  set_time(L, "created", record->created);
  set_integer(L, "resumes", record->resumes);
  set_integer(L, "cancelling", record->cancelling);
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
    {"id", inspect_id},
    {"find", inspect_find},
    {"ended", inspect_ended},
    {"waiters", inspect_waiters},
    {"awaiting", inspect_awaiting},
    {"entry", inspect_entry},
    {"debug", inspect_debug},
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
