/* TLS as a stream on top of another one. */
#ifndef STROBE_IO_TLS_H
#define STROBE_IO_TLS_H

#include <lua.h>

int luaopen_strobe_core_tls(lua_State *L);

#endif
