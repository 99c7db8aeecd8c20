#include "core/io/terminal.h"

#include <lauxlib.h>
#include <sys/ioctl.h>

/* terminal.size(descriptor) → columns, rows; nil where it is no terminal. One that does not know
 * its size says 0, 0. libuv's own way would make the descriptor non-blocking, and what others print
 * to it be lost. */
static int terminal_size(lua_State *L) {
  struct winsize size;
  if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) < 0) {
    luaL_pushfail(L); /* [-0, +1, -] */
    return 1;
  }
  lua_pushinteger(L, size.ws_col); /* [-0, +1, -] */
  lua_pushinteger(L, size.ws_row); /* [-0, +1, -] */
  return 2;
}

static const luaL_Reg functions[] = {
    {"size", terminal_size},
    {NULL, NULL},
};

int luaopen_strobe_core_terminal(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
