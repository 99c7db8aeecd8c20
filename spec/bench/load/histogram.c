#include "histogram.h"

/* Below two times HISTOGRAM_STEPS the place is the value; from there on each octave
 * has so many places. */
static int place_of(uint64_t value) {
  int octave = 0;
  while (value >= 2 * HISTOGRAM_STEPS) {
    value >>= 1;
    octave++;
  }
  int place = octave * HISTOGRAM_STEPS + (int)value;
  int last = HISTOGRAM_OCTAVES * HISTOGRAM_STEPS - 1;
  return place < last ? place : last;
}

static double value_of(int place) {
  int octave = place < 2 * HISTOGRAM_STEPS ? 0 : place / HISTOGRAM_STEPS - 1;
  return (double)((uint64_t)(place - octave * HISTOGRAM_STEPS) << octave);
}

void histogram_add(struct histogram *histogram, double seconds) {
  histogram->counts[place_of(seconds > 0 ? (uint64_t)(seconds * 1e6) : 0)]++;
  histogram->count++;
  if (seconds > histogram->most)
    histogram->most = seconds;
}

double histogram_quantile(const struct histogram *histogram, double part) {
  double wanted = part * (double)histogram->count;
  long seen = 0;
  int place = 0;
  if (histogram->count == 0)
    return 0;
  for (;; place++) {
    seen += histogram->counts[place];
    if ((double)seen >= wanted)
      return value_of(place) / 1e6;
  }
}
