/* strobe.core.ws: a WebSocket for Lua, see link_lua.h. All policy is in strobe.ws. */
#include "modules/strobe/ws/connection_lua.h"

#include "core/task/error.h"
#include "core/task/time.h"
#include "core/task/type.h"
#include "modules/strobe/ws/encoded_lua.h"
#include "modules/strobe/ws/extension_lua.h"
#include "modules/strobe/ws/handshake_lua.h"
#include "modules/strobe/ws/link_lua.h"

#include <limits.h>
#include <stdlib.h>

#define CONNECTION "strobe.ws.connection"
#define KEYS "strobe.ws.keys"

enum { WS_CODE_MAX = 4999 };

static struct ws_link *check_link(lua_State *L) {
  struct ws_link *link = *(struct ws_link **)type_check(L, 1, CONNECTION);
  luaL_argcheck(L, link, 1, "the connection was collected");
  return link;
}

/* As check_link, in a method that goes on. */
static struct ws_link *link_at_one(lua_State *L) {
  return *(struct ws_link **)lua_touserdata(L, 1);
}

/* --- Receiving ---------------------------------------------------------------- */

static enum wait_cancel cancel_receive(lua_State *L, struct task *task) {
  (void)L;
  ((struct ws_link *)task->wait_object)->receiver = NULL; /* another may receive at once */
  return WAIT_LEFT;
}

static const struct wait_kind receiving = {"websocket message", cancel_receive, NULL};

static int push_oldest(lua_State *L, struct ws_link *link) {
  const struct ws_message *message = ws_inbox_first(&link->inbox);
  bool streaming = link->codec.options.streaming;
  lua_pushlstring(L, message->bytes, message->size); /* may raise: it is taken after that */
  lua_pushboolean(L, message->text);
  if (streaming)
    lua_pushboolean(L, message->last);
  free(ws_link_take(link));
  if (link->stream)
    ws_link_read(link);
  return streaming ? 3 : 2;
}

/* One that was woken and then cancelled will take nothing. */
static bool has_receiver(const struct ws_link *link) {
  return link->receiver && !link->receiver->must_cancel;
}

static int receive(lua_State *L, int status, lua_KContext context) {
  struct ws_link *link = link_at_one(L);
  (void)context;
  if (link->receiver == scheduler_of(L)->current)
    link->receiver = NULL;
  if (status == LUA_YIELD)
    wait_resumed(L);
  if (link->inbox.count > 0 && !has_receiver(link))
    return push_oldest(L, link);
  if (link->inbox.count == 0 && link->state >= WS_ENDED)
    return 0;
  if (has_receiver(link))
    return luaL_error(L, "another task is receiving from this WebSocket already");
  struct task *task = wait_enter(L);
  link->receiver = task;
  return wait_park(L, task, &receiving, link, receive);
}

/* connection:receive() → data, is_text; nothing when no more will come. Waits. After
 * `stream` the data are a piece of a message, and a third result tells whether its last. */
static int connection_receive(lua_State *L) {
  check_link(L);
  lua_settop(L, 1);
  return receive(L, LUA_OK, 0);
}

/* --- Iterating ------------------------------------------------------------------ */

/* What the iterator of `messages` has: the connection, a function for what it does not do
 * itself, and the two kinds. */
enum { OF_CONNECTION = 1, OF_REST, OF_TEXT, OF_BINARY };

static int return_results(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return lua_gettop(L);
}

/* Streams, ends and mistakes are not what has to be fast. */
static int call_rest(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(OF_REST));
  lua_callk(L, 0, 2, 0, return_results);
  return 2;
}

static int push_message(lua_State *L, struct ws_link *link) {
  const struct ws_message *message = ws_inbox_first(&link->inbox);
  lua_pushlstring(L, message->bytes, message->size); /* may raise: it is taken after that */
  lua_pushvalue(L, lua_upvalueindex(message->text ? OF_TEXT : OF_BINARY));
  free(ws_link_take(link));
  if (link->stream)
    ws_link_read(link);
  return 2;
}

static int next_message(lua_State *L, int status, lua_KContext context) {
  struct ws_link *link = *(struct ws_link **)lua_touserdata(L, lua_upvalueindex(OF_CONNECTION));
  (void)context;
  if (!link) /* a finalizer, at the end of all */
    return luaL_error(L, "the connection was collected");
  if (link->receiver == scheduler_of(L)->current)
    link->receiver = NULL;
  if (status == LUA_YIELD)
    wait_resumed(L);
  bool empty = link->inbox.count == 0;
  if (has_receiver(link) || link->codec.options.streaming || (empty && link->state >= WS_ENDED))
    return call_rest(L);
  if (!empty)
    return push_message(L, link);
  struct task *task = wait_enter(L);
  link->receiver = task;
  return wait_park(L, task, &receiving, link, next_message);
}

static int iterate(lua_State *L) {
  lua_settop(L, 0);
  return next_message(L, LUA_OK, 0);
}

/* connection:messages(rest) → an iterator: data, "text" or "binary". What rest() returns when
 * no more come, when another task receives, or after `stream`. */
static int connection_messages(lua_State *L) {
  check_link(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  lua_pushliteral(L, "text");
  lua_pushliteral(L, "binary");
  lua_pushcclosure(L, iterate, 4);
  return 1;
}

/* connection:stream(): hands out what came of a message, not only whole ones. */
static int connection_stream(lua_State *L) {
  ws_link_stream(check_link(L));
  return 0;
}

/* --- Sending ------------------------------------------------------------------ */

static int push_sent(lua_State *L, int status, const char *what) {
  if (status < 0)
    return error_world(L, status, "%s", what);
  lua_pushboolean(L, 1);
  return 1;
}

/* connection:send(bytes, is_text) → true: on its way or queued; and true again when so much
 * is that it is time to drain. Never waits. nil, message, "EILSEQ" for a text that is not
 * UTF-8, "EINVAL" for what is no string. */
static int connection_send(lua_State *L) {
  struct ws_link *link = check_link(L);
  if (lua_type(L, 2) != LUA_TSTRING)
    return error_world(L, UV_EINVAL, "send");
  size_t size;
  const char *bytes = lua_tolstring(L, 2, &size);
  bool is_text = lua_toboolean(L, 3);
  if (is_text && !ws_utf8_valid(bytes, size))
    return error_world(L, UV_EILSEQ, "send");
  int status = ws_link_send(link, is_text ? WS_TEXT : WS_BINARY, bytes, size);
  if (status < 0)
    return error_world(L, status, "send");
  lua_pushboolean(L, 1);
  if (ws_link_queued(link) <= WS_HIGH_WATER)
    return 1;
  lua_pushboolean(L, 1);
  return 2;
}

/* connection:send_fragment(bytes, is_text, last) → true: part of a message, up to the last
 * one. A character may be split between two parts. */
static int connection_send_fragment(lua_State *L) {
  size_t size;
  struct ws_link *link = check_link(L);
  const char *bytes = luaL_checklstring(L, 2, &size);
  bool is_text = lua_toboolean(L, 3), last = lua_toboolean(L, 4);
  return push_sent(L, ws_link_send_fragment(link, is_text, bytes, size, last), "send");
}

/* connection:send_encoded(encoded [, most]) → true: what `encode` made; for servers. false
 * when more than `most` bytes wait to go already. */
static int connection_send_encoded(lua_State *L) {
  struct ws_link *link = check_link(L);
  luaL_argcheck(L, link->codec.options.role == WS_SERVER, 1, "a client masks each frame anew");
  struct ws_encoded *encoded = ws_encoded_check(L, 2);
  lua_Integer most = luaL_optinteger(L, 3, LUA_MAXINTEGER);
  if (ws_link_failure(link) == 0 && (lua_Integer)ws_link_queued(link) > most) {
    lua_pushboolean(L, false);
    return 1;
  }
  return push_sent(L, ws_link_send_encoded(link, encoded), "send");
}

static int send_control(lua_State *L, unsigned opcode, const char *what) {
  struct ws_link *link = check_link(L);
  size_t size;
  const char *bytes = luaL_optlstring(L, 2, "", &size);
  luaL_argcheck(L, size <= WS_CONTROL_MAX, 2, "at most 125 bytes expected");
  return push_sent(L, ws_link_send(link, opcode, bytes, size), what);
}

/* connection:ping([bytes]) → true */
static int connection_ping(lua_State *L) {
  return send_control(L, WS_PING, "ping");
}

/* connection:pong([bytes]) → true: one nobody has asked for. */
static int connection_pong(lua_State *L) {
  return send_control(L, WS_PONG, "pong");
}

static enum wait_cancel cancel_drain(lua_State *L, struct task *task) {
  (void)L;
  list_remove(&task->job.link);
  return WAIT_LEFT;
}

static const struct wait_kind draining = {"websocket drain", cancel_drain, NULL};

static int drain(lua_State *L, int status, lua_KContext context) {
  struct ws_link *link = link_at_one(L);
  size_t most = status == LUA_YIELD ? WS_LOW_WATER : WS_HIGH_WATER;
  (void)context;
  if (status == LUA_YIELD)
    wait_resumed(L);
  int failure = ws_link_failure(link);
  if (failure < 0 || ws_link_queued(link) <= most)
    return push_sent(L, failure, "send");
  struct task *task = wait_enter(L);
  list_append(&link->drainers, &task->job.link);
  return wait_park(L, task, &draining, link, drain);
}

/* connection:drain() → true once little enough is queued: waits above 32 KiB until there
 * are 8 KiB. nil, message, code when the connection has ended. */
static int connection_drain(lua_State *L) {
  check_link(L);
  lua_settop(L, 1);
  return drain(L, LUA_OK, 0);
}

/* --- The end ------------------------------------------------------------------ */

/* connection:send_close(code or nil, reason) → true: begins to close. Twice is harmless. */
static int connection_send_close(lua_State *L) {
  struct ws_link *link = check_link(L);
  lua_Integer code = luaL_optinteger(L, 2, WS_NO_CODE);
  size_t size;
  const char *reason = luaL_optlstring(L, 3, "", &size);
  bool valid = code > 0 && code <= WS_CODE_MAX && ws_close_valid((unsigned)code);
  luaL_argcheck(L, code == WS_NO_CODE || valid, 2,
                "no code that may be sent: 1000, 1001, …, or 3000 to 4999 expected");
  luaL_argcheck(L, code != WS_NO_CODE || size == 0, 3, "a reason needs a code");
  luaL_argcheck(L, ws_utf8_valid(reason, size), 3, "the reason is not UTF-8");
  ws_link_close(link, (unsigned)code, reason, size);
  lua_pushboolean(L, 1);
  return 1;
}

/* connection:abort(): closes at once. */
static int connection_abort(lua_State *L) {
  ws_link_abort(check_link(L));
  return 0;
}

static enum wait_cancel cancel_closed(lua_State *L, struct task *task) {
  (void)L;
  list_remove(&task->job.link);
  return WAIT_LEFT;
}

static const struct wait_kind closing = {"websocket close", cancel_closed, NULL};

static int wait_closed(lua_State *L, int status, lua_KContext context) {
  struct ws_link *link = link_at_one(L);
  (void)context;
  if (status == LUA_YIELD)
    wait_resumed(L);
  if (!link->stream)
    return 0;
  struct task *task = wait_enter(L);
  list_append(&link->closers, &task->job.link);
  return wait_park(L, task, &closing, link, wait_closed);
}

/* connection:wait_closed(): waits until the connection has closed. After send_close,
 * messages which come meanwhile and find no room are lost. */
static int connection_wait_closed(lua_State *L) {
  struct ws_link *link = check_link(L);
  lua_settop(L, 1);
  if (link->sent_close)
    ws_link_discard(link);
  return wait_closed(L, LUA_OK, 0);
}

static void push_ending(lua_State *L, const struct ws_ending *ending) {
  if (ending->code == 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, ending->code);
  lua_pushlstring(L, ending->reason, ending->reason_size);
}

/* connection:ending() → our code, our reason, the peer's code, the peer's reason; a code
 * is nil as long as that side has not closed, and 1006 when the link broke. */
static int connection_ending(lua_State *L) {
  const struct ws_link *link = check_link(L);
  push_ending(L, &link->ours);
  push_ending(L, &link->theirs);
  return 4;
}

static const char *const states[] = {"open", "closing", "ended", "closed"};

/* connection:state() → "open", "closing", "ended" or "closed". */
static int connection_state(lua_State *L) {
  lua_pushstring(L, states[check_link(L)->state]);
  return 1;
}

/* --- Settings and figures ------------------------------------------------------- */

/* Nanoseconds of an optional number of seconds; nil and 0 are "never". */
static int64_t opt_time(lua_State *L, int index) {
  if (lua_isnoneornil(L, index))
    return 0;
  double seconds = time_check_seconds(L, index);
  luaL_argcheck(L, seconds >= 0, index, "a time of 0 or more expected");
  return seconds < 1e9 ? (int64_t)(seconds * (double)CLOCK_SECOND) : 0;
}

/* connection:set_times(close_timeout, ping_interval, ping_timeout), in seconds or nil. */
static int connection_set_times(lua_State *L) {
  struct ws_link *link = check_link(L);
  link->close_timeout = opt_time(L, 2);
  link->ping_interval = opt_time(L, 3);
  link->ping_timeout = opt_time(L, 4);
  ws_link_keep_alive(link);
  return 0;
}

/* connection:latency() → seconds the last answered ping of keepalive took, or nil. */
static int connection_latency(lua_State *L) {
  const struct ws_link *link = check_link(L);
  if (link->latency < 0)
    return 0;
  lua_pushnumber(L, clock_seconds(link->latency));
  return 1;
}

/* connection:buffered() → messages that wait to be taken, bytes that wait to go. */
static int connection_buffered(lua_State *L) {
  const struct ws_link *link = check_link(L);
  lua_pushinteger(L, link->inbox.count);
  lua_pushinteger(L, (lua_Integer)ws_link_queued(link));
  return 2;
}

static int connection_gc(lua_State *L) {
  struct ws_link **box = luaL_checkudata(L, 1, CONNECTION);
  if (*box)
    ws_link_release(*box);
  *box = NULL;
  return 0;
}

static int connection_tostring(lua_State *L) {
  lua_pushfstring(L, "<WebSocket %s>", states[check_link(L)->state]);
  return 1;
}

static const luaL_Reg methods[] = {
    {"receive", connection_receive},
    {"messages", connection_messages},
    {"stream", connection_stream},
    {"send", connection_send},
    {"send_fragment", connection_send_fragment},
    {"send_encoded", connection_send_encoded},
    {"ping", connection_ping},
    {"pong", connection_pong},
    {"drain", connection_drain},
    {"send_close", connection_send_close},
    {"abort", connection_abort},
    {"wait_closed", connection_wait_closed},
    {"ending", connection_ending},
    {"state", connection_state},
    {"set_times", connection_set_times},
    {"latency", connection_latency},
    {"buffered", connection_buffered},
    {"__gc", connection_gc},
    {"__tostring", connection_tostring},
    {NULL, NULL},
};

/* --- Opening ------------------------------------------------------------------ */

/* The keys' block lives as long as the Lua state, which outlives all links. */
static struct ws_keys *keys_of(lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, KEYS) != LUA_TUSERDATA) {
    struct ws_keys *keys = lua_newuserdatauv(L, sizeof *keys, 0);
    keys->left = 0;
    lua_setfield(L, LUA_REGISTRYINDEX, KEYS);
    lua_pop(L, 1);
    return keys;
  }
  struct ws_keys *keys = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return keys;
}

static lua_Integer check_limit(lua_State *L, int index, lua_Integer most) {
  lua_Integer limit = luaL_checkinteger(L, index);
  luaL_argcheck(L, limit > 0 && limit <= most, index, "a limit above 0 expected");
  return limit;
}

static struct ws_options check_options(lua_State *L) {
  static const char *const roles[] = {"server", "client", NULL};
  struct ws_options options = {.role = luaL_checkoption(L, 2, NULL, roles) == 0 ? WS_SERVER
                                                                                : WS_CLIENT};
  options.max_message = (size_t)check_limit(L, 3, LUA_MAXINTEGER);
  options.max_fragments = (uint32_t)check_limit(L, 4, UINT32_MAX);
  return options;
}

/* open(stream, role, max_message, max_fragments, max_queue [, compression]) → connection:
 * takes over a stream on which the handshake is done. Role: "server" or "client".
 * Compression: what choose_deflate or check_deflate returned. nil, message, code for a
 * stream that was closed. */
static int ws_open(lua_State *L) {
  struct ws_options options = check_options(L);
  lua_Integer most = check_limit(L, 5, UINT_MAX);
  const struct stream *stream = stream_check(L, 1);
  if (stream->closing || stream->shut)
    return error_world(L, UV_EPIPE, "WebSocket");
  lua_settop(L, 6);
  struct ws_keys *keys = keys_of(L);
  struct ws_link **box = lua_newuserdatauv(L, sizeof(struct ws_link *), 0);
  *box = NULL;
  luaL_setmetatable(L, CONNECTION);
  struct ws_link *link = calloc(1, sizeof *link);
  if (!link)
    return error_world(L, UV_ENOMEM, "WebSocket");
  *box = link;
  ws_inbox_init(&link->inbox, (unsigned)most); /* so that it can be released from here on */
  link->compression = ws_extension_compression(L, 6, options.max_message);
  options.deflate = link->compression != NULL;
  link->keys = keys;
  ws_link_open(L, 1, link, &options);
  ws_link_read(link);
  return 1;
}

static const luaL_Reg functions[] = {
    {"open", ws_open},
    {NULL, NULL},
};

int luaopen_strobe_core_ws(lua_State *L) {
  type_open(L, CONNECTION, methods);
  luaL_newlib(L, functions);
  luaL_getmetatable(L, CONNECTION);
  lua_setfield(L, -2, "methods");
  ws_encoded_add(L);
  ws_handshake_add(L);
  ws_extension_add(L);
  return 1;
}
