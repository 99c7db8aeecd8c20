#include "modules/strobe/gpio/board.h"

#include "modules/strobe/gpio/subscription.h"
#include "modules/strobe/gpio/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_LINES = 16 };

static uint32_t or_default(uint32_t limit, uint32_t usual) {
  return limit ? limit : usual;
}

struct gpio_board *gpio_board_open(const struct gpio_options *options) {
  struct gpio_board *board = calloc(1, sizeof *board);
  char *name = strdup(options->name ? options->name : "board");
  if (!board || !name) {
    free(board);
    free(name);
    return NULL;
  }
  board->name = name;
  board->read_policy = options->read_policy;
  board->random = options->seed;
  board->delta_limit = or_default(options->delta_limit, GPIO_DELTA_LIMIT);
  board->line_limit = or_default(options->line_limit, GPIO_LINE_LIMIT);
  gpio_schedule_init(&board->schedule, or_default(options->event_limit, GPIO_EVENT_LIMIT));
  gpio_notices_init(&board->notices);
  gpio_notice_init(&board->notices, &board->contention_notice, GPIO_NOTICE_CONTENTION);
  gpio_contentions_init(&board->contentions,
                        or_default(options->contention_limit, GPIO_CONTENTION_LIMIT));
  list_init(&board->dirty);
  list_init(&board->touched);
  list_init(&board->components);
  list_init(&board->wires);
  list_init(&board->subscriptions);
  list_init(&board->spare);
  return board;
}

static void close_lines(struct gpio_board *board) {
  for (uint32_t i = 0; i < board->line_count; i++)
    gpio_line_close(board->lines[i]);
  for (struct list *link = board->components.next, *next; link != &board->components; link = next) {
    next = link->next;
    free(list_entry(link, struct gpio_component, link));
  }
  free(board->lines);
}

void gpio_board_close(struct gpio_board *board) {
  while (!list_empty(&board->subscriptions))
    gpio_subscription_close(list_entry(board->subscriptions.next, struct gpio_subscription, link));
  while (!list_empty(&board->wires))
    gpio_wire_free(list_entry(board->wires.next, struct gpio_wire, link));
  gpio_contentions_free(&board->contentions);
  close_lines(board);
  gpio_driver_free_spare(&board->spare);
  gpio_schedule_free(&board->schedule);
  free(board->name);
  free(board);
}

enum gpio_status gpio_board_add_component(struct gpio_board *board, const char *name,
                                          struct gpio_component **added) {
  size_t size = strlen(name) + 1;
  if (size > GPIO_NAME_LIMIT)
    return gpio_board_fail(board, GPIO_LIMIT, "board %s: a name has at most %d bytes: %.20s...",
                           board->name, GPIO_NAME_LIMIT - 1, name);
  struct gpio_component *component = calloc(1, sizeof *component + size);
  if (!component)
    return gpio_board_fail(board, GPIO_NO_MEMORY, "no memory for the component %s", name);
  memcpy(component->name, name, size);
  list_append(&board->components, &component->link);
  *added = component;
  return GPIO_OK;
}

static bool reserve_line(struct gpio_board *board) {
  if (board->line_count < board->line_capacity)
    return true;
  uint32_t capacity = board->line_capacity ? 2 * board->line_capacity : FIRST_LINES;
  struct gpio_line **lines = realloc(board->lines, capacity * sizeof(struct gpio_line *));
  if (!lines)
    return false;
  board->lines = lines;
  board->line_capacity = capacity;
  return true;
}

enum gpio_status gpio_board_add_line(struct gpio_board *board, struct gpio_component *component,
                                     const char *name, struct gpio_line **added) {
  if (board->line_count == board->line_limit)
    return gpio_board_fail(board, GPIO_LIMIT, "board %s: no pin %s.%s: %u pins are the limit",
                           board->name, component->name, name, board->line_limit);
  if (strlen(name) >= GPIO_NAME_LIMIT || !*name)
    return gpio_board_fail(board, *name ? GPIO_LIMIT : GPIO_INVALID,
                           "board %s: a pin of %s: a name has 1 to %d bytes: '%.20s'", board->name,
                           component->name, GPIO_NAME_LIMIT - 1, name);
  struct gpio_line *line = reserve_line(board) ? gpio_line_open(board, component, name) : NULL;
  if (!line)
    return gpio_board_fail(board, GPIO_NO_MEMORY, "no memory for the pin %s.%s", component->name,
                           name);
  board->lines[board->line_count++] = line;
  *added = line;
  return GPIO_OK;
}

struct gpio_notice *gpio_board_take_notice(struct gpio_board *board) {
  return gpio_notices_take(&board->notices);
}

enum gpio_status gpio_board_schedule(struct gpio_board *board, struct gpio_event *event,
                                     int64_t delay) {
  struct gpio_schedule *schedule = &board->schedule;
  int64_t when = gpio_schedule_after(schedule, delay);
  if (when == GPIO_NEVER)
    return gpio_board_fail(board, GPIO_TIME_OVERFLOW,
                           "board %s: %lld ns from now, %lld, is beyond the end of time",
                           board->name, (long long)delay, (long long)schedule->now);
  if (delay == 0) {
    gpio_schedule_next(schedule, event);
    return GPIO_OK;
  }
  if (schedule->later.count >= schedule->limit)
    return gpio_board_fail(board, GPIO_LIMIT, "board %s: %u events are due, which is the limit",
                           board->name, schedule->limit);
  if (!gpio_schedule_at(schedule, event, when))
    return gpio_board_fail(board, GPIO_NO_MEMORY, "no memory for an event");
  return GPIO_OK;
}

enum gpio_status gpio_board_fail(struct gpio_board *board, enum gpio_status status,
                                 const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(board->message, sizeof board->message, format, values);
  va_end(values);
  return status;
}

void gpio_board_stop(struct gpio_board *board, enum gpio_status status) {
  board->failure = status;
}

/* splitmix64 */
uint64_t gpio_board_random(struct gpio_board *board) {
  uint64_t z = board->random += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}
