/* What a child process inherits: of descriptors only those which are meant for it. The rest of
 * processes is luv's. */
#ifndef STROBE_IO_PROCESS_H
#define STROBE_IO_PROCESS_H

#include <lua.h>

int luaopen_strobe_core_process(lua_State *L);

#endif
