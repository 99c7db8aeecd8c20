/* A handle: a callback that runs once, in a coming turn or at a time.
 * asyncio.Handle and TimerHandle.
 *
 * A handle is anchored while it is due; what links its job to something that may
 * never happen must hold it until then. Its callback may not wait.
 */
#ifndef STROBE_TASK_HANDLE_H
#define STROBE_TASK_HANDLE_H

#include "core/task/scheduler.h"

/* Replaces a function and `arguments` values by a Handle whose job is in no list
 * and which nothing holds yet. [-(arguments+1), +1, m] */
struct job *handle_push(lua_State *L, int arguments);

/* Anchors the Handle on top, which is due now. [-0, +0, m] */
void handle_anchor(lua_State *L);

/* Reserves the place for that, so that it needs no memory. [-0, +0, m] */
void handle_reserve(lua_State *L);

/* Whether the function of the Handle on top is the value at the index. */
bool handle_has_function(lua_State *L, int index);

/* Pushes the function of the Handle on top. [-0, +1, -] */
void handle_push_function(lua_State *L);

/* Unlinks the job, if it is a handle's, and lets the handle go. */
void handle_discard(lua_State *L, struct job *job);

int luaopen_strobe_core_handle(lua_State *L);

#endif
