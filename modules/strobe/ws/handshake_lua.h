/* The handshake's keys for Lua: functions of the module strobe.core.ws. */
#ifndef STROBE_WS_HANDSHAKE_LUA_H
#define STROBE_WS_HANDSHAKE_LUA_H

#include <lua.h>

/* Adds them to the module on top. [-0, +0, m] */
void ws_handshake_add(lua_State *L);

#endif
