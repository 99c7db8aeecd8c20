/* strobe.core.journal: CRC-32 and the lock of a file, for Lua. */
#include "modules/strobe/broker/journal_lua.h"

#include "core/task/error.h"

#include <errno.h>
#include <lauxlib.h>
#include <sys/file.h>
#include <uv.h>
#include <zlib.h>

/* crc32(data) → integer from 0 to 2^32 - 1: the CRC-32 of zlib, gzip and Ethernet. */
static int journal_crc32(lua_State *L) {
  size_t size = 0;
  const char *data = luaL_checklstring(L, 1, &size);
  lua_pushinteger(L, (lua_Integer)crc32_z(0, (const Bytef *)data, size));
  return 1;
}

/* lock(fd) → true, or nil, message, "EAGAIN" when another open file has the lock. It goes with the
 * file's last descriptor, so the end of the process, however it comes, frees it. */
static int journal_lock(lua_State *L) {
  int fd = (int)luaL_checkinteger(L, 1);
  if (flock(fd, LOCK_EX | LOCK_NB) < 0)
    return error_world(L, uv_translate_sys_error(errno), "lock");
  lua_pushboolean(L, 1);
  return 1;
}

static const luaL_Reg functions[] = {
    {"crc32", journal_crc32},
    {"lock", journal_lock},
    {NULL, NULL},
};

int luaopen_strobe_core_journal(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
