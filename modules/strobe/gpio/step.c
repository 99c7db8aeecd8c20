/* How time passes on a board, step by step.
 *
 * A time has deltas. In each the changes that are due are made, then every net they touch is
 * resolved once, then whoever looks at those that changed is told. Nobody acts before all is
 * told, so what two parts do at one clock edge does not depend on who is first. */
#include "modules/strobe/gpio/board.h"
#include "modules/strobe/gpio/edge.h"
#include "modules/strobe/gpio/pwm.h"

#include <stdio.h>
#include <string.h>

/* Nets that change in so many deltas before the limit are named. */
enum { WATCHED_DELTAS = 64 };

/* --- Deltas ------------------------------------------------------------------------------ */

static void look(struct gpio_net *net) {
  struct list *link = net->watched.next;
  for (; link != &net->watched; link = link->next)
    gpio_line_observe(list_entry(link, struct gpio_line, watched), net->value);
}

static void change(struct gpio_board *board, struct gpio_net *net, enum gpio_level level) {
  board->changes += level != net->value;
  net->value = level;
  net->rewired = false;
  if (gpio_level_defined(level))
    net->defined = level;
  if (board->schedule.delta + WATCHED_DELTAS > board->delta_limit)
    net->restless = true;
  if (net->traced && board->trace.deltas)
    gpio_trace_net(&board->trace, net, board->schedule.now);
  look(net);
}

static void settle(struct gpio_board *board) {
  struct list *link;
  board->unsettled = true;
  board->deltas++;
  while ((link = list_shift(&board->dirty))) {
    struct gpio_net *net = list_entry(link, struct gpio_net, dirty);
    if (!list_linked(&net->touched))
      list_append(&board->touched, &net->touched);
    if (!list_empty(&net->pwms))
      gpio_pwm_review(net);
    enum gpio_level level = gpio_net_resolve(net);
    if (level != net->value || net->rewired)
      change(board, net, level);
  }
}

/* Adds to the message as far as there is room. */
static void add(struct gpio_board *board, const char *before, const char *name) {
  size_t size = strlen(board->message), room = sizeof board->message - size;
  if (strlen(before) + strlen(name) < room)
    snprintf(board->message + size, room, "%s%s", before, name);
}

static void name_restless(struct gpio_board *board) {
  const char *before = "";
  const struct list *link = board->touched.next;
  for (; link != &board->touched; link = link->next) {
    const struct gpio_net *net = list_entry(link, struct gpio_net, touched);
    if (!net->restless)
      continue;
    add(board, before, gpio_net_name(net));
    before = ", ";
  }
  if (!*before)
    add(board, "", "no net, but timers of 0 ns");
}

static void stop_oscillation(struct gpio_board *board) {
  gpio_board_fail(board, GPIO_OSCILLATION,
                  "board %s: at %lld ns nothing settles within %u deltas; still changing: ",
                  board->name, (long long)board->schedule.now, board->delta_limit);
  name_restless(board);
  gpio_board_stop(board, GPIO_OSCILLATION);
}

static bool delta_due(const struct gpio_board *board) {
  return !list_empty(&board->schedule.next) || !list_empty(&board->dirty);
}

static void run_delta(struct gpio_board *board) {
  if (board->schedule.delta >= board->delta_limit) {
    stop_oscillation(board);
    return;
  }
  gpio_schedule_run_delta(&board->schedule);
  settle(board);
}

/* --- Times ------------------------------------------------------------------------------- */

static void check_contention(struct gpio_board *board, struct gpio_net *net) {
  int64_t now = board->schedule.now;
  if (!gpio_net_contended(net)) {
    gpio_contention_end(net, now);
  } else if (!gpio_contention_begin(&board->contentions, net, now)) {
    gpio_board_fail(board, GPIO_NO_MEMORY, "no memory to report the contention on net %s",
                    gpio_net_name(net));
    gpio_board_stop(board, GPIO_NO_MEMORY);
  }
  if (board->contention_armed)
    gpio_notice_queue(&board->notices, &board->contention_notice);
}

/* All deltas of this time are over, unless a notice of a contention brings more. */
static void look_for_contention(struct gpio_board *board) {
  board->unsettled = false;
  for (struct list *link = board->touched.next; link != &board->touched; link = link->next) {
    struct gpio_net *net = list_entry(link, struct gpio_net, touched);
    if (gpio_net_contended(net) != net->contended)
      check_contention(board, net);
  }
}

void gpio_board_flush(struct gpio_board *board) {
  for (struct list *link = board->touched.next; link != &board->touched; link = link->next) {
    const struct gpio_net *net = list_entry(link, struct gpio_net, touched);
    if (net->traced)
      gpio_trace_net(&board->trace, net, board->schedule.now);
  }
}

/* This time is over. */
static void leave_time(struct gpio_board *board) {
  struct list *link;
  while ((link = list_shift(&board->touched))) {
    struct gpio_net *net = list_entry(link, struct gpio_net, touched);
    net->restless = false;
    if (net->traced)
      gpio_trace_net(&board->trace, net, board->schedule.now);
  }
}

/* Nothing is due until then. What is written from here on is a new beginning, even if no
 * time passes: the limit of deltas is for what never comes to rest. */
static void idle_until(struct gpio_board *board, int64_t until) {
  board->schedule.delta = 0;
  if (until == GPIO_NEVER || until <= board->schedule.now)
    return;
  leave_time(board);
  board->schedule.now = until;
}

int64_t gpio_board_next_time(const struct gpio_board *board) {
  if (board->failure != GPIO_OK)
    return GPIO_NEVER;
  if (delta_due(board) || board->unsettled || !list_empty(&board->notices.waiting))
    return board->schedule.now;
  return gpio_schedule_later(&board->schedule);
}

enum gpio_status gpio_board_advance(struct gpio_board *board, int64_t until, uint64_t deltas) {
  for (;;) {
    if (board->failure != GPIO_OK)
      return board->failure;
    if (!list_empty(&board->notices.waiting))
      return GPIO_NOTIFY;
    int64_t when = gpio_board_next_time(board);
    if (when == GPIO_NEVER || when > until) {
      idle_until(board, until);
      return GPIO_OK;
    }
    if (!delta_due(board) && board->unsettled) {
      look_for_contention(board);
      continue;
    }
    if (deltas-- == 0)
      return GPIO_MORE;
    if (delta_due(board)) {
      run_delta(board);
    } else {
      leave_time(board);
      gpio_schedule_run_time(&board->schedule, when);
      settle(board);
    }
  }
}

void gpio_board_clear(struct gpio_board *board) {
  board->failure = GPIO_OK;
  board->schedule.delta = 0;
  board->unsettled = true;
  for (uint32_t i = 0; i < board->line_count; i++) {
    gpio_pwm_review(board->lines[i]->net);
    gpio_debounce_review(board->lines[i]);
  }
}
