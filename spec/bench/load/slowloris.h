/* Clients that send their request a byte at a time, or nothing at all, to keep a server
 * busy for ever: slowloris. */
#ifndef STROBE_BENCH_SLOWLORIS_H
#define STROBE_BENCH_SLOWLORIS_H

/* COUNT clients, of which each fourth says nothing. Watches until all were dropped, or so
 * many seconds are over. */
struct slowloris {
  int left;           /* that were not dropped */
  double first, last; /* seconds until a drop */
};

struct slowloris slowloris_run(int port, int count, const char *head, double seconds);

#endif
