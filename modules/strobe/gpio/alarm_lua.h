/* Alarms for Lua: a function that is called after some simulated time. */
#ifndef STROBE_GPIO_ALARM_LUA_H
#define STROBE_GPIO_ALARM_LUA_H

#include "modules/strobe/gpio/pace_lua.h"

void gpio_alarm_lua_open(lua_State *L);

/* board:after(ns, f) */
int gpio_board_after(lua_State *L);

/* Ends the alarms of a board. [-0, +0, -] */
void gpio_alarms_end(lua_State *L, struct gpio_box *box);

#endif
