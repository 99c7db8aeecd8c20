/* A net: lines which wires join, and the one value they have.
 *
 * Its drivers are counted by tier and value, so a change of one costs the same however many
 * there are. Faults beat strong drivers (outputs), which beat weak ones (pulls); within a
 * tier all must agree, else the net is x. */
#ifndef STROBE_GPIO_NET_H
#define STROBE_GPIO_NET_H

#include "core/base/list.h"
#include "modules/strobe/gpio/level.h"

#include <stdint.h>

enum gpio_tier { GPIO_FAULT, GPIO_STRONG, GPIO_WEAK, GPIO_TIERS };

struct gpio_board;
struct gpio_contention;
struct gpio_line;

struct gpio_net {
  uint32_t drivers[GPIO_TIERS][GPIO_LEVELS];
  enum gpio_level value;
  enum gpio_level defined;            /* the last value that was 0 or 1; z when there was none */
  bool contended;                     /* as last reported */
  bool rewired;                       /* its lines must look even if its value stays */
  bool restless;                      /* still changing near the limit of deltas */
  uint32_t size;                      /* of lines */
  uint32_t traced;                    /* lines which are */
  struct gpio_contention *contention; /* the one that lasts, or NULL */
  struct gpio_board *board;
  struct list dirty;   /* linked while it must be resolved */
  struct list touched; /* linked when it was resolved at this time */
  struct list lines;   /* by id */
  struct list watched; /* lines which look at its changes */
  struct list pwms;
};

/* NULL when there is no memory. A net without lines goes by itself. */
struct gpio_net *gpio_net_open(struct gpio_board *board);
void gpio_net_close(struct gpio_net *net);

/* Appends a line, whose id is higher than those of the others. */
void gpio_net_add(struct gpio_net *net, struct gpio_line *line);

/* One net of two; one of them is closed. */
void gpio_net_join(struct gpio_net *a, struct gpio_net *b);

/* Moves the lines which are marked to the empty net `part`, and unmarks them. */
void gpio_net_split(struct gpio_net *net, struct gpio_net *part);

/* Has it resolved in the coming delta. */
void gpio_net_touch(struct gpio_net *net);

static inline enum gpio_level gpio_tier_level(const uint32_t drivers[GPIO_LEVELS]) {
  if (drivers[GPIO_X] || (drivers[GPIO_0] && drivers[GPIO_1]))
    return GPIO_X;
  return drivers[GPIO_1] ? GPIO_1 : drivers[GPIO_0] ? GPIO_0 : GPIO_Z;
}

/* What the drivers amount to. */
static inline enum gpio_level gpio_net_resolve(const struct gpio_net *net) {
  enum gpio_level level = gpio_tier_level(net->drivers[GPIO_FAULT]);
  if (level == GPIO_Z)
    level = gpio_tier_level(net->drivers[GPIO_STRONG]);
  return level == GPIO_Z ? gpio_tier_level(net->drivers[GPIO_WEAK]) : level;
}

/* Whether two outputs disagree. One that drives x may agree. */
static inline bool gpio_net_contended(const struct gpio_net *net) {
  return net->drivers[GPIO_STRONG][GPIO_0] && net->drivers[GPIO_STRONG][GPIO_1];
}

/* The label of its first line that has one, else the name of the first. */
const char *gpio_net_name(const struct gpio_net *net);

#endif
