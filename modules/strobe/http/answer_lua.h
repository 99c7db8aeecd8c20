/* The head of an HTTP response, as libcurl gives it, for Lua. */
#ifndef STROBE_HTTP_ANSWER_LUA_H
#define STROBE_HTTP_ANSWER_LUA_H

#include <lua.h>
#include <stddef.h>

/* Pushes status, reason, version, the fields by their names in lower case (those that came
 * several times joined by ", "), the head as it came; returns 5, or 0 when there is no
 * status line. [-0, +n, m] */
int answer_push(lua_State *L, const char *head, size_t size);

#endif
