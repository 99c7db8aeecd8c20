/* Load for a WebSocket echo server on 127.0.0.1: text messages, of which each connection
 * has so many in flight. The mixes are run one after the other; for each, after a
 * warm-up, five rounds of MILLISECONDS are measured and the best figures printed:
 * messages per second, and per second of processor time of the server (PID, all its
 * threads).
 *
 * What a connection sends, and what has to come back, repeats itself after as many
 * messages as are in flight, which all differ. So both are prepared, twice in a row:
 * from any place within the first period, one more period can be sent, or compared,
 * at once. Every byte that comes is compared. The mask is the same for all frames.
 *
 * usage: ws_load PORT PID [MILLISECONDS] */
#include "meter.h"
#include "process.h"
#include "report.h"
#include "socket.h"
#include "websocket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUNDS = 5, WARM_UP = 1000, CHUNK = 256 * 1024, EVENTS = 64 };

struct mix {
  const char *name;
  int connections, in_flight;
  size_t size;
};

static const struct mix mixes[] = {
    {"ws_64", 8, 64, 64},
    {"ws_1k", 8, 32, 1024},
    {"ws_64k", 4, 4, 65536},
    {"ws_single", 64, 1, 64},
};

/* Two periods of frames. */
struct pattern {
  char *bytes;
  size_t frame, period;
};

struct load {
  const struct mix *mix;
  struct pattern there, back;
  struct connection *connections;
  int epoll;
  bool stopping; /* no message follows the ones in flight */
};

struct connection {
  int fd;
  int in_flight;
  bool blocked;      /* waits to send */
  size_t sent, owed; /* place in `there`, and bytes that may be sent from it */
  size_t got;        /* place in `back` */
};

/* --- Frames --------------------------------------------------------------------- */

static void write_payload(char *to, size_t size, int number) {
  for (size_t i = 0; i < size; i++)
    to[i] = (char)('0' + ((size_t)number + i) % 64);
}

static struct pattern make_pattern(const struct mix *mix, bool masked) {
  uint8_t header[WEBSOCKET_HEADER_MAX];
  size_t header_size = websocket_header(header, WEBSOCKET_TEXT, mix->size, masked);
  struct pattern pattern = {.frame = header_size + mix->size};
  pattern.period = pattern.frame * (size_t)mix->in_flight;
  pattern.bytes = malloc(2 * pattern.period);
  if (!pattern.bytes)
    report_failure("memory");
  for (int i = 0; i < 2 * mix->in_flight; i++) {
    char *frame = pattern.bytes + pattern.frame * (size_t)i;
    memcpy(frame, header, header_size);
    write_payload(frame + header_size, mix->size, i % mix->in_flight);
    if (masked)
      websocket_mask(frame + header_size, mix->size);
  }
  return pattern;
}

/* --- Connections ---------------------------------------------------------------- */

static void watch(struct load *load, struct connection *connection, int operation) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (connection->blocked)
    event.events |= EPOLLOUT;
  if (epoll_ctl(load->epoll, operation, connection->fd, &event) < 0)
    report_failure("epoll_ctl");
}

/* Sends what is owed, as far as the kernel takes it. */
static void flush(struct load *load, struct connection *connection) {
  bool was_blocked = connection->blocked;
  connection->blocked = false;
  while (connection->owed > 0 && !connection->blocked) {
    ssize_t n = send(connection->fd, load->there.bytes + connection->sent, connection->owed,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN)
      report_failure("send");
    connection->blocked = n < 0;
    if (n > 0) {
      connection->owed -= (size_t)n;
      connection->sent = (connection->sent + (size_t)n) % load->there.period;
    }
  }
  if (connection->blocked != was_blocked)
    watch(load, connection, EPOLL_CTL_MOD);
}

/* Owes so many messages more. Never more than a period is owed. */
static void owe(struct load *load, struct connection *connection, int messages) {
  connection->in_flight += messages;
  connection->owed += load->there.frame * (size_t)messages;
  flush(load, connection);
}

static void open_connection(struct load *load, struct connection *connection, int port) {
  connection->fd = socket_connect(port, 0);
  websocket_open(connection->fd);
  watch(load, connection, EPOLL_CTL_ADD);
  owe(load, connection, load->mix->in_flight);
}

/* --- The load ------------------------------------------------------------------- */

static void compare(const struct load *load, const struct connection *connection, const char *bytes,
                    size_t size) {
  size_t place = connection->got;
  while (size > 0) {
    size_t n = size < load->back.period ? size : load->back.period;
    if (memcmp(load->back.bytes + place, bytes, n) != 0)
      report_failure("the echo");
    place = (place + n) % load->back.period;
    bytes += n;
    size -= n;
  }
}

/* Takes what came, and sends as many messages as are back; returns how many. */
static int receive(struct load *load, struct connection *connection) {
  static char chunk[CHUNK];
  errno = 0;
  ssize_t n = recv(connection->fd, chunk, CHUNK, MSG_DONTWAIT);
  if (n < 0 && errno == EAGAIN)
    return 0;
  if (n <= 0)
    report_failure(n == 0 ? "the server closed a connection" : "recv");
  compare(load, connection, chunk, (size_t)n);
  int messages = (int)((connection->got % load->back.frame + (size_t)n) / load->back.frame);
  connection->got = (connection->got + (size_t)n) % load->back.period;
  connection->in_flight -= messages;
  if (!load->stopping && messages > 0)
    owe(load, connection, messages);
  return messages;
}

static int serve_events(struct load *load) {
  struct epoll_event events[EVENTS];
  int messages = 0;
  errno = 0;
  int n = epoll_wait(load->epoll, events, EVENTS, SOCKET_PATIENCE * 1000);
  if (n <= 0)
    report_failure("the server does not answer");
  for (int i = 0; i < n; i++) {
    if (events[i].events & EPOLLOUT)
      flush(load, events[i].data.ptr);
    messages += receive(load, events[i].data.ptr);
  }
  return messages;
}

/* Keeps the messages going for a time; returns how many came back. */
static long drive(struct load *load, double seconds) {
  double end = process_now() + seconds;
  long messages = 0;
  while (process_now() < end)
    messages += serve_events(load);
  return messages;
}

static void drain(struct load *load) {
  load->stopping = true;
  for (int i = 0; i < load->mix->connections; i++)
    while (load->connections[i].in_flight > 0)
      serve_events(load);
}

static void measure(struct load *load, int pid, double seconds) {
  struct meter meter = {.pid = pid};
  drive(load, WARM_UP / 1000.0);
  for (int i = 0; i < ROUNDS; i++) {
    meter_start(&meter);
    meter_stop(&meter, drive(load, seconds));
  }
  meter_report(&meter, load->mix->name);
}

static void run_mix(const struct mix *mix, int port, int pid, double seconds) {
  struct load load = {.mix = mix, .epoll = epoll_create1(0)};
  load.there = make_pattern(mix, true);
  load.back = make_pattern(mix, false);
  load.connections = calloc((size_t)mix->connections, sizeof *load.connections);
  if (!load.connections || load.epoll < 0)
    report_failure("start");
  for (int i = 0; i < mix->connections; i++)
    open_connection(&load, &load.connections[i], port);
  measure(&load, pid, seconds);
  drain(&load);
  for (int i = 0; i < mix->connections; i++)
    websocket_close(load.connections[i].fd);
  close(load.epoll);
  free(load.connections);
  free(load.there.bytes);
  free(load.back.bytes);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fputs("usage: ws_load PORT PID [MILLISECONDS]\n", stderr);
    return 2;
  }
  int milliseconds = argc > 3 ? atoi(argv[3]) : 1000;
  for (size_t i = 0; i < sizeof mixes / sizeof *mixes; i++)
    run_mix(&mixes[i], atoi(argv[1]), atoi(argv[2]), milliseconds / 1000.0);
  return 0;
}
