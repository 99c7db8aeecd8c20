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
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, WARM_UP = 1000, CHUNK = 256 * 1024, EVENTS = 64, PATIENCE = 5000 };
enum { TEXT = 0x81, CLOSE = 0x88, MASKED = 0x80, HEADER_MAX = 14 };

static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};

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

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "ws_load: %s: %s\n", what, errno ? strerror(errno) : "not what was expected");
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

/* --- Frames --------------------------------------------------------------------- */

/* The header of a text message, with the key when it is masked; its size. */
static size_t write_header(uint8_t *header, size_t size, bool masked) {
  int extended = size < 126 ? 0 : size < 65536 ? 2 : 8;
  size_t n = 2;
  header[0] = TEXT;
  header[1] = (uint8_t)(extended == 0 ? size : extended == 2 ? 126 : 127);
  for (int i = extended - 1; i >= 0; i--)
    header[n++] = (uint8_t)((uint64_t)size >> (8 * i));
  if (!masked)
    return n;
  header[1] |= MASKED;
  memcpy(header + n, key, sizeof key);
  return n + sizeof key;
}

static void write_payload(char *to, size_t size, int number, bool masked) {
  for (size_t i = 0; i < size; i++) {
    char plain = (char)('0' + ((size_t)number + i) % 64);
    to[i] = masked ? (char)(plain ^ key[i % sizeof key]) : plain;
  }
}

static struct pattern make_pattern(const struct mix *mix, bool masked) {
  uint8_t header[HEADER_MAX];
  size_t header_size = write_header(header, mix->size, masked);
  struct pattern pattern = {.frame = header_size + mix->size};
  pattern.period = pattern.frame * (size_t)mix->in_flight;
  pattern.bytes = malloc(2 * pattern.period);
  if (!pattern.bytes)
    fail("memory");
  for (int i = 0; i < 2 * mix->in_flight; i++) {
    char *frame = pattern.bytes + pattern.frame * (size_t)i;
    memcpy(frame, header, header_size);
    write_payload(frame + header_size, mix->size, i % mix->in_flight, masked);
  }
  return pattern;
}

/* --- Connections ---------------------------------------------------------------- */

static void watch(struct load *load, struct connection *connection, int operation) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (connection->blocked)
    event.events |= EPOLLOUT;
  if (epoll_ctl(load->epoll, operation, connection->fd, &event) < 0)
    fail("epoll_ctl");
}

/* Sends what is owed, as far as the kernel takes it. */
static void flush(struct load *load, struct connection *connection) {
  bool was_blocked = connection->blocked;
  connection->blocked = false;
  while (connection->owed > 0 && !connection->blocked) {
    ssize_t n = send(connection->fd, load->there.bytes + connection->sent, connection->owed,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN)
      fail("send");
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

static void shake_hands(int fd) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  char head[4096] = "";
  size_t size = 0;
  if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1)
    fail("send");
  while (!strstr(head, "\r\n\r\n")) {
    if (size == sizeof head - 1 || recv(fd, head + size, 1, 0) != 1)
      fail("the head of the answer");
    size++;
  }
  errno = 0;
  if (strncmp(head, "HTTP/1.1 101 ", 13) != 0 || !strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    fail("the handshake");
}

static void open_connection(struct load *load, struct connection *connection, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct timeval patience = {.tv_sec = PATIENCE / 1000};
  int yes = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connection->fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0)
    fail("connect");
  shake_hands(connection->fd);
  watch(load, connection, EPOLL_CTL_ADD);
  owe(load, connection, load->mix->in_flight);
}

/* Says Close, and waits for the server to close the connection. */
static void close_connection(struct connection *connection) {
  uint8_t frame[8] = {CLOSE,  MASKED | 2, key[0],        key[1],
                      key[2], key[3],     0x03 ^ key[0], 0xe8 ^ key[1]};
  char rest[64];
  send(connection->fd, frame, sizeof frame, MSG_NOSIGNAL);
  while (recv(connection->fd, rest, sizeof rest, 0) > 0) {
  }
  close(connection->fd);
}

/* --- The load ------------------------------------------------------------------- */

static void compare(const struct load *load, const struct connection *connection, const char *bytes,
                    size_t size) {
  size_t place = connection->got;
  while (size > 0) {
    size_t n = size < load->back.period ? size : load->back.period;
    if (memcmp(load->back.bytes + place, bytes, n) != 0)
      fail("the echo");
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
    fail(n == 0 ? "the server closed a connection" : "recv");
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
  int n = epoll_wait(load->epoll, events, EVENTS, PATIENCE);
  if (n <= 0)
    fail("the server does not answer");
  for (int i = 0; i < n; i++) {
    if (events[i].events & EPOLLOUT)
      flush(load, events[i].data.ptr);
    messages += receive(load, events[i].data.ptr);
  }
  return messages;
}

/* Keeps the messages going for a time; returns how many came back. */
static long drive(struct load *load, double seconds) {
  double end = now() + seconds;
  long messages = 0;
  while (now() < end)
    messages += serve_events(load);
  return messages;
}

static void drain(struct load *load) {
  load->stopping = true;
  for (int i = 0; i < load->mix->connections; i++)
    while (load->connections[i].in_flight > 0)
      serve_events(load);
}

static double larger(double a, double b) {
  return a > b ? a : b;
}

static void measure(struct load *load, int pid, double seconds) {
  double rate = 0, efficiency = 0;
  drive(load, WARM_UP / 1000.0);
  for (int i = 0; i < ROUNDS; i++) {
    double wall = now(), cpu = server_time(pid);
    long messages = drive(load, seconds);
    wall = now() - wall;
    cpu = server_time(pid) - cpu;
    rate = larger(rate, (double)messages / wall);
    if (cpu > 0)
      efficiency = larger(efficiency, (double)messages / cpu);
  }
  printf("RESULT %s_per_s %.6g msg/s\n", load->mix->name, rate);
  printf("RESULT %s_per_cpu_s %.6g msg/cpu-s\n", load->mix->name, efficiency);
}

static void run_mix(const struct mix *mix, int port, int pid, double seconds) {
  struct load load = {.mix = mix, .epoll = epoll_create1(0)};
  load.there = make_pattern(mix, true);
  load.back = make_pattern(mix, false);
  load.connections = calloc((size_t)mix->connections, sizeof *load.connections);
  if (!load.connections || load.epoll < 0)
    fail("start");
  for (int i = 0; i < mix->connections; i++)
    open_connection(&load, &load.connections[i], port);
  measure(&load, pid, seconds);
  drain(&load);
  for (int i = 0; i < mix->connections; i++)
    close_connection(&load.connections[i]);
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
