/* A board: components, their lines, the wires between them, and time.
 *
 * Whoever drives a board asks gpio_board_next_time when something is due and advances it.
 * gpio_board_advance stops as soon as somebody outside is to run: take all notices, let
 * their owners read, write and change what they like, and advance again. What they write
 * takes effect in the next delta of the same time.
 *
 * Nothing here asks for the real time, for randomness or for the address of anything, so
 * the same calls in the same order give the same trace. */
#ifndef STROBE_GPIO_BOARD_H
#define STROBE_GPIO_BOARD_H

#include "modules/strobe/gpio/contention.h"
#include "modules/strobe/gpio/line.h"
#include "modules/strobe/gpio/notice.h"
#include "modules/strobe/gpio/schedule.h"
#include "modules/strobe/gpio/status.h"
#include "modules/strobe/gpio/trace.h"

/* What a program reads where there is no 0 and no 1. */
enum gpio_read_policy {
  GPIO_READ_LOW,
  GPIO_READ_HIGH,
  GPIO_READ_HOLD, /* the last that was 0 or 1 */
  GPIO_READ_RANDOM,
  GPIO_READ_ERROR,
};

struct gpio_options {
  const char *name;
  enum gpio_read_policy read_policy;
  uint64_t seed;
  uint32_t delta_limit;      /* at one time */
  uint32_t line_limit;       /* 0 in these four: the default */
  uint32_t event_limit;      /* due later */
  uint32_t contention_limit; /* kept */
};

enum {
  GPIO_DELTA_LIMIT = 10 * 1000,
  GPIO_LINE_LIMIT = 64 * 1024,
  GPIO_EVENT_LIMIT = 1024 * 1024,
  GPIO_CONTENTION_LIMIT = 256,
  GPIO_CAPACITY_LIMIT = 1024 * 1024, /* of a subscription */
  GPIO_NAME_LIMIT = 64,              /* bytes of a name */
  GPIO_MESSAGE_SIZE = 512,
};

struct gpio_board {
  char *name;
  enum gpio_read_policy read_policy;
  uint32_t delta_limit, line_limit;
  struct gpio_schedule schedule;
  struct gpio_notices notices;
  struct gpio_trace trace;
  struct gpio_contentions contentions;
  struct gpio_notice contention_notice;
  bool contention_armed;      /* whether a contention that begins or ends gives that notice */
  bool unsettled;             /* nets were resolved since contention was last looked for */
  struct list dirty, touched; /* nets */
  struct list components, wires, subscriptions;
  struct gpio_line **lines;
  uint32_t line_count, line_capacity;
  struct list spare; /* delayed changes, for reuse */
  uint64_t random;
  uint64_t deltas;  /* so far */
  uint64_t changes; /* of nets */
  uint64_t floating_reads;
  enum gpio_status failure; /* time stands still until it is cleared */
  char message[GPIO_MESSAGE_SIZE];
};

/* NULL when there is no memory. */
struct gpio_board *gpio_board_open(const struct gpio_options *options);

/* Frees all but timers, which belong to others: those must be stopped before. */
void gpio_board_close(struct gpio_board *board);

/* A component; each call makes a new one. */
enum gpio_status gpio_board_add_component(struct gpio_board *board, const char *name,
                                          struct gpio_component **added);

/* A line, an input without bias on a net of its own. It stays as long as the board. */
enum gpio_status gpio_board_add_line(struct gpio_board *board, struct gpio_component *component,
                                     const char *name, struct gpio_line **added);

/* When there is something to do: now, later, or GPIO_NEVER. */
int64_t gpio_board_next_time(const struct gpio_board *board);

/* Lets time pass to `until` at most; GPIO_OK when it got there and all has settled. GPIO_NOTIFY
 * when notices are to be taken. GPIO_MORE after so many deltas. Else a failure. */
enum gpio_status gpio_board_advance(struct gpio_board *board, int64_t until, uint64_t deltas);

/* Takes the next notice, or NULL. */
struct gpio_notice *gpio_board_take_notice(struct gpio_board *board);

/* Tells the trace what this time has come to so far. */
void gpio_board_flush(struct gpio_board *board);

/* Lets a board go on that stopped with a failure; what failed is tried again. */
void gpio_board_clear(struct gpio_board *board);

/* Queues an event; the message of a failure is the board's. */
enum gpio_status gpio_board_schedule(struct gpio_board *board, struct gpio_event *event,
                                     int64_t delay);

/* Notes why something failed; returns the status. */
enum gpio_status gpio_board_fail(struct gpio_board *board, enum gpio_status status,
                                 const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same, and stops the board: for what nobody called. */
void gpio_board_stop(struct gpio_board *board, enum gpio_status status);

/* The next of its random numbers, which the seed decides. */
uint64_t gpio_board_random(struct gpio_board *board);

#endif
