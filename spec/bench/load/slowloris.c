#include "slowloris.h"

#include "crowd.h"
#include "process.h"

#include <string.h>
#include <sys/socket.h>

#define INTERVAL 0.25 /* seconds between bytes */

static void send_byte(const struct crowd *crowd, char byte) {
  for (int i = 0; i < crowd->count; i++)
    if (crowd->fds[i] >= 0 && i % 4 != 0)
      send(crowd->fds[i], &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

struct slowloris slowloris_run(int port, int count, const char *head, double seconds) {
  double start = process_now(), now = 0;
  struct crowd crowd = crowd_connect(port, count);
  struct slowloris seen = {.left = count};
  size_t size = strlen(head);
  for (size_t i = 0; seen.left > 0 && now < seconds; i++) {
    send_byte(&crowd, head[i % size]);
    seen.left = crowd_await_end(&crowd, INTERVAL);
    now = process_now() - start;
    if (seen.first == 0 && seen.left < count)
      seen.first = now;
  }
  seen.last = now;
  crowd_reset(&crowd);
  return seen;
}
