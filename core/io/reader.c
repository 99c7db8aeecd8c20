/* What tasks read from a stream: its methods. */
#include "core/io/reader.h"

#include "core/io/stream.h"
#include "core/task/error.h"

#include <stdint.h>
#include <string.h>

static enum wait_cancel cancel_read(lua_State *L, struct task *task) {
  struct stream *stream = task->wait_object;
  (void)L;
  stream->reader = NULL;
  stream->needed = 0;
  stream_wait_ends(stream);
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
  stream_wait_begins(stream);
  return wait_park(L, task, &reading, stream, k);
}

static void take_input(struct stream *stream, size_t size) {
  buffer_take(&stream->input, size);
  stream->scanned = 0;
  if (stream_wants_input(stream))
    stream->transport->resume(stream);
}

/* Pushes the first `size` bytes of the input and takes them off. [-0, +1, m] */
static int push_input(lua_State *L, struct stream *stream, size_t size) {
  lua_pushlstring(L, buffer_front(&stream->input), size);
  take_input(stream, size);
  return 1;
}

/* The same of a line with its LF; what is pushed has neither that nor a CR before it. */
static int push_line(lua_State *L, struct stream *stream, size_t size) {
  const char *front = buffer_front(&stream->input);
  size_t length = size - 1;
  if (length > 0 && front[length - 1] == '\r')
    length--;
  lua_pushlstring(L, front, length);
  take_input(stream, size);
  return 1;
}

/* What comes after the last LF is a line, if there is anything. [-0, +1, m] */
static int push_last_line(lua_State *L, struct stream *stream) {
  size_t size = buffer_size(&stream->input);
  if (size > 0)
    return push_input(L, stream, size);
  lua_pushnil(L);
  return 1;
}

/* No more will come: nil, why, its code, and the bytes that were there. */
static int push_failure(lua_State *L, struct stream *stream, const char *what) {
  if (stream->error)
    stream_push_error(L, stream, what);
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
  lua_Integer most = luaL_optinteger(L, 2, STREAM_HIGH_WATER);
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

/* Whether read_line is at work, which shares all else with read_until. */
static bool for_line(lua_State *L) {
  return lua_toboolean(L, 5);
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
    return for_line(L) ? push_line(L, stream, size) : push_input(L, stream, size);
  if (buffer_size(&stream->input) >= limit)
    return push_overrun(L, limit, stream->scanned);
  if (!exhausted(stream))
    return 0;
  if (for_line(L) && !stream->error)
    return push_last_line(L, stream);
  return push_failure(L, stream, "read_until");
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

/* Stream, separator and limit are on the stack. */
static int begin_until(lua_State *L, struct stream *stream, bool line) {
  int64_t timeout = stream->timeout;
  lua_pushinteger(L, timeout > 0 ? clock_now(&stream->scheduler->loop->clock) + timeout : 0);
  lua_pushboolean(L, line);
  stream->scanned = 0;
  return read_until(L, LUA_OK, 0);
}

/* stream:read_until([separator [, limit]]) → the bytes with the separator ("\n").
 * Waits. Fails with "EOF" and the bytes that were there, or, when it is not
 * within `limit` bytes (64 KiB), with "EMSGSIZE" and how many bytes before it, or
 * in all, are known; these stay to be read. */
static int stream_read_until(lua_State *L) {
  size_t size;
  luaL_optlstring(L, 2, "\n", &size);
  luaL_argcheck(L, size > 0, 2, "the separator is empty");
  lua_Integer limit = luaL_optinteger(L, 3, STREAM_HIGH_WATER);
  luaL_argcheck(L, limit > 0, 3, "a limit above 0 expected");
  struct stream *stream = check_unread(L);
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_pushliteral(L, "\n");
    lua_replace(L, 2);
  }
  lua_pushinteger(L, limit);
  return begin_until(L, stream, false);
}

/* stream:read_line([limit]) → the next line without its LF or CR LF; nil at the end, before which
 * the last line may lack them. Waits. Else fails as read_until does. */
static int stream_read_line(lua_State *L) {
  lua_Integer limit = luaL_optinteger(L, 2, STREAM_HIGH_WATER);
  luaL_argcheck(L, limit > 0, 2, "a limit above 0 expected");
  struct stream *stream = check_unread(L);
  lua_settop(L, 1);
  lua_pushliteral(L, "\n");
  lua_pushinteger(L, limit);
  return begin_until(L, stream, true);
}

/* stream:unread(bytes) → true: they come again, before all else; for a protocol that has
 * read some of another one's, and for who was cancelled before he had all. */
static int stream_unread(lua_State *L) {
  size_t size;
  const char *bytes = luaL_checklstring(L, 2, &size);
  struct stream *stream = stream_check(L, 1);
  if (!buffer_prepend(&stream->input, bytes, size))
    return error_world(L, UV_ENOMEM, "unread");
  stream->scanned = 0;
  if (stream->reader)
    stream_input(stream, "", 0); /* perhaps that is what it waits for */
  lua_pushboolean(L, 1);
  return 1;
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

static const luaL_Reg methods[] = {
    {"read", stream_read},
    {"read_exactly", stream_read_exactly},
    {"read_until", stream_read_until},
    {"read_line", stream_read_line},
    {"unread", stream_unread},
    {"at_eof", stream_at_eof},
    {"buffered", stream_buffered},
    {NULL, NULL},
};

void reader_add(lua_State *L) {
  luaL_setfuncs(L, methods, 0);
}
