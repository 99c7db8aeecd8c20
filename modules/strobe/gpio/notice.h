/* A notice: somebody outside the engine is to run before time goes on.
 *
 * Notices of one delta are taken in the order in which their owners registered, so that
 * neither the order of the nets nor of the writers decides who runs first. */
#ifndef STROBE_GPIO_NOTICE_H
#define STROBE_GPIO_NOTICE_H

#include "core/base/list.h"

#include <stdint.h>

enum gpio_notice_kind {
  GPIO_NOTICE_SUBSCRIPTION,
  GPIO_NOTICE_TIMER,
  GPIO_NOTICE_CONTENTION,
};

struct gpio_notice {
  struct list link; /* linked while it waits to be taken */
  enum gpio_notice_kind kind;
  uint64_t order;
  void *context; /* its owner's */
};

struct gpio_notices {
  struct list waiting;
  bool sorted;
  uint64_t next_order;
};

void gpio_notices_init(struct gpio_notices *notices);

/* Registers: later ones run later. */
void gpio_notice_init(struct gpio_notices *notices, struct gpio_notice *notice,
                      enum gpio_notice_kind kind);

/* Takes the first one, or NULL. Its owner may cancel others, itself, and register more. */
struct gpio_notice *gpio_notices_take(struct gpio_notices *notices);

/* Has it taken; twice is once. */
static inline void gpio_notice_queue(struct gpio_notices *notices, struct gpio_notice *notice) {
  if (list_linked(&notice->link))
    return;
  if (!list_empty(&notices->waiting)) {
    struct gpio_notice *last = list_entry(notices->waiting.prev, struct gpio_notice, link);
    notices->sorted = notices->sorted && last->order < notice->order;
  }
  list_append(&notices->waiting, &notice->link);
}

/* Cancelling one that does not wait does nothing. */
static inline void gpio_notice_cancel(struct gpio_notice *notice) {
  list_remove(&notice->link);
}

#endif
