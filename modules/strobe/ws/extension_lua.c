#include "modules/strobe/ws/extension_lua.h"

#include "modules/strobe/ws/extension.h"

#include <stdint.h>
#include <stdlib.h>

/* A connection's memory for compression: 49 KiB in both directions, by facts measured.
 * Messages below the threshold gain less than they cost. */
enum { WINDOW_BITS = 12, MEM_LEVEL = 5, LEVEL = 1, THRESHOLD = 1024 };

/* Pushes {bits, takeover, peer_bits, peer_takeover}: how we deflate, and how the peer
 * does. [-0, +1, m] */
static void push_agreement(lua_State *L, const struct ws_deflate_params *params, bool server) {
  unsigned server_bits = ws_window_bits(params->server_max_window_bits);
  unsigned client_bits = ws_window_bits(params->client_max_window_bits);
  bool server_takeover = !params->server_no_context_takeover;
  bool client_takeover = !params->client_no_context_takeover;
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, server ? server_bits : client_bits);
  lua_setfield(L, -2, "bits");
  lua_pushboolean(L, server ? server_takeover : client_takeover);
  lua_setfield(L, -2, "takeover");
  lua_pushinteger(L, server ? client_bits : server_bits);
  lua_setfield(L, -2, "peer_bits");
  lua_pushboolean(L, server ? client_takeover : server_takeover);
  lua_setfield(L, -2, "peer_takeover");
}

/* [-0, +1, v] */
static void push_header(lua_State *L, const struct ws_deflate_params *params) {
  char copy[256];
  struct buffer text;
  buffer_init(&text);
  bool good = ws_extension_append(&text, params) && buffer_size(&text) < sizeof copy;
  size_t size = good ? buffer_size(&text) : 0;
  for (size_t i = 0; i < size; i++)
    copy[i] = buffer_front(&text)[i];
  buffer_free(&text); /* before anything may raise */
  if (!good)
    luaL_error(L, "not enough memory for a header");
  lua_pushlstring(L, copy, size);
}

static lua_Integer integer_field(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  lua_Integer value = luaL_checkinteger(L, -1);
  lua_pop(L, 1);
  return value;
}

static lua_Integer opt_field(lua_State *L, int index, const char *name, lua_Integer otherwise) {
  lua_getfield(L, index, name);
  lua_Integer value = luaL_optinteger(L, -1, otherwise);
  lua_pop(L, 1);
  return value;
}

static bool boolean_field(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  bool value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* What the settings {window_bits, no_context_takeover} at the index ask of both sides; without
 * window_bits the windows are `otherwise`. [-0, +0, e] */
static struct ws_deflate_params settings_at(lua_State *L, int index, uint8_t otherwise) {
  struct ws_deflate_params params = {.server_max_window_bits = otherwise,
                                     .client_max_window_bits = otherwise};
  if (!lua_istable(L, index))
    return params;
  lua_Integer bits = opt_field(L, index, "window_bits", otherwise);
  luaL_argcheck(L, bits == otherwise || (bits >= WS_WINDOW_DEFLATE_MIN && bits <= WS_WINDOW_MAX),
                index, "window_bits: 9 to 15 expected");
  params.server_max_window_bits = params.client_max_window_bits = (uint8_t)bits;
  params.server_no_context_takeover = params.client_no_context_takeover =
      boolean_field(L, index, "no_context_takeover");
  return params;
}

/* A client lets the server choose its window unless it was told one. [-0, +0, e] */
static struct ws_deflate_params offer_at(lua_State *L, int index) {
  struct ws_deflate_params offer = settings_at(L, index, 0);
  if (offer.client_max_window_bits == 0)
    offer.client_max_window_bits = WS_BITS_ANY;
  return offer;
}

/* offer_deflate([settings]) → what a client's Sec-WebSocket-Extensions says. */
static int ws_offer(lua_State *L) {
  struct ws_deflate_params offer = offer_at(L, 1);
  push_header(L, &offer);
  return 1;
}

/* choose_deflate(header[, settings]) → agreement, what a server answers; nil to go on without;
 * false for a header that is none. */
static int ws_choose(lua_State *L) {
  struct ws_deflate_params ours = settings_at(L, 2, WINDOW_BITS), response;
  size_t size;
  const char *header = luaL_checklstring(L, 1, &size);
  switch (ws_extension_choose(header, size, &ours, &response)) {
  case WS_EXTENSION_AGREED:
    push_agreement(L, &response, true);
    push_header(L, &response);
    return 2;
  case WS_EXTENSION_FAULT:
    lua_pushboolean(L, 0);
    return 1;
  default:
    return 0;
  }
}

/* check_deflate(header, offered) → agreement; nil to go on without; false for an answer to what
 * was not offered. Offered: the settings, true for the default ones, false for nothing. */
static int ws_check(lua_State *L) {
  struct ws_deflate_params offer = offer_at(L, 2), response;
  size_t size;
  const char *header = luaL_checklstring(L, 1, &size);
  const struct ws_deflate_params *offered = lua_toboolean(L, 2) ? &offer : NULL;
  switch (ws_extension_check(header, size, offered, &response)) {
  case WS_EXTENSION_AGREED:
    push_agreement(L, &response, false);
    return 1;
  case WS_EXTENSION_FAULT:
    lua_pushboolean(L, 0);
    return 1;
  default:
    return 0;
  }
}

/* How we deflate, by the agreement and the settings in it. A peer's window that zlib cannot do is
 * left alone: all goes as it is, which is legal. [-0, +0, e] */
static struct ws_deflater_options options_at(lua_State *L, int index, lua_Integer bits) {
  lua_Integer most = opt_field(L, index, "window_bits", WINDOW_BITS);
  lua_Integer level = opt_field(L, index, "mem_level", MEM_LEVEL);
  luaL_argcheck(L, level >= 1 && level <= 9, index, "mem_level: 1 to 9 expected");
  bits = bits < most ? bits : most;
  return (struct ws_deflater_options){
      .window_bits = (uint8_t)(bits < WS_WINDOW_DEFLATE_MIN ? WS_WINDOW_DEFLATE_MIN : bits),
      .mem_level = (uint8_t)level,
      .level = LEVEL,
      .takeover = boolean_field(L, index, "takeover"),
  };
}

struct ws_compression *ws_extension_compression(lua_State *L, int index, size_t max_message) {
  if (lua_isnoneornil(L, index))
    return NULL;
  luaL_checktype(L, index, LUA_TTABLE);
  lua_Integer bits = integer_field(L, index, "bits");
  lua_Integer peer_bits = integer_field(L, index, "peer_bits");
  bool peer_takeover = boolean_field(L, index, "peer_takeover");
  luaL_argcheck(L, bits >= WS_WINDOW_MIN && bits <= WS_WINDOW_MAX, index, "bad window");
  luaL_argcheck(L, peer_bits >= WS_WINDOW_MIN && peer_bits <= WS_WINDOW_MAX, index, "bad window");
  struct ws_deflater_options options = options_at(L, index, bits);
  lua_Integer threshold = opt_field(L, index, "threshold", THRESHOLD);
  luaL_argcheck(L, threshold >= 0, index, "threshold: 0 or more bytes expected");
  struct ws_compression *compression = calloc(1, sizeof *compression);
  if (!compression) {
    luaL_error(L, "not enough memory for compression");
    return NULL; /* not reached, but luaL_error does not say so */
  }
  compression->threshold = bits >= WS_WINDOW_DEFLATE_MIN ? (size_t)threshold : SIZE_MAX;
  ws_deflater_init(&compression->deflater, &options);
  ws_inflater_init(&compression->inflater, (unsigned)peer_bits, peer_takeover, max_message);
  return compression;
}

static const luaL_Reg functions[] = {
    {"offer_deflate", ws_offer},
    {"choose_deflate", ws_choose},
    {"check_deflate", ws_check},
    {NULL, NULL},
};

void ws_extension_add(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
