/* Traces of boards as VCD for Lua. */
#ifndef STROBE_GPIO_TRACE_LUA_H
#define STROBE_GPIO_TRACE_LUA_H

#include "modules/strobe/gpio/pace_lua.h"

void gpio_trace_lua_open(lua_State *L);

/* board:recorder{unit_ns, date, comment, max_bytes, max_changes, hide_strings, all_changes} */
int gpio_board_recorder(lua_State *L);

/* For a board that closes: its trace ends now. */
void gpio_recorders_end(struct gpio_box *box);

#endif
