/* What idle WebSockets take of the server's memory: opens COUNT of them, three times over, and lets
 * half of them close and half vanish. Prints for each, as bytes: the growth of the resident
 * memory; the part of that which the objects of the server's language take, where it tells;
 * the rest; and what stays 20 s after all have gone, during which nobody asks the server for
 * anything: it must be a fifth at the most. The third time must not take more than the
 * second did: that would be a leak. The first is none to compare with, for leaving makes
 * garbage too.
 *
 * usage: ws_idle PORT PID [COUNT [lenient]] */
#include "counter.h"
#include "process.h"
#include "report.h"
#include "socket.h"
#include "websocket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
  TOLERANCE = 50
}; /* per mille by which the objects of the third time may be above the second */

#define SECONDS_TO_GO 20.0
#define SECONDS_TO_SETTLE 0.3
#define SECONDS_TO_GIVE_BACK 20.0

enum { MOST_LEFT = 5 }; /* the part of the growth that may stay: one in so many */

struct server {
  int port, pid;
  int asker; /* a connection to ask it by */
  int descriptors;
};

struct memory {
  double resident, heap;
};

/* Heap first: asking collects the garbage. */
static struct memory memory_of(const struct server *server) {
  struct memory memory;
  memory.heap = counter_heap(server->asker);
  process_sleep(SECONDS_TO_SETTLE);
  memory.resident = process_resident(server->pid);
  return memory;
}

static void open_all(const struct server *server, int *fds, int count) {
  for (int i = 0; i < count; i++) {
    fds[i] = socket_connect(server->port, i);
    websocket_open(fds[i]);
  }
  errno = 0;
  int there = process_descriptors(server->pid) - server->descriptors;
  if (there < count)
    report_failure("the server has %d of %d connections", there, count);
}

static void leave_all(const struct server *server, const int *fds, int count) {
  for (int i = 0; i < count; i++) {
    if (i % 2)
      websocket_close(fds[i]);
    else
      close(fds[i]);
  }
  int rest = process_wait_descriptors(server->pid, server->descriptors, SECONDS_TO_GO);
  errno = 0;
  if (rest > server->descriptors)
    report_failure("%d connections stay in the server", rest - server->descriptors);
}

static void report_each(const char *name, double bytes, int count) {
  report_result(name, bytes / count, "B");
}

/* The memory when all have gone. */
static struct memory memory_after(const struct server *server) {
  struct memory memory;
  process_sleep(SECONDS_TO_GIVE_BACK);
  memory.resident = process_resident(server->pid);
  memory.heap = counter_heap(server->asker);
  return memory;
}

static void check_left(struct memory before, struct memory full, struct memory after) {
  double grown = full.resident - before.resident, left = after.resident - before.resident;
  report_expect(left * MOST_LEFT <= grown, "of %.0f bytes, %.0f are not given back", grown, left);
}

static void report_memory(struct memory before, struct memory full, struct memory after,
                          int count) {
  double heap = full.heap - before.heap, grown = full.resident - before.resident;
  report_each("idle_bytes", grown, count);
  if (before.heap > 0) {
    report_each("idle_heap_bytes", heap, count);
    report_each("idle_rest_bytes", grown - heap, count);
  }
  report_each("idle_left_bytes", after.resident - before.resident, count);
  if (before.heap > 0)
    report_each("idle_left_heap_bytes", after.heap - before.heap, count);
}

/* The memory while all are there, once more. */
static struct memory again(const struct server *server, int *fds, int count) {
  open_all(server, fds, count);
  struct memory memory = memory_of(server);
  leave_all(server, fds, count);
  return memory;
}

/* When garbage is collected is up to the language: the resident memory may vary a lot. */
static void check_again(const struct server *server, int *fds, int count) {
  struct memory second = again(server, fds, count), third = again(server, fds, count);
  report_expect(third.heap * 1000 <= second.heap * (1000 + TOLERANCE),
                "objects grow with each time, from %.0f to %.0f bytes", second.heap, third.heap);
  report_expect(third.resident <= second.resident * 2,
                "memory grows with each time, from %.0f to %.0f bytes", second.resident,
                third.resident);
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fputs("usage: ws_idle PORT PID [COUNT [lenient]]\n", stderr);
    return 2;
  }
  int count = argc > 3 ? atoi(argv[3]) : 10000;
  struct server server = {.port = atoi(argv[1]), .pid = atoi(argv[2])};
  int *fds = calloc((size_t)count, sizeof *fds);
  if (argc > 4)
    report_be_lenient();
  socket_allow(count);
  if (!fds)
    report_failure("memory");
  server.asker = socket_connect(server.port, count);
  websocket_open(server.asker);
  struct memory before = memory_of(&server);
  server.descriptors = process_descriptors(server.pid);
  open_all(&server, fds, count);
  struct memory full = memory_of(&server);
  leave_all(&server, fds, count);
  struct memory after = memory_after(&server);
  check_again(&server, fds, count);
  report_memory(before, full, after, count);
  check_left(before, full, after);
  websocket_close(server.asker);
  free(fds);
  return 0;
}
