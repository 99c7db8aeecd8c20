#include "modules/strobe/gpio/pwm.h"

#include "modules/strobe/gpio/board.h"

#include <stdlib.h>

static bool steady(const struct gpio_wave *wave) {
  return wave->high == 0 || wave->high == wave->period;
}

double gpio_pwm_duty(const struct gpio_line *line) {
  return (double)line->pwm->wave.high / (double)line->pwm->wave.period;
}

static void tell_duty(const struct gpio_line *line) {
  const struct gpio_board *board = line->board;
  gpio_trace_duty(&board->trace, line, board->schedule.now, gpio_pwm_duty(line));
}

static void begin_next(struct gpio_pwm *pwm, int64_t now) {
  if (pwm->next.period == 0 || now < pwm->next.start)
    return;
  pwm->wave = pwm->next;
  pwm->next.period = 0;
  tell_duty(pwm->line);
}

static enum gpio_level level_at(const struct gpio_wave *wave, int64_t now) {
  return (now - wave->start) % wave->period < wave->high ? GPIO_1 : GPIO_0;
}

/* When the period ends in which `now` lies. */
static int64_t period_end(const struct gpio_wave *wave, int64_t now) {
  int64_t left = wave->period - (now - wave->start) % wave->period;
  return left < GPIO_NEVER - now ? now + left : GPIO_NEVER;
}

/* When the next edge or change is, or GPIO_NEVER. */
static int64_t next_edge(const struct gpio_pwm *pwm, int64_t now) {
  const struct gpio_wave *wave = &pwm->wave;
  if (steady(wave))
    return pwm->next.period ? pwm->next.start : GPIO_NEVER;
  int64_t phase = (now - wave->start) % wave->period;
  if (phase >= wave->high)
    return period_end(wave, now);
  return wave->high - phase < GPIO_NEVER - now ? now - phase + wave->high : GPIO_NEVER;
}

static enum gpio_level current(struct gpio_pwm *pwm) {
  int64_t now = pwm->line->board->schedule.now;
  begin_next(pwm, now);
  return gpio_line_driven(pwm->line, level_at(&pwm->wave, now));
}

/* Brings the driver up to now. Nobody is told, for nobody looks: else edges are made. */
static void refresh(struct gpio_pwm *pwm) {
  struct gpio_driver *driver = &pwm->line->drivers[GPIO_STRONG];
  struct gpio_net *net = pwm->line->net;
  if (gpio_event_queued(&pwm->event) || gpio_driver_pending(driver))
    return;
  enum gpio_level level = current(pwm);
  if (level == driver->value)
    return;
  gpio_driver_count(driver, net, level);
  net->value = gpio_net_resolve(net);
  if (gpio_level_defined(net->value))
    net->defined = net->value;
}

static void schedule(struct gpio_pwm *pwm) {
  struct gpio_board *board = pwm->line->board;
  int64_t when = next_edge(pwm, board->schedule.now);
  if (when == GPIO_NEVER || gpio_schedule_at(&board->schedule, &pwm->event, when))
    return;
  gpio_board_fail(board, GPIO_LIMIT, "board %s: no room for the PWM of %s among %u events",
                  board->name, pwm->line->name, board->schedule.limit);
  gpio_board_stop(board, GPIO_LIMIT);
}

static void run(struct gpio_event *event) {
  struct gpio_pwm *pwm = list_entry(event, struct gpio_pwm, event);
  gpio_driver_apply(&pwm->line->drivers[GPIO_STRONG], current(pwm));
  schedule(pwm);
}

void gpio_pwm_refresh(struct gpio_net *net) {
  for (struct list *link = net->pwms.next; link != &net->pwms; link = link->next)
    refresh(list_entry(link, struct gpio_pwm, link));
}

/* How many outputs drive besides the one of this PWM. */
static uint32_t others(const struct gpio_net *net, const struct gpio_pwm *pwm) {
  const uint32_t *strong = net->drivers[GPIO_STRONG];
  bool drives = pwm->line->drivers[GPIO_STRONG].value != GPIO_Z;
  return strong[GPIO_0] + strong[GPIO_1] + strong[GPIO_X] - drives;
}

/* Whether somebody looks, or drives against it. */
static bool needs_edges(const struct gpio_net *net, const struct gpio_pwm *pwm) {
  return !list_empty(&net->watched) || net->traced > 0 || net->pwms.next != net->pwms.prev ||
         others(net, pwm) > 0;
}

static void review(struct gpio_pwm *pwm, const struct gpio_net *net) {
  struct gpio_schedule *events = &pwm->line->board->schedule;
  if (!needs_edges(net, pwm)) {
    gpio_schedule_cancel(events, &pwm->event);
  } else if (!gpio_event_queued(&pwm->event)) {
    refresh(pwm);
    schedule(pwm);
  }
}

void gpio_pwm_review(struct gpio_net *net) {
  for (struct list *link = net->pwms.next; link != &net->pwms; link = link->next)
    review(list_entry(link, struct gpio_pwm, link), net);
}

void gpio_pwm_move(struct gpio_pwm *pwm, struct gpio_net *net) {
  list_remove(&pwm->link);
  list_append(&net->pwms, &pwm->link);
}

static enum gpio_status begin(struct gpio_line *line, const struct gpio_wave *wave) {
  struct gpio_pwm *pwm = calloc(1, sizeof *pwm);
  if (!pwm)
    return gpio_board_fail(line->board, GPIO_NO_MEMORY, "no memory for PWM on %s", line->name);
  pwm->line = line;
  pwm->wave = *wave;
  list_init(&pwm->link);
  gpio_event_init(&pwm->event, run);
  line->pwm = pwm;
  gpio_driver_cancel(&line->drivers[GPIO_STRONG]);
  gpio_driver_drive(&line->drivers[GPIO_STRONG],
                    gpio_line_driven(line, level_at(wave, wave->start)));
  gpio_pwm_move(pwm, line->net);
  gpio_pwm_review(line->net);
  tell_duty(line);
  return GPIO_OK;
}

/* Changes a PWM that runs. */
static void change(struct gpio_pwm *pwm, const struct gpio_wave *wave) {
  struct gpio_schedule *events = &pwm->line->board->schedule;
  begin_next(pwm, events->now);
  pwm->next = *wave;
  pwm->next.start = period_end(&pwm->wave, events->now);
  if (pwm->next.start == GPIO_NEVER)
    pwm->next.period = 0;
  gpio_schedule_cancel(events, &pwm->event);
  gpio_pwm_review(pwm->line->net);
}

enum gpio_status gpio_line_pwm(struct gpio_line *line, int64_t period, int64_t high) {
  struct gpio_wave wave = {line->board->schedule.now, period, high};
  if (period <= 0 || high < 0 || high > period)
    return gpio_board_fail(line->board, GPIO_INVALID,
                           "board %s: PWM on %s: high for 0 to %lld ns, not %lld",
                           line->board->name, line->name, (long long)period, (long long)high);
  if (line->settings.direction != GPIO_OUTPUT)
    return gpio_board_fail(line->board, GPIO_WRONG_DIRECTION,
                           "board %s: PWM on %s (net %s), an input: make it an output first",
                           line->board->name, line->name, gpio_net_name(line->net));
  if (!line->pwm)
    return begin(line, &wave);
  change(line->pwm, &wave);
  return GPIO_OK;
}

void gpio_pwm_end(struct gpio_line *line) {
  struct gpio_pwm *pwm = line->pwm;
  if (!pwm)
    return;
  refresh(pwm);
  line->pwm = NULL;
  gpio_schedule_cancel(&line->board->schedule, &pwm->event);
  list_remove(&pwm->link);
  free(pwm);
  gpio_trace_duty(&line->board->trace, line, line->board->schedule.now, 0);
  gpio_pwm_review(line->net);
}
