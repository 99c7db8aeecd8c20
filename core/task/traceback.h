/* Where a thread stands: the text of a traceback.
 *
 * luaL_traceback looks for each function's name in all modules that are loaded, which takes a tenth
 * of a millisecond; errors that are caught, as those of time limits and of peers that go, are too
 * many for that. Here a function has the name it was called by.
 */
#ifndef STROBE_TASK_TRACEBACK_H
#define STROBE_TASK_TRACEBACK_H

#include <lua.h>
#include <stdbool.h>

/* Pushes it for L itself, from that level on, 0 being the function that runs. [-0, +1, m] */
void traceback_push(lua_State *L, int level);

/* Whether a source is a file of strobe's own modules; report.lua says the same. */
bool traceback_is_ours(const char *source);

#endif
