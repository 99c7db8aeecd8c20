/* Circuits for test programs, in few words. A failure to build one ends the program. */
#ifndef STROBE_SPEC_CIRCUIT_H
#define STROBE_SPEC_CIRCUIT_H

#include "modules/strobe/gpio/board.h"
#include "modules/strobe/gpio/pwm.h"
#include "modules/strobe/gpio/subscription.h"
#include "modules/strobe/gpio/timer.h"
#include "modules/strobe/gpio/wire.h"
#include "spec/support/check.h"

#include <string.h>

static inline struct gpio_board *new_board(struct gpio_options options) {
  struct gpio_board *board = gpio_board_open(&options);
  CHECK(board != NULL);
  return board;
}

/* A line alone in a component of its own: "led" and "a" make "led.a". */
static inline struct gpio_line *new_line(struct gpio_board *board, const char *component,
                                         const char *name) {
  struct gpio_component *part;
  struct gpio_line *line;
  CHECK(gpio_board_add_component(board, component, &part) == GPIO_OK);
  CHECK(gpio_board_add_line(board, part, name, &line) == GPIO_OK);
  return line;
}

static inline void set_up(struct gpio_line *line, struct gpio_settings settings) {
  CHECK(gpio_line_configure(line, &settings) == GPIO_OK);
}

static inline struct gpio_line *new_output(struct gpio_board *board, const char *component,
                                           enum gpio_level level) {
  struct gpio_line *line = new_line(board, component, "out");
  set_up(line, (struct gpio_settings){.direction = GPIO_OUTPUT, .output_value = level});
  return line;
}

static inline struct gpio_wire *join(struct gpio_line *a, struct gpio_line *b) {
  struct gpio_wire *wire;
  CHECK(gpio_wire_connect(a, b, &wire) == GPIO_OK);
  return wire;
}

static inline struct gpio_subscription *watch_kept(struct gpio_line *line, unsigned kinds,
                                                   uint32_t capacity) {
  struct gpio_subscription *subscription;
  struct gpio_watching watching = {&line, 1, kinds, capacity};
  CHECK(gpio_subscription_open(line->board, &watching, &subscription) == GPIO_OK);
  return subscription;
}

static inline struct gpio_subscription *watch(struct gpio_line *line, unsigned kinds) {
  return watch_kept(line, kinds, 0);
}

static inline void write_level(struct gpio_line *line, enum gpio_level level) {
  CHECK(gpio_line_write(line, level) == GPIO_OK);
}

/* Until `when`; nobody may have to be told on the way. */
static inline void run_until(struct gpio_board *board, int64_t when) {
  CHECK(gpio_board_advance(board, when, UINT64_MAX) == GPIO_OK);
}

/* All deltas of this time. */
static inline void settle(struct gpio_board *board) {
  run_until(board, board->schedule.now);
}

static inline int read_value(struct gpio_line *line) {
  int value = -1;
  CHECK(gpio_line_read(line, &value) == GPIO_OK);
  return value;
}

/* What a subscription holds, taken: "100+ 120- 130=z", with + rising, - falling, = changed. */
static inline const char *taken(struct gpio_subscription *subscription) {
  static char text[4096];
  struct gpio_edge_event event;
  size_t size = 0;
  text[0] = '\0';
  while (gpio_subscription_read(subscription, &event, 1) == 1 && size < sizeof text - 64) {
    bool changed = event.kind == GPIO_CHANGE;
    size += (size_t)sprintf(text + size, "%s%lld%c", size ? " " : "", (long long)event.time,
                            changed                     ? '='
                            : event.kind == GPIO_RISING ? '+'
                                                        : '-');
    if (changed)
      size += (size_t)sprintf(text + size, "%c", gpio_level_letter(event.value));
  }
  return text;
}

#define CHECK_TAKEN(subscription, expected) check_text(taken(subscription), expected, __LINE__)

static inline void check_text(const char *text, const char *expected, int line) {
  if (strcmp(text, expected) != 0)
    printf("got '%s', expected '%s'\n", text, expected);
  check(strcmp(text, expected) == 0, "what was taken", line);
}

/* Whether a text has a part. */
static inline bool says(const struct gpio_board *board, const char *part) {
  if (!strstr(board->message, part))
    printf("message: %s\n", board->message);
  return strstr(board->message, part) != NULL;
}

#endif
