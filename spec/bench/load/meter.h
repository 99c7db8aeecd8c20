/* The best rate of some rounds: messages per second, and per second of the server's
 * processor time. */
#ifndef STROBE_BENCH_METER_H
#define STROBE_BENCH_METER_H

struct meter {
  int pid;
  double wall, cpu; /* when the round began */
  double rate, efficiency;
};

void meter_start(struct meter *meter);
void meter_stop(struct meter *meter, long messages);

/* As NAME_per_s and NAME_per_cpu_s. */
void meter_report(const struct meter *meter, const char *name);

#endif
