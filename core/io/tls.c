#include "core/io/tls.h"

#include "core/io/tls_stream.h"
#include "core/task/error.h"
#include "core/task/type.h"

#include <string.h>

#define CONTEXT "strobe.tls.context"

/* --- Contexts --------------------------------------------------------------------- */

static struct tls_context *context_check(lua_State *L, int index) {
  return *(struct tls_context **)luaL_checkudata(L, index, CONTEXT);
}

/* The string options[name] of the table at index 1, left on the stack; NULL is nil. */
static const char *string_option(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  return lua_tostring(L, -1);
}

/* A file's path, or PEM text, which has several lines. [-0, +1, m] */
static void source_option(lua_State *L, const char *name, const char **file, const char **pem) {
  const char *text = string_option(L, name);
  if (text && strchr(text, '\n'))
    *pem = text;
  else
    *file = text;
}

static enum tls_version version_option(lua_State *L, const char *name) {
  static const char *const names[] = {"", "1.2", "1.3", NULL};
  lua_getfield(L, 1, name);
  if (lua_isnil(L, -1))
    return TLS_VERSION_ANY;
  return (enum tls_version)luaL_checkoption(L, -1, NULL, names);
}

enum { MOST_PROTOCOLS = 16 };

/* The list options.alpn, which ends with NULL; its strings are held by the list. */
static void alpn_option(lua_State *L, const char *list[MOST_PROTOCOLS + 1]) {
  size_t count = 0;
  if (lua_getfield(L, 1, "alpn") == LUA_TTABLE)
    for (; count < MOST_PROTOCOLS; count++) {
      if (lua_rawgeti(L, -1, (lua_Integer)count + 1) != LUA_TSTRING)
        break;
      list[count] = lua_tostring(L, -1);
      lua_pop(L, 1);
    }
  list[count] = NULL;
}

static enum tls_verify verify_option(lua_State *L) {
  int type = lua_getfield(L, 1, "verify");
  if (type == LUA_TNIL)
    return TLS_VERIFY_DEFAULT;
  return lua_toboolean(L, -1) ? TLS_VERIFY_REQUIRED : TLS_VERIFY_NONE;
}

static int push_tls_error(lua_State *L, const struct tls_error *error, const char *code) {
  lua_pushnil(L);
  lua_pushfstring(L, "tls: %s", error->text);
  lua_pushstring(L, code);
  return 3;
}

/* context{server, verify, ca, cert, key, alpn, min_version} → context, or nil, message,
 * code. ca, cert and key are paths or PEM texts. Reads files. */
static int tls_context(lua_State *L) {
  struct tls_options options = {0};
  struct tls_error error = {""};
  const char *alpn[MOST_PROTOCOLS + 1];
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "server");
  options.server = lua_toboolean(L, -1);
  options.verify = verify_option(L);
  options.min_version = version_option(L, "min_version");
  source_option(L, "ca", &options.ca_file, &options.ca_pem);
  source_option(L, "cert", &options.cert_file, &options.cert_pem);
  source_option(L, "key", &options.key_file, &options.key_pem);
  alpn_option(L, alpn);
  options.alpn = alpn[0] ? alpn : NULL;
  struct tls_context **box = lua_newuserdatauv(L, sizeof(struct tls_context *), 0);
  *box = NULL;
  luaL_setmetatable(L, CONTEXT);
  *box = tls_context_open(&options, &error);
  return *box ? 1 : push_tls_error(L, &error, "EINVAL");
}

static int context_gc(lua_State *L) {
  struct tls_context **box = luaL_checkudata(L, 1, CONTEXT);
  tls_context_release(*box);
  *box = NULL;
  return 0;
}

static const luaL_Reg context_methods[] = {
    {"__gc", context_gc},
    {NULL, NULL},
};

/* --- Connections -------------------------------------------------------------------- */

static struct tls *tls_check(lua_State *L, int index) {
  struct tls *tls = tls_stream_test(stream_check(L, index));
  luaL_argcheck(L, tls, index, "not a TLS connection");
  return tls;
}

/* start(context, stream [, host [, port]]) → stream: TLS on top of the stream, which must
 * not be used any more. The handshake begins. Clients: `host` is to be in the peer's
 * certificate. */
static int tls_start(lua_State *L) {
  struct tls_context *context = context_check(L, 1);
  struct tls_error error = {"not enough memory"};
  struct tls_peer peer = {.host = luaL_optstring(L, 3, NULL),
                          .port = (int)luaL_optinteger(L, 4, 0)};
  stream_check(L, 2);
  stream_push(L);
  struct tls *tls = tls_stream_open(context, peer.host ? &peer : NULL, &error);
  if (!tls)
    return push_tls_error(L, &error, "EINVAL");
  tls_stream_own(L, tls);
  tls_stream_take(L, 2, tls);
  return 1;
}

static enum wait_cancel cancel_handshake(lua_State *L, struct task *task) {
  (void)L;
  ((struct tls *)task->wait_object)->shaker = NULL;
  return WAIT_LEFT;
}

static const struct wait_kind shaking = {"tls handshake", cancel_handshake, NULL};

static const char *const failure_codes[] = {[TLS_FAILURE_NONE] = "EPROTO",
                                            [TLS_FAILURE_PROTOCOL] = "EPROTO",
                                            [TLS_FAILURE_CERTIFICATE] = "EBADCERT",
                                            [TLS_FAILURE_TRUNCATED] = "EOF",
                                            [TLS_FAILURE_MEMORY] = "ENOMEM"};

static int push_handshake_failure(lua_State *L, const struct tls *tls) {
  const char *text = tls_session_error(tls->session);
  if (tls_session_state(tls->session) == TLS_FAILED) {
    lua_pushnil(L);
    lua_pushfstring(L, "tls handshake: %s", text);
    lua_pushstring(L, failure_codes[tls_session_failure(tls->session)]);
    return 3;
  }
  int error = tls->stream.error ? tls->stream.error : UV_ECANCELED;
  return error_world(L, error, "tls handshake");
}

static int handshake(lua_State *L, int status, lua_KContext context) {
  struct tls *tls = tls_check(L, 1);
  (void)context;
  if (status == LUA_YIELD)
    wait_resumed(L);
  enum tls_state state = tls_session_state(tls->session);
  if (state == TLS_OPEN || state == TLS_CLOSED) {
    lua_pushboolean(L, 1);
    return 1;
  }
  if (state == TLS_FAILED || !tls->below || tls->stream.error || tls->stream.closing)
    return push_handshake_failure(L, tls);
  if (tls->shaker)
    return luaL_error(L, "another task waits for this handshake already");
  struct task *task = wait_enter(L);
  tls->shaker = task;
  return wait_park(L, task, &shaking, tls, handshake);
}

/* handshake(stream) → true once it is over; nil, message, code when it failed: "EPROTO",
 * "EBADCERT" for a peer whose certificate we refuse, "EOF". Waits. */
static int tls_handshake(lua_State *L) {
  tls_check(L, 1);
  lua_settop(L, 1);
  return handshake(L, LUA_OK, 0);
}

/* --- Information ------------------------------------------------------------------ */

static void set_text(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text); /* NULL is nil */
  lua_setfield(L, -2, name);
}

/* Sets peer[name] of the table on top; the buffer is the caller's. */
static bool set_peer_text(lua_State *L, const struct tls *tls, const char *name,
                          enum tls_peer_text what) {
  struct buffer text;
  char copy[2048];
  buffer_init(&text);
  bool there = tls_session_peer(tls->session, what, &text);
  size_t size = buffer_size(&text) < sizeof copy ? buffer_size(&text) : sizeof copy;
  if (size > 0)
    memcpy(copy, buffer_front(&text), size);
  buffer_free(&text); /* before anything may raise */
  if (!there)
    return false;
  lua_pushlstring(L, copy, size);
  lua_setfield(L, -2, name);
  return true;
}

static void push_peer(lua_State *L, const struct tls *tls) {
  lua_createtable(L, 0, 6);
  if (!set_peer_text(L, tls, "subject", TLS_PEER_SUBJECT)) {
    lua_pop(L, 1);
    lua_pushnil(L);
    return;
  }
  set_peer_text(L, tls, "issuer", TLS_PEER_ISSUER);
  set_peer_text(L, tls, "names", TLS_PEER_NAMES);
  set_peer_text(L, tls, "fingerprint", TLS_PEER_FINGERPRINT);
  set_peer_text(L, tls, "valid_from", TLS_PEER_VALID_FROM);
  set_peer_text(L, tls, "valid_until", TLS_PEER_VALID_UNTIL);
}

/* info(stream) → {version, cipher, alpn, server_name, reused, peer}, or nil without TLS. */
static int tls_info(lua_State *L) {
  const struct tls *tls = tls_stream_test(stream_check(L, 1));
  if (!tls)
    return 0;
  size_t size;
  const char *alpn = tls_session_alpn(tls->session, &size);
  lua_createtable(L, 0, 6);
  set_text(L, "version", tls_session_version(tls->session));
  set_text(L, "cipher", tls_session_cipher(tls->session));
  set_text(L, "server_name", tls_session_server_name(tls->session));
  if (alpn) {
    lua_pushlstring(L, alpn, size);
    lua_setfield(L, -2, "alpn");
  }
  lua_pushboolean(L, tls_session_resumed(tls->session));
  lua_setfield(L, -2, "reused");
  push_peer(L, tls);
  lua_setfield(L, -2, "peer");
  return 1;
}

static const luaL_Reg functions[] = {
    {"context", tls_context}, {"start", tls_start}, {"handshake", tls_handshake},
    {"info", tls_info},       {NULL, NULL},
};

int luaopen_strobe_core_tls(lua_State *L) {
  type_open(L, CONTEXT, context_methods);
  luaL_newlib(L, functions);
  return 1;
}
