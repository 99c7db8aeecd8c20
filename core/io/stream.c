#include "core/io/stream.h"

#include "core/io/reader.h"
#include "core/task/error.h"
#include "core/task/inspect.h"
#include "core/task/time.h"

#include <stdint.h>
#include <string.h>

#define STREAM "strobe.stream"

#define GONE "the stream was collected, or a protocol on top of it has taken it over"

static struct stream **box_check(lua_State *L, int index) {
  return luaL_checkudata(L, index, STREAM);
}

struct stream *stream_check(lua_State *L, int index) {
  struct stream *stream = *box_check(L, index);
  luaL_argcheck(L, stream, index, GONE);
  return stream;
}

bool stream_wants_input(const struct stream *stream) {
  size_t size = buffer_size(&stream->input);
  return !stream->ended && !stream->error && !stream->closing &&
         (size < stream->limit || size < stream->needed);
}

void stream_wait_begins(const struct stream *stream) {
  if (stream->stills_time)
    stream->scheduler->loop->questions++;
}

void stream_wait_ends(const struct stream *stream) {
  if (stream->stills_time)
    stream->scheduler->loop->questions--;
}

/* --- What transports tell --------------------------------------------------- */

static void wake_reader(struct stream *stream) {
  struct task *task = stream->reader;
  if (!task)
    return;
  stream->reader = NULL;
  stream->needed = 0;
  stream_wait_ends(stream);
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
  stream_wait_ends(stream);
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
  size_t low = stream->patience < STREAM_LOW_WATER ? stream->patience : STREAM_LOW_WATER;
  if (stream->drainer && stream->transport->queued(stream) <= low)
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

/* --- What its methods share --------------------------------------------------- */

struct stream *stream_at_one(lua_State *L) {
  struct stream *stream = *(struct stream **)lua_touserdata(L, 1);
  luaL_argcheck(L, stream, 1, GONE);
  return stream;
}

int stream_push_error(lua_State *L, const struct stream *stream, const char *what) {
  const char *reason = stream->transport->reason ? stream->transport->reason(stream) : NULL;
  error_world(L, stream->error, "%s", what);
  if (reason) {
    lua_pushfstring(L, "%s (%s)", lua_tostring(L, -2), reason);
    lua_replace(L, -3);
  }
  return 3;
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
  struct stream *stream = task->wait_object;
  (void)L;
  stream->drainer = NULL;
  stream_wait_ends(stream);
  return WAIT_LEFT;
}

static const struct wait_kind draining = {"drain", cancel_drain, NULL};

static int drain(lua_State *L, int status, lua_KContext context) {
  struct stream *stream = stream_at_one(L);
  (void)context;
  if (status == LUA_YIELD && wait_resumed(L))
    return error_world(L, UV_ETIMEDOUT, "write");
  if (stream->error)
    return stream_push_error(L, stream, "write");
  if (stream->lost)
    return error_world(L, stream->lost, "write: the stream was closed");
  if (stream->closed || stream->transport->queued(stream) <= stream->patience) {
    lua_pushboolean(L, 1);
    return 1;
  }
  if (stream->drainer)
    return luaL_error(L, "another task is draining this stream already");
  struct task *task = wait_enter(L);
  wait_deadline(L, task, stream->timeout);
  stream->drainer = task;
  stream_wait_begins(stream);
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
  if (stream->closed) {
    free_if_done(stream);
  } else if (!stream->closing) { /* else what is queued still goes out */
    inspect_collected(L, stream->transport->name);
    begin_close(stream, true);
  }
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
    reader_add(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, -2);
}

void stream_own(lua_State *L, struct stream *stream, const struct transport *transport) {
  stream->transport = transport;
  stream->scheduler = scheduler_of(L);
  stream->limit = stream->patience = STREAM_HIGH_WATER;
  buffer_init(&stream->input);
  list_init(&stream->closers);
  *(struct stream **)lua_touserdata(L, -1) = stream;
}
