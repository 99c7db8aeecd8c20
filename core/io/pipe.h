/* A pipe: two streams in memory, each the other's peer. No handles, no time. */
#ifndef STROBE_IO_PIPE_H
#define STROBE_IO_PIPE_H

#include <lua.h>

int luaopen_strobe_core_pipe(lua_State *L);

#endif
