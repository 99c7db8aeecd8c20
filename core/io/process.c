#include "core/io/process.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/close_range.h>
#endif

/* Standard input, output and error are inherited; what comes behind them is not. */
enum { FIRST_SEALED = 3, MOST_SEALED = 65536 };

/* Does it in one system call; false where there is none. */
static bool seal_range(void) {
#ifdef CLOSE_RANGE_CLOEXEC
  return close_range(FIRST_SEALED, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
#else
  return false;
#endif
}

static void seal_each(void) {
  struct rlimit limit;
  int end = MOST_SEALED;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < MOST_SEALED)
    end = (int)limit.rlim_cur;
  for (int fd = FIRST_SEALED; fd < end; fd++) {
    int flags = fcntl(fd, F_GETFD);
    if (flags >= 0)
      fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
  }
}

/* seal(): what is open now is closed in programs which are started from now on. Files of io.open
 * are not born so, nor is what C modules open. */
static int process_seal(lua_State *L) {
  (void)L;
  if (!seal_range())
    seal_each();
  return 0;
}

/* fileno(file) → descriptor of a file of io.open; nil when it is closed. */
static int process_fileno(lua_State *L) {
  const luaL_Stream *file = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  if (file->closef)
    lua_pushinteger(L, fileno(file->f));
  else
    lua_pushnil(L);
  return 1;
}

static const luaL_Reg functions[] = {
    {"seal", process_seal},
    {"fileno", process_fileno},
    {NULL, NULL},
};

int luaopen_strobe_core_process(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
