/* The four values of a net and of a driver; strength is the driver's affair. */
#ifndef STROBE_GPIO_LEVEL_H
#define STROBE_GPIO_LEVEL_H

#include <stdbool.h>

enum gpio_level {
  GPIO_0,
  GPIO_1,
  GPIO_Z, /* nobody drives */
  GPIO_X, /* a conflict, or unknown */
  GPIO_LEVELS,
};

static inline bool gpio_level_defined(enum gpio_level level) {
  return level <= GPIO_1;
}

static inline enum gpio_level gpio_level_invert(enum gpio_level level) {
  return level == GPIO_0 ? GPIO_1 : level == GPIO_1 ? GPIO_0 : level;
}

static inline char gpio_level_letter(enum gpio_level level) {
  return "01zx"[level];
}

#endif
