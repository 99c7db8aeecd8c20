/* How time passes: deltas, delays, timers, notices, and their limits. */
#include "spec/support/circuit.h"

/* --- Parts whose behaviour is here: they run when a notice is taken --------------------------- */

struct part {
  void (*react)(struct part *part);
  struct gpio_line *in, *out;
  struct gpio_line *data;
  struct gpio_subscription *subscription;
};

static struct gpio_line *new_pin(struct gpio_board *board, struct gpio_component *component,
                                 const char *name, enum gpio_direction direction) {
  struct gpio_line *line;
  CHECK(gpio_board_add_line(board, component, name, &line) == GPIO_OK);
  set_up(line, (struct gpio_settings){.direction = direction});
  return line;
}

static void invert(struct part *part) {
  write_level(part->out, read_value(part->in) ? GPIO_0 : GPIO_1);
}

static void latch(struct part *part) {
  write_level(part->out, read_value(part->data) ? GPIO_1 : GPIO_0);
}

static struct part new_part(struct gpio_board *board, const char *name,
                            void (*react)(struct part *), unsigned kinds) {
  struct gpio_component *component;
  struct part part = {.react = react};
  CHECK(gpio_board_add_component(board, name, &component) == GPIO_OK);
  part.in = new_pin(board, component, "in", GPIO_INPUT);
  part.data = new_pin(board, component, "d", GPIO_INPUT);
  part.out = new_pin(board, component, "out", GPIO_OUTPUT);
  part.subscription = watch(part.in, kinds);
  part.subscription->armed = true;
  return part;
}

/* Advances to the end, and lets the parts run. */
static enum gpio_status run_parts(struct gpio_board *board, struct part *parts, int count,
                                  int64_t until) {
  enum gpio_status status;
  while ((status = gpio_board_advance(board, until, UINT64_MAX)) == GPIO_NOTIFY) {
    struct gpio_notice *notice;
    while ((notice = gpio_board_take_notice(board)))
      for (int i = 0; i < count; i++)
        if (notice == &parts[i].subscription->notice)
          parts[i].react(&parts[i]);
  }
  return status;
}

/* Two flip-flops at one clock: data takes one edge for each, whoever is first. */
static void check_flip_flops(bool first_is_first) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *clock = new_output(board, "clock", GPIO_0),
                   *in = new_output(board, "in", GPIO_1);
  struct part parts[2];
  int first = first_is_first ? 0 : 1, second = 1 - first;
  for (int i = 0; i < 2; i++) {
    parts[i] = new_part(board, "ff", latch, GPIO_RISING);
    join(clock, parts[i].in);
  }
  join(in, parts[first].data);
  join(parts[first].out, parts[second].data);
  CHECK(run_parts(board, parts, 2, 10) == GPIO_OK);
  for (int edge = 1; edge <= 2; edge++) {
    write_level(clock, GPIO_1);
    CHECK(run_parts(board, parts, 2, 20 * edge) == GPIO_OK);
    CHECK(gpio_line_level(parts[first].out) == GPIO_1);
    CHECK(gpio_line_level(parts[second].out) == (edge == 2 ? GPIO_1 : GPIO_0));
    write_level(clock, GPIO_0);
    CHECK(run_parts(board, parts, 2, 20 * edge + 10) == GPIO_OK);
  }
  gpio_board_close(board);
}

/* An inverter fed by itself never rests, unless it has a delay. */
static void check_oscillation(void) {
  struct gpio_board *board = new_board((struct gpio_options){.name = "lab"});
  struct gpio_line *quiet = new_output(board, "quiet", GPIO_1);
  struct part part = new_part(board, "not", invert, GPIO_CHANGE);
  join(part.in, part.out);
  CHECK(gpio_line_label(part.out, "loop") == GPIO_OK);
  CHECK(run_parts(board, &part, 1, 100) == GPIO_OSCILLATION);
  CHECK(
      says(board, "board lab: at 0 ns nothing settles within 10000 deltas; still changing: loop"));
  CHECK(!strstr(board->message, "quiet") && board->schedule.now == 0);
  CHECK(gpio_board_advance(board, 100, 1) == GPIO_OSCILLATION);
  CHECK(gpio_board_next_time(board) == GPIO_NEVER);
  set_up(part.out, (struct gpio_settings){.direction = GPIO_OUTPUT, .delay = 10});
  gpio_board_clear(board);
  uint64_t before = board->changes;
  CHECK(run_parts(board, &part, 1, 105) == GPIO_OK);
  CHECK(board->schedule.now == 105 && board->changes - before >= 10);
  CHECK(gpio_line_level(quiet) == GPIO_1);
  gpio_board_close(board);
}

/* Long quiet work at one time is no oscillation. */
static void check_no_oscillation(void) {
  struct gpio_board *board = new_board((struct gpio_options){.delta_limit = 10});
  struct gpio_line *line = new_output(board, "u", GPIO_0);
  for (int i = 0; i < 100; i++) {
    write_level(line, (enum gpio_level)(i & 1));
    settle(board);
  }
  CHECK(board->changes == 100);
  gpio_board_close(board);
}

/* The writer reads back at once what others see a delta later. */
static void check_read_back(void) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_component *component;
  CHECK(gpio_board_add_component(board, "cpu", &component) == GPIO_OK);
  struct gpio_line *a = new_pin(board, component, "a", GPIO_OUTPUT);
  struct gpio_line *b = new_pin(board, component, "b", GPIO_INPUT);
  struct gpio_line *other = new_line(board, "led", "a");
  join(a, b);
  join(b, other);
  settle(board);
  write_level(a, GPIO_1);
  CHECK(read_value(a) == 1 && read_value(b) == 1 && read_value(other) == 0);
  CHECK(gpio_line_level(a) == GPIO_0);
  settle(board);
  CHECK(read_value(a) == 1 && read_value(b) == 1 && read_value(other) == 1);
  write_level(a, GPIO_0);
  write_level(a, GPIO_1);
  CHECK(read_value(b) == 1);
  settle(board);
  CHECK(component->pending == 0);
  gpio_board_close(board);
}

/* --- Delays ---------------------------------------------------------------------------------- */

static const char *pulses(enum gpio_delay kind) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *line = new_output(board, "gate", GPIO_0);
  run_until(board, 0);
  set_up(line, (struct gpio_settings){.direction = GPIO_OUTPUT, .delay_kind = kind, .delay = 10});
  struct gpio_subscription *probe = watch(line, GPIO_CHANGE);
  static const struct {
    int64_t time;
    enum gpio_level level;
  } writes[] = {{100, GPIO_1}, {104, GPIO_0}, {200, GPIO_1}, {205, GPIO_1}, {215, GPIO_0}};
  for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
    run_until(board, writes[i].time);
    write_level(line, writes[i].level);
  }
  run_until(board, 1000);
  const char *text = taken(probe);
  gpio_board_close(board);
  return text;
}

static void check_delays(void) {
  check_text(pulses(GPIO_TRANSPORT), "110=1 114=0 210=1 225=0", __LINE__);
  check_text(pulses(GPIO_INERTIAL), "210=1 225=0", __LINE__);
}

/* What is due at the same time comes in the order in which it was queued. */
static void check_same_time(void) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *line = new_output(board, "u", GPIO_0);
  settle(board);
  struct gpio_driver *driver = &line->drivers[GPIO_STRONG];
  CHECK(gpio_driver_drive_after(driver, GPIO_1, 10, GPIO_TRANSPORT) == GPIO_OK);
  CHECK(gpio_driver_drive_after(driver, GPIO_0, 10, GPIO_TRANSPORT) == GPIO_OK);
  CHECK(gpio_driver_drive_after(driver, GPIO_Z, 10, GPIO_TRANSPORT) == GPIO_OK);
  uint64_t before = board->changes;
  run_until(board, 10);
  CHECK(gpio_line_level(line) == GPIO_Z && board->changes == before + 1);
  gpio_board_close(board);
}

/* --- Timers and notices ---------------------------------------------------------------------- */

static void check_timers(void) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_timer early, late, stopped;
  gpio_timer_init(&early, board);
  gpio_timer_init(&late, board);
  gpio_timer_init(&stopped, board);
  CHECK(gpio_timer_start(&late, 20) == GPIO_OK && gpio_timer_start(&stopped, 15) == GPIO_OK);
  CHECK(gpio_timer_start(&early, 20) == GPIO_OK && gpio_timer_start(&early, 20) == GPIO_OK);
  CHECK(gpio_board_next_time(board) == 15);
  gpio_timer_stop(&stopped);
  gpio_timer_stop(&stopped);
  CHECK(gpio_board_next_time(board) == 20);
  CHECK(gpio_board_advance(board, 100, UINT64_MAX) == GPIO_NOTIFY && board->schedule.now == 20);
  CHECK(gpio_board_take_notice(board) == &early.notice);
  CHECK(gpio_board_next_time(board) == 20);
  CHECK(gpio_board_take_notice(board) == &late.notice && !gpio_board_take_notice(board));
  CHECK(gpio_timer_start(&late, 0) == GPIO_OK);
  CHECK(gpio_board_advance(board, 100, UINT64_MAX) == GPIO_NOTIFY && board->schedule.now == 20);
  gpio_timer_stop(&late);
  CHECK(!gpio_board_take_notice(board));
  run_until(board, 100);
  CHECK(gpio_timer_start(&early, -1) == GPIO_INVALID && says(board, "a delay is 0 ns or more"));
  gpio_board_close(board);
}

enum { MANY = 500 };

/* Notices come in the order of registration, whatever changed first. */
static void check_order(void) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  static struct gpio_line *lines[MANY];
  static struct gpio_subscription *subscriptions[MANY];
  for (int i = 0; i < MANY; i++)
    lines[i] = new_output(board, "u", GPIO_0);
  settle(board);
  for (int i = 0; i < MANY; i++) {
    subscriptions[i] = watch(lines[i], GPIO_CHANGE);
    subscriptions[i]->armed = true;
  }
  for (int i = 0; i < MANY; i++)
    write_level(lines[i * 7 % MANY], GPIO_1);
  CHECK(gpio_board_advance(board, 0, UINT64_MAX) == GPIO_NOTIFY);
  for (int i = 0; i < MANY; i++) {
    if (i % 10 == 3)
      continue;
    CHECK(gpio_board_take_notice(board) == &subscriptions[i]->notice);
    if (i % 10 == 2) /* while the next one waits */
      gpio_subscription_close(subscriptions[i + 1]);
  }
  CHECK(!gpio_board_take_notice(board));
  gpio_board_close(board);
}

static void check_budget(void) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *line = new_output(board, "u", GPIO_0);
  CHECK(gpio_line_pwm(line, 10, 5) == GPIO_OK);
  struct gpio_subscription *probe = watch(line, GPIO_CHANGE);
  CHECK(gpio_board_advance(board, 1000, 4) == GPIO_MORE);
  CHECK_TAKEN(probe, "0=1 5=0 10=1 15=0");
  CHECK(board->schedule.now == 15);
  gpio_board_close(board);
}

/* --- Limits ---------------------------------------------------------------------------------- */

static void check_end_of_time(void) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *line = new_output(board, "u", GPIO_0), *pwm = new_output(board, "v", GPIO_0);
  struct gpio_line *in = new_line(board, "w", "in");
  struct gpio_timer timer;
  gpio_timer_init(&timer, board);
  join(in, line);
  set_up(in, (struct gpio_settings){.debounce_period = INT64_MAX});
  set_up(line, (struct gpio_settings){.direction = GPIO_OUTPUT, .delay = INT64_MAX - 50});
  struct gpio_subscription *probe = watch(pwm, GPIO_CHANGE);
  run_until(board, 49);
  write_level(line, GPIO_1);
  CHECK(gpio_board_next_time(board) == INT64_MAX - 1);
  run_until(board, 50);
  CHECK(gpio_line_write(line, GPIO_0) == GPIO_TIME_OVERFLOW);
  CHECK(says(board, "is beyond the end of time"));
  CHECK(gpio_timer_start(&timer, INT64_MAX - 50) == GPIO_TIME_OVERFLOW);
  CHECK(gpio_line_pwm(pwm, INT64_MAX, INT64_MAX / 2) == GPIO_OK);
  settle(board);
  CHECK(gpio_line_pwm(pwm, INT64_MAX, 1) == GPIO_OK);
  run_until(board, INT64_MAX);
  CHECK(board->schedule.now == INT64_MAX - 1 && gpio_line_level(line) == GPIO_1);
  CHECK_TAKEN(probe, "0=0 50=1 4611686018427387953=0");
  CHECK(gpio_timer_start(&timer, 0) == GPIO_OK &&
        gpio_timer_start(&timer, 1) == GPIO_TIME_OVERFLOW);
  gpio_board_close(board);
}

static void check_limits(void) {
  struct gpio_board *board =
      new_board((struct gpio_options){.name = "lab", .line_limit = 2, .event_limit = 2});
  struct gpio_line *line = new_output(board, "u", GPIO_0), *other = new_line(board, "v", "a");
  struct gpio_line *third;
  struct gpio_component *component;
  char name[GPIO_NAME_LIMIT + 1];
  memset(name, 'a', GPIO_NAME_LIMIT);
  name[GPIO_NAME_LIMIT] = '\0';
  CHECK(gpio_board_add_component(board, name, &component) == GPIO_LIMIT);
  CHECK(gpio_board_add_component(board, name + 1, &component) == GPIO_OK);
  CHECK(gpio_board_add_line(board, component, "x", &third) == GPIO_LIMIT);
  CHECK(says(board, "2 pins are the limit"));
  set_up(line, (struct gpio_settings){.direction = GPIO_OUTPUT, .delay = 10});
  settle(board);
  write_level(line, GPIO_1);
  write_level(line, GPIO_0);
  CHECK(gpio_line_write(line, GPIO_1) == GPIO_LIMIT && says(board, "2 events are due"));
  set_up(other, (struct gpio_settings){.debounce_period = 5});
  struct gpio_line *both[] = {line, other};
  struct gpio_subscription *none;
  CHECK(gpio_subscription_open(board, &(struct gpio_watching){both, 2, 8, 0}, &none) ==
        GPIO_INVALID);
  CHECK(gpio_subscription_open(board, &(struct gpio_watching){both, 0, 1, 0}, &none) ==
        GPIO_INVALID);
  CHECK(gpio_subscription_open(board, &(struct gpio_watching){both, 2, 1, 0}, &none) ==
        GPIO_WRONG_DIRECTION);
  CHECK(says(board, "u.out"));
  CHECK(gpio_subscription_open(board, &(struct gpio_watching){both, 2, 4, 1u << 30}, &none) ==
        GPIO_LIMIT);
  gpio_board_close(board);
}

static void check_mistakes(void) {
  struct gpio_board *board = new_board((struct gpio_options){.name = "lab"});
  struct gpio_line *in = new_line(board, "led", "a");
  struct gpio_component *component;
  struct gpio_line *none;
  struct gpio_wire *wire;
  CHECK(gpio_line_write(in, GPIO_1) == GPIO_WRONG_DIRECTION);
  CHECK(says(board, "board lab: a write to pin led.a (net led.a), an input"));
  CHECK(gpio_line_pwm(in, 10, 5) == GPIO_WRONG_DIRECTION && says(board, "led.a"));
  CHECK(gpio_line_pwm(in, 0, 0) == GPIO_INVALID && gpio_line_pwm(in, 10, 11) == GPIO_INVALID);
  CHECK(gpio_wire_connect(in, in, &wire) == GPIO_INVALID);
  CHECK(gpio_line_configure(in, &(struct gpio_settings){.debounce_period = -1}) == GPIO_INVALID);
  CHECK(gpio_board_add_component(board, "u", &component) == GPIO_OK);
  CHECK(gpio_board_add_line(board, component, "", &none) == GPIO_INVALID);
  struct gpio_board *another = new_board((struct gpio_options){.name = "shed"});
  CHECK(gpio_wire_connect(in, new_line(another, "u", "a"), &wire) == GPIO_INVALID);
  CHECK(says(board, "shed"));
  gpio_board_close(another);
  CHECK(gpio_line_request(in, "blink.lua", false) == GPIO_OK);
  CHECK(gpio_line_request(in, "fade.lua", true) == GPIO_BUSY && says(board, "in use by blink.lua"));
  gpio_line_release(in);
  CHECK(gpio_line_request(in, "fade.lua", true) == GPIO_OK);
  CHECK(gpio_line_request(in, "other.lua", true) == GPIO_OK);
  gpio_line_release(in);
  CHECK(gpio_line_request(in, "third.lua", false) == GPIO_BUSY);
  gpio_line_release(in);
  gpio_line_release(in);
  CHECK(gpio_line_request(in, "third.lua", false) == GPIO_OK);
  gpio_board_close(board);
}

int main(void) {
  check_flip_flops(true);
  check_flip_flops(false);
  check_oscillation();
  check_no_oscillation();
  check_read_back();
  check_delays();
  check_same_time();
  check_timers();
  check_order();
  check_budget();
  check_end_of_time();
  check_limits();
  check_mistakes();
  printf("good: %d checks\n", checked);
  return 0;
}
