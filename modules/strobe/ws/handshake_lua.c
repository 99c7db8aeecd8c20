#include "modules/strobe/ws/handshake_lua.h"

#include "modules/strobe/ws/handshake.h"

#include <lauxlib.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* key() → a new Sec-WebSocket-Key. */
static int ws_key(lua_State *L) {
  uint8_t nonce[WS_NONCE_SIZE];
  char key[WS_KEY_TEXT + 1];
  if (RAND_bytes(nonce, sizeof nonce) != 1)
    return luaL_error(L, "the system has no random bytes for a WebSocket key");
  ws_key_write(key, nonce);
  lua_pushstring(L, key);
  return 1;
}

/* is_key(text) → whether it is base64 of 16 bytes. */
static int ws_is_key(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  lua_pushboolean(L, ws_key_valid(text, size));
  return 1;
}

/* accept(key) → the Sec-WebSocket-Accept that answers it. */
static int ws_accept(lua_State *L) {
  size_t size;
  char accept[WS_ACCEPT_TEXT + 1];
  const char *key = luaL_checklstring(L, 1, &size);
  luaL_argcheck(L, ws_key_valid(key, size), 1, "16 bytes in base64 expected");
  if (!ws_accept_write(accept, key))
    return luaL_error(L, "there is no SHA-1 here");
  lua_pushstring(L, accept);
  return 1;
}

/* base64(bytes) → text */
static int ws_base64(lua_State *L) {
  size_t size;
  const char *bytes = luaL_checklstring(L, 1, &size);
  luaL_argcheck(L, size < INT32_MAX / 2, 1, "too long");
  luaL_Buffer buffer;
  char *out = luaL_buffinitsize(L, &buffer, (size + 2) / 3 * 4 + 1);
  int written = EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)bytes, (int)size);
  luaL_pushresultsize(&buffer, (size_t)written);
  return 1;
}

static const luaL_Reg functions[] = {
    {"key", ws_key},       {"is_key", ws_is_key}, {"accept", ws_accept},
    {"base64", ws_base64}, {NULL, NULL},
};

void ws_handshake_add(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
