/* COUNT clients of a WebSocket echo server that counts, all at once, each with one message of
 * 64 bytes in flight, for MILLISECONDS after a warm-up. Every message is counted and looked at
 * on both sides: the client compares each byte that comes, the server each number; at the end
 * what was sent, what the server got and what came back must be the same messages, each once.
 * Prints messages per second, and per second of processor time of the server (PID), and how
 * long the round trips took.
 *
 * usage: ws_crowd PORT PID [MILLISECONDS [COUNT]] */
#include "counter.h"
#include "histogram.h"
#include "meter.h"
#include "process.h"
#include "report.h"
#include "socket.h"
#include "websocket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, ECHO = 2 + COUNTER_MESSAGE, WARM_UP = 1000 };

struct client {
  int fd, name;
  long number; /* of the message in flight, or of the last one */
  double sent; /* when */
  size_t got;
  char echo[2 * ECHO]; /* longer, so as to see what comes too much */
};

struct load {
  struct client *clients;
  int count, epoll, in_flight;
  bool stopping, measuring;
  long messages; /* that came back while measuring */
  struct histogram times;
};

static void send_next(struct load *load, struct client *client) {
  char message[COUNTER_MESSAGE];
  client->number++;
  client->got = 0;
  counter_write(message, client->name, client->number);
  client->sent = process_now();
  websocket_send(client->fd, WEBSOCKET_TEXT, message, sizeof message);
  load->in_flight++;
}

static void check_echo(const struct client *client) {
  char expected[ECHO];
  websocket_header((uint8_t *)expected, WEBSOCKET_TEXT, COUNTER_MESSAGE, false);
  counter_write(expected + 2, client->name, client->number);
  errno = 0;
  if (client->got > ECHO || memcmp(client->echo, expected, ECHO) != 0)
    report_failure("the echo of message %ld of client %d", client->number, client->name);
}

static void take_echo(struct load *load, struct client *client) {
  check_echo(client);
  load->in_flight--;
  if (load->measuring) {
    histogram_add(&load->times, process_now() - client->sent);
    load->messages++;
  }
  if (!load->stopping)
    send_next(load, client);
}

static void receive(struct load *load, struct client *client) {
  errno = 0;
  ssize_t n =
      recv(client->fd, client->echo + client->got, sizeof client->echo - client->got, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN)
    return;
  if (n <= 0)
    report_failure("client %d, message %ld: no echo", client->name, client->number);
  client->got += (size_t)n;
  if (client->got >= ECHO)
    take_echo(load, client);
}

static void serve_events(struct load *load) {
  struct epoll_event events[EVENTS];
  errno = 0;
  int n = epoll_wait(load->epoll, events, EVENTS, SOCKET_PATIENCE * 1000);
  if (n <= 0)
    report_failure("the server does not answer; %d messages in flight", load->in_flight);
  for (int i = 0; i < n; i++)
    receive(load, events[i].data.ptr);
}

static void run_for(struct load *load, double seconds) {
  double end = process_now() + seconds;
  while (process_now() < end)
    serve_events(load);
}

static void open_clients(struct load *load, int port) {
  for (int i = 0; i < load->count; i++) {
    struct client *client = &load->clients[i];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    client->name = i;
    client->fd = socket_connect(port, i);
    websocket_open(client->fd);
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
      report_failure("epoll_ctl");
  }
  for (int i = 0; i < load->count; i++)
    send_next(load, &load->clients[i]);
}

static void measure(struct load *load, int pid, double seconds) {
  run_for(load, WARM_UP / 1000.0);
  struct meter meter = {.pid = pid};
  meter_start(&meter);
  load->measuring = true;
  run_for(load, seconds);
  load->measuring = false;
  meter_stop(&meter, load->messages);
  meter_report(&meter, "crowd");
  report_result("crowd_p50_ms", histogram_quantile(&load->times, 0.5) * 1e3, "ms");
  report_result("crowd_p99_ms", histogram_quantile(&load->times, 0.99) * 1e3, "ms");
  report_result("crowd_max_ms", load->times.most * 1e3, "ms");
}

static void drain(struct load *load) {
  load->stopping = true;
  while (load->in_flight > 0)
    serve_events(load);
}

/* An echo that came twice would come before the server's Close. */
static void close_clients(const struct load *load) {
  for (int i = 0; i < load->count; i++) {
    uint8_t first, code[] = {1000 >> 8, 1000 & 0xff}, payload[COUNTER_MESSAGE];
    int fd = load->clients[i].fd;
    websocket_send(fd, WEBSOCKET_CLOSE, code, sizeof code);
    websocket_receive(fd, &first, payload, sizeof payload);
    errno = 0;
    if (first != WEBSOCKET_CLOSE)
      report_failure("client %d got a message too many", i);
    close(fd);
  }
}

static void compare_counts(const struct load *load, int port) {
  long messages = 0, sum = 0;
  for (int i = 0; i < load->count; i++) {
    long number = load->clients[i].number;
    messages += number;
    sum += number * (number + 1) / 2;
  }
  int fd = socket_connect(port, 0);
  websocket_open(fd);
  struct counter counter = counter_counts(fd);
  websocket_close(fd);
  errno = 0;
  if (counter.messages != messages || counter.sum != sum || counter.wrong != 0)
    report_failure("%ld messages were sent with a sum of %ld; the server got %ld with %ld, of "
                   "which %ld out of order",
                   messages, sum, counter.messages, counter.sum, counter.wrong);
  report_result("crowd_messages", (double)messages, "messages");
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fputs("usage: ws_crowd PORT PID [MILLISECONDS [COUNT]]\n", stderr);
    return 2;
  }
  static struct load load;
  int port = atoi(argv[1]), milliseconds = argc > 3 ? atoi(argv[3]) : 3000;
  load.count = argc > 4 ? atoi(argv[4]) : 1000;
  load.clients = calloc((size_t)load.count, sizeof *load.clients);
  load.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (!load.clients || load.epoll < 0)
    report_failure("start");
  socket_allow(load.count);
  open_clients(&load, port);
  measure(&load, atoi(argv[2]), milliseconds / 1000.0);
  drain(&load);
  close_clients(&load);
  compare_counts(&load, port);
  close(load.epoll);
  free(load.clients);
  return 0;
}
