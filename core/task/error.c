#include "core/task/error.h"

#include "core/task/debugger.h"
#include "core/task/task.h"
#include "core/task/traceback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define CLASSES "strobe.errors"
#define REPORTER "strobe.reporter"
#define FAILURE "strobe.failure"

/* name, parent: what the core itself raises. The rest is made in Lua. */
static const char *const built_in[][2] = {
    {"Error", NULL},
    {"CancelledError", "Error"},
    {"InvalidStateError", "Error"},
    {"GeneratorExit", "Error"},
    {"Interrupted", "Error"},
    {"DeadlockError", "Error"},
};

/* [-0, +1, -] */
static void push_class(lua_State *L, const char *name) {
  lua_getfield(L, LUA_REGISTRYINDEX, CLASSES);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
}

/* Makes an object without a class from the message on top. [-1, +1, m] */
static void push_object(lua_State *L, bool trace) {
  lua_createtable(L, 0, 2);
  lua_insert(L, -2);
  lua_setfield(L, -2, "message");
  if (trace) {
    traceback_push(L, 1);
    lua_setfield(L, -2, "traceback");
  }
}

void error_push(lua_State *L, const char *class_name, const char *format, ...) {
  va_list arguments;
  luaL_checkstack(L, 6, "no room for an error");
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  push_object(L, strcmp(class_name, "CancelledError") != 0);
  push_class(L, class_name);
  lua_setmetatable(L, -2);
}

int error_raise(lua_State *L, const char *class_name, const char *format, ...) {
  va_list arguments;
  luaL_checkstack(L, 6, "no room for an error");
  va_start(arguments, format);
  const char *message = lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  error_push(L, class_name, "%s", message);
  return lua_error(L);
}

void error_mistake(lua_State *L, const char *format, ...) {
  va_list arguments;
  luaL_where(L, 1);
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_concat(L, 2);
  lua_error(L);
  abort(); /* lua_error never returns, but does not say so */
}

/* A thrown table may have any metatable, even one that is its own parent. */
enum { MOST_DERIVED = 100 };

/* Whether the class on top is the named one or derived from it. [-1, +0, -] */
static bool class_derives(lua_State *L, const char *name) {
  push_class(L, name);
  bool found = false;
  for (int depth = 0; !found && depth < MOST_DERIVED && lua_istable(L, -2); depth++) {
    found = lua_rawequal(L, -1, -2);
    lua_pushliteral(L, "parent");
    lua_rawget(L, -3);
    lua_replace(L, -3);
  }
  lua_pop(L, 2);
  return found;
}

bool error_is(lua_State *L, int index, const char *class_name) {
  if (!lua_istable(L, index) || !lua_getmetatable(L, index))
    return false;
  return class_derives(L, class_name);
}

int error_world(lua_State *L, int status, const char *format, ...) {
  va_list arguments;
  lua_pushnil(L);
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_pushfstring(L, "%s: %s", lua_tostring(L, -1), uv_strerror(status));
  lua_remove(L, -2);
  lua_pushstring(L, uv_err_name(status));
  return 3;
}

/* Sets failure.task and failure.origin; the failure is on top. [-0, +0, m] */
static void add_task(lua_State *L, struct task *task) {
  task_push(L, task);
  task_push_name(L, task);
  lua_setfield(L, -3, "task");
  if (scheduler_of(L)->debug) {
    task_get_detail(L, -1, "created_by");
    lua_setfield(L, -3, "created_by");
  }
  if (task_get_detail(L, -1, "origin") == LUA_TTABLE) {
    lua_getfield(L, -1, "error");
    lua_getfield(L, -4, "error");
    if (lua_rawequal(L, -1, -2)) {
      lua_pushvalue(L, -3);
      lua_setfield(L, -6, "origin");
    }
    lua_pop(L, 2);
  }
  lua_pop(L, 2);
}

/* error(nil) would look as if there was none: the nil on top gets a name, the one
 * that Lua 5.5 gives it. [-1, +1, m] */
static void name_nil(lua_State *L) {
  if (!lua_isnil(L, -1))
    return;
  lua_pop(L, 1);
  lua_pushliteral(L, "<no error object>");
}

void failure_push(lua_State *L) {
  luaL_checkstack(L, 12, "no room for a failure");
  name_nil(L);
  int error = lua_gettop(L);
  lua_createtable(L, 0, 5); /* room for `retrieved`: looking at a failure needs no memory */
  lua_pushvalue(L, error);
  lua_setfield(L, -2, "error");
  traceback_push(L, 1);
  lua_setfield(L, -2, "traceback");
  struct scheduler *scheduler = scheduler_of(L);
  if (scheduler->current)
    add_task(L, scheduler->current);
  luaL_setmetatable(L, FAILURE);
  lua_replace(L, error);
}

void failure_import(lua_State *L) {
  lua_createtable(L, 0, 4);
  lua_insert(L, -4);
  lua_setfield(L, -4, "task");
  lua_setfield(L, -3, "traceback");
  lua_setfield(L, -2, "error");
  luaL_setmetatable(L, FAILURE);
}

bool failure_check(lua_State *L, int index) {
  if (!lua_istable(L, index) || !lua_getmetatable(L, index))
    return false;
  luaL_getmetatable(L, FAILURE);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

/* An error nobody ever saw is reported when its failure is collected. */
static int failure_gc(lua_State *L) {
  lua_getfield(L, 1, "retrieved");
  if (lua_toboolean(L, -1))
    return 0;
  lua_createtable(L, 0, 2);
  lua_pushliteral(L, "exception was never retrieved");
  lua_setfield(L, -2, "message");
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "failure");
  error_report(L);
  return 0;
}

static bool is_failure(lua_State *L) {
  return !error_is(L, -1, "CancelledError") && !error_is(L, -1, "GeneratorExit");
}

/* The failure lies in the registry under the thread's address. Until it is taken
 * it is no news: a `<close>` handler may replace the error. */
int error_handler(lua_State *L) {
  if (!is_failure(L))
    return 1;
  luaL_checkstack(L, 2, "no room for a failure");
  name_nil(L);
  debugger_failing(L, 1, false);
  lua_pushvalue(L, 1);
  failure_push(L);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "retrieved");
  lua_rawsetp(L, LUA_REGISTRYINDEX, L);
  return 1;
}

/* Pushes what error_handler kept, which is then kept no more. [-0, +1, -] */
static void push_kept(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, L) == LUA_TNIL)
    return;
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, L);
}

/* Whether the kept value on top is the failure of the error below it. [-0, +0, -] */
static bool kept_for_error(lua_State *L) {
  if (!lua_istable(L, -1))
    return false;
  lua_getfield(L, -1, "error");
  bool same = lua_rawequal(L, -1, -3);
  lua_pop(L, 1);
  return same;
}

void failure_take(lua_State *L) {
  luaL_checkstack(L, 4, "no room for a failure");
  bool failed = is_failure(L);
  push_kept(L);
  if (failed && kept_for_error(L)) {
    lua_pushnil(L);
    lua_setfield(L, -2, "retrieved");
    lua_replace(L, -2);
    return;
  }
  lua_pop(L, 1);
  if (failed)
    failure_push(L);
}

static int call_reporter(lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, REPORTER) != LUA_TFUNCTION)
    return luaL_error(L, "no reporter");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 0);
  return 0;
}

/* The last resort, when there is no reporter or it failed itself. */
static void print_report(lua_State *L) {
  const char *message = lua_istable(L, -1) && lua_getfield(L, -1, "message") == LUA_TSTRING
                            ? lua_tostring(L, -1)
                            : "error";
  fprintf(stderr, "strobe: %s\n", message);
}

void error_report(lua_State *L) {
  int top = lua_gettop(L);
  if (lua_checkstack(L, 8)) {
    lua_pushcfunction(L, call_reporter);
    lua_pushvalue(L, top);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
      lua_settop(L, top);
      print_report(L);
    }
  }
  lua_settop(L, top - 1);
}

/* class(name, parent) → class: makes and registers one. */
static int error_class(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_getfield(L, LUA_REGISTRYINDEX, CLASSES);
  lua_createtable(L, 0, 6);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "name");
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "parent");
  lua_getfield(L, 2, "__tostring");
  lua_setfield(L, -2, "__tostring");
  lua_getmetatable(L, 2);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, name);
  return 1;
}

/* Class(message) → a new error object; what `error` should be given. */
static int class_call(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_pushliteral(L, "");
    lua_replace(L, 2);
  }
  push_object(L, true);
  lua_pushvalue(L, 1);
  lua_setmetatable(L, -2);
  return 1;
}

static int class_tostring(lua_State *L) {
  lua_getfield(L, 1, "__name");
  lua_pushfstring(L, "<class %s>", lua_tostring(L, -1));
  return 1;
}

/* An object inherits: what its class lacks is looked for in the parents. */
static int class_index(lua_State *L) {
  lua_pushliteral(L, "parent");
  if (lua_rawget(L, 1) != LUA_TTABLE || lua_rawequal(L, -1, 1))
    return 0;
  lua_pushvalue(L, 2);
  lua_gettable(L, -2);
  return 1;
}

static int object_tostring(lua_State *L) {
  luaL_getmetafield(L, 1, "__name");
  lua_getfield(L, 1, "message");
  const char *message = luaL_tolstring(L, -1, NULL);
  lua_pushfstring(L, message[0] ? "%s: %s" : "%s%s", lua_tostring(L, 2), message);
  return 1;
}

/* [-0, +0, m] */
static void open_built_in(lua_State *L, const char *name, const char *parent) {
  lua_pushcfunction(L, error_class);
  lua_pushstring(L, name);
  if (parent)
    push_class(L, parent);
  else
    lua_getfield(L, LUA_REGISTRYINDEX, "strobe.error");
  lua_call(L, 2, 0);
}

void error_open(lua_State *L) {
  luaL_newmetatable(L, FAILURE);
  lua_pushcfunction(L, failure_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  lua_newtable(L);
  lua_setfield(L, LUA_REGISTRYINDEX, CLASSES);
  /* The root from which all classes take their metatable and __tostring. */
  lua_newtable(L);
  lua_pushcfunction(L, object_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_newtable(L);
  lua_pushcfunction(L, class_call);
  lua_setfield(L, -2, "__call");
  lua_pushcfunction(L, class_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushcfunction(L, class_index);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_setfield(L, LUA_REGISTRYINDEX, "strobe.error");
  for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
    open_built_in(L, built_in[i][0], built_in[i][1]);
}

/* reporter(fn): fn receives every report from now on. */
static int error_reporter(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, REPORTER);
  return 0;
}

static int error_classes(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, CLASSES);
  return 1;
}

/* report(context): hands a report to the reporter. */
static int error_report_lua(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  error_report(L);
  return 0;
}

static const luaL_Reg functions[] = {
    {"class", error_class},
    {"classes", error_classes},
    {"reporter", error_reporter},
    {"report", error_report_lua},
    {NULL, NULL},
};

int luaopen_strobe_core_error(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
