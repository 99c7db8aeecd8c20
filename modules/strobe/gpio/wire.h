/* A wire between two lines. Lines which wires join, over any way, are one net. */
#ifndef STROBE_GPIO_WIRE_H
#define STROBE_GPIO_WIRE_H

#include "modules/strobe/gpio/board.h"

struct gpio_wire_end {
  struct list link; /* in the line's wires */
  struct gpio_line *line;
  struct gpio_wire *wire;
};

struct gpio_wire {
  struct list link; /* in the board's wires */
  struct gpio_wire_end ends[2];
};

/* Takes effect in the coming delta. Two lines may have several wires. */
enum gpio_status gpio_wire_connect(struct gpio_line *a, struct gpio_line *b,
                                   struct gpio_wire **connected);

/* The wire is gone afterwards, unless there is no memory for the second net that this may
 * take. Costs as much as the net has lines. */
enum gpio_status gpio_wire_cut(struct gpio_wire *wire);

/* For the board, when all goes. */
void gpio_wire_free(struct gpio_wire *wire);

#endif
