#ifndef STROBE_WS_ENCODED_LUA_H
#define STROBE_WS_ENCODED_LUA_H

#include "modules/strobe/ws/encoded.h"

#include <lauxlib.h>

/* Adds `encode` to the module on top. [-0, +0, m] */
void ws_encoded_add(lua_State *L);

struct ws_encoded *ws_encoded_check(lua_State *L, int index);

#endif
