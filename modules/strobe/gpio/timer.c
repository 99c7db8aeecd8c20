#include "modules/strobe/gpio/timer.h"

#include "modules/strobe/gpio/board.h"

static void run(struct gpio_event *event) {
  struct gpio_timer *timer = list_entry(event, struct gpio_timer, event);
  gpio_notice_queue(&timer->board->notices, &timer->notice);
}

void gpio_timer_init(struct gpio_timer *timer, struct gpio_board *board) {
  timer->board = board;
  gpio_notice_init(&board->notices, &timer->notice, GPIO_NOTICE_TIMER);
  gpio_event_init(&timer->event, run);
}

enum gpio_status gpio_timer_start(struct gpio_timer *timer, int64_t delay) {
  if (delay < 0)
    return gpio_board_fail(timer->board, GPIO_INVALID, "a delay is 0 ns or more, not %lld",
                           (long long)delay);
  gpio_timer_stop(timer);
  return gpio_board_schedule(timer->board, &timer->event, delay);
}

void gpio_timer_stop(struct gpio_timer *timer) {
  gpio_notice_cancel(&timer->notice);
  gpio_schedule_cancel(&timer->board->schedule, &timer->event);
}
