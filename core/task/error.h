/* Two kinds of failure, made in one place each.
 *
 * Control flow raises: an error object is a table whose metatable is its class
 * and which has `message` and `traceback`. I/O returns: nil, a message and a
 * fixed word such as "ECONNREFUSED".
 *
 * A failure is the record of an error that ended a task or a generator: a
 * table {error, traceback, task, origin}; `origin` is the failure of the task
 * that was awaited when the same error came from there.
 */
#ifndef STROBE_TASK_ERROR_H
#define STROBE_TASK_ERROR_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

/* Makes the table of error classes. [-0, +0, m] */
void error_open(lua_State *L);

/* The module strobe.core.error. */
int luaopen_strobe_core_error(lua_State *L);

/* Pushes a new object of a class known to error_open. [-0, +1, m] */
void error_push(lua_State *L, const char *class_name, const char *format, ...);

/* Raises such an object; never returns. [-0, +0, v] */
int error_raise(lua_State *L, const char *class_name, const char *format, ...);

/* Raises a caller's mistake as a string that begins with its file and line. */
_Noreturn void error_mistake(lua_State *L, const char *format, ...);

/* Whether the value is an object of the class or of one derived from it. [-0, +0, -] */
bool error_is(lua_State *L, int index, const char *class_name);

/* Pushes nil, "MESSAGE: reason", "CODE" for a libuv status. Returns 3. [-0, +3, m] */
int error_world(lua_State *L, int status, const char *format, ...);

/* Replaces the error on top by its failure, with the traceback of here and the
 * origin kept by the current task. [-1, +1, m] */
void failure_push(lua_State *L);

/* Replaces an error, a traceback and what it was in, the top three, by a failure that came from
 * another state. [-3, +1, m] */
void failure_import(lua_State *L);

bool failure_check(lua_State *L, int index);

/* A message handler: keeps the failure of an error for failure_take. The error
 * stays as it is, since `<close>` variables see it next. [-0, +0, m] */
int error_handler(lua_State *L);

/* After a call with that handler: replaces the error on top by the failure kept
 * for it, but leaves cancellation and the closing of generators as they are:
 * these are no failures. [-1, +1, m] */
void failure_take(lua_State *L);

/* Hands a report {message, exception, traceback, …} on top of the stack to the
 * installed reporter, or prints it to stderr. Never raises. [-1, +0, -] */
void error_report(lua_State *L);

#endif
