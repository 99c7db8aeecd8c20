/* The module strobe.core.vcd: the VCD engines for Lua. */
#ifndef STROBE_VCD_VCD_LUA_H
#define STROBE_VCD_VCD_LUA_H

#include <lua.h>

struct vcd_writer;

int luaopen_strobe_core_vcd(lua_State *L);

/* Pushes {bytes, changes, merged, dropped, cut}. [-0, +1, m] */
int vcd_lua_push_counters(lua_State *L, const struct vcd_writer *writer);

#endif
