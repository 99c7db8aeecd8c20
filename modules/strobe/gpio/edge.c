#include "modules/strobe/gpio/edge.h"

#include "modules/strobe/gpio/board.h"
#include "modules/strobe/gpio/pwm.h"
#include "modules/strobe/gpio/subscription.h"

static void tell(struct gpio_line *line, const struct gpio_edge_event *event) {
  for (struct list *link = line->watches.next; link != &line->watches; link = link->next) {
    struct gpio_subscription *subscription =
        list_entry(link, struct gpio_watch, link)->subscription;
    if (subscription->kinds & event->kind)
      gpio_subscription_push(subscription, event);
  }
}

static void tell_edge(struct gpio_line *line, enum gpio_level level) {
  enum gpio_level value = gpio_line_logical(line, level);
  tell(line, &(struct gpio_edge_event){.time = line->board->schedule.now,
                                       .line_seq = ++line->edge_seq,
                                       .line = line->id,
                                       .kind = value == GPIO_1 ? GPIO_RISING : GPIO_FALLING,
                                       .value = (uint8_t)value});
}

static void tell_change(struct gpio_line *line, enum gpio_level level) {
  tell(line, &(struct gpio_edge_event){.time = line->board->schedule.now,
                                       .line_seq = ++line->change_seq,
                                       .line = line->id,
                                       .kind = GPIO_CHANGE,
                                       .value = (uint8_t)level});
}

/* --- Debounce ---------------------------------------------------------------------------- */

static void still(struct gpio_event *event) {
  struct gpio_debounce *debounce = list_entry(event, struct gpio_debounce, event);
  struct gpio_line *line = list_entry(debounce, struct gpio_line, debounce);
  if (line->defined == debounce->level)
    return;
  debounce->level = line->defined;
  tell_edge(line, line->defined);
}

void gpio_debounce_init(struct gpio_line *line) {
  line->debounce.level = GPIO_Z;
  gpio_event_init(&line->debounce.event, still);
}

void gpio_debounce_cancel(struct gpio_line *line) {
  gpio_schedule_cancel(&line->board->schedule, &line->debounce.event);
}

void gpio_debounce_reset(struct gpio_line *line) {
  gpio_debounce_cancel(line);
  line->debounce.level = line->defined;
}

static void restart(struct gpio_line *line) {
  struct gpio_board *board = line->board;
  gpio_debounce_cancel(line);
  int64_t when = gpio_schedule_after(&board->schedule, line->settings.debounce_period);
  if (when == GPIO_NEVER || gpio_schedule_at(&board->schedule, &line->debounce.event, when))
    return;
  gpio_board_fail(board, GPIO_LIMIT, "board %s: no room for the debounce of %s among %u events",
                  board->name, line->name, board->schedule.limit);
  gpio_board_stop(board, GPIO_LIMIT);
}

void gpio_debounce_review(struct gpio_line *line) {
  const struct gpio_settings *settings = &line->settings;
  if (settings->debounce_period > 0 && settings->direction == GPIO_INPUT &&
      line->debounce.level != line->defined && !gpio_event_queued(&line->debounce.event))
    restart(line);
}

/* --- Looking ----------------------------------------------------------------------------- */

void gpio_line_observe(struct gpio_line *line, enum gpio_level level) {
  enum gpio_level before = line->defined;
  if (level == line->level)
    return;
  line->level = level;
  tell_change(line, level);
  if (!gpio_level_defined(level))
    return;
  line->defined = level;
  if (level == before || line->settings.direction != GPIO_INPUT)
    return;
  if (before == GPIO_Z)
    line->debounce.level = level;
  else if (line->settings.debounce_period > 0)
    restart(line);
  else
    tell_edge(line, level);
}

static bool must_look(const struct gpio_line *line) {
  return !list_empty(&line->watches) ||
         (line->settings.debounce_period > 0 && line->settings.direction == GPIO_INPUT);
}

void gpio_line_review(struct gpio_line *line) {
  struct gpio_net *net = line->net;
  bool looks = list_linked(&line->watched), must = must_look(line);
  if (looks == must)
    return;
  if (must) {
    gpio_pwm_refresh(net);
    line->level = net->value;
    line->defined = net->defined;
    list_append(&net->watched, &line->watched);
  } else {
    list_remove(&line->watched);
  }
  gpio_pwm_review(net);
}
