/* What a line tells: edges, debounce, bounded subscriptions, PWM, and wires that come and go. */
#include "spec/support/circuit.h"

enum { BOTH = GPIO_RISING | GPIO_FALLING };

struct bench {
  struct gpio_board *board;
  struct gpio_line *out, *in;
};

/* An output wired to an input. */
static struct bench new_bench(struct gpio_settings in) {
  struct bench bench = {.board = new_board((struct gpio_options){.name = "lab"})};
  bench.out = new_output(bench.board, "u", GPIO_Z);
  bench.in = new_line(bench.board, "v", "in");
  set_up(bench.in, in);
  join(bench.out, bench.in);
  settle(bench.board);
  return bench;
}

/* Drives "0@10 x@20": each level at its time. */
static void drive(struct bench *bench, const char *story) {
  char letter;
  long long time;
  int size;
  for (; sscanf(story, " %c@%lld%n", &letter, &time, &size) == 2; story += size) {
    run_until(bench->board, time);
    write_level(bench->out, (enum gpio_level)(strchr("01zx", letter) - "01zx"));
  }
  run_until(bench->board, 10000);
}

static void check_story(struct gpio_settings in, const char *story, const char *expected) {
  struct bench bench = new_bench(in);
  struct gpio_subscription *edges = watch(bench.in, BOTH);
  drive(&bench, story);
  CHECK_TAKEN(edges, expected);
  gpio_board_close(bench.board);
}

static void check_edges(void) {
  struct gpio_settings plain = {0}, low = {.active_low = true};
  check_story(plain, "0@10", "");
  check_story(plain, "1@10", "");
  check_story(plain, "0@10 1@20 0@30", "20+ 30-");
  check_story(plain, "0@10 x@20 1@30", "30+");
  check_story(plain, "0@10 z@20 0@30 z@40 1@50", "50+");
  check_story(plain, "x@10 1@20 x@30 0@40", "40-");
  check_story(low, "0@10 1@20 0@30", "20- 30+");
  check_story((struct gpio_settings){.bias = GPIO_PULL_UP}, "0@10 z@20 0@30", "10- 20+ 30-");
}

/* A pulse within one time is seen, two writes in one delta are not. */
static void check_glitch(void) {
  struct bench bench = new_bench((struct gpio_settings){0});
  struct gpio_subscription *edges = watch(bench.in, BOTH);
  write_level(bench.out, GPIO_0);
  run_until(bench.board, 10);
  write_level(bench.out, GPIO_1);
  write_level(bench.out, GPIO_0);
  settle(bench.board);
  CHECK_TAKEN(edges, "");
  write_level(bench.out, GPIO_1);
  settle(bench.board);
  write_level(bench.out, GPIO_0);
  settle(bench.board);
  CHECK_TAKEN(edges, "10+ 10-");
  gpio_board_close(bench.board);
}

static void check_kinds(void) {
  struct bench bench = new_bench((struct gpio_settings){.active_low = true});
  struct gpio_subscription *rising = watch(bench.in, GPIO_RISING);
  struct gpio_subscription *changes = watch(bench.in, GPIO_CHANGE);
  struct gpio_edge_event event;
  drive(&bench, "0@10 1@20 x@25 0@30");
  CHECK_TAKEN(changes, "10=0 20=1 25=x 30=0");
  CHECK(gpio_subscription_read(rising, &event, 1) == 1 && event.time == 30);
  CHECK(event.value == GPIO_1 && event.line == bench.in->id && event.seq == 1);
  CHECK(event.line_seq == 2 && read_value(bench.in) == 1);
  gpio_board_close(bench.board);
}

static void check_overruns(void) {
  struct bench bench = new_bench((struct gpio_settings){0});
  struct gpio_subscription *few = watch_kept(bench.in, BOTH, 3), *usual = watch(bench.in, BOTH);
  struct gpio_edge_event events[32];
  drive(&bench, "0@1");
  for (int i = 0; i < 20; i++) {
    write_level(bench.out, (enum gpio_level)(~i & 1));
    settle(bench.board);
  }
  CHECK(few->overruns == 17 && few->count == 3 && usual->overruns == 4);
  CHECK(gpio_subscription_read(few, events, 2) == 2);
  CHECK(events[0].seq == 18 && events[1].seq == 19 && events[0].line_seq == 18);
  write_level(bench.out, GPIO_1);
  settle(bench.board);
  CHECK(gpio_subscription_read(few, events, 32) == 2);
  CHECK(events[0].seq == 20 && events[1].seq == 21 && few->count == 0);
  CHECK(gpio_subscription_read(usual, events, 32) == GPIO_EVENTS_PER_LINE);
  CHECK(events[0].seq == 6 && events[15].seq == 21);
  gpio_board_close(bench.board);
}

/* --- Debounce -------------------------------------------------------------------------------- */

static void check_debounce(void) {
  struct gpio_settings settings = {.debounce_period = 100};
  check_story(settings, "0@10 1@1000 0@1050 1@1080", "1180+");
  check_story(settings, "0@10 1@1000 0@1050", "");
  check_story(settings, "0@10 1@1000 0@1100 1@1199 0@1200", "1100+ 1300-");
  check_story(settings, "0@10 1@1000 z@1020 1@1050 0@2000", "1100+ 2100-");
  settings.active_low = true;
  check_story(settings, "0@10 1@1000 0@2000", "1100- 2100+");
}

static void check_debounced_read(void) {
  struct gpio_settings settings = {.debounce_period = 100};
  struct bench bench = new_bench(settings);
  struct gpio_subscription *edges = watch(bench.in, BOTH);
  drive(&bench, "0@10");
  write_level(bench.out, GPIO_1);
  run_until(bench.board, 10099);
  CHECK(read_value(bench.in) == 0 && gpio_line_level(bench.in) == GPIO_1);
  run_until(bench.board, 10100);
  CHECK(read_value(bench.in) == 1);
  CHECK_TAKEN(edges, "10100+");
  write_level(bench.out, GPIO_0);
  run_until(bench.board, 10150);
  set_up(bench.in, settings); /* cancels what is pending */
  run_until(bench.board, 20000);
  CHECK_TAKEN(edges, "");
  CHECK(read_value(bench.in) == 0);
  gpio_board_close(bench.board);
}

/* An output has no edges; its subscription waits for it to be an input again. */
static void check_direction(void) {
  struct bench bench = new_bench((struct gpio_settings){0});
  struct gpio_subscription *edges = watch(bench.in, BOTH);
  drive(&bench, "0@10 z@20");
  set_up(bench.in, (struct gpio_settings){.direction = GPIO_OUTPUT, .output_value = GPIO_1});
  run_until(bench.board, 10010);
  write_level(bench.in, GPIO_0);
  run_until(bench.board, 10020);
  CHECK_TAKEN(edges, "");
  set_up(bench.in, (struct gpio_settings){.direction = GPIO_INPUT});
  write_level(bench.out, GPIO_1);
  run_until(bench.board, 10030);
  CHECK_TAKEN(edges, "10020+");
  gpio_line_release(bench.in); /* nobody's: harmless */
  gpio_board_close(bench.board);
}

/* --- PWM ------------------------------------------------------------------------------------- */

struct duty {
  int64_t time, period, high;
};

static const struct duty duties[] = {{5, 10, 3},   {48, 20, 20}, {99, 7, 0},
                                     {130, 8, 1},  {131, 8, 7},  {200, 1, 1},
                                     {201, 16, 8}, {301, 10, 5}, {302, 4, 2}};

/* The levels of each nanosecond, read while it is watched or not. */
static void record_pwm(bool watched, char levels[500]) {
  struct bench bench = new_bench((struct gpio_settings){0});
  size_t next = 0;
  set_up(bench.out, (struct gpio_settings){.direction = GPIO_OUTPUT, .active_low = true});
  if (watched)
    watch(bench.in, GPIO_RISING);
  for (int64_t time = 0; time < 500; time++) {
    run_until(bench.board, time);
    if (next < sizeof duties / sizeof duties[0] && duties[next].time == time) {
      CHECK(gpio_line_pwm(bench.out, duties[next].period, duties[next].high) == GPIO_OK);
      settle(bench.board);
      next++;
    }
    levels[time] = gpio_level_letter(gpio_line_level(bench.in));
  }
  CHECK(watched || bench.board->schedule.later.count == 0);
  gpio_board_close(bench.board);
}

static void check_formula(void) {
  char edges[500], formula[500];
  record_pwm(true, edges);
  record_pwm(false, formula);
  CHECK(memcmp(edges, formula, sizeof edges) == 0);
  CHECK(memchr(edges, '0', 500) && memchr(edges, 'z', 500) == NULL);
}

static void check_pwm(void) {
  struct bench bench = new_bench((struct gpio_settings){0});
  set_up(bench.out, (struct gpio_settings){.direction = GPIO_OUTPUT});
  CHECK(gpio_line_pwm(bench.out, 100, 25) == GPIO_OK);
  run_until(bench.board, 1010);
  CHECK(read_value(bench.in) == 1 && gpio_board_next_time(bench.board) == GPIO_NEVER);
  struct gpio_subscription *edges = watch(bench.in, BOTH);
  run_until(bench.board, 1130);
  CHECK_TAKEN(edges, "1025- 1100+ 1125-");
  CHECK(gpio_line_pwm(bench.out, 10, 5) == GPIO_OK); /* with the next period */
  run_until(bench.board, 1212);
  CHECK_TAKEN(edges, "1200+ 1205- 1210+");
  CHECK(gpio_line_pwm(bench.out, 10, 0) == GPIO_OK);
  run_until(bench.board, 1999);
  CHECK_TAKEN(edges, "1215-");
  CHECK(gpio_line_pwm(bench.out, 10, 10) == GPIO_OK);
  run_until(bench.board, 2999);
  CHECK_TAKEN(edges, "2000+");
  write_level(bench.out, GPIO_0);
  run_until(bench.board, 4000);
  CHECK_TAKEN(edges, "2999-");
  CHECK(gpio_line_pwm(bench.out, 100, 25) == GPIO_OK);
  run_until(bench.board, 4050);
  gpio_subscription_close(edges);
  CHECK(gpio_board_next_time(bench.board) == GPIO_NEVER);
  gpio_board_close(bench.board);
}

/* Unwatched PWM against another output is found all the same. */
static void check_pwm_contention(void) {
  struct bench bench = new_bench((struct gpio_settings){0});
  set_up(bench.out, (struct gpio_settings){.direction = GPIO_OUTPUT});
  CHECK(gpio_line_pwm(bench.out, 100, 25) == GPIO_OK);
  run_until(bench.board, 150);
  set_up(bench.in, (struct gpio_settings){.direction = GPIO_OUTPUT, .output_value = GPIO_0});
  run_until(bench.board, 350);
  CHECK(bench.board->contentions.count == 2);
  struct gpio_contention *last =
      list_entry(bench.board->contentions.list.prev, struct gpio_contention, link);
  CHECK(last->began == 300 && last->ended == 325 && !last->lasts);
  gpio_board_close(bench.board);
}

/* A board may go in the middle of anything. */
static void check_close(void) {
  struct bench bench = new_bench((struct gpio_settings){.debounce_period = 100});
  set_up(bench.out, (struct gpio_settings){.direction = GPIO_OUTPUT});
  CHECK(gpio_line_pwm(bench.out, 100, 25) == GPIO_OK);
  struct gpio_line *late = new_output(bench.board, "w", GPIO_0);
  set_up(late, (struct gpio_settings){.direction = GPIO_OUTPUT, .delay = 10});
  watch(late, GPIO_CHANGE)->armed = true;
  for (int i = 0; i < 10; i++)
    write_level(late, (enum gpio_level)(~i & 1));
  CHECK(gpio_board_advance(bench.board, 20, UINT64_MAX) == GPIO_NOTIFY);
  write_level(late, GPIO_1);
  CHECK(bench.board->schedule.later.count > 0);
  gpio_board_close(bench.board);
}

/* --- Wires and faults ------------------------------------------------------------------------ */

static void check_wires(void) {
  struct bench bench = new_bench((struct gpio_settings){.bias = GPIO_PULL_DOWN});
  struct gpio_line *middle = new_line(bench.board, "w", "a");
  struct gpio_wire *wire = join(middle, bench.out), *second = join(bench.in, middle);
  struct gpio_wire *third = join(middle, bench.in);
  struct gpio_subscription *edges = watch(bench.in, BOTH);
  drive(&bench, "1@10");
  CHECK_TAKEN(edges, "10+");
  struct gpio_net *net = bench.in->net;
  CHECK(gpio_wire_cut(wire) == GPIO_OK && gpio_wire_cut(second) == GPIO_OK);
  CHECK(bench.in->net == net && bench.out->net == net && net->size == 3);
  struct gpio_wire *first = list_entry(bench.board->wires.next, struct gpio_wire, link);
  CHECK(gpio_wire_cut(first) == GPIO_OK); /* that of the bench */
  CHECK(bench.in->net != bench.out->net && bench.in->net == middle->net);
  CHECK(gpio_line_level(bench.in) == GPIO_0 && gpio_line_level(bench.out) == GPIO_1);
  run_until(bench.board, 20000);
  CHECK_TAKEN(edges, "10000-");
  join(bench.in, bench.out);
  run_until(bench.board, 30000);
  CHECK_TAKEN(edges, "20000+");
  CHECK(gpio_wire_cut(third) == GPIO_OK && middle->net->size == 1);
  gpio_board_close(bench.board);
}

/* What a net was last goes on when it joins one that was nothing yet. */
static void check_joined_history(void) {
  struct gpio_board *board = new_board((struct gpio_options){.read_policy = GPIO_READ_HOLD});
  struct gpio_line *out = new_output(board, "u", GPIO_1), *in = new_line(board, "v", "in");
  settle(board);
  write_level(out, GPIO_Z);
  join(in, new_line(board, "w", "in"));
  settle(board);
  CHECK(read_value(in) == 0 && read_value(out) == 1);
  join(in, out);
  settle(board);
  CHECK(read_value(in) == 1 && gpio_line_level(in) == GPIO_Z);
  gpio_board_close(board);
}

static void check_stuck(void) {
  struct bench bench = new_bench((struct gpio_settings){0});
  struct gpio_subscription *edges = watch(bench.in, BOTH);
  drive(&bench, "1@10");
  gpio_line_stick(bench.in, GPIO_0);
  run_until(bench.board, 10010);
  CHECK(read_value(bench.out) == 0 && bench.board->contentions.count == 0);
  gpio_line_stick(bench.in, GPIO_Z);
  run_until(bench.board, 10020);
  CHECK_TAKEN(edges, "10000- 10010+");
  gpio_board_close(bench.board);
}

static void check_labels(void) {
  struct bench bench = new_bench((struct gpio_settings){0});
  CHECK(strcmp(gpio_net_name(bench.in->net), "u.out") == 0);
  CHECK(gpio_line_label(bench.in, "clk") == GPIO_OK);
  CHECK(strcmp(gpio_net_name(bench.out->net), "clk") == 0);
  CHECK(gpio_line_label(bench.in, NULL) == GPIO_OK);
  CHECK(strcmp(gpio_net_name(bench.out->net), "u.out") == 0);
  gpio_board_close(bench.board);
}

int main(void) {
  check_edges();
  check_glitch();
  check_kinds();
  check_overruns();
  check_debounce();
  check_debounced_read();
  check_direction();
  check_formula();
  check_pwm();
  check_pwm_contention();
  check_close();
  check_wires();
  check_joined_history();
  check_stuck();
  check_labels();
  printf("good: %d checks\n", checked);
  return 0;
}
