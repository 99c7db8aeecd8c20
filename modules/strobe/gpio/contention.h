/* Contention: two outputs disagree about a net, as they do in a short circuit.
 *
 * It counts when a time has settled; what deltas pass through on the way is nobody's fault.
 * The newest ones are kept; what goes is counted. */
#ifndef STROBE_GPIO_CONTENTION_H
#define STROBE_GPIO_CONTENTION_H

#include "core/base/list.h"
#include "modules/strobe/gpio/level.h"

#include <stdint.h>

struct gpio_net;

struct gpio_opponent {
  uint32_t line; /* its id */
  enum gpio_level level;
};

struct gpio_contention {
  struct list link;
  uint64_t seq; /* from 1 */
  int64_t began, ended;
  bool lasts;
  uint32_t line;        /* the id of one of the net's lines */
  struct gpio_net *net; /* while it lasts */
  uint32_t count;       /* of outputs that drove */
  struct gpio_opponent opponents[];
};

struct gpio_contentions {
  struct list list; /* oldest first */
  uint32_t count, capacity;
  uint64_t seq;     /* of the newest */
  uint64_t dropped; /* for want of room */
};

void gpio_contentions_init(struct gpio_contentions *contentions, uint32_t capacity);
void gpio_contentions_free(struct gpio_contentions *contentions);

/* False when there is no memory to say so. */
bool gpio_contention_begin(struct gpio_contentions *contentions, struct gpio_net *net, int64_t now);
void gpio_contention_end(struct gpio_net *net, int64_t now);

#endif
