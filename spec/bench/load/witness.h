/* A client that does nothing wrong, in a thread of its own, while others do: it exchanges a
 * message every millisecond, looks at each answer, and sees how long that took and how much
 * memory the server had meanwhile. A wrong answer ends the program. */
#ifndef STROBE_BENCH_WITNESS_H
#define STROBE_BENCH_WITNESS_H

#include "histogram.h"

/* What it saw from witness_begin to witness_end. */
struct testimony {
  double seconds;
  struct histogram times;
  double memory; /* the most, in bytes */
};

struct witness;

/* The conversation: open a connection that was made, exchange a numbered message. */
struct witness *witness_start(int port, int pid, void (*open)(int fd),
                              void (*exchange)(int fd, long number));

void witness_begin(struct witness *witness);
void witness_end(struct witness *witness, struct testimony *testimony);

/* Closes the connection; how many messages it exchanged in all. */
long witness_stop(struct witness *witness);

#endif
