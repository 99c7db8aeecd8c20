/* Sockets as streams: TCP and unix domain; and the ends of pipes, which go one way. */
#ifndef STROBE_IO_SOCKET_H
#define STROBE_IO_SOCKET_H

#include "core/io/stream.h"

enum socket_family { SOCKET_TCP, SOCKET_UNIX, SOCKET_PIPE };

union socket_handle {
  uv_handle_t handle;
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
};

struct socket {
  struct stream stream; /* first: a socket is a stream */
  struct closer closer;
  struct onlooker onlooker; /* in no list, unless its peer looks on */
  union socket_handle uv;
  enum socket_family family;
  bool reading;
  uint64_t turn;     /* of the loop, in which … */
  unsigned filled;   /* … so many reads have filled the scratch buffer */
  struct job resume; /* reads on in the next turn */
  uv_connect_t connect;
  struct task *connector;
  int connect_status;
  uv_shutdown_t shutdown;
};

/* A socket that is not connected yet, owned by the userdata it leaves; NULL, with
 * nil, message, code pushed, when there can be none. [-0, +1|3, m] */
struct socket *socket_push(lua_State *L, enum socket_family family);

/* It is connected now: begins to read. */
void socket_begin(struct socket *socket);

/* Its peer looks on: virtual time does not wait for what it sends. */
void socket_look_on(struct socket *socket);

/* libuv would cut off a longer path, and bind or connect to another. */
bool socket_path_fits(const char *path);

/* Pushes "address", port for a TCP handle's name, or "path". [-0, +n, m] */
int socket_push_name(lua_State *L, union socket_handle *handle, enum socket_family family,
                     bool peer);

int luaopen_strobe_core_socket(lua_State *L);

#endif
