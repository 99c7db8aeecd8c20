#include "core/io/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int option_of(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &size) < 0 ? uv_translate_sys_error(errno)
                                                             : value;
}

static int check_family(int fd, enum socket_family *family) {
  struct sockaddr_storage name = {0};
  socklen_t size = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &size) < 0)
    return uv_translate_sys_error(errno);
  bool tcp = name.ss_family == AF_INET || name.ss_family == AF_INET6;
  *family = tcp ? SOCKET_TCP : SOCKET_UNIX;
  return tcp || name.ss_family == AF_UNIX ? 0 : UV_EAFNOSUPPORT;
}

static bool has_peer(int fd) {
  struct sockaddr_storage name;
  socklen_t size = sizeof name;
  return getpeername(fd, (struct sockaddr *)&name, &size) == 0;
}

static bool is_pipe(int fd) {
  struct stat about;
  return fstat(fd, &about) == 0 && S_ISFIFO(about.st_mode);
}

int descriptor_check(int fd, enum descriptor_use use, enum socket_family *family) {
  if (use == DESCRIPTOR_CONNECTION && is_pipe(fd)) {
    *family = SOCKET_PIPE;
    return 0;
  }
  int type = option_of(fd, SO_TYPE);
  if (type < 0)
    return type;
  if (type != SOCK_STREAM)
    return UV_EPROTOTYPE;
  int status = check_family(fd, family);
  if (status < 0)
    return status;
  if (use == DESCRIPTOR_LISTENER)
    return has_peer(fd) ? UV_EISCONN : 0;
  return has_peer(fd) ? 0 : UV_ENOTCONN;
}

int descriptor_take(int fd, enum socket_family family, union socket_handle *handle) {
  int status =
      family == SOCKET_TCP ? uv_tcp_open(&handle->tcp, fd) : uv_pipe_open(&handle->pipe, fd);
  if (status < 0)
    return status;
  int flags = fcntl(fd, F_GETFD);
  if (flags >= 0)
    fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
  return 0;
}
