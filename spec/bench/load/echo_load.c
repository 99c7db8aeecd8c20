/* Load for a TCP echo server on 127.0.0.1: CONNECTIONS connections with one
 * 64-byte message in flight on each. After a warm-up it measures five rounds of
 * MILLISECONDS and prints the best figures: messages per second, and per second
 * of processor time of the server (PID, all its threads).
 *
 * usage: echo_load PORT PID [MILLISECONDS [CONNECTIONS]] */
#include "meter.h"
#include "process.h"
#include "report.h"
#include "socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUNDS = 5, WARM_UP = 1000, MESSAGE = 64, EVENTS = 64 };

struct connection {
  int fd;
  size_t got;
  char sent[MESSAGE];
  char back[MESSAGE];
};

static void send_message(struct connection *connection) {
  connection->got = 0;
  connection->sent[0]++;
  socket_send(connection->fd, connection->sent, MESSAGE);
}

static void open_connection(struct connection *connection, int port, int epoll) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  connection->fd = socket_connect(port, 0);
  memset(connection->sent, 'x', MESSAGE);
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
    report_failure("epoll_ctl");
  send_message(connection);
}

/* Takes the last echo and sees the server close, so that it meets no reset. */
static void close_connection(struct connection *connection) {
  shutdown(connection->fd, SHUT_WR);
  socket_await_end(connection->fd);
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
    report_failure(n == 0 ? "the server closed a connection" : "recv");
  connection->got += (size_t)n;
  if (connection->got < MESSAGE)
    return false;
  if (memcmp(connection->sent, connection->back, MESSAGE) != 0)
    report_failure("the echo");
  send_message(connection);
  return true;
}

/* Keeps the messages going for a time; returns how many came back. */
static long drive(int epoll, double seconds) {
  struct epoll_event events[EVENTS];
  double end = process_now() + seconds;
  long messages = 0;
  while (process_now() < end) {
    errno = 0;
    int n = epoll_wait(epoll, events, EVENTS, SOCKET_PATIENCE * 1000);
    if (n <= 0)
      report_failure("the server does not answer");
    for (int i = 0; i < n; i++)
      messages += receive(events[i].data.ptr);
  }
  return messages;
}

static void measure(int epoll, int pid, double seconds) {
  struct meter meter = {.pid = pid};
  drive(epoll, WARM_UP / 1000.0);
  for (int i = 0; i < ROUNDS; i++) {
    meter_start(&meter);
    meter_stop(&meter, drive(epoll, seconds));
  }
  meter_report(&meter, "echo");
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
    report_failure("start");
  for (int i = 0; i < count; i++)
    open_connection(&connections[i], atoi(argv[1]), epoll);
  measure(epoll, atoi(argv[2]), milliseconds / 1000.0);
  for (int i = 0; i < count; i++)
    close_connection(&connections[i]);
  free(connections);
  return 0;
}
