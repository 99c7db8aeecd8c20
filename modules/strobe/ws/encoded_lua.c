#include "modules/strobe/ws/encoded_lua.h"

#include "core/task/error.h"
#include "core/task/type.h"
#include "modules/strobe/ws/utf8.h"

#include <uv.h>

#define ENCODED "strobe.ws.encoded"

struct ws_encoded *ws_encoded_check(lua_State *L, int index) {
  return luaL_checkudata(L, index, ENCODED);
}

static int encoded_gc(lua_State *L) {
  ws_encoded_free(ws_encoded_check(L, 1));
  return 0;
}

static const luaL_Reg methods[] = {
    {"__gc", encoded_gc},
    {"__close", encoded_gc},
    {NULL, NULL},
};

/* encode(bytes, is_text) → a server's message, for send_encoded to many. nil, message,
 * "EILSEQ" for a text that is not UTF-8. */
static int ws_encode(lua_State *L) {
  size_t size;
  const char *bytes = luaL_checklstring(L, 1, &size);
  if (lua_toboolean(L, 2) && !ws_utf8_valid(bytes, size))
    return error_world(L, UV_EILSEQ, "encode");
  struct ws_encoded *encoded = lua_newuserdatauv(L, sizeof *encoded, 0);
  bool good = ws_encoded_init(encoded, bytes, size, lua_toboolean(L, 2));
  luaL_setmetatable(L, ENCODED);
  return good ? 1 : luaL_error(L, "not enough memory to encode a message of %d bytes", (int)size);
}

void ws_encoded_add(lua_State *L) {
  type_open(L, ENCODED, methods);
  lua_pushcfunction(L, ws_encode);
  lua_setfield(L, -2, "encode");
}
