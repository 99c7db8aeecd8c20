/* Protected calls that show the debugger what they catch: what pcall and xpcall are while it wants
 * to stop at errors that are raised, caught or not. The task stops when the error has unwound the
 * call; the debugger has looked at the stack before.
 */
#ifndef STROBE_TASK_PROTECT_H
#define STROBE_TASK_PROTECT_H

#include <lua.h>

/* As luaB_pcall and luaB_xpcall. */
int protect_pcall(lua_State *L);
int protect_xpcall(lua_State *L);

#endif
