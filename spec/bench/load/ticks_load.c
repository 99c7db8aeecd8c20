/* Source of newline JSON ticks on 127.0.0.1: sends COUNT ticks to each client
 * that connects, as fast as it reads them, and closes. The ticks are rendered
 * once, 10,000 different ones. One client at a time. Prints `PORT n` and
 * serves until it is ended, at most ten minutes.
 *
 * usage: ticks_load COUNT */
#include "report.h"
#include "socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TICKS = 10000, LONGEST = 160, LIFETIME = 600 };

struct ticks {
  char text[TICKS * LONGEST];
  size_t end[TICKS + 1]; /* where tick i begins; that is where i - 1 ends */
};

static struct ticks ticks;

/* The same small numbers at each run; below `limit`. */
static unsigned draw(unsigned limit) {
  static unsigned long long state = 88172645463325252ULL;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (unsigned)(state % limit);
}

static const char *word(unsigned truth) {
  return truth ? "true" : "false";
}

static void render(void) {
  unsigned millis = 0;
  for (unsigned i = 0; i < TICKS; i++) {
    char *at = ticks.text + ticks.end[i];
    millis += draw(50);
    int n = snprintf(at, LONGEST,
                     "{\"ts\":%u.%03u,\"seq\":%u,\"is_trade\":%s,"
                     "\"is_bid\":%s,\"price\":0.0%u,\"size\":%u.%07u}\n",
                     1505177459 + millis / 1000, millis % 1000, 139010 + i, word(draw(4) == 0),
                     word(draw(2)), 700000 + draw(9999), draw(20), draw(10000000));
    ticks.end[i + 1] = ticks.end[i] + (size_t)n;
  }
}

/* Sends it all; -1 when the client is gone. */
static int send_all(int client, const char *text, size_t size) {
  while (size > 0) {
    ssize_t n = send(client, text, size, MSG_NOSIGNAL);
    if (n <= 0)
      return -1;
    text += n;
    size -= (size_t)n;
  }
  return 0;
}

static void serve(int client, long count) {
  while (count > 0) {
    long part = count < TICKS ? count : TICKS;
    if (send_all(client, ticks.text, ticks.end[part]) < 0)
      break;
    count -= part;
  }
  close(client);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fputs("usage: ticks_load COUNT\n", stderr);
    return 2;
  }
  alarm(LIFETIME);
  render();
  int server = socket_listen();
  for (;;) {
    int client = accept(server, NULL, NULL);
    if (client < 0)
      report_failure("accept");
    serve(client, atol(argv[1]));
  }
}
