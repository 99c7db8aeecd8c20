/* A handle: a callback that runs once, in a coming turn or at a time.
 * asyncio.Handle and TimerHandle.
 *
 * A handle is anchored while it is due. Its callback may not wait.
 */
#ifndef STROBE_TASK_HANDLE_H
#define STROBE_TASK_HANDLE_H

#include "core/task/scheduler.h"

/* Replaces a function and `arguments` values by an anchored Handle whose job is
 * in no list yet. [-(arguments+1), +1, m] */
struct job *handle_push(lua_State *L, int arguments);

/* Whether the job is a handle's and its function is the value at the index. */
bool handle_has_function(lua_State *L, struct job *job, int index);

/* Unlinks a handle's job and lets it go. */
void handle_discard(lua_State *L, struct job *job);

int luaopen_strobe_core_handle(lua_State *L);

#endif
