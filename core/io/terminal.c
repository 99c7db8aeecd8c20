#include "core/io/terminal.h"

#include "core/io/raw.h"
#include "core/task/error.h"
#include "core/task/type.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uv.h>

#define TERMINAL "Terminal"

enum { CLOSED = -1, MOST_READ = 4096 };

/* A terminal that was opened once more, so that its descriptor is not shared: that it does not
 * block is not seen by the shell that started us. */
struct terminal {
  int fd;
};

/* The open terminal at index 1, or a mistake of the caller. [-0, +0, v] */
static struct terminal *check_open(lua_State *L) {
  struct terminal *terminal = type_check(L, 1, TERMINAL);
  luaL_argcheck(L, terminal->fd != CLOSED, 1, "the terminal is closed");
  return terminal;
}

/* Who may not open the terminal by its name, as after `su`, may by that of his controlling one. */
static int open_again(int fd) {
  enum { FLAGS = O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int again = open(path, FLAGS);
  if (again < 0)
    again = open("/dev/tty", FLAGS);
  return again < 0 ? uv_translate_sys_error(errno) : again;
}

/* open(descriptor) → terminal, or nil, message, code: "ENOTTY" where there is none. It is opened
 * once more: the descriptor stays its owner's, as it was. */
static int terminal_open(lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1);
  if (!isatty(fd))
    return error_world(L, uv_translate_sys_error(errno), "descriptor %d", fd);
  struct terminal *terminal = lua_newuserdatauv(L, sizeof *terminal, 0); /* [-0, +1, m] */
  terminal->fd = CLOSED;
  luaL_setmetatable(L, TERMINAL);
  int again = open_again(fd);
  if (again < 0)
    return error_world(L, again, "terminal");
  terminal->fd = again;
  return 1;
}

/* terminal:close(): its settings are what they were. Closing twice is harmless. */
static int terminal_close(lua_State *L) {
  struct terminal *terminal = type_check(L, 1, TERMINAL);
  if (terminal->fd != CLOSED) {
    raw_leave(terminal->fd);
    close(terminal->fd);
    terminal->fd = CLOSED;
  }
  return 0;
}

/* terminal:raw() → true, or nil, message, code: keys come one by one, see core/io/raw.h. Again
 * when it is raw already: sets what somebody else may have changed. */
static int terminal_raw(lua_State *L) {
  int status = raw_enter(check_open(L)->fd);
  if (status < 0)
    return error_world(L, status, "raw mode");
  lua_pushboolean(L, 1);
  return 1;
}

/* terminal:restore(): its settings are what they were before raw(). Twice is harmless. */
static int terminal_restore(lua_State *L) {
  raw_leave(check_open(L)->fd);
  return 0;
}

/* terminal:in_background() → whether it is another job's of the shell now. */
static int terminal_in_background(lua_State *L) {
  lua_pushboolean(L, raw_in_background(check_open(L)->fd));
  return 1;
}

/* terminal:read() → bytes, "" at the end, or nil, message, code: "EAGAIN" when there are none. */
static int terminal_read(lua_State *L) {
  char bytes[MOST_READ];
  ssize_t count = read(check_open(L)->fd, bytes, sizeof bytes);
  if (count < 0)
    return error_world(L, uv_translate_sys_error(errno), "terminal");
  lua_pushlstring(L, bytes, (size_t)count);
  return 1;
}

/* terminal:write(bytes, from) → how many bytes it took, of those from that place on; 0 when there
 * is no room. Or nil, message, code. */
static int terminal_write(lua_State *L) {
  const struct terminal *terminal = check_open(L);
  size_t size = 0;
  const char *bytes = luaL_checklstring(L, 2, &size);
  lua_Integer from = luaL_optinteger(L, 3, 1);
  luaL_argcheck(L, from >= 1 && (size_t)from <= size + 1, 3, "a place in the bytes expected");
  size_t skipped = (size_t)from - 1;
  ssize_t count = write(terminal->fd, bytes + skipped, size - skipped);
  if (count < 0 && errno != EAGAIN && errno != EINTR)
    return error_world(L, uv_translate_sys_error(errno), "terminal");
  lua_pushinteger(L, count < 0 ? 0 : count);
  return 1;
}

/* terminal:descriptor() → its number, for polling. */
static int terminal_descriptor(lua_State *L) {
  lua_pushinteger(L, check_open(L)->fd);
  return 1;
}

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

static const luaL_Reg methods[] = {
    {"raw", terminal_raw},
    {"restore", terminal_restore},
    {"in_background", terminal_in_background},
    {"read", terminal_read},
    {"write", terminal_write},
    {"descriptor", terminal_descriptor},
    {"close", terminal_close},
    {"__close", terminal_close},
    {"__gc", terminal_close},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"open", terminal_open},
    {"size", terminal_size},
    {NULL, NULL},
};

int luaopen_strobe_core_terminal(lua_State *L) {
  type_open(L, TERMINAL, methods);
  luaL_newlib(L, functions);
  return 1;
}
