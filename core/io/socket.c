#include "core/io/socket.h"

#include "core/io/descriptor.h"
#include "core/io/resolve.h"
#include "core/task/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Bytes the kernel did not take at once, on their way by libuv. */
struct write {
  uv_write_t request;
  char bytes[];
};

static struct socket *socket_of(struct stream *stream) {
  return list_entry(stream, struct socket, stream);
}

static const struct socket *socket_of_const(const struct stream *stream) {
  return list_entry(stream, struct socket, stream);
}

/* --- Reading ------------------------------------------------------------------ */

/* Reads that fill the scratch buffer, of one socket in one turn. libuv would take 32 in a
 * row, and all others wait. */
enum { MOST_FILLED = 4 };

static void lend_scratch(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
  struct socket *socket = handle->data;
  (void)size;
  *buffer = uv_buf_init(socket->stream.scheduler->loop->scratch, LOOP_SCRATCH);
}

static void pause_reading(struct socket *socket) {
  socket->reading = false;
  uv_read_stop(&socket->uv.stream);
}

/* Lets others have their turn when this socket brings much. */
static void take_turns(struct socket *socket) {
  struct loop *loop = socket->stream.scheduler->loop;
  if (socket->turn != loop->turns)
    socket->filled = 0;
  socket->turn = loop->turns;
  if (++socket->filled < MOST_FILLED || !socket->reading)
    return;
  pause_reading(socket);
  if (!list_linked(&socket->resume.link))
    loop_ready(loop, &socket->resume);
}

static void on_read(uv_stream_t *handle, ssize_t size, const uv_buf_t *buffer) {
  struct socket *socket = handle->data;
  socket->stream.scheduler->loop->activity++;
  if (size > 0) {
    stream_input(&socket->stream, buffer->base, (size_t)size);
  } else if (size == UV_EOF) {
    stream_end(&socket->stream);
  } else if (size < 0) {
    stream_fail(&socket->stream, (int)size);
  }
  if (!stream_wants_input(&socket->stream) && socket->reading)
    pause_reading(socket);
  if (size == LOOP_SCRATCH)
    take_turns(socket);
}

static void socket_resume(struct stream *stream) {
  struct socket *socket = socket_of(stream);
  if (socket->reading || stream->closing)
    return;
  int status = uv_read_start(&socket->uv.stream, lend_scratch, on_read);
  if (status < 0)
    stream_fail(stream, status);
  else
    socket->reading = true;
}

static void resume_job(struct job *job) {
  struct socket *socket = list_entry(job, struct socket, resume);
  if (stream_wants_input(&socket->stream))
    socket_resume(&socket->stream);
}

/* --- Writing ------------------------------------------------------------------ */

static void on_written(uv_write_t *request, int status) {
  struct socket *socket = request->handle->data;
  free(list_entry(request, struct write, request));
  socket->stream.scheduler->loop->activity++;
  if (status < 0 && status != UV_ECANCELED)
    stream_fail(&socket->stream, status);
  stream_written(&socket->stream);
  if (socket->stream.closing && !uv_is_closing(&socket->uv.handle) &&
      (status < 0 || uv_stream_get_write_queue_size(&socket->uv.stream) == 0))
    socket->stream.transport->close(&socket->stream, true);
}

static int queue_write(struct socket *socket, const char *bytes, size_t size) {
  struct write *write = malloc(sizeof *write + size);
  if (!write)
    return UV_ENOMEM;
  memcpy(write->bytes, bytes, size);
  uv_buf_t buffer = uv_buf_init(write->bytes, (unsigned)size);
  int status = uv_write(&write->request, &socket->uv.stream, &buffer, 1, on_written);
  if (status < 0)
    free(write);
  return status;
}

static int socket_write(struct stream *stream, const char *bytes, size_t size) {
  struct socket *socket = socket_of(stream);
  if (size > INT32_MAX)
    return UV_EMSGSIZE;
  uv_buf_t buffer = uv_buf_init((char *)bytes, (unsigned)size);
  int sent = uv_try_write(&socket->uv.stream, &buffer, 1);
  if (sent < 0 && sent != UV_EAGAIN)
    return sent;
  size_t done = sent > 0 ? (size_t)sent : 0;
  return done == size ? 0 : queue_write(socket, bytes + done, size - done);
}

static size_t socket_queued(const struct stream *stream) {
  return uv_stream_get_write_queue_size(&socket_of_const(stream)->uv.stream);
}

static void on_shutdown(uv_shutdown_t *request, int status) {
  struct socket *socket = request->handle->data;
  /* A peer that has gone already needs not be told. */
  if (status < 0 && status != UV_ECANCELED && status != UV_ENOTCONN)
    stream_fail(&socket->stream, status);
}

static int socket_shutdown(struct stream *stream) {
  struct socket *socket = socket_of(stream);
  if (socket->family == SOCKET_PIPE) { /* that is how a pipe says so */
    stream_drop(stream, false);
    return 0;
  }
  return uv_shutdown(&socket->shutdown, &socket->uv.stream, on_shutdown);
}

/* --- Closing ------------------------------------------------------------------ */

static void on_close(uv_handle_t *handle) {
  struct socket *socket = handle->data;
  list_remove(&socket->closer.link);
  list_remove(&socket->onlooker.link);
  list_remove(&socket->resume.link);
  socket->stream.scheduler->loop->activity++;
  stream_closed(&socket->stream);
}

static void socket_close(struct stream *stream, bool at_once) {
  struct socket *socket = socket_of(stream);
  if (uv_is_closing(&socket->uv.handle))
    return;
  if (socket->reading)
    pause_reading(socket);
  if (at_once || stream->error || socket_queued(stream) == 0)
    uv_close(&socket->uv.handle, on_close);
}

static void close_at_exit(struct closer *closer) {
  struct socket *socket = list_entry(closer, struct socket, closer);
  socket->stream.closing = true;
  socket_close(&socket->stream, true);
}

static void socket_free(struct stream *stream) {
  free(socket_of(stream));
}

static const struct transport transport = {
    .name = "socket",
    .write = socket_write,
    .queued = socket_queued,
    .resume = socket_resume,
    .shutdown = socket_shutdown,
    .close = socket_close,
    .free = socket_free,
};

/* --- Opening ------------------------------------------------------------------ */

static int init(struct socket *socket, uv_loop_t *loop) {
  if (socket->family == SOCKET_TCP)
    return uv_tcp_init(loop, &socket->uv.tcp);
  return uv_pipe_init(loop, &socket->uv.pipe, 0);
}

struct socket *socket_push(lua_State *L, enum socket_family family) {
  luaL_checkstack(L, 5, "no room for a socket");
  stream_push(L);
  struct socket *socket = calloc(1, sizeof *socket);
  if (!socket) {
    error_world(L, UV_ENOMEM, "socket");
    return NULL;
  }
  socket->family = family;
  int status = init(socket, &scheduler_of(L)->loop->uv);
  if (status < 0) {
    free(socket);
    error_world(L, status, "socket");
    return NULL;
  }
  socket->uv.handle.data = socket;
  stream_own(L, &socket->stream, &transport);
  socket->resume.run = resume_job;
  list_init(&socket->resume.link);
  list_init(&socket->onlooker.link);
  socket->closer.close = close_at_exit;
  list_append(&socket->stream.scheduler->loop->closers, &socket->closer.link);
  return socket;
}

void socket_begin(struct socket *socket) {
  if (socket->family == SOCKET_TCP)
    uv_tcp_nodelay(&socket->uv.tcp, 1);
  if (socket->family == SOCKET_PIPE) { /* it is the end to write to, or that to read from */
    socket->stream.ended = !uv_is_readable(&socket->uv.stream);
    socket->stream.shut = !uv_is_writable(&socket->uv.stream);
  }
  if (!socket->stream.ended)
    socket_resume(&socket->stream);
}

void socket_look_on(struct socket *socket) {
  loop_look_on(socket->stream.scheduler->loop, &socket->onlooker, &socket->uv.handle);
}

bool socket_path_fits(const char *path) {
  return strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path;
}

static void on_connect(uv_connect_t *request, int status) {
  struct socket *socket = request->handle->data;
  struct task *task = socket->connector;
  socket->connect_status = status;
  socket->connector = NULL;
  if (task)
    wait_wake(task);
}

static enum wait_cancel cancel_connect(lua_State *L, struct task *task) {
  struct socket *socket = task->wait_object;
  (void)L;
  socket->connector = NULL;
  socket->stream.closing = true;
  socket_close(&socket->stream, true);
  return WAIT_LEFT;
}

static const struct wait_kind connecting = {"connect", cancel_connect, NULL};

/* Pushes nil, message, code for the address at index 1 (and port at 2). */
static int push_connect_failure(lua_State *L, struct socket *socket, int status) {
  socket->stream.closing = true;
  socket_close(&socket->stream, true);
  if (socket->family == SOCKET_UNIX)
    return error_world(L, status, "connect %s", lua_tostring(L, 1));
  return error_world(L, status, "connect %s:%d", lua_tostring(L, 1), (int)lua_tointeger(L, 2));
}

static int connect_over(lua_State *L, int status, lua_KContext context) {
  struct socket *socket = list_entry(stream_check(L, 3), struct socket, stream);
  (void)status, (void)context;
  if (scheduler_of(L)->current->raise_cancelled && !socket->stream.closing) {
    socket->stream.closing = true; /* connected, then cancelled */
    socket_close(&socket->stream, true);
  }
  wait_resumed(L);
  if (socket->connect_status < 0)
    return push_connect_failure(L, socket, socket->connect_status);
  socket_begin(socket);
  return 1;
}

static int begin_connect(lua_State *L, struct socket *socket) {
  const char *address = lua_tostring(L, 1);
  if (socket->family == SOCKET_UNIX) {
    if (!socket_path_fits(address))
      return UV_ENAMETOOLONG;
    uv_pipe_connect(&socket->connect, &socket->uv.pipe, address, on_connect);
    return 0;
  }
  struct sockaddr_storage name;
  int status = resolve_numeric(address, (int)lua_tointeger(L, 2), &name);
  if (status < 0)
    return status;
  return uv_tcp_connect(&socket->connect, &socket->uv.tcp, (struct sockaddr *)&name, on_connect);
}

/* The address is at index 1, a port or nil at 2. */
static int connect_to(lua_State *L, enum socket_family family) {
  struct task *task = wait_enter(L);
  struct socket *socket = socket_push(L, family);
  if (!socket)
    return 3;
  int status = begin_connect(L, socket);
  if (status < 0)
    return push_connect_failure(L, socket, status);
  socket->connector = task;
  return wait_park(L, task, &connecting, socket, connect_over);
}

/* connect(address, port) → stream, or nil, message, code. The address is
 * numeric, see strobe.core.resolve. Waits. */
static int socket_connect(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_Integer port = luaL_checkinteger(L, 2);
  luaL_argcheck(L, port > 0 && port < 65536, 2, "a port from 1 to 65535 expected");
  lua_settop(L, 2);
  return connect_to(L, SOCKET_TCP);
}

/* connect_unix(path) → stream, or nil, message, code. Waits. */
static int socket_connect_unix(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_pushnil(L);
  return connect_to(L, SOCKET_UNIX);
}

/* open_fd(fd) → stream, or nil, message, code: a connected socket or one end of a pipe which was
 * made elsewhere, and is the stream's from now on. When it fails, the descriptor stays open. */
static int socket_open_fd(lua_State *L) {
  lua_Integer number = luaL_checkinteger(L, 1);
  luaL_argcheck(L, number >= 0 && number <= INT32_MAX, 1, "a file descriptor expected");
  int fd = (int)number;
  enum socket_family family;
  int status = descriptor_check(fd, DESCRIPTOR_CONNECTION, &family);
  if (status < 0)
    return error_world(L, status, "descriptor %d", fd);
  struct socket *socket = socket_push(L, family);
  if (!socket)
    return 3;
  status = descriptor_take(fd, family, &socket->uv);
  if (status < 0) {
    socket->stream.closing = true;
    socket_close(&socket->stream, true);
    return error_world(L, status, "descriptor %d", fd);
  }
  socket_begin(socket);
  return 1;
}

/* --- Names -------------------------------------------------------------------- */

static int push_tcp_name(lua_State *L, const uv_tcp_t *tcp, bool peer) {
  struct sockaddr_storage name;
  int size = sizeof name;
  char address[64];
  int status = peer ? uv_tcp_getpeername(tcp, (struct sockaddr *)&name, &size)
                    : uv_tcp_getsockname(tcp, (struct sockaddr *)&name, &size);
  if (status < 0)
    return error_world(L, status, "address");
  uv_ip_name((struct sockaddr *)&name, address, sizeof address);
  const struct sockaddr_in *in = (const void *)&name;
  const struct sockaddr_in6 *in6 = (const void *)&name;
  lua_pushstring(L, address);
  lua_pushinteger(L, ntohs(name.ss_family == AF_INET6 ? in6->sin6_port : in->sin_port));
  return 2;
}

int socket_push_name(lua_State *L, union socket_handle *handle, enum socket_family family,
                     bool peer) {
  char path[256];
  size_t size = sizeof path;
  if (family == SOCKET_TCP)
    return push_tcp_name(L, &handle->tcp, peer);
  int status = peer ? uv_pipe_getpeername(&handle->pipe, path, &size)
                    : uv_pipe_getsockname(&handle->pipe, path, &size);
  if (status < 0)
    return error_world(L, status, "address");
  lua_pushlstring(L, path, size);
  return 1;
}

static int push_name(lua_State *L, bool peer) {
  struct stream *stream = stream_check(L, 1);
  while (stream->below)
    stream = stream->below;
  if (stream->transport != &transport && !stream->closing)
    return error_world(L, UV_ENOTSOCK, "address");
  if (stream->closing)
    return error_world(L, UV_ENOTCONN, "address");
  struct socket *socket = socket_of(stream);
  return socket_push_name(L, &socket->uv, socket->family, peer);
}

/* peer(stream) → address, port (or path) of the other side. */
static int socket_peer(lua_State *L) {
  return push_name(L, true);
}

/* name(stream) → our own address, port (or path). */
static int socket_name(lua_State *L) {
  return push_name(L, false);
}

/* credentials(stream) → pid, uid, gid of the process at the other end of a unix socket, as they
 * were when it connected, or began to listen; or nil, message, code. */
static int socket_credentials(lua_State *L) {
  struct stream *stream = stream_check(L, 1);
  if (stream->closing)
    return error_world(L, UV_ENOTCONN, "credentials");
  if (stream->transport != &transport || socket_of(stream)->family != SOCKET_UNIX)
    return error_world(L, UV_ENOTSOCK, "credentials");
  struct ucred peer = {0};
  socklen_t size = sizeof peer;
  uv_os_fd_t fd;
  int status = uv_fileno(&socket_of(stream)->uv.handle, &fd);
  if (status == 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
    status = uv_translate_sys_error(errno);
  if (status < 0)
    return error_world(L, status, "credentials");
  lua_pushinteger(L, peer.pid);
  lua_pushinteger(L, peer.uid);
  lua_pushinteger(L, peer.gid);
  return 3;
}

/* reset(stream): closes at once; the peer of a TCP connection meets "ECONNRESET". */
static int socket_reset(lua_State *L) {
  struct stream *stream = stream_check(L, 1);
  luaL_argcheck(L, stream->transport == &transport, 1, "a socket expected");
  const struct linger linger = {.l_onoff = 1};
  uv_os_fd_t fd;
  if (uv_fileno(&socket_of(stream)->uv.handle, &fd) == 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  stream_drop(stream, true);
  return 0;
}

static const luaL_Reg functions[] = {
    {"connect", socket_connect}, {"connect_unix", socket_connect_unix},
    {"open_fd", socket_open_fd}, {"peer", socket_peer},
    {"name", socket_name},       {"credentials", socket_credentials},
    {"reset", socket_reset},     {NULL, NULL},
};

int luaopen_strobe_core_socket(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
