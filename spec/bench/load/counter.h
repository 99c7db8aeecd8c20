/* The conversation with a server that counts, as ws_counter.lua is. A message is 64 bytes
 * of text and begins with its number, which for each connection are 1, 2, 3 and so on; the
 * server sends it back. A message that begins with `?` is a question about the server. */
#ifndef STROBE_BENCH_COUNTER_H
#define STROBE_BENCH_COUNTER_H

#include <stddef.h>

enum { COUNTER_MESSAGE = 64, COUNTER_ANSWER = 256 };

/* What the server has counted, over all connections. */
struct counter {
  long messages; /* that came */
  long sum;      /* of their numbers */
  long wrong;    /* those that were not the next */
};

/* A message, of COUNTER_MESSAGE bytes. */
void counter_write(char *message, int client, long number);

/* Sends one and takes it back, or ends the program. */
void counter_exchange(int fd, int client, long number);

/* Asks a question; the answer, which ends with a zero. */
void counter_ask(int fd, const char *question, char answer[COUNTER_ANSWER]);

/* The server's counts. */
struct counter counter_counts(int fd);

/* What the objects of the server's language take once garbage is collected, in bytes; 0 when
 * that language cannot tell. */
double counter_heap(int fd);

#endif
