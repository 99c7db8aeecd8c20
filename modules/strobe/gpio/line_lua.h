/* Lines and wires for Lua. */
#ifndef STROBE_GPIO_LINE_LUA_H
#define STROBE_GPIO_LINE_LUA_H

#include "modules/strobe/gpio/pace_lua.h"

void gpio_line_lua_open(lua_State *L);

/* Pushes the userdata of a line; that of its board is at the index. [-0, +1, m] */
void gpio_line_push(lua_State *L, int board, struct gpio_line *line);

/* The line at the index of a board that is open, or NULL. [-0, +0, m] */
struct gpio_line *gpio_line_test(lua_State *L, int index);

/* The board at the index, which is open. [-0, +0, v] */
struct gpio_box *gpio_box_check(lua_State *L, int index);

/* A level: 0, 1, true, false, "0", "1", "z" or "x". [-0, +0, v] */
enum gpio_level gpio_level_check(lua_State *L, int index);

#endif
