/* A subscription: the events of some lines, kept until they are read.
 *
 * When its room is full the oldest event goes and is counted. Both numbers of an event are
 * given before anything goes, so a gap tells what was lost. */
#ifndef STROBE_GPIO_SUBSCRIPTION_H
#define STROBE_GPIO_SUBSCRIPTION_H

#include "modules/strobe/gpio/level.h"
#include "modules/strobe/gpio/notice.h"
#include "modules/strobe/gpio/status.h"

#include <stddef.h>

struct gpio_board;
struct gpio_line;

/* What may be asked for, together. */
enum gpio_watch_kind {
  GPIO_RISING = 1,
  GPIO_FALLING = 2,
  GPIO_CHANGE = 4, /* every physical level, also z and x, and whatever the direction */
};

enum { GPIO_EVENTS_PER_LINE = 16 };

struct gpio_edge_event {
  int64_t time;
  uint64_t line_seq; /* of the line's edges, or of its changes */
  uint64_t seq;      /* of the subscription's events; both start at 1 */
  uint32_t line;     /* its id */
  uint8_t kind;      /* one gpio_watch_kind */
  uint8_t value;     /* after an edge 0 or 1, logical; of a change the physical level */
};

struct gpio_watch {
  struct list link; /* in the line's watches */
  struct gpio_line *line;
  struct gpio_subscription *subscription;
};

struct gpio_subscription {
  struct gpio_notice notice;
  struct gpio_board *board;
  struct list link; /* in the board's subscriptions */
  unsigned kinds;
  bool armed; /* whether an event gives a notice */
  uint64_t seq, overruns;
  struct gpio_edge_event *events; /* a ring */
  uint32_t capacity, start, count;
  uint32_t line_count;
  struct gpio_watch watches[];
};

struct gpio_watching {
  struct gpio_line **lines;
  uint32_t line_count;
  unsigned kinds;
  uint32_t capacity; /* 0: GPIO_EVENTS_PER_LINE for each line */
};

enum gpio_status gpio_subscription_open(struct gpio_board *board,
                                        const struct gpio_watching *watching,
                                        struct gpio_subscription **opened);
void gpio_subscription_close(struct gpio_subscription *subscription);

/* Takes up to `room` events, oldest first; how many. */
uint32_t gpio_subscription_read(struct gpio_subscription *subscription,
                                struct gpio_edge_event *events, uint32_t room);

/* Adds an event, which gets its seq here. */
void gpio_subscription_push(struct gpio_subscription *subscription,
                            const struct gpio_edge_event *event);

#endif
