/* Numbers that look random and are the same in every run, on every system. */
#ifndef STROBE_SPEC_RANDOM_H
#define STROBE_SPEC_RANDOM_H

#include <stdint.h>

/* From 0 to limit - 1; xorshift. */
static inline uint32_t random_below(uint32_t limit) {
  static uint32_t state = 20240607;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % limit;
}

#endif
