#include "core/io/server.h"

#include "core/io/descriptor.h"
#include "core/io/resolve.h"
#include "core/io/socket.h"
#include "core/task/error.h"
#include "core/task/inspect.h"

#include <stdlib.h>
#include <string.h>

#define SERVER "strobe.server"

/* Connections are accepted when a task asks for one; until then they wait in
 * the kernel's backlog. */
struct server {
  struct closer closer;
  struct onlooker onlooker; /* in a list when those who connect look on */
  union socket_handle uv;
  enum socket_family family;
  struct scheduler *scheduler;
  unsigned pending; /* connections libuv has announced */
  struct task *acceptor;
  int error;
  bool closing, closed, orphan;
};

static struct server **box_check(lua_State *L) {
  return luaL_checkudata(L, 1, SERVER);
}

static struct server *server_check(lua_State *L) {
  struct server *server = *box_check(L);
  luaL_argcheck(L, server, 1, "the server was collected"); /* seen by a finalizer */
  return server;
}

static void wake_acceptor(struct server *server) {
  struct task *task = server->acceptor;
  server->acceptor = NULL;
  if (task)
    wait_wake(task);
}

static void on_connection(uv_stream_t *handle, int status) {
  struct server *server = handle->data;
  server->scheduler->loop->activity++;
  if (status < 0)
    server->error = status;
  else
    server->pending++;
  wake_acceptor(server);
}

static void on_close(uv_handle_t *handle) {
  struct server *server = handle->data;
  list_remove(&server->closer.link);
  list_remove(&server->onlooker.link);
  server->closed = true;
  if (server->orphan)
    free(server);
}

static void begin_close(struct server *server) {
  if (server->closing)
    return;
  server->closing = true;
  wake_acceptor(server);
  uv_close(&server->uv.handle, on_close);
}

static void close_at_exit(struct closer *closer) {
  begin_close(list_entry(closer, struct server, closer));
}

static enum wait_cancel cancel_accept(lua_State *L, struct task *task) {
  (void)L;
  ((struct server *)task->wait_object)->acceptor = NULL;
  return WAIT_LEFT;
}

static const struct wait_kind accepting = {"accept", cancel_accept, NULL};

/* Takes an announced connection. */
static int take(lua_State *L, struct server *server) {
  struct socket *socket = socket_push(L, server->family);
  if (!socket)
    return 3;
  server->pending--;
  int status = uv_accept(&server->uv.stream, &socket->uv.stream);
  if (status < 0) {
    socket->stream.closing = true;
    socket->stream.transport->close(&socket->stream, true);
    return error_world(L, status, "accept");
  }
  if (list_linked(&server->onlooker.link))
    socket_look_on(socket);
  socket_begin(socket);
  return 1;
}

static int accept_next(lua_State *L, int status, lua_KContext context) {
  struct server *server = server_check(L);
  (void)context;
  if (status == LUA_YIELD)
    wait_resumed(L);
  if (server->closing)
    return error_world(L, UV_ECANCELED, "accept: the server was closed");
  if (server->pending > 0)
    return take(L, server);
  if (server->error) {
    int error = server->error;
    server->error = 0;
    return error_world(L, error, "accept");
  }
  if (server->acceptor)
    return luaL_error(L, "another task is accepting from this server already");
  struct task *task = wait_enter(L);
  server->acceptor = task;
  return wait_park(L, task, &accepting, server, accept_next);
}

/* server:accept() → stream, or nil, message, code ("ECANCELED" once it is
 * closed). Waits. */
static int server_accept(lua_State *L) {
  lua_settop(L, 1);
  return accept_next(L, LUA_OK, 0);
}

/* server:close(): stops listening. Connections live on. */
static int server_close(lua_State *L) {
  begin_close(server_check(L));
  return 0;
}

static int server_is_closing(lua_State *L) {
  lua_pushboolean(L, server_check(L)->closing);
  return 1;
}

/* server:name() → address, port (or path). */
static int server_name(lua_State *L) {
  struct server *server = server_check(L);
  if (server->closing)
    return error_world(L, UV_ENOTCONN, "address");
  return socket_push_name(L, &server->uv, server->family, false);
}

static int server_gc(lua_State *L) {
  struct server **box = box_check(L), *server = *box;
  if (!server)
    return 0;
  *box = NULL;
  server->orphan = true;
  if (!server->closing)
    inspect_collected(L, "server");
  if (server->closed)
    free(server);
  else
    begin_close(server);
  return 0;
}

static const luaL_Reg methods[] = {
    {"accept", server_accept},
    {"close", server_close},
    {"name", server_name},
    {"is_closing", server_is_closing},
    {"__gc", server_gc},
    {"__close", server_close},
    {NULL, NULL},
};

/* --- Listening ------------------------------------------------------------------ */

static int init(struct server *server) {
  uv_loop_t *loop = &server->scheduler->loop->uv;
  if (server->family == SOCKET_UNIX)
    return uv_pipe_init(loop, &server->uv.pipe, 0);
  return uv_tcp_init(loop, &server->uv.tcp);
}

/* Pushes the userdata of a new server; NULL when there is no memory. */
static struct server *server_push(lua_State *L, enum socket_family family) {
  struct server **box = lua_newuserdatauv(L, sizeof(struct server *), 0);
  *box = NULL;
  luaL_setmetatable(L, SERVER);
  struct server *server = calloc(1, sizeof *server);
  if (!server)
    return NULL;
  server->family = family;
  server->scheduler = scheduler_of(L);
  if (init(server) < 0) {
    free(server);
    return NULL;
  }
  server->uv.handle.data = server;
  list_init(&server->onlooker.link);
  server->closer.close = close_at_exit;
  list_append(&server->scheduler->loop->closers, &server->closer.link);
  return *box = server;
}

static int bind_to(lua_State *L, struct server *server) {
  const char *address = lua_tostring(L, 1);
  if (server->family == SOCKET_UNIX)
    return socket_path_fits(address) ? uv_pipe_bind(&server->uv.pipe, address) : UV_ENAMETOOLONG;
  struct sockaddr_storage name;
  int status = resolve_numeric(address, (int)lua_tointeger(L, 2), &name);
  return status < 0 ? status : uv_tcp_bind(&server->uv.tcp, (struct sockaddr *)&name, 0);
}

static int listen_on(lua_State *L, enum socket_family family, int backlog, bool onlookers) {
  struct server *server = server_push(L, family);
  if (!server)
    return error_world(L, UV_ENOMEM, "listen");
  if (onlookers)
    loop_look_on(server->scheduler->loop, &server->onlooker, &server->uv.handle);
  int status = bind_to(L, server);
  if (status == 0)
    status = uv_listen(&server->uv.stream, backlog, on_connection);
  if (status == 0)
    return 1;
  begin_close(server);
  if (family == SOCKET_UNIX)
    return error_world(L, status, "listen on %s", lua_tostring(L, 1));
  return error_world(L, status, "listen on %s:%d", lua_tostring(L, 1), (int)lua_tointeger(L, 2));
}

/* listen(address, port [, backlog]) → server, or nil, message, code. Port 0
 * takes a free one. */
static int server_listen(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_Integer port = luaL_checkinteger(L, 2);
  luaL_argcheck(L, port >= 0 && port < 65536, 2, "a port from 0 to 65535 expected");
  return listen_on(L, SOCKET_TCP, (int)luaL_optinteger(L, 3, 128), false);
}

/* listen_unix(path [, backlog [, onlookers]]) → server, or nil, message, code. With onlookers
 * virtual time waits neither for connections nor for what they bring. */
static int server_listen_unix(lua_State *L) {
  luaL_checkstring(L, 1);
  return listen_on(L, SOCKET_UNIX, (int)luaL_optinteger(L, 2, 128), lua_toboolean(L, 3));
}

/* listen_fd(fd [, backlog]) → server, or nil, message, code: listens on a bound socket which
 * was made elsewhere, and is the server's from now on. When it fails, the descriptor stays
 * open, unless listening itself has failed. */
static int server_listen_fd(lua_State *L) {
  lua_Integer number = luaL_checkinteger(L, 1);
  luaL_argcheck(L, number >= 0 && number <= INT32_MAX, 1, "a file descriptor expected");
  int fd = (int)number, backlog = (int)luaL_optinteger(L, 2, 128);
  enum socket_family family;
  int status = descriptor_check(fd, DESCRIPTOR_LISTENER, &family);
  if (status < 0)
    return error_world(L, status, "descriptor %d", fd);
  struct server *server = server_push(L, family);
  if (!server)
    return error_world(L, UV_ENOMEM, "descriptor %d", fd);
  status = descriptor_take(fd, family, &server->uv);
  if (status == 0)
    status = uv_listen(&server->uv.stream, backlog, on_connection);
  if (status == 0)
    return 1;
  begin_close(server);
  return error_world(L, status, "descriptor %d", fd);
}

static const luaL_Reg functions[] = {
    {"listen", server_listen},
    {"listen_unix", server_listen_unix},
    {"listen_fd", server_listen_fd},
    {NULL, NULL},
};

int luaopen_strobe_core_server(lua_State *L) {
  luaL_newmetatable(L, SERVER);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
