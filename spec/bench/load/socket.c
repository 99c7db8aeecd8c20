#include "socket.h"

#include "process.h"
#include "report.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { SPARE = 100, PER_ADDRESS = 10000, NARROW = 4096, CHUNK = 64 * 1024, BACKLOG = 8 };

void socket_allow(int count) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
    report_failure("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
    report_failure("setrlimit");
  errno = 0;
  if (limit.rlim_cur < (rlim_t)count + SPARE)
    report_failure("%d sockets need a higher limit of open files (ulimit -Hn)", count);
}

static void bind_to(int fd, int number) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  int yes = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(number / PER_ADDRESS));
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
    report_failure("bind");
}

static int make_socket(int number) {
  struct timeval patience = {.tv_sec = SOCKET_PATIENCE};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  if (fd < 0)
    report_failure("socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (number >= PER_ADDRESS)
    bind_to(fd, number);
  return fd;
}

static int connect_to(int fd, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
    report_failure("connect");
  return fd;
}

int socket_connect(int port, int number) {
  return connect_to(make_socket(number), port);
}

int socket_connect_narrow(int port, int number) {
  int fd = make_socket(number), size = NARROW;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  return connect_to(fd, port);
}

void socket_send(int fd, const void *bytes, size_t size) {
  const char *from = bytes;
  while (size > 0) {
    ssize_t n = send(fd, from, size, MSG_NOSIGNAL);
    if (n < 0)
      report_failure("send");
    from += n;
    size -= (size_t)n;
  }
}

size_t socket_try_send(int fd, const void *bytes, size_t size, int milliseconds) {
  struct pollfd writable = {.fd = fd, .events = POLLOUT};
  double end = process_now() + milliseconds / 1e3;
  size_t sent = 0;
  while (sent < size && process_now() < end) {
    ssize_t n = send(fd, (const char *)bytes + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
      sent += (size_t)n;
    else if (errno != EAGAIN)
      break;
    else
      poll(&writable, 1, milliseconds);
  }
  return sent;
}

void socket_receive(int fd, void *bytes, size_t size) {
  char *to = bytes;
  while (size > 0) {
    errno = 0;
    ssize_t n = recv(fd, to, size, 0);
    if (n <= 0)
      report_failure(n == 0 ? "the server closed a connection" : "recv");
    to += n;
    size -= (size_t)n;
  }
}

bool socket_await_end(int fd) {
  static _Thread_local char rest[CHUNK];
  ssize_t n = 1;
  while (n > 0)
    n = recv(fd, rest, sizeof rest, 0);
  return n == 0 || errno != EAGAIN;
}

int socket_listen(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(server, (struct sockaddr *)&address, size) < 0 || listen(server, BACKLOG) < 0)
    report_failure("listen");
  getsockname(server, (struct sockaddr *)&address, &size);
  printf("PORT %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return server;
}

void socket_reset(int fd) {
  struct linger at_once = {.l_onoff = 1};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}
