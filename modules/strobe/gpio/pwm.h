/* PWM: an output that is 1 for `high` of each `period`.
 *
 * As long as nobody looks at the net its value is a formula, which readers evaluate. Edges
 * are made while a line of the net is watched or traced, or another output drives there.
 * A change begins with the next period. Always 0 or always 1 has no edges. */
#ifndef STROBE_GPIO_PWM_H
#define STROBE_GPIO_PWM_H

#include "modules/strobe/gpio/line.h"

struct gpio_wave {
  int64_t start, period, high;
};

struct gpio_pwm {
  struct list link; /* in the net's pwms */
  struct gpio_line *line;
  struct gpio_wave wave, next; /* next.period is 0 when nothing is to change */
  struct gpio_event event;     /* the next edge, while edges are made */
};

/* Begins in the coming delta, or with the next period of a PWM that runs. */
enum gpio_status gpio_line_pwm(struct gpio_line *line, int64_t period, int64_t high);

/* The share of the time that a line with PWM is high, 0 to 1. */
double gpio_pwm_duty(const struct gpio_line *line);

/* Ends it where it is. */
void gpio_pwm_end(struct gpio_line *line);

/* Brings the drivers of a net which has PWM up to now. */
void gpio_pwm_refresh(struct gpio_net *net);

/* Makes edges, or no longer, as the net now demands. */
void gpio_pwm_review(struct gpio_net *net);

void gpio_pwm_move(struct gpio_pwm *pwm, struct gpio_net *net);

#endif
