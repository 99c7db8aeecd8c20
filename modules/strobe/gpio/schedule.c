#include "modules/strobe/gpio/schedule.h"

void gpio_schedule_init(struct gpio_schedule *schedule, uint32_t limit) {
  *schedule = (struct gpio_schedule){.limit = limit};
  heap_init(&schedule->later);
  list_init(&schedule->next);
}

void gpio_schedule_free(struct gpio_schedule *schedule) {
  heap_free(&schedule->later);
}

bool gpio_schedule_at(struct gpio_schedule *schedule, struct gpio_event *event, int64_t when) {
  return schedule->later.count < schedule->limit &&
         heap_insert(&schedule->later, &event->node, when);
}

void gpio_schedule_cancel(struct gpio_schedule *schedule, struct gpio_event *event) {
  heap_remove(&schedule->later, &event->node);
  list_remove(&event->link);
}

int64_t gpio_schedule_after(const struct gpio_schedule *schedule, int64_t delay) {
  return delay < GPIO_NEVER - schedule->now ? schedule->now + delay : GPIO_NEVER;
}

int64_t gpio_schedule_later(const struct gpio_schedule *schedule) {
  int64_t when;
  return heap_first(&schedule->later, &when) ? when : GPIO_NEVER;
}

void gpio_schedule_run_delta(struct gpio_schedule *schedule) {
  struct list due, *link;
  list_init(&due);
  list_move_all(&due, &schedule->next);
  schedule->delta++;
  while ((link = list_shift(&due))) {
    struct gpio_event *event = list_entry(link, struct gpio_event, link);
    event->run(event);
  }
}

void gpio_schedule_run_time(struct gpio_schedule *schedule, int64_t when) {
  int64_t due;
  struct heap_node *node;
  schedule->now = when;
  schedule->delta = 0;
  while ((node = heap_first(&schedule->later, &due)) && due <= when) {
    struct gpio_event *event = list_entry(node, struct gpio_event, node);
    heap_remove(&schedule->later, node);
    event->run(event);
  }
}
