#include "modules/strobe/gpio/subscription.h"

#include "modules/strobe/gpio/board.h"

#include <stdlib.h>

static enum gpio_status check(struct gpio_board *board, const struct gpio_watching *watching) {
  const unsigned all = GPIO_RISING | GPIO_FALLING | GPIO_CHANGE;
  if (watching->line_count == 0 || watching->line_count > board->line_count)
    return gpio_board_fail(board, GPIO_INVALID, "board %s: a subscription to %u lines, of %u",
                           board->name, watching->line_count, board->line_count);
  if (watching->kinds == 0 || watching->kinds & ~all)
    return gpio_board_fail(board, GPIO_INVALID, "board %s: a subscription to no kind of event",
                           board->name);
  if (watching->capacity > GPIO_CAPACITY_LIMIT)
    return gpio_board_fail(board, GPIO_LIMIT,
                           "board %s: a subscription keeps at most %d events, not %u", board->name,
                           GPIO_CAPACITY_LIMIT, watching->capacity);
  for (uint32_t i = 0; i < watching->line_count; i++) {
    const struct gpio_line *line = watching->lines[i];
    if (line->settings.direction != GPIO_INPUT && !(watching->kinds & GPIO_CHANGE))
      return gpio_board_fail(board, GPIO_WRONG_DIRECTION,
                             "board %s: edges of pin %s (net %s), an output: an input has edges",
                             board->name, line->name, gpio_net_name(line->net));
  }
  return GPIO_OK;
}

static void watch(struct gpio_subscription *subscription, struct gpio_line *line) {
  struct gpio_watch *one = &subscription->watches[subscription->line_count++];
  one->line = line;
  one->subscription = subscription;
  list_append(&line->watches, &one->link);
  gpio_line_review(line);
}

static struct gpio_subscription *new_subscription(const struct gpio_watching *watching) {
  uint32_t lines = watching->line_count, capacity = watching->capacity;
  struct gpio_subscription *subscription =
      calloc(1, sizeof *subscription + lines * sizeof subscription->watches[0]);
  if (!subscription)
    return NULL;
  if (capacity == 0)
    capacity = GPIO_EVENTS_PER_LINE * lines;
  subscription->events = calloc(capacity, sizeof subscription->events[0]);
  subscription->capacity = capacity;
  if (subscription->events)
    return subscription;
  free(subscription);
  return NULL;
}

enum gpio_status gpio_subscription_open(struct gpio_board *board,
                                        const struct gpio_watching *watching,
                                        struct gpio_subscription **opened) {
  enum gpio_status status = check(board, watching);
  if (status != GPIO_OK)
    return status;
  struct gpio_subscription *subscription = new_subscription(watching);
  if (!subscription)
    return gpio_board_fail(board, GPIO_NO_MEMORY, "no memory for a subscription");
  subscription->board = board;
  subscription->kinds = watching->kinds;
  gpio_notice_init(&board->notices, &subscription->notice, GPIO_NOTICE_SUBSCRIPTION);
  list_append(&board->subscriptions, &subscription->link);
  for (uint32_t i = 0; i < watching->line_count; i++)
    watch(subscription, watching->lines[i]);
  *opened = subscription;
  return GPIO_OK;
}

void gpio_subscription_close(struct gpio_subscription *subscription) {
  for (uint32_t i = 0; i < subscription->line_count; i++) {
    list_remove(&subscription->watches[i].link);
    gpio_line_review(subscription->watches[i].line);
  }
  gpio_notice_cancel(&subscription->notice);
  list_remove(&subscription->link);
  free(subscription->events);
  free(subscription);
}

uint32_t gpio_subscription_read(struct gpio_subscription *subscription,
                                struct gpio_edge_event *events, uint32_t room) {
  uint32_t count = subscription->count < room ? subscription->count : room;
  for (uint32_t i = 0; i < count; i++) {
    events[i] = subscription->events[subscription->start++];
    if (subscription->start == subscription->capacity)
      subscription->start = 0;
  }
  subscription->count -= count;
  return count;
}

void gpio_subscription_push(struct gpio_subscription *subscription,
                            const struct gpio_edge_event *event) {
  uint32_t capacity = subscription->capacity;
  uint32_t place = subscription->start + subscription->count;
  place = place >= capacity ? place - capacity : place;
  subscription->events[place] = *event;
  subscription->events[place].seq = ++subscription->seq;
  if (subscription->count < capacity) {
    subscription->count++;
  } else {
    subscription->overruns++;
    subscription->start = place + 1 == capacity ? 0 : place + 1;
  }
  if (subscription->armed)
    gpio_notice_queue(&subscription->board->notices, &subscription->notice);
}
