/* Agreeing on permessage-deflate, for Lua: functions of the module strobe.core.ws. */
#ifndef STROBE_WS_EXTENSION_LUA_H
#define STROBE_WS_EXTENSION_LUA_H

#include "modules/strobe/ws/link_lua.h"

/* Adds them to the module on top. [-0, +0, m] */
void ws_extension_add(lua_State *L);

/* Makes what the table at the index, which these functions made, says: NULL for nil. The
 * caller's, to be freed with the link. [-0, +0, v] */
struct ws_compression *ws_extension_compression(lua_State *L, int index, size_t max_message);

#endif
