/* A trial: others do something bad to the server, twice over, while a witness goes on as
 * ever. Afterwards nothing of it may be left: no connection, no object, and the second time
 * no more memory than the first. Prints what the witness saw, and what memory it took. */
#ifndef STROBE_BENCH_TRIAL_H
#define STROBE_BENCH_TRIAL_H

#include <stdbool.h>

struct trial {
  const char *name;
  void (*run)(int port);
  double most; /* MiB of memory it may take */
  bool once;   /* it takes long */
};

/* How to talk with the server. */
struct service {
  int port, pid;
  void (*open)(int fd);
  void (*exchange)(int fd, long number);
  double (*heap)(int fd); /* bytes of the objects of the server's language, or 0 */
};

/* Ends the program when something is not as it has to be. */
void trial_hold(const struct trial *trial, const struct service *service);

#endif
