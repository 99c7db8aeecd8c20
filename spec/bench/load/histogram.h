/* How long things took: counts by microseconds, to one part in 64. */
#ifndef STROBE_BENCH_HISTOGRAM_H
#define STROBE_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_OCTAVES = 32 };

struct histogram {
  long count;
  double most; /* seconds */
  long counts[HISTOGRAM_OCTAVES * HISTOGRAM_STEPS];
};

void histogram_add(struct histogram *histogram, double seconds);

/* What a part of them, as 0.99, was not above, in seconds; 0 for an empty one. */
double histogram_quantile(const struct histogram *histogram, double part);

#endif
