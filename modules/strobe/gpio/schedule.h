/* What is to happen when: events in the order of (time, delta, seq).
 *
 * Time is whole nanoseconds since the start. What is due later lies in a heap, first queued
 * first among equals; what is due now lies in a queue and runs in the next delta, the next
 * round at the same time. So nothing queued in a delta runs in that delta.
 *
 * An event is part of its owner, who must cancel it before going. */
#ifndef STROBE_GPIO_SCHEDULE_H
#define STROBE_GPIO_SCHEDULE_H

#include "core/base/heap.h"
#include "core/base/list.h"

#include <stdbool.h>
#include <stdint.h>

#define GPIO_NEVER INT64_MAX

struct gpio_event {
  struct heap_node node; /* linked while it is due later */
  struct list link;      /* linked while it is due in the next delta */
  void (*run)(struct gpio_event *event);
};

struct gpio_schedule {
  int64_t now;
  uint32_t delta;
  uint32_t limit; /* of events which are due later */
  struct heap later;
  struct list next;
};

void gpio_schedule_init(struct gpio_schedule *schedule, uint32_t limit);
void gpio_schedule_free(struct gpio_schedule *schedule);

static inline void gpio_event_init(struct gpio_event *event, void (*run)(struct gpio_event *)) {
  event->node.index = 0;
  event->run = run;
  list_init(&event->link);
}

static inline bool gpio_event_queued(const struct gpio_event *event) {
  return heap_linked(&event->node) || list_linked(&event->link);
}

/* Queues an event for the next delta of now; it must not be queued already. */
static inline void gpio_schedule_next(struct gpio_schedule *schedule, struct gpio_event *event) {
  list_append(&schedule->next, &event->link);
}

/* Queues an event for `when`, which lies after now; it must not be queued already. False
 * when that is one too many, or there is no memory. */
bool gpio_schedule_at(struct gpio_schedule *schedule, struct gpio_event *event, int64_t when);

/* Cancelling an event that is not queued does nothing. */
void gpio_schedule_cancel(struct gpio_schedule *schedule, struct gpio_event *event);

/* When `delay` from now is; GPIO_NEVER when that is beyond the end of time. */
int64_t gpio_schedule_after(const struct gpio_schedule *schedule, int64_t delay);

/* When the first event is due that is due later, or GPIO_NEVER. */
int64_t gpio_schedule_later(const struct gpio_schedule *schedule);

/* Runs what is queued for the next delta, which begins. */
void gpio_schedule_run_delta(struct gpio_schedule *schedule);

/* Moves to `when`, at most gpio_schedule_later, and runs what is due then. */
void gpio_schedule_run_time(struct gpio_schedule *schedule, int64_t when);

#endif
