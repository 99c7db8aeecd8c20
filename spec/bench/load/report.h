/* What a load program says: figures for the runner, or why it has to give up. */
#ifndef STROBE_BENCH_REPORT_H
#define STROBE_BENCH_REPORT_H

#include <stdbool.h>

/* Ends the program, with status 1 and the reason of errno, if that is set. */
_Noreturn void report_failure(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on, what is expected in vain is told and no more: for peers, which promise less. */
void report_be_lenient(void);

/* As report_failure, unless it is met. */
void report_expect(bool met, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The line of a figure. */
void report_result(const char *name, double value, const char *unit);

#endif
