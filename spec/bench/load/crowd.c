#include "crowd.h"

#include "process.h"
#include "report.h"
#include "socket.h"
#include "websocket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, TICK = 20 };

#define PATIENCE 0.5
#define PAUSE 0.001

static struct crowd gather(int port, int count, int (*connect)(int port, int number)) {
  struct crowd crowd = {.count = count};
  crowd.fds = calloc((size_t)count, sizeof *crowd.fds);
  crowd.sent = calloc((size_t)count, sizeof *crowd.sent);
  if (!crowd.fds || !crowd.sent)
    report_failure("memory");
  for (int i = 0; i < count; i++)
    crowd.fds[i] = connect(port, i);
  return crowd;
}

static struct crowd shake_hands(struct crowd crowd) {
  for (int i = 0; i < crowd.count; i++)
    websocket_open(crowd.fds[i]);
  return crowd;
}

struct crowd crowd_connect(int port, int count) {
  return gather(port, count, socket_connect);
}

struct crowd crowd_connect_narrow(int port, int count) {
  return gather(port, count, socket_connect_narrow);
}

struct crowd crowd_open(int port, int count) {
  return shake_hands(crowd_connect(port, count));
}

struct crowd crowd_open_narrow(int port, int count) {
  return shake_hands(crowd_connect_narrow(port, count));
}

/* --- Sending -------------------------------------------------------------------- */

void crowd_send(const struct crowd *crowd, const void *bytes, size_t size) {
  for (int i = 0; i < crowd->count; i++)
    socket_send(crowd->fds[i], bytes, size);
}

void crowd_shut(const struct crowd *crowd) {
  for (int i = 0; i < crowd->count; i++)
    shutdown(crowd->fds[i], SHUT_WR);
}

/* What the kernel takes of one round of the bytes, from where the last one ended. */
static size_t send_round(int fd, const char *bytes, size_t size, size_t sent, size_t most) {
  size_t start = sent % size, rest = size - start;
  if (rest > most - sent)
    rest = most - sent;
  ssize_t n = rest > 0 ? send(fd, bytes + start, rest, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
  return n > 0 ? (size_t)n : 0;
}

static size_t send_rounds(const struct crowd *crowd, const void *bytes, size_t size, size_t most) {
  size_t taken = 0;
  for (int i = 0; i < crowd->count; i++) {
    size_t n = send_round(crowd->fds[i], bytes, size, crowd->sent[i], most);
    crowd->sent[i] += n;
    taken += n;
  }
  return taken;
}

size_t crowd_flood(const struct crowd *crowd, const void *bytes, size_t size, size_t most) {
  double last = process_now();
  size_t total = 0;
  while (total < most * (size_t)crowd->count && process_now() - last < PATIENCE) {
    size_t taken = send_rounds(crowd, bytes, size, most);
    total += taken;
    if (taken > 0)
      last = process_now();
    else
      process_sleep(PAUSE);
  }
  return total;
}

/* --- Receiving ------------------------------------------------------------------ */

/* Takes what is there, at most so much. */
static size_t take_some(int fd, size_t most) {
  static char chunk[CHUNK];
  size_t taken = 0;
  ssize_t n = 1;
  while (n > 0 && taken < most) {
    size_t size = most - taken < sizeof chunk ? most - taken : sizeof chunk;
    n = recv(fd, chunk, size, MSG_DONTWAIT);
    if (n > 0)
      taken += (size_t)n;
  }
  return taken;
}

size_t crowd_take_back(const struct crowd *crowd, size_t size, size_t back, double seconds) {
  double end = process_now() + seconds;
  size_t *due = calloc((size_t)crowd->count, sizeof *due), missing = 1;
  if (!due)
    report_failure("memory");
  for (int i = 0; i < crowd->count; i++)
    due[i] = crowd->sent[i] / size * back;
  while (missing > 0 && process_now() < end) {
    missing = 0;
    for (int i = 0; i < crowd->count; i++) {
      due[i] -= take_some(crowd->fds[i], due[i]);
      missing += due[i];
    }
    process_sleep(PAUSE);
  }
  free(due);
  return missing;
}

/* --- The end -------------------------------------------------------------------- */

/* Takes what is there; whether that was the end. */
static int take(int fd) {
  static char chunk[CHUNK];
  ssize_t n = 1;
  while (n > 0)
    n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
  return n == 0 || errno != EAGAIN;
}

static int take_all(struct crowd *crowd, const struct pollfd *polled) {
  int left = 0;
  for (int i = 0; i < crowd->count; i++) {
    if (polled[i].fd >= 0 && polled[i].revents && take(polled[i].fd)) {
      close(polled[i].fd);
      crowd->fds[i] = -1;
    }
    left += crowd->fds[i] >= 0;
  }
  return left;
}

int crowd_await_end(struct crowd *crowd, double seconds) {
  double end = process_now() + seconds;
  struct pollfd *polled = calloc((size_t)crowd->count, sizeof *polled);
  int left = crowd->count;
  if (!polled)
    report_failure("memory");
  while (left > 0 && process_now() < end) {
    for (int i = 0; i < crowd->count; i++)
      polled[i] = (struct pollfd){.fd = crowd->fds[i], .events = POLLIN};
    poll(polled, (nfds_t)crowd->count, TICK);
    left = take_all(crowd, polled);
  }
  free(polled);
  return left;
}

static void end_all(struct crowd *crowd, void (*end)(int fd)) {
  for (int i = 0; i < crowd->count; i++)
    if (crowd->fds[i] >= 0)
      end(crowd->fds[i]);
  free(crowd->fds);
  free(crowd->sent);
  *crowd = (struct crowd){0};
}

static void close_one(int fd) {
  close(fd);
}

void crowd_close(struct crowd *crowd) {
  end_all(crowd, close_one);
}

void crowd_reset(struct crowd *crowd) {
  end_all(crowd, socket_reset);
}
