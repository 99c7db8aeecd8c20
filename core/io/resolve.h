/* Names to addresses, by the system's resolver on libuv's threads. */
#ifndef STROBE_IO_RESOLVE_H
#define STROBE_IO_RESOLVE_H

#include <lua.h>
#include <uv.h>

/* A numeric IPv4 or IPv6 address. 0 or UV_EINVAL. */
int resolve_numeric(const char *address, int port, struct sockaddr_storage *name);

int luaopen_strobe_core_resolve(lua_State *L);

#endif
