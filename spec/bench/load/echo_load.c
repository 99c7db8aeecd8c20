/* Load for a TCP echo server on 127.0.0.1: CONNECTIONS connections with one
 * 64-byte message in flight on each. After a warm-up it measures five rounds of
 * MILLISECONDS and prints the best figures: messages per second, and per second
 * of processor time of the server (PID, all its threads).
 *
 * usage: echo_load PORT PID [MILLISECONDS [CONNECTIONS]] */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, WARM_UP = 1000, MESSAGE = 64, EVENTS = 64, PATIENCE = 5000 };

struct connection {
  int fd;
  size_t got;
  char sent[MESSAGE];
  char back[MESSAGE];
};

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "echo_load: %s: %s\n", what, errno ? strerror(errno) : "not what was expected");
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Seconds of processor time the server has used, user and system. */
static double server_time(int pid) {
  clockid_t clock;
  struct timespec time;
  errno = clock_getcpuclockid(pid, &clock);
  if (errno || clock_gettime(clock, &time) < 0)
    fail("the server's processor time");
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void send_message(struct connection *connection) {
  connection->got = 0;
  connection->sent[0]++;
  ssize_t n = send(connection->fd, connection->sent, MESSAGE, MSG_NOSIGNAL);
  if (n != MESSAGE)
    fail("send");
}

static void open_connection(struct connection *connection, int port, int epoll) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  int yes = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connection->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0)
    fail("connect");
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  memset(connection->sent, 'x', MESSAGE);
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
    fail("epoll_ctl");
  send_message(connection);
}

/* Takes the last echo and sees the server close, so that it meets no reset. */
static void close_connection(struct connection *connection) {
  struct timeval patience = {.tv_sec = PATIENCE / 1000};
  setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  shutdown(connection->fd, SHUT_WR);
  while (recv(connection->fd, connection->back, MESSAGE, 0) > 0) {
  }
  close(connection->fd);
}

/* Takes what came; true when a whole message is back, and the next one sent. */
static bool receive(struct connection *connection) {
  errno = 0;
  ssize_t n = recv(connection->fd, connection->back + connection->got, MESSAGE - connection->got,
                   MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN)
    return false;
  if (n <= 0)
    fail(n == 0 ? "the server closed a connection" : "recv");
  connection->got += (size_t)n;
  if (connection->got < MESSAGE)
    return false;
  if (memcmp(connection->sent, connection->back, MESSAGE) != 0)
    fail("the echo");
  send_message(connection);
  return true;
}

/* Keeps the messages going for a time; returns how many came back. */
static long drive(int epoll, double seconds) {
  struct epoll_event events[EVENTS];
  double end = now() + seconds;
  long messages = 0;
  while (now() < end) {
    errno = 0;
    int n = epoll_wait(epoll, events, EVENTS, PATIENCE);
    if (n <= 0)
      fail("the server does not answer");
    for (int i = 0; i < n; i++)
      messages += receive(events[i].data.ptr);
  }
  return messages;
}

static double larger(double a, double b) {
  return a > b ? a : b;
}

static void measure(int epoll, int pid, double seconds) {
  double rate = 0, efficiency = 0;
  drive(epoll, WARM_UP / 1000.0);
  for (int i = 0; i < ROUNDS; i++) {
    double wall = now(), cpu = server_time(pid);
    long messages = drive(epoll, seconds);
    wall = now() - wall;
    cpu = server_time(pid) - cpu;
    rate = larger(rate, (double)messages / wall);
    if (cpu > 0)
      efficiency = larger(efficiency, (double)messages / cpu);
  }
  printf("RESULT echo_per_s %.6g msg/s\n", rate);
  printf("RESULT echo_per_cpu_s %.6g msg/cpu-s\n", efficiency);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fputs("usage: echo_load PORT PID [MILLISECONDS [CONNECTIONS]]\n", stderr);
    return 2;
  }
  int milliseconds = argc > 3 ? atoi(argv[3]) : 1000;
  int count = argc > 4 ? atoi(argv[4]) : 64;
  struct connection *connections = calloc((size_t)count, sizeof *connections);
  int epoll = epoll_create1(0);
  if (!connections || epoll < 0)
    fail("start");
  for (int i = 0; i < count; i++)
    open_connection(&connections[i], atoi(argv[1]), epoll);
  measure(epoll, atoi(argv[2]), milliseconds / 1000.0);
  for (int i = 0; i < count; i++)
    close_connection(&connections[i]);
  free(connections);
  return 0;
}
