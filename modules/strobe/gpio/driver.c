#include "modules/strobe/gpio/driver.h"

#include "modules/strobe/gpio/board.h"

#include <stdlib.h>

/* A change that comes later. */
struct delayed {
  struct gpio_event event;
  struct list link; /* in the driver's delayed, or in the board's spare */
  struct gpio_driver *driver;
  enum gpio_level level;
};

void gpio_driver_apply(struct gpio_driver *driver, enum gpio_level level) {
  struct gpio_net *net = driver->line->net;
  gpio_driver_count(driver, net, level);
  gpio_net_touch(net);
}

static void run(struct gpio_event *event) {
  struct gpio_driver *driver = list_entry(event, struct gpio_driver, event);
  driver->line->component->pending--;
  if (driver->pending != driver->value)
    gpio_driver_apply(driver, driver->pending);
}

void gpio_driver_init(struct gpio_driver *driver, struct gpio_line *line, enum gpio_tier tier) {
  driver->line = line;
  driver->tier = tier;
  driver->value = driver->pending = GPIO_Z;
  gpio_event_init(&driver->event, run);
  list_init(&driver->delayed);
}

const struct gpio_driver *gpio_driver_of(const struct gpio_event *event) {
  return event->run == run ? list_entry(event, struct gpio_driver, event) : NULL;
}

static void recycle(struct delayed *delayed) {
  struct gpio_board *board = delayed->driver->line->board;
  gpio_schedule_cancel(&board->schedule, &delayed->event);
  list_remove(&delayed->link);
  list_append(&board->spare, &delayed->link);
}

static void forget_delayed(struct gpio_driver *driver) {
  while (!list_empty(&driver->delayed))
    recycle(list_entry(driver->delayed.next, struct delayed, link));
}

void gpio_driver_cancel(struct gpio_driver *driver) {
  if (gpio_driver_pending(driver)) {
    gpio_schedule_cancel(&driver->line->board->schedule, &driver->event);
    driver->line->component->pending--;
  }
  forget_delayed(driver);
}

void gpio_driver_drive(struct gpio_driver *driver, enum gpio_level level) {
  driver->pending = level;
  if (gpio_driver_pending(driver) || level == driver->value)
    return;
  driver->line->component->pending++;
  gpio_schedule_next(&driver->line->board->schedule, &driver->event);
}

static void run_delayed(struct gpio_event *event) {
  struct delayed *delayed = list_entry(event, struct delayed, event);
  struct gpio_driver *driver = delayed->driver;
  enum gpio_level level = delayed->level;
  recycle(delayed);
  if (level != driver->value)
    gpio_driver_apply(driver, level);
}

static struct delayed *take_spare(struct gpio_board *board) {
  struct list *link = list_shift(&board->spare);
  struct delayed *delayed = link ? list_entry(link, struct delayed, link) : malloc(sizeof *delayed);
  if (!delayed)
    return NULL;
  gpio_event_init(&delayed->event, run_delayed);
  list_init(&delayed->link);
  return delayed;
}

void gpio_driver_free_spare(struct list *spare) {
  for (struct list *link = spare->next, *next; link != spare; link = next) {
    next = link->next;
    free(list_entry(link, struct delayed, link));
  }
}

/* What the driver comes to when nothing more is driven. */
static enum gpio_level final_level(const struct gpio_driver *driver) {
  if (!list_empty(&driver->delayed))
    return list_entry(driver->delayed.prev, struct delayed, link)->level;
  return gpio_driver_pending(driver) ? driver->pending : driver->value;
}

static enum gpio_status delay_change(struct gpio_driver *driver, enum gpio_level level,
                                     int64_t delay) {
  struct gpio_board *board = driver->line->board;
  struct delayed *delayed = take_spare(board);
  if (!delayed)
    return gpio_board_fail(board, GPIO_NO_MEMORY, "no memory for a change of %s",
                           driver->line->name);
  delayed->driver = driver;
  delayed->level = level;
  list_append(&driver->delayed, &delayed->link);
  enum gpio_status status = gpio_board_schedule(board, &delayed->event, delay);
  if (status != GPIO_OK)
    recycle(delayed);
  return status;
}

enum gpio_status gpio_driver_drive_after(struct gpio_driver *driver, enum gpio_level level,
                                         int64_t delay, enum gpio_delay kind) {
  if (delay == 0) {
    if (kind == GPIO_INERTIAL)
      forget_delayed(driver);
    gpio_driver_drive(driver, level);
    return GPIO_OK;
  }
  if (level == final_level(driver))
    return GPIO_OK;
  if (kind == GPIO_TRANSPORT)
    return delay_change(driver, level, delay);
  if (gpio_schedule_after(&driver->line->board->schedule, delay) == GPIO_NEVER)
    return delay_change(driver, level, delay); /* fails, and forgets nothing */
  forget_delayed(driver);
  return level == final_level(driver) ? GPIO_OK : delay_change(driver, level, delay);
}
