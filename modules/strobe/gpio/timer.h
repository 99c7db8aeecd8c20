/* A timer on simulated time: a notice when a delay is over. Its owner keeps its memory, and
 * must stop it before going. */
#ifndef STROBE_GPIO_TIMER_H
#define STROBE_GPIO_TIMER_H

#include "modules/strobe/gpio/notice.h"
#include "modules/strobe/gpio/schedule.h"
#include "modules/strobe/gpio/status.h"

struct gpio_board;

struct gpio_timer {
  struct gpio_notice notice;
  struct gpio_event event;
  struct gpio_board *board;
};

/* Registers it: its notices come in this place among those of the same delta. */
void gpio_timer_init(struct gpio_timer *timer, struct gpio_board *board);

/* Starts it anew; a delay of 0 ends in the next delta. */
enum gpio_status gpio_timer_start(struct gpio_timer *timer, int64_t delay);

/* Stopping one that does not run does nothing; a notice that waits is cancelled. */
void gpio_timer_stop(struct gpio_timer *timer);

#endif
