/* Bad peers of a WebSocket server that echoes and counts, one kind for each run, see trial.h.
 *
 * usage: ws_faults PORT PID NAME [quick|full [lenient]] */
#include "counter.h"
#include "crowd.h"
#include "process.h"
#include "report.h"
#include "slowloris.h"
#include "socket.h"
#include "trial.h"
#include "websocket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUICK = 10 }; /* how many times less */
enum { PEERS = 1000, SLOW = 100, FLOODERS = 8 };
enum { TOO_BIG = 1009, CONTROL_MAX = 125, FRAME_MAX = 32 * 1024 };

#define SECONDS_TO_END 5.0

/* How many times less than usual. Set once, by main. */
static int divisor = 1;

static int peers(int count) {
  return count / divisor;
}

/* The witness alone. */
static void run_quiet(int port) {
  (void)port;
  process_sleep(1);
}

/* --- Those who go ------------------------------------------------------------------ */

/* A text of 1,000 bytes; each leaves at another place in it. */
static void send_cut(const struct crowd *crowd) {
  static const char text[1000];
  char frame[sizeof text + WEBSOCKET_HEADER_MAX];
  size_t size = websocket_frame(frame, WEBSOCKET_TEXT, text, sizeof text);
  for (int i = 0; i < crowd->count; i++)
    socket_send(crowd->fds[i], frame, 1 + (size_t)i % (size - 1));
}

static void run_vanish(int port) {
  struct crowd crowd = crowd_open(port, peers(PEERS));
  send_cut(&crowd);
  crowd_close(&crowd);
}

static void run_reset(int port) {
  struct crowd crowd = crowd_open(port, peers(PEERS));
  send_cut(&crowd);
  crowd_reset(&crowd);
}

/* They have said all, or half, and still listen. */
static void run_half_close(int port) {
  char message[COUNTER_MESSAGE], frame[COUNTER_MESSAGE + WEBSOCKET_HEADER_MAX];
  struct crowd crowd = crowd_open(port, peers(PEERS));
  counter_write(message, 0, 1);
  size_t size = websocket_frame(frame, WEBSOCKET_TEXT, message, sizeof message);
  for (int i = 0; i < crowd.count; i++)
    socket_send(crowd.fds[i], frame, i % 2 ? size : size / 2);
  crowd_shut(&crowd);
  int left = crowd_await_end(&crowd, SECONDS_TO_END);
  report_expect(left == 0, "half-close: %d connections were not closed", left);
  crowd_close(&crowd);
}

/* They knock and run. */
static void run_knock(int port) {
  struct crowd crowd = crowd_connect(port, peers(PEERS));
  crowd_reset(&crowd);
}

/* --- Those who do not read ----------------------------------------------------------- */

/* Whether the newest ping was answered. Older answers may come before. */
static void await_pong(int fd, const char *payload, size_t size) {
  char answer[CONTROL_MAX];
  uint8_t first = 0;
  websocket_send(fd, WEBSOCKET_PING, payload, size);
  for (;;) {
    size_t n = websocket_receive(fd, &first, answer, sizeof answer);
    errno = 0;
    if (first != WEBSOCKET_PONG)
      report_failure("a frame that is no pong: 0x%02x", first);
    if (n == size && memcmp(answer, payload, size) == 0)
      return;
  }
}

static void run_pings(int port) {
  enum { PINGS = 2000000, ROUND = 128, PING = CONTROL_MAX + 6 };
  static const char payload[CONTROL_MAX];
  static const char newest[] = "the newest";
  char round[ROUND * PING];
  struct crowd crowd = crowd_open(port, FLOODERS);
  size_t most = (size_t)(peers(PINGS) / FLOODERS / ROUND) * sizeof round;
  for (int i = 0; i < ROUND; i++)
    websocket_frame(round + (ptrdiff_t)i * PING, WEBSOCKET_PING, payload, sizeof payload);
  size_t taken = crowd_flood(&crowd, round, sizeof round, most);
  report_expect(taken == most * FLOODERS, "pings: the server took %zu bytes of %zu", taken,
                most * FLOODERS);
  for (int i = 0; i < crowd.count && taken == most * FLOODERS; i++)
    await_pong(crowd.fds[i], newest, sizeof newest - 1);
  crowd_close(&crowd);
}

/* They want echoes, up to 20 MiB each, and read none until the server takes no more. */
static void run_slow_echo(int port) {
  enum { MESSAGE = 16 * 1024, FRAME = MESSAGE + 8, BACK = MESSAGE + 4, MOST = 20 * 1024 * 1024 };
  static char text[MESSAGE], frame[FRAME];
  struct crowd crowd = crowd_open_narrow(port, peers(SLOW) / 2);
  memset(text, 'e', sizeof text);
  websocket_frame(frame, WEBSOCKET_TEXT, text, sizeof text);
  size_t taken = crowd_flood(&crowd, frame, FRAME, MOST / FRAME * FRAME);
  report_expect(taken < (size_t)MOST * 3 / 4 * (size_t)crowd.count,
                "slow echo: the server took %zu bytes of each, which it must keep",
                taken / (size_t)crowd.count);
  size_t missing = crowd_take_back(&crowd, FRAME, BACK, SECONDS_TO_END);
  report_expect(missing == 0, "slow echo: %zu bytes of the echoes were lost", missing);
  crowd_reset(&crowd);
}

/* Takes what is broadcast, then the answer. */
static void await_broadcast(int fd, int count, size_t size, char answer[COUNTER_ANSWER]) {
  static char payload[FRAME_MAX];
  uint8_t first;
  int got = 0;
  size_t n;
  while ((n = websocket_receive(fd, &first, payload, sizeof payload)) == size)
    got++;
  errno = 0;
  if (got != count)
    report_failure("%d of %d broadcasts came to one who reads", got, count);
  snprintf(answer, COUNTER_ANSWER, "%.*s", (int)n, payload);
}

/* Subscribers who never read, and one who does and has to get everything. */
static void run_slow_broadcast(int port) {
  enum { MESSAGE = 16 * 1024, MESSAGES = 500 };
  char answer[COUNTER_ANSWER], order[COUNTER_ANSWER];
  static const char subscribe[] = "?subscribe";
  int reader = socket_connect(port, 0), count = peers(MESSAGES), sent = -1, skipped = -1;
  struct crowd crowd = crowd_open_narrow(port, peers(SLOW));
  websocket_open(reader);
  for (int i = 0; i < crowd.count; i++)
    counter_ask(crowd.fds[i], subscribe, answer);
  counter_ask(reader, subscribe, answer);
  int size = snprintf(order, sizeof order, "?broadcast %d %d", count, MESSAGE);
  websocket_send(reader, WEBSOCKET_TEXT, order, (size_t)size);
  await_broadcast(reader, count, MESSAGE, answer);
  errno = 0;
  if (sscanf(answer, "%d %d", &sent, &skipped) != 2 || sent + skipped != count * (crowd.count + 1))
    report_failure("of %d broadcasts to %d: %s", count, crowd.count + 1, answer);
  websocket_close(reader);
  crowd_reset(&crowd);
}

/* --- Those who are slow ---------------------------------------------------------------- */

static void run_slowloris(int port) {
  static const char head[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nX: ";
  struct slowloris seen = slowloris_run(port, peers(PEERS), head, 14);
  report_expect(seen.left == 0, "slowloris: %d were not dropped within 14 s", seen.left);
  report_expect(seen.left > 0 || seen.first > 9, "slowloris: dropped after %.1f s, not 10",
                seen.first);
  report_result("slowloris_left", seen.left, "connections");
}

/* --- Those who break the rules ----------------------------------------------------------- */

/* Stops at the first who was not, for each takes some seconds. */
static void expect_closed(const struct crowd *crowd, int code, const char *what) {
  for (int i = 0; i < crowd->count; i++) {
    int got = websocket_await_close(crowd->fds[i]);
    report_expect(got == code, "%s: closed with %d, not %d", what, got, code);
    if (got != code)
      return;
  }
}

/* Half of them declare more than there is, the others a little less than they may, and send
 * next to nothing of it. */
static void run_huge(int port) {
  enum { MOST = 1024 * 1024, SENT = 1000 };
  uint8_t header[WEBSOCKET_HEADER_MAX + SENT] = {0};
  struct crowd crowd = crowd_open(port, peers(PEERS) / 2);
  struct crowd modest = crowd_open(port, peers(PEERS) / 2);
  size_t size = websocket_header(header, WEBSOCKET_BINARY, MOST - 1, true);
  crowd_send(&modest, header, size + SENT);
  size = websocket_header(header, WEBSOCKET_BINARY, (uint64_t)1 << 62, true);
  crowd_send(&crowd, header, size);
  expect_closed(&crowd, TOO_BIG, "huge length");
  crowd_close(&crowd);
  crowd_close(&modest);
}

/* A message of 20,000 empty fragments. */
static void run_fragments(int port) {
  enum { FRAGMENTS = 20000, ROUND = 1000, FRAME = 6, BEGIN = 0x01, MORE = 0x00 };
  char first[WEBSOCKET_HEADER_MAX], round[ROUND * FRAME];
  struct crowd crowd = crowd_open(port, peers(SLOW));
  size_t size = websocket_frame(first, BEGIN, "", 0);
  for (int i = 0; i < ROUND; i++)
    websocket_frame(round + (ptrdiff_t)i * FRAME, MORE, "", 0);
  crowd_send(&crowd, first, size);
  crowd_flood(&crowd, round, sizeof round, (size_t)FRAGMENTS * FRAME);
  expect_closed(&crowd, TOO_BIG, "fragments");
  crowd_close(&crowd);
}

/* Half of them instead of a handshake, the others after it. */
static void run_garbage(int port) {
  enum { SIZE = 20000, MILLISECONDS = 10 };
  char garbage[SIZE];
  struct crowd strangers = crowd_connect(port, peers(PEERS) / 2);
  struct crowd crowd = crowd_open(port, peers(PEERS) / 2);
  srand(1);
  for (int i = 0; i < crowd.count; i++) {
    for (int k = 0; k < SIZE; k++)
      garbage[k] = (char)rand();
    socket_try_send(strangers.fds[i], garbage, SIZE, MILLISECONDS);
    socket_try_send(crowd.fds[i], garbage, SIZE, MILLISECONDS);
  }
  crowd_shut(&crowd);
  crowd_shut(&strangers);
  int left = crowd_await_end(&crowd, SECONDS_TO_END);
  left += crowd_await_end(&strangers, SECONDS_TO_END);
  report_expect(left == 0, "garbage: %d connections were not closed", left);
  crowd_close(&crowd);
  crowd_close(&strangers);
}

/* --- Main ---------------------------------------------------------------------------------- */

static const struct trial trials[] = {
    {"quiet", run_quiet, 4, false},           {"vanish", run_vanish, 32, false},
    {"reset", run_reset, 32, false},          {"half_close", run_half_close, 32, false},
    {"knock", run_knock, 32, false},          {"pings", run_pings, 16, false},
    {"slow_echo", run_slow_echo, 128, false}, {"slow_broadcast", run_slow_broadcast, 32, false},
    {"slowloris", run_slowloris, 32, true},   {"huge", run_huge, 32, false},
    {"fragments", run_fragments, 32, false},  {"garbage", run_garbage, 64, false},
};

static const struct trial *find(const char *name) {
  for (size_t i = 0; i < sizeof trials / sizeof *trials; i++)
    if (strcmp(trials[i].name, name) == 0)
      return &trials[i];
  errno = 0;
  report_failure("there is no fault %s", name);
}

static void exchange(int fd, long number) {
  counter_exchange(fd, 0, number);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fputs("usage: ws_faults PORT PID NAME [quick|full [lenient]]\n", stderr);
    return 2;
  }
  struct service service = {.port = atoi(argv[1]),
                            .pid = atoi(argv[2]),
                            .open = websocket_open,
                            .exchange = exchange,
                            .heap = counter_heap};
  if (argc > 4 && strcmp(argv[4], "quick") == 0)
    divisor = QUICK;
  if (argc > 5)
    report_be_lenient();
  socket_allow(2 * PEERS);
  trial_hold(find(argv[3]), &service);
  return 0;
}
