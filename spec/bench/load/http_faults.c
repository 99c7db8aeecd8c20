/* Bad clients of an HTTP server that says hello, one kind for each run, see trial.h.
 *
 * usage: http_faults PORT PID NAME [quick|full [lenient]] */
#include "crowd.h"
#include "hello.h"
#include "process.h"
#include "report.h"
#include "slowloris.h"
#include "socket.h"
#include "trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUICK = 10 }; /* how many times less */
enum { PEERS = 1000, SLOW = 100 };
enum { BAD_REQUEST = 400, TOO_LARGE = 413, HEAD_TOO_LARGE = 431, OK = 200 };

#define SECONDS_TO_END 5.0

static const char get[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

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

/* A request with a body, of which each sends another part. */
static void send_cut(const struct crowd *crowd) {
  static const char request[] = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
                                "the beginning of a body of which the rest does not come";
  for (int i = 0; i < crowd->count; i++)
    socket_send(crowd->fds[i], request, 1 + (size_t)i % (sizeof request - 1));
}

static void run_vanish(int port) {
  struct crowd crowd = crowd_connect(port, peers(PEERS));
  send_cut(&crowd);
  crowd_close(&crowd);
}

static void run_reset(int port) {
  struct crowd crowd = crowd_connect(port, peers(PEERS));
  send_cut(&crowd);
  crowd_reset(&crowd);
}

/* They have asked, say that they will ask no more, and wait for the answer. */
static void run_half_close(int port) {
  char body[HELLO_BODY];
  struct crowd crowd = crowd_connect(port, peers(PEERS));
  crowd_send(&crowd, get, sizeof get - 1);
  crowd_shut(&crowd);
  for (int i = 0; i < crowd.count; i++) {
    int status = hello_take(crowd.fds[i], body);
    report_expect(status == OK, "half-close: answered with %d", status);
  }
  int left = crowd_await_end(&crowd, SECONDS_TO_END);
  report_expect(left == 0, "half-close: %d connections were not closed", left);
  crowd_close(&crowd);
}

/* They knock and run. */
static void run_knock(int port) {
  struct crowd crowd = crowd_connect(port, peers(PEERS));
  crowd_reset(&crowd);
}

/* --- Those who are slow -------------------------------------------------------------- */

static void run_slowloris(int port) {
  static const char head[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/plain\r\nX: ";
  struct slowloris seen = slowloris_run(port, peers(PEERS), head, 14);
  report_expect(seen.left == 0, "slowloris: %d were not dropped within 14 s", seen.left);
  report_expect(seen.left > 0 || seen.first > 9, "slowloris: dropped after %.1f s, not 10",
                seen.first);
  report_result("slowloris_left", seen.left, "connections");
}

/* They ask for a mebibyte again and again, and read nothing. */
static void run_slow_read(int port) {
  static const char big[] = "GET /big HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  enum { REQUESTS = 1000 };
  struct crowd crowd = crowd_connect_narrow(port, peers(SLOW));
  crowd_flood(&crowd, big, sizeof big - 1, (sizeof big - 1) * REQUESTS);
  process_sleep(1);
  crowd_reset(&crowd);
}

/* --- Those who break the rules ------------------------------------------------------------ */

static void expect_status(struct crowd *crowd, int status, const char *what) {
  char body[HELLO_BODY];
  bool good = true;
  for (int i = 0; good && i < crowd->count; i++) {
    int got = hello_take(crowd->fds[i], body);
    good = got == status;
    report_expect(good, "%s: answered with %d, not %d", what, got, status);
  }
  crowd_close(crowd);
}

static void run_huge_body(int port) {
  static const char request[] = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                "Content-Length: 4611686018427387904\r\n\r\nx";
  struct crowd crowd = crowd_connect(port, peers(PEERS));
  crowd_send(&crowd, request, sizeof request - 1);
  expect_status(&crowd, TOO_LARGE, "huge body");
}

static void run_huge_head(int port) {
  static const char field[] = "X-Field: 0123456789012345678901234567890123456789012345678\r\n";
  enum { SIZE = 1000 * (sizeof field - 1) };
  struct crowd crowd = crowd_connect(port, peers(SLOW));
  crowd_send(&crowd, get, sizeof get - 3);
  crowd_flood(&crowd, field, sizeof field - 1, SIZE);
  expect_status(&crowd, HEAD_TOO_LARGE, "huge head");
}

static void run_garbage(int port) {
  enum { SIZE = 20000, MILLISECONDS = 10 };
  char garbage[SIZE];
  struct crowd crowd = crowd_connect(port, peers(PEERS));
  srand(1);
  for (int i = 0; i < crowd.count; i++) {
    for (int k = 0; k < SIZE; k++)
      garbage[k] = (char)rand();
    socket_try_send(crowd.fds[i], garbage, SIZE, MILLISECONDS);
  }
  crowd_shut(&crowd);
  int left = crowd_await_end(&crowd, SECONDS_TO_END);
  report_expect(left == 0, "garbage: %d connections were not closed", left);
  crowd_close(&crowd);
}

/* --- Main ---------------------------------------------------------------------------------- */

static const struct trial trials[] = {
    {"quiet", run_quiet, 4, false},           {"vanish", run_vanish, 32, false},
    {"reset", run_reset, 32, false},          {"half_close", run_half_close, 32, false},
    {"knock", run_knock, 32, false},          {"slowloris", run_slowloris, 32, true},
    {"slow_read", run_slow_read, 256, false}, {"huge_body", run_huge_body, 32, false},
    {"huge_head", run_huge_head, 32, false},  {"garbage", run_garbage, 64, false},
};

static const struct trial *find(const char *name) {
  for (size_t i = 0; i < sizeof trials / sizeof *trials; i++)
    if (strcmp(trials[i].name, name) == 0)
      return &trials[i];
  errno = 0;
  report_failure("there is no fault %s", name);
}

/* A connection is ready as it is. */
static void open_hello(int fd) {
  (void)fd;
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fputs("usage: http_faults PORT PID NAME [quick|full [lenient]]\n", stderr);
    return 2;
  }
  struct service service = {.port = atoi(argv[1]),
                            .pid = atoi(argv[2]),
                            .open = open_hello,
                            .exchange = hello_exchange,
                            .heap = hello_heap};
  if (argc > 4 && strcmp(argv[4], "quick") == 0)
    divisor = QUICK;
  if (argc > 5)
    report_be_lenient();
  socket_allow(2 * PEERS);
  trial_hold(find(argv[3]), &service);
  return 0;
}
