/* Timers on loop time. Equal deadlines fire in the order they were started.
 *
 * A timer is part of its owner and must be stopped before its owner goes. Its
 * `fire` records that the time has come and makes something ready; it never
 * runs Lua and never starts a timer that is due at once.
 */
#ifndef STROBE_LOOP_TIMER_H
#define STROBE_LOOP_TIMER_H

#include "core/base/heap.h"

struct timer {
  struct heap_node node;
  void (*fire)(struct timer *timer);
};

/* Starts a timer that is not running. False when there is no memory. */
static inline bool timer_start(struct heap *timers, struct timer *timer, int64_t when) {
  return heap_insert(timers, &timer->node, when);
}

/* Stopping a timer that does not run does nothing. */
static inline void timer_stop(struct heap *timers, struct timer *timer) {
  heap_remove(timers, &timer->node);
}

static inline bool timer_running(const struct timer *timer) {
  return heap_linked(&timer->node);
}

/* Fires all timers that are due at `now`. */
void timers_fire(struct heap *timers, int64_t now);

/* The next deadline, or CLOCK_NEVER. */
int64_t timers_next(const struct heap *timers);

#endif
