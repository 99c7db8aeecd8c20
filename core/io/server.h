/* A server: a listening socket, TCP or unix domain. */
#ifndef STROBE_IO_SERVER_H
#define STROBE_IO_SERVER_H

#include <lua.h>

int luaopen_strobe_core_server(lua_State *L);

#endif
