#include "core/host/host.h"

#include "core/host/escalation.h"
#include "core/host/libraries.h"
#include "core/host/loader.h"
#include "core/host/signal.h"
#include "core/io/inherited.h"
#include "core/task/error.h"
#include "core/task/task.h"
#include "core/task/time.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ON_DEADLOCK "strobe.on_deadlock"

/* The protected part of opening: everything that may raise. */
static int open_libraries(lua_State *L) {
  libraries_open(host_of(L));
  return 0;
}

static int open_lua(struct host *host) {
  host->L = luaL_newstate();
  if (!host->L)
    return UV_ENOMEM;
  scheduler_open(&host->scheduler, host->L, &host->loop);
  lua_pushcfunction(host->L, open_libraries);
  if (lua_pcall(host->L, 0, 0, 0) == LUA_OK)
    return 0;
  fprintf(stderr, "strobe: %s\n", lua_tostring(host->L, -1));
  lua_close(host->L);
  return UV_ENOMEM;
}

/* `strobe --dev …`: the Lua modules of the folder modules, not those inside. */
static void take_dev(struct host *host) {
  if (host->argc < 2 || strcmp(host->argv[1], "--dev") != 0)
    return;
  setenv("STROBE_MODULES", "modules", 0);
  host->argv[1] = host->argv[0];
  host->argc--;
  host->argv++;
}

static int open_loop_and_lua(struct host *host) {
  int status = loop_open(&host->loop);
  if (status < 0)
    return status;
  status = open_lua(host);
  if (status < 0)
    loop_close(&host->loop);
  return status;
}

/* A worker's host: one more in the process. NULL without memory. */
static lua_State *open_worker(void *process) {
  const struct host *parent = process;
  struct host *host = calloc(1, sizeof *host);
  if (!host)
    return NULL;
  host->argc = parent->argc;
  host->argv = parent->argv;
  host->runtime = parent->runtime;
  host->runtime.process = host;
  if (open_loop_and_lua(host) == 0)
    return host->L;
  free(host);
  return NULL;
}

/* luv frees its handles in its own close callbacks: these must have run before
 * the state goes, and no Lua may run after. */
static void close_loop_and_lua(struct host *host) {
  loop_close_handles(&host->loop);
  loop_drain(&host->loop);
  lua_close(host->L);
  scheduler_close(&host->scheduler);
  loop_close(&host->loop);
}

static void close_worker(lua_State *L) {
  struct host *host = host_of(L);
  close_loop_and_lua(host);
  free(host);
}

int host_open(struct host *host, int argc, char **argv) {
  memset(host, 0, sizeof *host);
  host->argc = argc;
  host->argv = argv;
  take_dev(host);
  inherited_fill();
  host->runtime = (struct runtime){open_worker, close_worker, host};
  int status = open_loop_and_lua(host);
  if (status < 0)
    return status;
  escalation_open(&host->escalation, host);
  status = signal_open(host);
  if (status == 0)
    status = scavenger_open(&host->scavenger, host);
  if (status == 0)
    status = watchdog_open(&host->watchdog, host);
  if (status < 0)
    close_loop_and_lua(host);
  return status;
}

void host_close(struct host *host) {
  signal_close(host);
  watchdog_close(&host->watchdog);
  close_loop_and_lua(host);
}

/* Pushes the Task that runs strobe.command. [-0, +1, e] */
static int spawn_main(lua_State *L) {
  struct host *host = host_of(L);
  luaL_checkstack(L, host->argc + 8, "too many arguments");
  lua_getglobal(L, "require");
  lua_pushliteral(L, "strobe.command");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "main");
  lua_remove(L, -2);
  for (int i = 1; i < host->argc; i++)
    lua_pushstring(L, host->argv[i]);
  task_spawn(L, host->argc > 1 ? host->argc - 1 : 0);
  return 1;
}

/* Every task is blocked for ever. False when nobody could do a thing about it. */
static bool deadlock(struct host *host) {
  lua_State *L = host->L;
  if (lua_getfield(L, LUA_REGISTRYINDEX, ON_DEADLOCK) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    fputs("strobe: every task is blocked for ever\n", stderr);
    return false;
  }
  scheduler_call(L, 0, 0, "deadlock report");
  return !list_empty(&host->loop.ready);
}

/* The exit status which the ended main task, on top, asks for. [-1, +0, -] */
static int exit_status(lua_State *L) {
  struct future *main_task = lua_touserdata(L, -1);
  int status = 1;
  if (main_task->state == FUTURE_FINISHED && lua_getiuservalue(L, -1, FUTURE_RESULT)) {
    status = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return status;
}

int host_run(struct host *host) {
  lua_State *L = host->L;
  lua_pushcfunction(L, spawn_main);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK) {
    fprintf(stderr, "strobe: cannot start: %s\n", lua_tostring(L, -1));
    lua_pop(L, 1);
    return 1;
  }
  struct future *main_task = lua_touserdata(L, -1);
  while (main_task->state == FUTURE_PENDING) {
    signal_deliver(host);
    if (escalation_has_news(&host->escalation))
      escalation_deliver(host);
    watchdog_deliver(&host->watchdog);
    scavenger_look(&host->scavenger);
    if (!loop_turn(&host->loop) && main_task->state == FUTURE_PENDING && !deadlock(host))
      break;
  }
  return exit_status(L);
}

/* on_deadlock(f) → the function before it, or nil: f() is called when every task is
 * blocked for ever. */
static int host_on_deadlock(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, ON_DEADLOCK);
  lua_insert(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, ON_DEADLOCK);
  return 1;
}

/* slow_step([seconds]) → seconds: steps longer than that are reported. */
static int host_slow_step(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  if (!lua_isnoneornil(L, 1)) {
    double seconds = time_check_seconds(L, 1);
    luaL_argcheck(L, seconds > 0, 1, "a time above 0 expected");
    scheduler->slow_step = seconds < 1e9 ? (int64_t)(seconds * 1e9) : CLOCK_NEVER;
  }
  lua_pushnumber(L, clock_seconds(scheduler->slow_step));
  return 1;
}

/* Counts an active handle by its type in the table on top of the main stack. */
static void count_handle(uv_handle_t *handle, void *arg) {
  lua_State *L = arg;
  if (!uv_is_active(handle) || !uv_has_ref(handle))
    return;
  const char *type = uv_handle_type_name(uv_handle_get_type(handle));
  lua_getfield(L, -1, type);
  lua_pushinteger(L, lua_tointeger(L, -1) + 1);
  lua_setfield(L, -3, type);
  lua_pop(L, 1);
}

/* statistics() → {turns, steps, scavenged, timers, handles_by_type}: what happened and what
 * is alive. */
static int host_statistics(lua_State *L) {
  struct host *host = host_of(L);
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, (lua_Integer)host->loop.turns);
  lua_setfield(L, -2, "turns");
  lua_pushinteger(L, (lua_Integer)host->scheduler.steps);
  lua_setfield(L, -2, "steps");
  lua_pushinteger(L, (lua_Integer)host->scavenger.rounds);
  lua_setfield(L, -2, "scavenged");
  lua_pushinteger(L, (lua_Integer)host->loop.timers.count);
  lua_setfield(L, -2, "timers");
  lua_newtable(L);
  uv_walk(&host->loop.uv, count_handle, L);
  lua_setfield(L, -2, "handles_by_type");
  return 1;
}

static const luaL_Reg functions[] = {
    {"embedded", loader_embedded},
    {"on_signal", signal_on},
    {"take_signal", signal_take},
    {"on_deadlock", host_on_deadlock},
    {"slow_step", host_slow_step},
    {"scavenge_after", scavenger_after},
    {"statistics", host_statistics},
    {"on_interrupt", escalation_on_interrupt},
    {"end_by_hangup", signal_end_by_hangup},
    {NULL, NULL},
};

/* Pushes where this program is, so that one which changes its folder can start itself again.
 * Without /proc it is as it was called. [-0, +1, m] */
static void push_program(lua_State *L) {
  char path[PATH_MAX];
  size_t size = sizeof path;
  const char *called = host_of(L)->argv[0];
  if (uv_exepath(path, &size) == 0 || realpath(called, path))
    lua_pushstring(L, path);
  else
    lua_pushstring(L, called);
}

int luaopen_strobe_core_host(lua_State *L) {
  luaL_newlib(L, functions);
  lua_pushliteral(L, STROBE_VERSION);
  lua_setfield(L, -2, "version");
  push_program(L);
  lua_setfield(L, -2, "program");
  lua_pushstring(L, scavenger_allocator());
  lua_setfield(L, -2, "allocator");
  return 1;
}
