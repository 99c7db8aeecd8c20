/* A driver: what one line puts on its net, in one tier.
 *
 * A drive without delay takes effect in the next delta. With a delay it comes later:
 * transport delays let every pulse pass; an inertial one forgets what has not come yet as
 * soon as another value is driven. */
#ifndef STROBE_GPIO_DRIVER_H
#define STROBE_GPIO_DRIVER_H

#include "modules/strobe/gpio/net.h"
#include "modules/strobe/gpio/schedule.h"
#include "modules/strobe/gpio/status.h"

enum gpio_delay { GPIO_TRANSPORT, GPIO_INERTIAL };

struct gpio_driver {
  struct gpio_line *line;
  enum gpio_tier tier;
  enum gpio_level value;
  enum gpio_level pending; /* what comes in the next delta, when the event is queued */
  struct gpio_event event;
  struct list delayed; /* what comes later, in the order in which it was driven */
};

void gpio_driver_init(struct gpio_driver *driver, struct gpio_line *line, enum gpio_tier tier);

/* Forgets what has not come yet. */
void gpio_driver_cancel(struct gpio_driver *driver);

/* Drives a value in the next delta. */
void gpio_driver_drive(struct gpio_driver *driver, enum gpio_level level);

/* Drives a value after a delay, which may be 0. */
enum gpio_status gpio_driver_drive_after(struct gpio_driver *driver, enum gpio_level level,
                                         int64_t delay, enum gpio_delay kind);

/* Changes the value at once: for events, which come before the nets are resolved. */
void gpio_driver_apply(struct gpio_driver *driver, enum gpio_level level);

/* Counts another value without having the net resolved. */
static inline void gpio_driver_count(struct gpio_driver *driver, struct gpio_net *net,
                                     enum gpio_level level) {
  net->drivers[driver->tier][driver->value]--;
  net->drivers[driver->tier][level]++;
  driver->value = level;
}

static inline bool gpio_driver_pending(const struct gpio_driver *driver) {
  return list_linked(&driver->event.link);
}

/* The driver whose change in the next delta this event is, or NULL. */
const struct gpio_driver *gpio_driver_of(const struct gpio_event *event);

/* Frees changes which were kept for reuse. */
void gpio_driver_free_spare(struct list *spare);

#endif
