/* Subscriptions for Lua: read in batches, waited for, or handled as events come. */
#ifndef STROBE_GPIO_SUBSCRIPTION_LUA_H
#define STROBE_GPIO_SUBSCRIPTION_LUA_H

#include "modules/strobe/gpio/pace_lua.h"

void gpio_subscription_lua_open(lua_State *L);

/* board:subscribe(lines, kinds, capacity or nil, handler or nil) */
int gpio_board_subscribe(lua_State *L);

/* Drops the handlers of a board. [-0, +0, -] */
void gpio_subscriptions_let_go(lua_State *L, struct gpio_box *box);

#endif
