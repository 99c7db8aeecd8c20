#include "core/loop/timer.h"

#include "core/base/list.h"
#include "core/loop/clock.h"

void timers_fire(struct heap *timers, int64_t now) {
  int64_t when;
  struct heap_node *node;
  while ((node = heap_first(timers, &when)) && when <= now) {
    struct timer *timer = list_entry(node, struct timer, node);
    heap_remove(timers, node);
    timer->fire(timer);
  }
}

int64_t timers_next(const struct heap *timers) {
  int64_t when;
  return heap_first(timers, &when) ? when : CLOCK_NEVER;
}
