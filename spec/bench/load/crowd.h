/* Many connections at once. */
#ifndef STROBE_BENCH_CROWD_H
#define STROBE_BENCH_CROWD_H

#include <stddef.h>

struct crowd {
  int count;
  int *fds;     /* -1 for those that have ended */
  size_t *sent; /* bytes, by crowd_flood */
};

/* Connects so many; they are the caller's to close or to reset. Narrow ones are such that the
 * kernel keeps little of what is not read. */
struct crowd crowd_connect(int port, int count);
struct crowd crowd_connect_narrow(int port, int count);

/* The same, with WebSockets. */
struct crowd crowd_open(int port, int count);
struct crowd crowd_open_narrow(int port, int count);

void crowd_send(const struct crowd *crowd, const void *bytes, size_t size);

/* All send the same bytes over and over and read nothing, until each has sent `most`, or
 * the server has taken nothing for half a second. How many bytes it took in all. */
size_t crowd_flood(const struct crowd *crowd, const void *bytes, size_t size, size_t most);

/* No more will be sent by any. */
void crowd_shut(const struct crowd *crowd);

/* For each message of `size` bytes that crowd_flood has sent, takes `back` bytes; how many are
 * still missing after so many seconds. */
size_t crowd_take_back(const struct crowd *crowd, size_t size, size_t back, double seconds);

/* Takes what comes, and throws it away, until the server has closed all of them or so many
 * seconds are over; how many are left. */
int crowd_await_end(struct crowd *crowd, double seconds);

void crowd_close(struct crowd *crowd);

/* Closes all with a RST. */
void crowd_reset(struct crowd *crowd);

#endif
