#include "core/io/stream.h"

#include "core/task/error.h"
#include "core/task/time.h"

#include <stdint.h>
#include <string.h>

#define STREAM "strobe.stream"

/* Input and output are paused above the first and resumed below the second. */
enum { HIGH_WATER = 64 * 1024, LOW_WATER = 16 * 1024 };

#define GONE "the stream was collected, or a protocol on top of it has taken it over"

static struct stream **box_check(lua_State *L, int index) {
  return luaL_checkudata(L, index, STREAM);
}

struct stream *stream_check(lua_State *L, int index) {
  struct stream *stream = *box_check(L, index);
  luaL_argcheck(L, stream, index, GONE);
  return stream;
}

/* The stream at index 1, which the method that goes on here has checked. */
static struct stream *stream_at_one(lua_State *L) {
  struct stream *stream = *(struct stream **)lua_touserdata(L, 1);
  luaL_argcheck(L, stream, 1, GONE);
  return stream;
}

bool stream_wants_input(const struct stream *stream) {
  size_t size = buffer_size(&stream->input);
  return !stream->ended && !stream->error && !stream->closing &&
         (size < stream->limit || size < stream->needed);
}

/* --- What transports tell --------------------------------------------------- */

static void wake_reader(struct stream *stream) {
  struct task *task = stream->reader;
  if (!task)
    return;
  stream->reader = NULL;
  stream->needed = 0;
  wait_wake(task);
}

/* Tells who takes what comes in. */
static void announce_input(struct stream *stream) {
  if (stream->consumer)
    stream->consumer->input(stream->consumer);
  else
    wake_reader(stream);
}

static void wake_drainer(struct stream *stream) {
  struct task *task = stream->drainer;
  if (!task)
    return;
  stream->drainer = NULL;
  wait_wake(task);
}

void stream_input(struct stream *stream, const char *bytes, size_t size) {
  if (!buffer_append(&stream->input, bytes, size)) {
    stream_fail(stream, UV_ENOMEM);
    return;
  }
  if (buffer_size(&stream->input) >= stream->needed)
    announce_input(stream);
}

void stream_end(struct stream *stream) {
  stream->ended = true;
  announce_input(stream);
}

void stream_fail(struct stream *stream, int error) {
  if (!stream->error)
    stream->error = error;
  announce_input(stream);
  wake_drainer(stream);
}

void stream_written(struct stream *stream) {
  if (stream->consumer)
    stream->consumer->written(stream->consumer);
  if (stream->drainer && stream->transport->queued(stream) <= LOW_WATER)
    wake_drainer(stream);
}

static void free_if_done(struct stream *stream) {
  if (!stream->orphan || !stream->closed)
    return;
  buffer_free(&stream->input);
  stream->transport->free(stream);
}

void stream_closed(struct stream *stream) {
  stream->closed = true;
  wake_drainer(stream);
  struct list *link;
  while ((link = list_shift(&stream->closers)))
    wait_wake(list_entry(link, struct task, job.link));
  if (stream->consumer)
    stream->consumer->closed(stream->consumer);
  free_if_done(stream);
}

static void begin_close(struct stream *stream, bool at_once) {
  if (stream->closed || (stream->closing && !at_once))
    return;
  stream->closing = true;
  if (at_once)
    stream->lost = UV_ECANCELED;
  wake_reader(stream);
  if (at_once)
    wake_drainer(stream);
  stream->transport->close(stream, at_once);
}

/* --- What consumers do ------------------------------------------------------- */

struct stream *stream_take(lua_State *L, int index, struct consumer *consumer) {
  struct stream *stream = stream_check(L, index);
  if (stream->reader || stream->drainer || !list_empty(&stream->closers))
    luaL_argerror(L, index, "a task still uses this stream");
  *box_check(L, index) = NULL;
  stream->orphan = true;
  stream->consumer = consumer;
  return stream;
}

void stream_consume(struct stream *stream, size_t size) {
  buffer_take(&stream->input, size);
  if (stream_wants_input(stream))
    stream->transport->resume(stream);
}

void stream_drop(struct stream *stream, bool at_once) {
  begin_close(stream, at_once);
}

/* --- Reading ------------------------------------------------------------------ */

static enum wait_cancel cancel_read(lua_State *L, struct task *task) {
  struct stream *stream = task->wait_object;
  (void)L;
  stream->reader = NULL;
  stream->needed = 0;
  return WAIT_LEFT;
}

static const struct wait_kind reading = {"read", cancel_read, NULL};

static bool exhausted(const struct stream *stream) {
  return stream->ended || stream->error || stream->closing;
}

static void refuse_second_reader(lua_State *L, const struct stream *stream) {
  if (stream->reader)
    luaL_error(L, "another task is reading this stream already");
}

/* The stream at index 1, which no other task reads. */
static struct stream *check_unread(lua_State *L) {
  struct stream *stream = stream_check(L, 1);
  refuse_second_reader(L, stream);
  return stream;
}

/* Whether `needed` bytes are there, or no more will come. */
static bool has_input(struct stream *stream, size_t needed) {
  stream->needed = needed;
  if (stream_wants_input(stream))
    stream->transport->resume(stream);
  stream->needed = 0;
  return buffer_size(&stream->input) >= needed || exhausted(stream);
}

/* Parks until has_input, at most `timeout` nanoseconds unless that is 0. */
static int wait_input(lua_State *L, size_t needed, int64_t timeout, lua_KFunction k) {
  struct stream *stream = stream_at_one(L);
  refuse_second_reader(L, stream);
  struct task *task = wait_enter(L);
  wait_deadline(L, task, timeout);
  stream->needed = needed;
  stream->reader = task;
  return wait_park(L, task, &reading, stream, k);
}

/* Pushes the first `size` bytes of the input and takes them off. [-0, +1, m] */
static int push_input(lua_State *L, struct stream *stream, size_t size) {
  lua_pushlstring(L, buffer_front(&stream->input), size);
  buffer_take(&stream->input, size);
  stream->scanned = 0;
  if (stream_wants_input(stream))
    stream->transport->resume(stream);
  return 1;
}

/* Pushes nil, why, its code, for stream->error. [-0, +3, m] */
static int push_error(lua_State *L, const struct stream *stream, const char *what) {
  const char *reason = stream->transport->reason ? stream->transport->reason(stream) : NULL;
  error_world(L, stream->error, "%s", what);
  if (reason) {
    lua_pushfstring(L, "%s (%s)", lua_tostring(L, -2), reason);
    lua_replace(L, -3);
  }
  return 3;
}

/* No more will come: nil, why, its code, and the bytes that were there. */
static int push_failure(lua_State *L, struct stream *stream, const char *what) {
  if (stream->error)
    push_error(L, stream, what);
  else if (stream->closing)
    error_world(L, UV_ECANCELED, "%s: the stream was closed", what);
  else {
    lua_pushnil(L);
    lua_pushfstring(L, "%s: the stream ended after %d bytes", what,
                    (int)buffer_size(&stream->input));
    lua_pushliteral(L, "EOF");
  }
  push_input(L, stream, buffer_size(&stream->input));
  return 4;
}

static int read_some(lua_State *L, int status, lua_KContext context) {
  struct stream *stream = stream_at_one(L);
  size_t size = buffer_size(&stream->input), most = (size_t)lua_tointeger(L, 2);
  (void)context;
  if (status == LUA_YIELD && wait_resumed(L))
    return error_world(L, UV_ETIMEDOUT, "read");
  if (size > 0)
    return push_input(L, stream, size < most ? size : most);
  if (stream->error || stream->closing)
    return push_failure(L, stream, "read");
  if (stream->ended) {
    lua_pushliteral(L, "");
    return 1;
  }
  if (has_input(stream, 1))
    return read_some(L, LUA_OK, 0);
  return wait_input(L, 1, stream->timeout, read_some);
}

/* stream:read([most]) → what is there, at most `most` bytes (64 KiB); "" at the
 * end. Waits for the first byte. nil, message, code on failure. */
static int stream_read(lua_State *L) {
  lua_Integer most = luaL_optinteger(L, 2, HIGH_WATER);
  luaL_argcheck(L, most >= 0, 2, "a size of 0 or more expected");
  check_unread(L);
  lua_settop(L, 1);
  lua_pushinteger(L, most);
  if (most == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  return read_some(L, LUA_OK, 0);
}

static int read_exactly(lua_State *L, int status, lua_KContext context) {
  struct stream *stream = stream_at_one(L);
  size_t size = (size_t)lua_tointeger(L, 2);
  (void)context;
  if (status == LUA_YIELD && wait_resumed(L))
    return error_world(L, UV_ETIMEDOUT, "read_exactly");
  if (buffer_size(&stream->input) >= size)
    return push_input(L, stream, size);
  if (exhausted(stream))
    return push_failure(L, stream, "read_exactly");
  if (has_input(stream, size))
    return read_exactly(L, LUA_OK, 0);
  return wait_input(L, size, stream->timeout, read_exactly);
}

/* stream:read_exactly(size) → that many bytes; else nil, message, code ("EOF"),
 * and the bytes that were there. Waits. */
static int stream_read_exactly(lua_State *L) {
  luaL_argcheck(L, luaL_checkinteger(L, 2) >= 0, 2, "a size of 0 or more expected");
  check_unread(L);
  lua_settop(L, 2);
  return read_exactly(L, LUA_OK, 0);
}

/* Bytes of the input up to and with the separator; 0 when it is not there. */
static size_t find_separator(struct stream *stream, const char *separator, size_t size) {
  size_t have = buffer_size(&stream->input);
  if (have < size)
    return 0;
  const char *front = buffer_front(&stream->input);
  const char *found = memmem(front + stream->scanned, have - stream->scanned, separator, size);
  if (found)
    return (size_t)(found - front) + size;
  stream->scanned = have - size + 1;
  return 0;
}

/* `clear` bytes are known to be no part of the separator. [-0, +4, m] */
static int push_overrun(lua_State *L, size_t limit, size_t clear) {
  lua_pushnil(L);
  lua_pushfstring(L, "read_until: no separator within the limit of %d bytes", (int)limit);
  lua_pushliteral(L, "EMSGSIZE");
  lua_pushinteger(L, (lua_Integer)clear);
  return 4;
}

/* What read_until returns of the input at hand; 0 when it must wait. */
static int until_at_hand(lua_State *L, struct stream *stream) {
  size_t separator_size;
  const char *separator = lua_tolstring(L, 2, &separator_size);
  size_t limit = (size_t)lua_tointeger(L, 3);
  size_t size = find_separator(stream, separator, separator_size);
  if (size > limit)
    return push_overrun(L, limit, size - separator_size);
  if (size > 0)
    return push_input(L, stream, size);
  if (buffer_size(&stream->input) >= limit)
    return push_overrun(L, limit, stream->scanned);
  return exhausted(stream) ? push_failure(L, stream, "read_until") : 0;
}

/* The time left of a read that may take until the time at index 4; 0 for a stream
 * without a timeout, less when it is over. */
static int64_t time_left(lua_State *L, const struct stream *stream) {
  int64_t when = lua_tointeger(L, 4);
  if (when == 0)
    return 0;
  int64_t left = when - clock_now(&stream->scheduler->loop->clock);
  return left != 0 ? left : -1;
}

static int read_until(lua_State *L, int status, lua_KContext context) {
  struct stream *stream = stream_at_one(L);
  (void)context;
  if (status == LUA_YIELD && wait_resumed(L))
    return error_world(L, UV_ETIMEDOUT, "read_until");
  do {
    int results = until_at_hand(L, stream);
    if (results > 0)
      return results;
  } while (has_input(stream, buffer_size(&stream->input) + 1));
  int64_t left = time_left(L, stream);
  if (left < 0)
    return error_world(L, UV_ETIMEDOUT, "read_until");
  return wait_input(L, buffer_size(&stream->input) + 1, left, read_until);
}

/* stream:read_until([separator [, limit]]) → the bytes with the separator ("\n").
 * Waits. Fails with "EOF" and the bytes that were there, or, when it is not
 * within `limit` bytes (64 KiB), with "EMSGSIZE" and how many bytes before it, or
 * in all, are known; these stay to be read. */
static int stream_read_until(lua_State *L) {
  size_t size;
  luaL_optlstring(L, 2, "\n", &size);
  luaL_argcheck(L, size > 0, 2, "the separator is empty");
  lua_Integer limit = luaL_optinteger(L, 3, HIGH_WATER);
  luaL_argcheck(L, limit > 0, 3, "a limit above 0 expected");
  struct stream *stream = check_unread(L);
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_pushliteral(L, "\n");
    lua_replace(L, 2);
  }
  lua_pushinteger(L, limit);
  int64_t timeout = stream->timeout;
  lua_pushinteger(L, timeout > 0 ? clock_now(&stream->scheduler->loop->clock) + timeout : 0);
  stream->scanned = 0;
  return read_until(L, LUA_OK, 0);
}

/* stream:at_eof() → whether the peer has ended and all is read. */
static int stream_at_eof(lua_State *L) {
  struct stream *stream = stream_check(L, 1);
  lua_pushboolean(L, exhausted(stream) && buffer_size(&stream->input) == 0);
  return 1;
}

/* stream:buffered() → bytes that came and wait to be read, bytes that wait to go. */
static int stream_buffered(lua_State *L) {
  struct stream *stream = stream_check(L, 1);
  lua_pushinteger(L, (lua_Integer)buffer_size(&stream->input));
  lua_pushinteger(L, stream->closed ? 0 : (lua_Integer)stream->transport->queued(stream));
  return 2;
}

/* --- Writing ------------------------------------------------------------------ */

static int write_status(const struct stream *stream) {
  if (stream->error)
    return stream->error;
  return stream->closing || stream->shut ? UV_EPIPE : 0;
}

/* 0 or a negative libuv error; the bytes are at index 2. */
static int pass_on(lua_State *L, struct stream *stream) {
  size_t size;
  const char *bytes = luaL_checklstring(L, 2, &size);
  int status = write_status(stream);
  if (status == 0 && size > 0)
    status = stream->transport->write(stream, bytes, size);
  return status;
}

/* stream:send(bytes) → true: on its way or queued. Never waits, see drain. */
static int stream_send(lua_State *L) {
  int status = pass_on(L, stream_check(L, 1));
  if (status < 0)
    return error_world(L, status, "write");
  lua_pushboolean(L, 1);
  return 1;
}

static enum wait_cancel cancel_drain(lua_State *L, struct task *task) {
  (void)L;
  ((struct stream *)task->wait_object)->drainer = NULL;
  return WAIT_LEFT;
}

static const struct wait_kind draining = {"drain", cancel_drain, NULL};

static int drain(lua_State *L, int status, lua_KContext context) {
  struct stream *stream = stream_at_one(L);
  (void)context;
  if (status == LUA_YIELD && wait_resumed(L))
    return error_world(L, UV_ETIMEDOUT, "write");
  if (stream->error)
    return push_error(L, stream, "write");
  if (stream->lost)
    return error_world(L, stream->lost, "write: the stream was closed");
  if (stream->closed || stream->transport->queued(stream) <= HIGH_WATER) {
    lua_pushboolean(L, 1);
    return 1;
  }
  if (stream->drainer)
    return luaL_error(L, "another task is draining this stream already");
  struct task *task = wait_enter(L);
  wait_deadline(L, task, stream->timeout);
  stream->drainer = task;
  return wait_park(L, task, &draining, stream, drain);
}

/* stream:drain() → true once few enough bytes are queued: waits above 64 KiB
 * until there are 16 KiB. nil, message, code when they cannot be sent. */
static int stream_drain(lua_State *L) {
  lua_settop(L, 1);
  return drain(L, LUA_OK, 0);
}

/* stream:write(bytes) → true: send, then drain. */
static int stream_write(lua_State *L) {
  int status = pass_on(L, stream_check(L, 1));
  if (status < 0)
    return error_world(L, status, "write");
  lua_settop(L, 1);
  return drain(L, LUA_OK, 0);
}

/* stream:set_timeout(seconds): a read, drain or write that waits longer fails with
 * "ETIMEDOUT"; nil takes the limit away. */
static int stream_set_timeout(lua_State *L) {
  struct stream *stream = stream_check(L, 1);
  stream->timeout = 0;
  if (!lua_isnoneornil(L, 2)) {
    double seconds = time_check_seconds(L, 2);
    luaL_argcheck(L, seconds > 0, 2, "a time above 0 expected");
    stream->timeout = seconds < 1e9 ? (int64_t)(seconds * (double)CLOCK_SECOND) : 0;
  }
  return 0;
}

/* stream:shutdown() → true: no more will be written; the peer sees the end. Twice is
 * harmless. */
static int stream_shutdown(lua_State *L) {
  struct stream *stream = stream_check(L, 1);
  int status = stream->shut ? 0 : write_status(stream);
  if (status == 0 && !stream->shut) {
    stream->shut = true;
    status = stream->transport->shutdown(stream);
  }
  if (status < 0)
    return error_world(L, status, "shutdown");
  lua_pushboolean(L, 1);
  return 1;
}

/* --- Closing ------------------------------------------------------------------ */

/* stream:close(): what is queued still goes out. Closing twice is harmless. */
static int stream_close(lua_State *L) {
  begin_close(stream_check(L, 1), false);
  return 0;
}

/* stream:abort(): closes at once; what is queued is lost. */
static int stream_abort(lua_State *L) {
  begin_close(stream_check(L, 1), true);
  return 0;
}

static enum wait_cancel cancel_closing(lua_State *L, struct task *task) {
  (void)L;
  list_remove(&task->job.link);
  return WAIT_LEFT;
}

static const struct wait_kind closing = {"close", cancel_closing, NULL};

static int wait_closed(lua_State *L, int status, lua_KContext context) {
  struct stream *stream = stream_at_one(L);
  (void)context;
  if (status == LUA_YIELD)
    wait_resumed(L);
  if (stream->closed)
    return 0;
  struct task *task = wait_enter(L);
  list_append(&stream->closers, &task->job.link);
  return wait_park(L, task, &closing, stream, wait_closed);
}

/* stream:wait_closed(): waits until the stream has closed. */
static int stream_wait_closed(lua_State *L) {
  lua_settop(L, 1);
  return wait_closed(L, LUA_OK, 0);
}

static int stream_is_closing(lua_State *L) {
  lua_pushboolean(L, stream_check(L, 1)->closing);
  return 1;
}

static int stream_gc(lua_State *L) {
  struct stream **box = box_check(L, 1);
  struct stream *stream = *box;
  if (!stream)
    return 0;
  *box = NULL;
  stream->orphan = true;
  if (stream->closed)
    free_if_done(stream);
  else if (!stream->closing) /* else what is queued still goes out */
    begin_close(stream, true);
  return 0;
}

static int stream_tostring(lua_State *L) {
  struct stream *stream = stream_check(L, 1);
  lua_pushfstring(L, "<%s %s>", stream->transport->name,
                  stream->closed    ? "closed"
                  : stream->closing ? "closing"
                                    : "open");
  return 1;
}

static const luaL_Reg methods[] = {
    {"read", stream_read},
    {"read_exactly", stream_read_exactly},
    {"read_until", stream_read_until},
    {"at_eof", stream_at_eof},
    {"buffered", stream_buffered},
    {"send", stream_send},
    {"write", stream_write},
    {"set_timeout", stream_set_timeout},
    {"drain", stream_drain},
    {"shutdown", stream_shutdown},
    {"close", stream_close},
    {"abort", stream_abort},
    {"wait_closed", stream_wait_closed},
    {"is_closing", stream_is_closing},
    {"__close", stream_close},
    {"__gc", stream_gc},
    {"__tostring", stream_tostring},
    {NULL, NULL},
};

void stream_push(lua_State *L) {
  struct stream **box = lua_newuserdatauv(L, sizeof(struct stream *), 1);
  *box = NULL;
  if (luaL_newmetatable(L, STREAM)) {
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, -2);
}

void stream_own(lua_State *L, struct stream *stream, const struct transport *transport) {
  stream->transport = transport;
  stream->scheduler = scheduler_of(L);
  stream->limit = HIGH_WATER;
  buffer_init(&stream->input);
  list_init(&stream->closers);
  *(struct stream **)lua_touserdata(L, -1) = stream;
}
