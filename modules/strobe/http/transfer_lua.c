/* strobe.core.transfer: pools of connections, and transfers in which a task waits.
 *
 * A transfer is over when it is closed, by hand or by the collector; its user values
 * keep its pool and the body it sends. One task at a time waits in it.
 *
 * Under the virtual clock, time waits as long as a task waits for a peer outside of this
 * process: its answer takes real time. A peer on our own loop lives in virtual time as we
 * do, so for that nothing is held.
 */
#include "modules/strobe/http/transfer_lua.h"

#include "core/io/peer.h"
#include "core/io/transfer.h"
#include "core/task/error.h"
#include "core/task/type.h"
#include "core/task/wait.h"
#include "modules/strobe/http/answer_lua.h"

#include <math.h>
#include <string.h>

#define POOL "strobe.http.pool"
#define TRANSFER "strobe.http.transfer"

enum { VALUE_POOL = 1, VALUE_BODY = 2, VALUES = 2 };

enum want { WANT_HEAD, WANT_END, WANT_INPUT, WANT_OUTPUT };

struct box {
  struct transfer transfer; /* first */
  struct loop *loop;
  struct task *waiter;
  enum want want;
  bool outside; /* the peer is not on our loop */
};

/* --- Waiting ----------------------------------------------------------------------- */

static struct box *box_check(lua_State *L) {
  return luaL_checkudata(L, 1, TRANSFER);
}

static bool is_ready(const struct box *box) {
  const struct transfer *transfer = &box->transfer;
  if (transfer->over)
    return true;
  switch (box->want) {
  case WANT_HEAD:
    return transfer->head_over;
  case WANT_INPUT:
    return buffer_size(&transfer->input) > 0;
  case WANT_OUTPUT:
    return transfer_wants_output(transfer);
  default:
    return false;
  }
}

static struct task *leave(struct box *box) {
  struct task *task = box->waiter;
  box->waiter = NULL;
  if (task && box->outside)
    box->loop->questions--;
  return task;
}

static void on_change(struct transfer *transfer) {
  struct box *box = list_entry(transfer, struct box, transfer);
  if (box->waiter && is_ready(box))
    wait_wake(leave(box));
}

static enum wait_cancel cancel_waiting(lua_State *L, struct task *task) {
  (void)L;
  leave(task->wait_object);
  return WAIT_LEFT;
}

static const char *describe(const struct task *task) {
  static const char *const names[] = {"http response", "http response", "http body", "http upload"};
  return names[((const struct box *)task->wait_object)->want];
}

static const struct wait_kind waiting = {"http", cancel_waiting, describe};

/* Parks until it is_ready, or until loop time is the number at `index`, nil for ever. When
 * that is over now, returns what `k` does with LUA_YIELD would: a timeout. */
static int wait_for(lua_State *L, struct box *box, enum want want, int index, lua_KFunction k) {
  if (box->waiter)
    return luaL_error(L, "another task uses this transfer already");
  struct task *task = wait_enter(L);
  box->want = want;
  if (!lua_isnoneornil(L, index)) {
    double until = luaL_checknumber(L, index);
    int64_t left = isfinite(until) ? clock_at(until) - clock_now(&box->loop->clock) : 0;
    if (isfinite(until) && left <= 0)
      return error_world(L, UV_ETIMEDOUT, "http");
    wait_deadline(L, task, left);
  }
  box->waiter = task;
  if (box->outside)
    box->loop->questions++;
  return wait_park(L, task, &waiting, box, k);
}

/* --- Failures ---------------------------------------------------------------------- */

static const char *word_of_errno(long os_error, const char *otherwise) {
  return os_error > 0 ? uv_err_name(uv_translate_sys_error((int)os_error)) : otherwise;
}

/* The word of a read or write that failed; other things go wrong in reading as well, and
 * errno is then that of a transfer before this one. */
static const char *word_of_socket(const struct transfer *transfer, const char *otherwise) {
  bool failed = strncmp(transfer->why, "Recv failure", 12) == 0 ||
                strncmp(transfer->why, "Send failure", 12) == 0;
  return failed ? word_of_errno(transfer->os_error, otherwise) : otherwise;
}

/* The fixed word for a result of libcurl. */
static const char *word_of(const struct transfer *transfer) {
  if (transfer->tunnel_status >= 300)
    return "EPROTO";
  switch (transfer->result) {
  case CURLE_COULDNT_CONNECT:
    return word_of_errno(transfer->os_error, "ECONNREFUSED");
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
    return "EAI_NONAME";
  case CURLE_OPERATION_TIMEDOUT:
    return "ETIMEDOUT";
  case CURLE_PARTIAL_FILE:
  case CURLE_GOT_NOTHING:
    return "EOF";
  case CURLE_RECV_ERROR:
    return word_of_socket(transfer, "EPROTO");
  case CURLE_SEND_ERROR:
  case CURLE_SEND_FAIL_REWIND:
    return word_of_socket(transfer, "ECONNRESET");
  case CURLE_OUT_OF_MEMORY:
    return "ENOMEM";
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_BAD_FUNCTION_ARGUMENT:
  case CURLE_URL_MALFORMAT:
    return "EINVAL";
  default:
    return "EPROTO";
  }
}

/* What a person needs to know of a result of libcurl. [-0, +1, m] */
static void push_reason(lua_State *L, const struct transfer *transfer) {
  if (transfer->result == CURLE_COULDNT_CONNECT && transfer->os_error > 0)
    lua_pushstring(L, uv_strerror(uv_translate_sys_error((int)transfer->os_error)));
  else if (transfer->why[0])
    lua_pushstring(L, transfer->why);
  else
    lua_pushstring(L, transfer->exchange.pool->curl.easy_strerror(transfer->result));
}

/* Pushes nil, message, code. [-0, +3, m] */
static int push_failure(lua_State *L, const struct transfer *transfer) {
  lua_pushnil(L);
  switch (transfer->failure) {
  case TRANSFER_BODY_TOO_LARGE:
    lua_pushfstring(L, "the body has more than %I bytes: raise max_body, or stream it",
                    (LUAI_UACINT)transfer->max_body);
    lua_pushliteral(L, "EMSGSIZE");
    break;
  case TRANSFER_HEAD_TOO_LARGE:
    lua_pushfstring(L, "the head has more than %d bytes or %d fields", TRANSFER_HEAD_SIZE,
                    TRANSFER_HEAD_FIELDS);
    lua_pushliteral(L, "EMSGSIZE");
    break;
  case TRANSFER_TWO_LENGTHS:
    lua_pushliteral(L, "the head has two Content-Lengths, which differ");
    lua_pushliteral(L, "EPROTO");
    break;
  case TRANSFER_BAD_HEAD:
    lua_pushliteral(L, "the head has a line that is no field");
    lua_pushliteral(L, "EPROTO");
    break;
  case TRANSFER_NO_MEMORY:
    lua_pushliteral(L, "not enough memory");
    lua_pushliteral(L, "ENOMEM");
    break;
  case TRANSFER_FAILED:
    push_reason(L, transfer);
    lua_pushstring(L, word_of(transfer));
    break;
  default:
    lua_pushliteral(L, "the session, or the response, was closed");
    lua_pushliteral(L, "ECANCELED");
  }
  return 3;
}

/* --- Waiting, for Lua ---------------------------------------------------------------- */

/* Whether there is no response, or not all of it that was asked for. */
static bool has_failed(const struct transfer *transfer) {
  return transfer->over && (!transfer->head_over || transfer->failure == TRANSFER_CLOSED ||
                            (!transfer->streams && transfer->failure != TRANSFER_GOOD));
}

static int wait_over(lua_State *L, int status, lua_KContext context) {
  struct box *box = lua_touserdata(L, 1);
  const struct transfer *transfer = &box->transfer;
  (void)context;
  if (status == LUA_YIELD && wait_resumed(L))
    return error_world(L, UV_ETIMEDOUT, "http");
  if (has_failed(transfer))
    return push_failure(L, transfer);
  if (transfer->streams ? !transfer->head_over : !transfer->over)
    return wait_for(L, box, transfer->streams ? WANT_HEAD : WANT_END, 2, wait_over);
  lua_pushboolean(L, 1);
  return 1;
}

/* transfer:wait([until]) → true when the head is there, and unless it streams the whole
 * body; nil, message, code: "ETIMEDOUT" when loop time has come to `until`. Waits. */
static int transfer_lua_wait(lua_State *L) {
  box_check(L);
  lua_settop(L, 2);
  return wait_over(L, LUA_OK, 0);
}

/* Pushes the first `most` bytes of the input. [-0, +1, m] */
static int push_input(lua_State *L, struct transfer *transfer, size_t most) {
  size_t size = buffer_size(&transfer->input);
  size = size < most ? size : most;
  lua_pushlstring(L, buffer_front(&transfer->input), size);
  transfer_take(transfer, size);
  return 1;
}

static int read_over(lua_State *L, int status, lua_KContext context) {
  struct box *box = lua_touserdata(L, 1);
  struct transfer *transfer = &box->transfer;
  (void)context;
  if (status == LUA_YIELD && wait_resumed(L))
    return error_world(L, UV_ETIMEDOUT, "http");
  if (buffer_size(&transfer->input) > 0)
    return push_input(L, transfer, (size_t)lua_tointeger(L, 2));
  if (transfer->over && transfer->failure)
    return push_failure(L, transfer);
  if (!transfer->over)
    return wait_for(L, box, WANT_INPUT, 3, read_over);
  lua_pushliteral(L, "");
  return 1;
}

/* transfer:read(most, [until]) → at most so many bytes of the body; "" at its end; nil,
 * message, code. Waits. */
static int transfer_lua_read(lua_State *L) {
  box_check(L);
  luaL_argcheck(L, luaL_checkinteger(L, 2) > 0, 2, "a size above 0 expected");
  lua_settop(L, 3);
  return read_over(L, LUA_OK, 0);
}

/* transfer:body() → all that is there of it. */
static int transfer_lua_body(lua_State *L) {
  return push_input(L, &box_check(L)->transfer, (size_t)-1);
}

static int write_over(lua_State *L, int status, lua_KContext context) {
  struct box *box = lua_touserdata(L, 1);
  struct transfer *transfer = &box->transfer;
  (void)context;
  if (status == LUA_YIELD && wait_resumed(L))
    return error_world(L, UV_ETIMEDOUT, "http");
  if (!transfer->over && !transfer_wants_output(transfer))
    return wait_for(L, box, WANT_OUTPUT, 3, write_over);
  if (transfer->over && transfer->failure)
    return push_failure(L, transfer);
  lua_pushboolean(L, !transfer->over);
  return 1;
}

/* transfer:write(bytes, [until]) → true; false when the response is over already, and
 * nobody wants more; nil, message, code. Waits until there is room for more. */
static int transfer_lua_write(lua_State *L) {
  struct box *box = box_check(L);
  size_t size;
  const char *bytes = luaL_checklstring(L, 2, &size);
  lua_settop(L, 3);
  if (!transfer_write(&box->transfer, bytes, size))
    return error_world(L, UV_ENOMEM, "http");
  return write_over(L, LUA_OK, 0);
}

/* transfer:finish(): what was written is all. */
static int transfer_lua_finish(lua_State *L) {
  transfer_finish(&box_check(L)->transfer);
  return 0;
}

/* transfer:head() → status, reason, version ("1.1"), headers by names in lower case, the
 * head as it came. */
static int transfer_lua_head(lua_State *L) {
  const struct transfer *transfer = &box_check(L)->transfer;
  if (!transfer->head_over || transfer->failure == TRANSFER_CLOSED)
    return 0;
  return answer_push(L, buffer_front(&transfer->head), buffer_size(&transfer->head));
}

/* --- Ending ---------------------------------------------------------------------------- */

static void box_close(struct box *box) {
  transfer_close(&box->transfer);
  if (box->transfer.failure == TRANSFER_GOOD)
    box->transfer.failure = TRANSFER_CLOSED;
  on_change(&box->transfer);
}

/* transfer:close(): twice is harmless. */
static int transfer_lua_close(lua_State *L) {
  box_close(box_check(L));
  return 0;
}

static const luaL_Reg transfer_methods[] = {
    {"wait", transfer_lua_wait},   {"head", transfer_lua_head},
    {"read", transfer_lua_read},   {"body", transfer_lua_body},
    {"write", transfer_lua_write}, {"finish", transfer_lua_finish},
    {"close", transfer_lua_close}, {"__close", transfer_lua_close},
    {"__gc", transfer_lua_close},  {NULL, NULL},
};

/* --- Starting -------------------------------------------------------------------------- */

/* The fields of the request at index 2. None of these leaves a value: the table keeps the
 * strings. [-0, +0, e] */
static const char *text_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  const char *text = lua_tostring(L, -1);
  lua_pop(L, 1);
  return text;
}

static bool flag_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  bool flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

static lua_Integer integer_field(lua_State *L, const char *name, lua_Integer otherwise) {
  lua_getfield(L, 2, name);
  lua_Integer number = luaL_optinteger(L, -1, otherwise);
  lua_pop(L, 1);
  return number;
}

/* A file's path, or PEM text. */
static struct transfer_pem pem_field(lua_State *L, const char *name) {
  struct transfer_pem pem = {0};
  lua_getfield(L, 2, name);
  const char *text = lua_tolstring(L, -1, &pem.size);
  if (text && strstr(text, "-----BEGIN "))
    pem.text = text;
  else
    pem.file = text;
  lua_pop(L, 1);
  return pem;
}

static const char *body_field(lua_State *L, size_t *size) {
  lua_getfield(L, 2, "body");
  const char *body = lua_tolstring(L, -1, size);
  lua_pop(L, 1);
  return body;
}

static long milliseconds_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  double seconds = luaL_optnumber(L, -1, 0);
  lua_pop(L, 1);
  if (!(seconds > 0) || seconds > 1e6)
    return 0;
  return (long)ceil(seconds * 1000);
}

/* Copies a list of texts, if there is one. [-0, +0, e] */
static void add_all(lua_State *L, struct transfer *transfer, enum transfer_list list,
                    const char *name) {
  lua_getfield(L, 2, name);
  lua_Integer count = lua_istable(L, -1) ? luaL_len(L, -1) : 0;
  for (lua_Integer i = 1; i <= count; i++) {
    lua_geti(L, -1, i);
    if (!transfer_add(transfer, list, luaL_checkstring(L, -1)))
      luaL_error(L, "not enough memory for a request");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static struct transfer_request read_request(lua_State *L) {
  struct transfer_request request = {
      .method = text_field(L, "method"),
      .url = text_field(L, "url"),
      .proxy = text_field(L, "proxy"),
      .unix_path = text_field(L, "unix"),
      .cookie = text_field(L, "cookie"),
      .http2 = flag_field(L, "http2"),
      .upload = flag_field(L, "upload"),
      .upload_size = integer_field(L, "upload_size", -1),
      .streams = flag_field(L, "streams"),
      .max_body = (uint64_t)integer_field(L, "max_body", LUA_MAXINTEGER),
      .connect_timeout = milliseconds_field(L, "connect_timeout"),
      .insecure = flag_field(L, "insecure"),
      .tls13 = flag_field(L, "tls13"),
      .ca = pem_field(L, "ca"),
      .cert = pem_field(L, "cert"),
      .key = pem_field(L, "key"),
  };
  request.body = body_field(L, &request.body_size);
  return request;
}

/* Whether one of the addresses in the request's list is ours. [-0, +0, e] */
static bool one_is_here(lua_State *L, struct loop *loop, int port) {
  bool found = false;
  lua_getfield(L, 2, "addresses");
  lua_Integer count = lua_istable(L, -1) ? luaL_len(L, -1) : 0;
  for (lua_Integer i = 1; i <= count && !found; i++) {
    lua_geti(L, -1, i);
    found = peer_is_here(loop, luaL_checkstring(L, -1), port, NULL);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return found;
}

/* Looks where the peer is; outside of us a request has a real time limit, since virtual
 * time waits for it. */
static void place(lua_State *L, struct box *box, struct transfer_request *request) {
  struct loop *loop = box->loop;
  const char *path = request->unix_path;
  int port = (int)integer_field(L, "port", 0);
  box->outside = true;
  if (loop->clock.mode != CLOCK_VIRTUAL)
    return;
  box->outside = path ? !peer_is_here(loop, NULL, 0, path) : !one_is_here(L, loop, port);
  if (box->outside && !request->streams)
    request->timeout = milliseconds_field(L, "timeout");
}

static struct curl_pool *pool_check(lua_State *L) {
  return *(struct curl_pool **)luaL_checkudata(L, 1, POOL);
}

/* Pushes a transfer of the pool at index 1, NULL without memory. [-0, +1, m] */
static struct box *push_box(lua_State *L, struct curl_pool *pool) {
  struct box *box = lua_newuserdatauv(L, sizeof *box, VALUES);
  memset(box, 0, sizeof *box);
  box->loop = pool->loop;
  box->transfer.changed = on_change;
  luaL_setmetatable(L, TRANSFER);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, VALUE_POOL);
  lua_getfield(L, 2, "body");
  lua_setiuservalue(L, -2, VALUE_BODY);
  return transfer_open(&box->transfer, pool) ? box : NULL;
}

/* pool:start{method, url, headers, body, …} → transfer; nil, message, code. See struct
 * transfer_request; `addresses` and `port` say who the peer is. */
static int pool_start(lua_State *L) {
  struct curl_pool *pool = pool_check(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  if (!pool || pool->closed)
    return error_world(L, UV_ECANCELED, "the session is closed");
  struct box *box = push_box(L, pool);
  if (!box)
    return error_world(L, UV_ENOMEM, "http");
  struct transfer_request request = read_request(L);
  luaL_argcheck(L, request.method && request.url, 2, "a method and a url expected");
  add_all(L, &box->transfer, TRANSFER_HEADERS, "headers");
  add_all(L, &box->transfer, TRANSFER_RESOLVE, "resolve");
  add_all(L, &box->transfer, TRANSFER_CONNECT_TO, "connect_to");
  place(L, box, &request);
  if (transfer_start(&box->transfer, &request))
    return 1;
  push_failure(L, &box->transfer);
  transfer_close(&box->transfer);
  return 3;
}

/* pool:close(): closes its connections and ends its transfers. Twice is harmless. */
static int pool_close(lua_State *L) {
  struct curl_pool *pool = pool_check(L);
  if (pool)
    curl_pool_close(pool);
  return 0;
}

/* The collector finalizes transfers before their pool: these are younger. */
static int pool_gc(lua_State *L) {
  struct curl_pool **held = luaL_checkudata(L, 1, POOL);
  if (*held)
    curl_pool_release(*held);
  *held = NULL;
  return 0;
}

static const luaL_Reg pool_methods[] = {
    {"start", pool_start}, {"close", pool_close}, {"__close", pool_close},
    {"__gc", pool_gc},     {NULL, NULL},
};

/* pool(connections, per_host, cookies) → pool, which opens at most so many; 0 = no limit. It
 * may keep cookies. nil, message, code when there is no libcurl. */
static int new_pool(lua_State *L) {
  struct curl_pool_options options = {
      .connections = (long)luaL_optinteger(L, 1, 0),
      .per_host = (long)luaL_optinteger(L, 2, 0),
      .cookies = lua_toboolean(L, 3),
  };
  char why[512] = "";
  int status;
  struct curl_pool **held = lua_newuserdatauv(L, sizeof(struct curl_pool *), 0);
  *held = NULL;
  luaL_setmetatable(L, POOL);
  *held = curl_pool_open(scheduler_of(L)->loop, options, &status, why, sizeof why);
  if (*held)
    return 1;
  lua_pushnil(L);
  lua_pushstring(L, why);
  lua_pushstring(L, uv_err_name(status));
  return 3;
}

static const luaL_Reg functions[] = {
    {"pool", new_pool},
    {NULL, NULL},
};

int luaopen_strobe_core_transfer(lua_State *L) {
  type_open(L, POOL, pool_methods);
  type_open(L, TRANSFER, transfer_methods);
  luaL_newlib(L, functions);
  return 1;
}
