/* The server's process, seen from outside; and time. */
#ifndef STROBE_BENCH_PROCESS_H
#define STROBE_BENCH_PROCESS_H

/* Seconds, from anywhere on. */
double process_now(void);

void process_sleep(double seconds);

/* Seconds of processor time that all its threads have used, user and system. */
double process_time(int pid);

/* Its resident memory, in bytes. */
double process_resident(int pid);

/* How many files and sockets it has open. */
int process_descriptors(int pid);

/* Waits until no more than `most` are open; the last count, which is larger when
 * `seconds` were not enough. */
int process_wait_descriptors(int pid, int most, double seconds);

#endif
