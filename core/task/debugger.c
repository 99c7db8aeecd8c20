#include "core/task/debugger.h"

#include "core/task/breakpoint.h"
#include "core/task/generator.h"
#include "core/task/protect.h"
#include "core/task/step.h"
#include "core/task/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEBUGGER "strobe.debugger"

/* Its address: where the registry keeps the one that is open. */
static const char anchor = 0;

enum { KNOWN_SOURCES = 512, MOST_STEPS = 64, MOST_EXEMPT = 64 };
/* Instructions that a handler may run: what a condition computes must end soon. */
enum { HANDLER_LIMIT = 2 * 1000 * 1000 };

/* The number of a file by the address of its chunks' name, which may be another's by now. */
struct known_source {
  const char *address;
  char *text;
  size_t length;
  int file;
};

struct debugger {
  struct scheduler *scheduler;
  lua_State *L; /* on which its handlers run */
  int handlers; /* in the registry */
  bool asking;
  bool expecting;     /* `changed` is to be called for the next task that comes or goes */
  bool watching;      /* code of new files is looked for, with no breakpoint at all */
  lua_State *failing; /* the thread that is to stop once its error has unwound it */
  struct breakpoints breakpoints;
  struct known_source known[KNOWN_SOURCES];
  struct step steps[MOST_STEPS];
  int step_count;
  uint64_t exempt[MOST_EXEMPT]; /* tasks that never stop */
  int exempt_count;
};

static enum wait_cancel keep_stopped(lua_State *L, struct task *task);

const struct wait_kind debugger_stopped = {.name = "debugger", .cancel = keep_stopped};
const struct wait_kind debugger_leaving = {.name = "ready", .cancel = keep_stopped};

static bool let_go(struct scheduler *scheduler, struct task *task) {
  if (task->future.state != FUTURE_PENDING || task->wait != &debugger_stopped)
    return false;
  task->wait = &debugger_leaving;
  if (scheduler->watch)
    watch_ready(scheduler->watch, task);
  loop_ready(scheduler->loop, &task->job);
  return true;
}

/* Whoever asks again is in earnest: the program ends, or what the task is part of. */
static enum wait_cancel keep_stopped(lua_State *L, struct task *task) {
  if (task->cancels > 1 && let_go(scheduler_of(L), task) && scheduler_of(L)->debugger)
    debugger_changed(scheduler_of(L));
  return WAIT_OVER;
}

/* --- Asking the handlers ------------------------------------------------------------------------
 */

struct question {
  struct debugger *debugger;
  const char *handler;
  struct task *task; /* NULL in a callback */
  lua_State *thread;
  const char *source;
  size_t length;
  int error; /* its index on the thread's stack, or 0 */
  int file, line;
  bool breakpoint; /* or, of an error, whether it is caught */
  bool step, can_stop;
  lua_Integer answer;
};

static int push_question(lua_State *L, const struct question *question) {
  if (question->source) {
    lua_pushlstring(L, question->source, question->length);
    return 1;
  }
  if (!question->thread)
    return 0;
  if (question->task)
    task_push(L, question->task);
  else
    lua_pushnil(L);
  lua_pushthread(question->thread);
  lua_xmove(question->thread, L, 1);
  if (question->error > 0) {
    lua_pushvalue(question->thread, question->error);
    lua_xmove(question->thread, L, 1);
    lua_pushboolean(L, question->breakpoint);
    return 4;
  }
  lua_pushinteger(L, question->file);
  lua_pushinteger(L, question->line);
  lua_pushboolean(L, question->breakpoint);
  lua_pushboolean(L, question->step);
  lua_pushboolean(L, question->can_stop);
  return 7;
}

static int ask_protected(lua_State *L) {
  struct question *question = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, question->debugger->handlers);
  lua_getfield(L, -1, question->handler);
  lua_call(L, push_question(L, question), 1);
  question->answer = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : lua_toboolean(L, -1);
  return 0;
}

static void limit(lua_State *L, lua_Debug *activation) {
  (void)activation;
  luaL_error(L, "it runs for too long");
}

/* What the handler says; 0 when it fails, or is at work already. */
static lua_Integer ask(struct question *question) {
  struct debugger *debugger = question->debugger;
  struct scheduler *scheduler = debugger->scheduler;
  lua_State *L = debugger->L, *running = scheduler->running;
  if (debugger->asking || (question->thread && !lua_checkstack(question->thread, 4)))
    return 0;
  debugger->asking = true;
  scheduler->running = L;
  lua_sethook(L, limit, LUA_MASKCOUNT, HANDLER_LIMIT);
  lua_pushcfunction(L, ask_protected);
  lua_pushlightuserdata(L, question);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    question->answer = 0;
    fprintf(stderr, "strobe: the debugger failed: %s\n",
            lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error");
  }
  lua_settop(L, 0);
  lua_sethook(L, NULL, 0, 0);
  scheduler->running = running;
  debugger->asking = false;
  return question->answer;
}

/* --- Files and lines ----------------------------------------------------------------------------
 */

static int resolve(struct debugger *debugger, const lua_Debug *info) {
  struct question question = {
      .debugger = debugger, .handler = "resolve", .source = info->source, .length = info->srclen};
  lua_Integer file = ask(&question);
  return file > 0 && file <= BREAKPOINT_MOST_FILES ? (int)file : 0;
}

static void remember(struct known_source *known, const lua_Debug *info, int file) {
  char *text = malloc(info->srclen + 1);
  free(known->text);
  *known = (struct known_source){0};
  if (!text)
    return;
  memcpy(text, info->source, info->srclen);
  *known = (struct known_source){info->source, text, info->srclen, file};
}

/* The number of the file in which a function was written; 0: none to stop in. */
static int file_of(struct debugger *debugger, const lua_Debug *info) {
  uintptr_t hash = (uintptr_t)info->source / 16;
  struct known_source *known = &debugger->known[(hash ^ hash / KNOWN_SOURCES) % KNOWN_SOURCES];
  if (info->source[0] != '@')
    return 0;
  if (known->address == info->source && known->length == info->srclen &&
      memcmp(known->text, info->source, info->srclen) == 0)
    return known->file;
  if (debugger->asking)
    return 0;
  int file = resolve(debugger, info);
  remember(known, info, file);
  return file;
}

static bool is_armed(const struct debugger *debugger) {
  return debugger->watching || debugger->step_count > 0 ||
         breakpoints_anywhere(&debugger->breakpoints);
}

/* --- Tasks: those that are exempt, and those that step ------------------------------------------
 */

static bool is_exempt(const struct debugger *debugger, const struct task *task) {
  for (int i = 0; task && i < debugger->exempt_count; i++) {
    if (debugger->exempt[i] == task->id)
      return true;
  }
  return false;
}

static void drop_exempt(struct debugger *debugger, uint64_t id) {
  for (int i = 0; i < debugger->exempt_count; i++) {
    if (debugger->exempt[i] == id)
      debugger->exempt[i--] = debugger->exempt[--debugger->exempt_count];
  }
}

static struct step *step_of(struct debugger *debugger, const struct task *task) {
  for (int i = 0; task && i < debugger->step_count; i++) {
    if (debugger->steps[i].task == task->id)
      return &debugger->steps[i];
  }
  return NULL;
}

static void drop_step(struct debugger *debugger, const struct task *task) {
  struct step *step = step_of(debugger, task);
  if (step)
    *step = debugger->steps[--debugger->step_count];
}

/* --- The hook -----------------------------------------------------------------------------------
 */

static void hook(lua_State *L, lua_Debug *activation);

bool debugger_is_hook(lua_Hook other) {
  return other == hook;
}

static bool runs_marked_code(struct debugger *debugger, lua_State *L) {
  lua_Debug info;
  for (int level = 0; lua_getstack(L, level, &info); level++) {
    lua_getinfo(L, "S", &info);
    if (breakpoints_in(&debugger->breakpoints, file_of(debugger, &info)))
      return true;
  }
  return false;
}

static void set_hook(const struct debugger *debugger, lua_State *L, bool lines) {
  lua_sethook(L, hook, LUA_MASKCALL | (lines ? LUA_MASKLINE : 0), debugger->scheduler->hook_tag);
}

/* Gives a thread of the task, or of none, the hook that it should have. */
static void hook_thread(struct debugger *debugger, lua_State *L, const struct task *task) {
  lua_Hook other = lua_gethook(L);
  if (!is_armed(debugger) || (other && other != hook) || is_exempt(debugger, task))
    return;
  bool steps = step_of(debugger, task);
  if (!other || lua_gethookcount(L) != debugger->scheduler->hook_tag)
    set_hook(debugger, L, steps || runs_marked_code(debugger, L));
  else if (steps && !(lua_gethookmask(L) & LUA_MASKLINE))
    set_hook(debugger, L, true);
}

void debugger_hook(struct scheduler *scheduler, lua_State *L) {
  hook_thread(scheduler->debugger, L, scheduler->current);
}

static void on_call(struct debugger *debugger, lua_State *L, lua_Debug *activation) {
  if (lua_gethookmask(L) & LUA_MASKLINE)
    return;
  lua_getinfo(L, "S", activation);
  if (breakpoints_in(&debugger->breakpoints, file_of(debugger, activation)))
    set_hook(debugger, L, true);
}

static bool can_stop(const struct task *task, lua_State *L) {
  const struct scheduler *scheduler = scheduler_of(L);
  if (!task || !lua_isyieldable(L))
    return false;
  return L == task_running_thread(task) || (L == scheduler->running && scheduler->may_stop);
}

static void on_line(struct debugger *debugger, lua_State *L, lua_Debug *activation) {
  struct scheduler *scheduler = debugger->scheduler;
  struct task *task = scheduler->current;
  int line = activation->currentline;
  struct step *step = step_of(debugger, task);
  if (!step && !breakpoints_have(&debugger->breakpoints, 0, line))
    return;
  lua_getinfo(L, "S", activation);
  int file = file_of(debugger, activation);
  struct question question = {.debugger = debugger,
                              .handler = "stop",
                              .task = task,
                              .thread = L,
                              .file = file,
                              .line = line,
                              .breakpoint = breakpoints_have(&debugger->breakpoints, file, line),
                              .can_stop = can_stop(task, L)};
  question.step = step && step_is_over(step, task, L, file);
  if (!question.breakpoint && !question.step)
    return;
  if (!ask(&question) || !question.can_stop)
    return;
  drop_step(debugger, task);
  wait_park(L, task, &debugger_stopped, L, NULL);
}

/* The task is ready, and the loop has a turn. */
static void give_way(struct scheduler *scheduler, lua_State *L) {
  struct task *task = scheduler->current;
  lua_sethook(L, NULL, 0, 0);
  if (!scheduler->debugger)
    return;
  debugger_hook(scheduler, L);
  if (!can_stop(task, L))
    return;
  task->yielded = true;
  loop_ready(scheduler->loop, &task->job);
  wait_park(L, task, &debugger_leaving, L, NULL);
}

static void hook(lua_State *L, lua_Debug *activation) {
  struct scheduler *scheduler = scheduler_of(L);
  struct debugger *debugger = scheduler->debugger;
  if (activation->event == LUA_HOOKCOUNT) {
    give_way(scheduler, L);
    return;
  }
  if (!debugger || !is_armed(debugger) || is_exempt(debugger, scheduler->current)) {
    lua_sethook(L, NULL, 0, 0);
  } else if (!debugger->asking) {
    if (activation->event == LUA_HOOKLINE)
      on_line(debugger, L, activation);
    else
      on_call(debugger, L, activation);
  }
}

/* --- Errors
 * --------------------------------------------------------------------------------------- */

void debugger_failing(lua_State *L, int index, bool caught) {
  struct scheduler *scheduler = scheduler_of(L);
  struct debugger *debugger = scheduler->debugger;
  struct task *task = scheduler->current;
  if (!debugger || !task || is_exempt(debugger, task))
    return;
  struct question question = {.debugger = debugger,
                              .handler = "failing",
                              .task = task,
                              .thread = L,
                              .error = lua_absindex(L, index),
                              .breakpoint = caught};
  if (ask(&question))
    debugger->failing = L;
}

bool debugger_keeps_failure(lua_State *L) {
  struct debugger *debugger = scheduler_of(L)->debugger;
  if (!debugger || debugger->failing != L)
    return false;
  debugger->failing = NULL;
  return can_stop(debugger->scheduler->current, L);
}

int debugger_park(lua_State *L, lua_KFunction k) {
  return wait_park(L, scheduler_of(L)->current, &debugger_stopped, L, k);
}

/* --- For Lua
 * -------------------------------------------------------------------------------------- */

static struct debugger *check_open(lua_State *L) {
  struct debugger *debugger = scheduler_of(L)->debugger;
  if (!debugger)
    luaL_error(L, "no debugger is open");
  return debugger;
}

/* Gives all threads of living tasks the hook they should have by now; those of plain coroutines get
 * it when they run. */
static void hook_all(struct debugger *debugger) {
  struct scheduler *scheduler = debugger->scheduler;
  scheduler->hook_tag = scheduler->hook_tag % (1 << 30) + 1;
  for (struct list *link = scheduler->tasks.next; link != &scheduler->tasks; link = link->next) {
    const struct task *task = list_entry(link, struct task, link);
    hook_thread(debugger, task->thread.L, task);
    for (struct generator *generator = task->generator; generator; generator = generator->outer)
      hook_thread(debugger, generator->thread.L, task);
  }
  hook_thread(debugger, scheduler->L, NULL);
}

/* set_lines(file, lines): those lines of that file, and no others of it, have breakpoints. */
static int debugger_set_lines(lua_State *L) {
  struct debugger *debugger = check_open(L);
  lua_Integer file = luaL_checkinteger(L, 1);
  luaL_argcheck(L, file > 0 && file <= BREAKPOINT_MOST_FILES, 1, "1 to 4096 expected");
  luaL_checktype(L, 2, LUA_TTABLE);
  bool ok = breakpoints_clear(&debugger->breakpoints, (int)file);
  for (lua_Integer i = 1, count = luaL_len(L, 2); ok && i <= count; i++) {
    lua_rawgeti(L, 2, i);
    ok = breakpoints_add(&debugger->breakpoints, (int)file, lua_tointeger(L, -1));
    lua_pop(L, 1);
  }
  if (!ok || !breakpoints_unite(&debugger->breakpoints))
    return luaL_error(L, "not enough memory for breakpoints");
  hook_all(debugger);
  return 0;
}

/* watch(on): whether the files of all code that runs are resolved. */
static int debugger_watch(lua_State *L) {
  struct debugger *debugger = check_open(L);
  debugger->watching = lua_toboolean(L, 1);
  hook_all(debugger);
  return 0;
}

/* expect(): `changed` is called when the next task is made, ends, or goes on by itself. */
static int debugger_expect(lua_State *L) {
  check_open(L)->expecting = true;
  return 0;
}

/* exempt(task, on): whether the task never stops. */
static int debugger_exempt(lua_State *L) {
  struct debugger *debugger = check_open(L);
  const struct task *task = task_check(L, 1);
  drop_exempt(debugger, task->id);
  if (!lua_toboolean(L, 2))
    return 0;
  if (debugger->exempt_count == MOST_EXEMPT)
    return luaL_error(L, "too many tasks that never stop");
  debugger->exempt[debugger->exempt_count++] = task->id;
  return 0;
}

/* step(task, "in"|"over"|"out"): it stops at such a line next, once it is let go. */
static int debugger_step(lua_State *L) {
  static const char *const kinds[] = {"in", "over", "out", NULL};
  struct debugger *debugger = check_open(L);
  struct task *task = task_check(L, 1);
  enum step_kind kind = (enum step_kind)luaL_checkoption(L, 2, NULL, kinds);
  if (task->future.state != FUTURE_PENDING)
    return 0;
  drop_step(debugger, task);
  if (debugger->step_count == MOST_STEPS)
    return luaL_error(L, "too many tasks step");
  lua_State *thread = debugger_holds(task) ? task->wait_object : task_running_thread(task);
  debugger->steps[debugger->step_count++] = step_begin(task, thread, kind);
  hook_all(debugger);
  return 0;
}

/* go(task) → whether it was stopped: it runs on in the next turn. */
static int debugger_go(lua_State *L) {
  lua_pushboolean(L, let_go(scheduler_of(L), task_check(L, 1)));
  return 1;
}

/* stopped(task) → whether it is; and the thread in which it stopped, or gave way, if it did. */
static int debugger_stopped_lua(lua_State *L) {
  const struct task *task = task_check(L, 1);
  bool living = task->future.state == FUTURE_PENDING;
  lua_pushboolean(L, living && task->wait == &debugger_stopped);
  if (!living || !debugger_holds(task) || !lua_checkstack(task->wait_object, 1))
    return 1;
  lua_pushthread(task->wait_object);
  lua_xmove(task->wait_object, L, 1);
  return 2;
}

/* failing(error): the caller, a message handler, has an error that will end its task. */
static int debugger_failing_lua(lua_State *L) {
  luaL_checkany(L, 1);
  debugger_failing(L, 1, false);
  return 0;
}

/* give_way(): the task in whose code this is called lets the others have a turn, at the next
 * instruction at which that can be. For a hook, which itself cannot wait. */
static int debugger_give_way(lua_State *L) {
  lua_State *running = scheduler_of(L)->running;
  lua_Hook other = lua_gethook(running);
  if (scheduler_of(L)->debugger && (!other || other == hook))
    lua_sethook(running, hook, lua_gethookmask(running) | LUA_MASKCOUNT, 1);
  return 0;
}

void debugger_changed(struct scheduler *scheduler) {
  struct debugger *debugger = scheduler->debugger;
  struct question question = {.debugger = debugger, .handler = "changed"};
  if (!debugger->expecting || debugger->asking)
    return;
  debugger->expecting = false;
  ask(&question);
}

void debugger_forget(struct scheduler *scheduler, const struct task *task) {
  drop_step(scheduler->debugger, task);
  drop_exempt(scheduler->debugger, task->id);
  debugger_changed(scheduler);
}

static void release(struct debugger *debugger) {
  struct scheduler *scheduler = debugger->scheduler;
  if (scheduler->debugger == debugger)
    scheduler->debugger = NULL;
}

static int debugger_gc(lua_State *L) {
  struct debugger *debugger = luaL_checkudata(L, 1, DEBUGGER);
  release(debugger);
  breakpoints_close(&debugger->breakpoints);
  for (int i = 0; i < KNOWN_SOURCES; i++)
    free(debugger->known[i].text);
  return 0;
}

/* open{resolve=, stop=, failing=, changed=} → whether there was none. These may not wait:
 * resolve(source) → a file's number, or nil where nothing is to stop;
 * stop(task, thread, file, line, breakpoint, step, can_stop) → whether to;
 * failing(task, thread, error, caught) → whether to stop when that has unwound the call;
 * changed() is told what expect() asks for. */
static int debugger_open(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_pushboolean(L, scheduler->debugger == NULL);
  if (scheduler->debugger)
    return 1;
  struct debugger *debugger = lua_newuserdatauv(L, sizeof *debugger, 2);
  *debugger = (struct debugger){.scheduler = scheduler};
  luaL_setmetatable(L, DEBUGGER);
  debugger->L = lua_newthread(L);
  lua_sethook(debugger->L, NULL, 0, 0);
  lua_setiuservalue(L, -2, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &anchor);
  lua_pushvalue(L, 1);
  debugger->handlers = luaL_ref(L, LUA_REGISTRYINDEX);
  scheduler->debugger = debugger;
  scheduler->hook_tag = scheduler->hook_tag % (1 << 30) + 1;
  return 1;
}

/* close(): all that are stopped go on. */
static int debugger_close(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  struct debugger *debugger = scheduler->debugger;
  if (!debugger)
    return 0;
  if (debugger->asking)
    return luaL_error(L, "the debugger cannot be closed by what it asks");
  release(debugger);
  luaL_unref(L, LUA_REGISTRYINDEX, debugger->handlers);
  for (struct list *link = scheduler->tasks.next; link != &scheduler->tasks; link = link->next)
    let_go(scheduler, list_entry(link, struct task, link));
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &anchor);
  return 0;
}

static const luaL_Reg functions[] = {
    {"open", debugger_open},           {"close", debugger_close},
    {"set_lines", debugger_set_lines}, {"watch", debugger_watch},
    {"expect", debugger_expect},       {"exempt", debugger_exempt},
    {"step", debugger_step},           {"go", debugger_go},
    {"stopped", debugger_stopped_lua}, {"failing", debugger_failing_lua},
    {"give_way", debugger_give_way},   {"pcall", protect_pcall},
    {"xpcall", protect_xpcall},        {NULL, NULL},
};

int luaopen_strobe_core_debugger(lua_State *L) {
  luaL_newmetatable(L, DEBUGGER);
  lua_pushcfunction(L, debugger_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
