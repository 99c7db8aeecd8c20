/* A trace: told each change of the lines that are traced, in an order that is the same in
 * every run.
 *
 * Only what a line settled at is told, once the time is over; with `deltas` each change on
 * the way as well, at once. */
#ifndef STROBE_GPIO_TRACE_H
#define STROBE_GPIO_TRACE_H

#include "modules/strobe/gpio/level.h"

#include <stdint.h>

struct gpio_line;
struct gpio_net;

struct gpio_trace {
  /* May read the board, and change nothing. */
  void (*changed)(void *context, int64_t time, const struct gpio_line *line, enum gpio_level level);
  /* The same for PWM; may be NULL. */
  void (*duty)(void *context, int64_t time, const struct gpio_line *line, double share);
  void *context;
  bool deltas;
};

/* Tells that a line is high for this share of the time from now on; 0 when its PWM ended. */
void gpio_trace_duty(const struct gpio_trace *trace, const struct gpio_line *line, int64_t time,
                     double share);

/* Tells what the traced lines of a net have become. */
void gpio_trace_net(const struct gpio_trace *trace, const struct gpio_net *net, int64_t time);

#endif
