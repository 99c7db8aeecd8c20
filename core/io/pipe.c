#include "core/io/pipe.h"

#include "core/io/stream.h"
#include "core/task/error.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY = 64 * 1024 };

/* What the peer has no room for yet waits in `output`. */
struct end {
  struct stream stream; /* first: an end is a stream */
  struct end *peer;     /* NULL once that is freed */
  struct buffer output;
  struct list watchers; /* jobs of tasks that wait until an end closes */
  bool flushing;
};

static struct end *end_of(struct stream *stream) {
  return list_entry(stream, struct end, stream);
}

static size_t room(const struct stream *stream) {
  size_t size = buffer_size(&stream->input);
  size_t most = stream->limit > stream->needed ? stream->limit : stream->needed;
  return most > size ? most - size : 0;
}

/* A peer without memory for what came has failed: nothing may come behind the gap. */
static bool gone(const struct end *peer) {
  return !peer || peer->stream.closing || peer->stream.error;
}

static void finish_close(struct end *end) {
  if (end->stream.closed)
    return;
  if (end->peer && !end->peer->stream.ended)
    stream_end(&end->peer->stream);
  stream_closed(&end->stream);
}

/* Passes on what the peer has room for; false when that is nothing. */
static bool pass_on(struct end *end) {
  struct end *peer = end->peer;
  size_t size = buffer_size(&end->output);
  if (gone(peer)) {
    buffer_free(&end->output);
    return false;
  }
  size_t most = room(&peer->stream), count = size < most ? size : most;
  if (count == 0)
    return false;
  stream_input(&peer->stream, buffer_front(&end->output), count);
  buffer_take(&end->output, count); /* none are left when the peer has closed meanwhile */
  return true;
}

/* Passes bytes on, and the end after the last one. A consumer of the peer that makes
 * room, writes or closes at once comes back here: it finds the work under way. */
static void flush(struct end *end) {
  if (end->flushing)
    return;
  end->flushing = true;
  while (pass_on(end)) {
  }
  end->flushing = false;
  if (buffer_size(&end->output) > 0)
    return;
  if (end->stream.shut && !gone(end->peer) && !end->peer->stream.ended)
    stream_end(&end->peer->stream);
  if (end->stream.closing)
    finish_close(end);
}

static int pipe_write(struct stream *stream, const char *bytes, size_t size) {
  struct end *end = end_of(stream);
  if (gone(end->peer))
    return UV_EPIPE;
  if (!buffer_append(&end->output, bytes, size))
    return UV_ENOMEM;
  flush(end);
  return 0;
}

static size_t pipe_queued(const struct stream *stream) {
  return buffer_size(&list_entry(stream, const struct end, stream)->output);
}

/* The reader has made room: its peer's queue moves on. */
static void pipe_resume(struct stream *stream) {
  struct end *peer = end_of(stream)->peer;
  if (!peer || buffer_size(&peer->output) == 0)
    return;
  flush(peer);
  if (end_of(stream)->peer) /* else it had closed, and is freed now */
    stream_written(&peer->stream);
}

static int pipe_shutdown(struct stream *stream) {
  flush(end_of(stream));
  return 0;
}

static void wake_watchers(struct end *end) {
  struct list *link;
  while ((link = list_shift(&end->watchers)))
    wait_wake(list_entry(link, struct task, job.link));
}

static void pipe_close(struct stream *stream, bool at_once) {
  struct end *end = end_of(stream), *peer = end->peer;
  wake_watchers(end);
  if (peer)
    wake_watchers(peer);
  if (at_once)
    buffer_free(&end->output);
  /* What the peer still wants to send has no reader any more. */
  if (peer && !peer->stream.closed) {
    if (buffer_size(&peer->output) > 0)
      peer->stream.lost = UV_EPIPE;
    buffer_free(&peer->output);
    if (!peer->stream.closing)
      stream_written(&peer->stream);
    else if (!peer->flushing) /* else its flush does it */
      finish_close(peer);
  }
  flush(end);
}

static void pipe_free(struct stream *stream) {
  struct end *end = end_of(stream);
  if (end->peer)
    end->peer->peer = NULL;
  buffer_free(&end->output);
  free(end);
}

static const struct transport transport = {
    .name = "pipe",
    .write = pipe_write,
    .queued = pipe_queued,
    .resume = pipe_resume,
    .shutdown = pipe_shutdown,
    .close = pipe_close,
    .free = pipe_free,
};

static struct end *end_push(lua_State *L, size_t limit) {
  stream_push(L);
  struct end *end = calloc(1, sizeof *end);
  if (!end)
    error_mistake(L, "not enough memory for a pipe");
  stream_own(L, &end->stream, &transport);
  list_init(&end->watchers);
  end->stream.limit = limit;
  return end;
}

/* new([capacity [, patience]]) → stream, stream: what one writes the other reads; at
 * most `capacity` bytes (64 KiB) lie there, and when more than `patience` (64 KiB) are
 * queued before it `drain` waits. */
static int pipe_new(lua_State *L) {
  lua_Integer capacity = luaL_optinteger(L, 1, CAPACITY);
  lua_Integer patience = luaL_optinteger(L, 2, STREAM_HIGH_WATER);
  luaL_argcheck(L, capacity > 0, 1, "a capacity above 0 expected");
  luaL_argcheck(L, patience >= 0, 2, "a size of 0 or more expected");
  struct end *left = end_push(L, (size_t)capacity);
  struct end *right = end_push(L, (size_t)capacity);
  left->stream.patience = right->stream.patience = (size_t)patience;
  left->peer = right;
  right->peer = left;
  return 2;
}

/* --- What the other end meets, for specs ----------------------------------------- */

static struct end *end_check(lua_State *L) {
  struct stream *stream = stream_check(L, 1);
  luaL_argcheck(L, stream->transport == &transport, 1, "an end of a pipe expected");
  return end_of(stream);
}

static const struct {
  const char *name;
  int status;
} errors[] = {
#define ERROR(name, _) {#name, UV_##name},
    UV_ERRNO_MAP(ERROR)
#undef ERROR
};

static int check_status(lua_State *L, int index) {
  const char *name = luaL_checkstring(L, index);
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
    if (strcmp(errors[i].name, name) == 0)
      return errors[i].status;
  return luaL_argerror(L, index, lua_pushfstring(L, "an error code expected, got '%s'", name));
}

/* fail(stream, code): the other end fails with the code, as if a network had. */
static int pipe_fail(lua_State *L) {
  struct end *end = end_check(L);
  int status = check_status(L, 2);
  if (!gone(end->peer))
    stream_fail(&end->peer->stream, status);
  return 0;
}

static enum wait_cancel cancel_watch(lua_State *L, struct task *task) {
  (void)L;
  list_remove(&task->job.link);
  return WAIT_LEFT;
}

static const struct wait_kind watching = {"the other end to close", cancel_watch, NULL};

static int watch_over(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  wait_resumed(L);
  return 0;
}

/* is_gone(stream) → whether the other end closes, or this one. */
static int pipe_is_gone(lua_State *L) {
  const struct end *end = end_check(L);
  lua_pushboolean(L, end->stream.closing || !end->peer || end->peer->stream.closing);
  return 1;
}

/* wait_gone(stream): waits until the other end closes, or this one. */
static int pipe_wait_gone(lua_State *L) {
  struct end *end = end_check(L);
  lua_settop(L, 1);
  pipe_is_gone(L);
  if (lua_toboolean(L, -1))
    return 0;
  struct task *task = wait_enter(L);
  list_append(&end->watchers, &task->job.link);
  return wait_park(L, task, &watching, end, watch_over);
}

static const luaL_Reg functions[] = {
    {"new", pipe_new},
    {"fail", pipe_fail},
    {"is_gone", pipe_is_gone},
    {"wait_gone", pipe_wait_gone},
    {NULL, NULL},
};

int luaopen_strobe_core_pipe(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
