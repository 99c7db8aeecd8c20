#include "core/io/inherited.h"

#include "core/io/threaded.h"
#include "core/task/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void inherited_fill(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
      continue;
    /* The lowest free number is the one that is missing. */
    if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
      return;
  }
}

/* The descriptor at the index, a number or an open file of Lua's. [-0, +0, v] */
static int check_descriptor(lua_State *L, int index) {
  luaL_Stream *file = luaL_testudata(L, index, LUA_FILEHANDLE);
  if (file) {
    luaL_argcheck(L, file->closef, index, "an open file expected, this one is closed");
    return fileno(file->f);
  }
  lua_Integer number = luaL_checkinteger(L, index);
  luaL_argcheck(L, number >= 0 && number <= INT32_MAX, index, "a file descriptor expected");
  return (int)number;
}

/* Whether it is open for that, and is no folder. 0 or a negative libuv error. */
static int check_use(int fd, enum direction direction) {
  int flags = fcntl(fd, F_GETFL);
  struct stat stat;
  if (flags < 0 || fstat(fd, &stat) < 0)
    return uv_translate_sys_error(errno);
  int access = flags & O_ACCMODE;
  if (access != O_RDWR && access != (direction == DIRECTION_IN ? O_RDONLY : O_WRONLY))
    return UV_EBADF;
  return S_ISDIR(stat.st_mode) ? UV_EISDIR : 0;
}

static const char *const directions[] = {"r", "w", NULL};

/* The stream has a duplicate. A file of Lua's stays its owner's, and so do 0, 1 and 2. */
static void take_over(lua_State *L, int fd) {
  if (lua_type(L, 1) == LUA_TNUMBER && fd > STDERR_FILENO)
    close(fd);
}

/* open(fd, "r"|"w") → stream, or nil, message, code. A number above 2 is the stream's from now on,
 * unless it fails; a file of Lua's stays its owner's. */
static int inherited_open(lua_State *L) {
  int fd = check_descriptor(L, 1);
  enum direction direction = (enum direction)luaL_checkoption(L, 2, NULL, directions);
  int status = check_use(fd, direction);
  if (status == 0) {
    stream_push(L);
    status = polled_open(L, fd, direction);
    if (status == UV_EPERM)
      status = threaded_open(L, fd, direction);
  }
  if (status < 0)
    return error_world(L, status, "descriptor %d", fd);
  take_over(L, fd);
  return 1;
}

/* flush(stream) → true, or nil, message, code: writes what is queued, and nothing else runs
 * meanwhile. */
static int inherited_flush(lua_State *L) {
  int status = polled_flush(stream_check(L, 1));
  if (status < 0)
    return error_world(L, status, "write");
  lua_pushboolean(L, 1);
  return 1;
}

/* leave(fd): the descriptor leads nowhere from now on. Who is at its other end sees that; the
 * number does not get free for something else. */
static int inherited_leave(lua_State *L) {
  int fd = check_descriptor(L, 1);
  int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere < 0)
    return error_world(L, uv_translate_sys_error(errno), "/dev/null");
  dup2(nowhere, fd);
  close(nowhere);
  lua_pushboolean(L, 1);
  return 1;
}

static const luaL_Reg functions[] = {
    {"open", inherited_open},
    {"flush", inherited_flush},
    {"leave", inherited_leave},
    {NULL, NULL},
};

int luaopen_strobe_core_inherited(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
