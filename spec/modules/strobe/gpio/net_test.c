/* What nets resolve to. With `--table` prints what came out of each case, for another
 * simulator to check. */
#include "spec/support/circuit.h"

enum { MOST = 3 };

struct sample {
  int count;
  enum gpio_level outputs[MOST];
  int pulls; /* 1: up, 2: down, 3: both */
};

/* The rules in the words of circuit theory, without counting: a driver after the other. */
static enum gpio_level meet(enum gpio_level a, enum gpio_level b) {
  if (a == GPIO_Z)
    return b;
  return b == GPIO_Z || a == b ? a : GPIO_X;
}

static enum gpio_level expected(const struct sample *sample) {
  enum gpio_level strong = GPIO_Z;
  for (int i = 0; i < sample->count; i++)
    strong = meet(strong, sample->outputs[i]);
  enum gpio_level weak =
      meet(sample->pulls & 1 ? GPIO_1 : GPIO_Z, sample->pulls & 2 ? GPIO_0 : GPIO_Z);
  return strong == GPIO_Z ? weak : strong;
}

static void print_case(const struct sample *sample, enum gpio_level level) {
  printf("%d ", sample->pulls);
  for (int i = 0; i < MOST; i++)
    putchar(i < sample->count ? gpio_level_letter(sample->outputs[i]) : 'z');
  printf(" %c\n", gpio_level_letter(level));
}

/* The case is wired first or last; then undone output by output. */
static void check_case(const struct sample *sample, bool wired_first, bool table) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *up = new_line(board, "r1", "a"), *down = new_line(board, "r2", "a");
  struct gpio_line *outputs[MOST];
  if (wired_first)
    join(up, down);
  for (int i = 0; i < sample->count; i++) {
    outputs[i] = new_output(board, "u", sample->outputs[i]);
    if (wired_first)
      join(outputs[i], up);
  }
  set_up(up, (struct gpio_settings){.bias = sample->pulls & 1 ? GPIO_PULL_UP : GPIO_BIAS_DISABLED});
  set_up(down,
         (struct gpio_settings){.bias = sample->pulls & 2 ? GPIO_PULL_DOWN : GPIO_BIAS_DISABLED});
  settle(board);
  for (int i = 0; i < sample->count && !wired_first; i++)
    join(outputs[i], i ? outputs[i - 1] : up);
  if (!wired_first)
    join(up, down);
  settle(board);
  CHECK(up->net == down->net && gpio_line_level(down) == expected(sample));
  CHECK(up->net->value == expected(sample));
  if (table)
    print_case(sample, up->net->value);
  struct sample less = *sample;
  while (less.count > 0) {
    write_level(outputs[--less.count], GPIO_Z);
    settle(board);
    CHECK(up->net->value == expected(&less));
  }
  gpio_board_close(board);
}

static int check_table(bool table) {
  int cases = 0;
  for (int count = 1; count <= MOST; count++)
    for (int outputs = 0; outputs < 1 << (2 * count); outputs++)
      for (int pulls = 0; pulls < 4; pulls++) {
        struct sample sample = {.count = count, .pulls = pulls};
        for (int i = 0; i < count; i++)
          sample.outputs[i] = (enum gpio_level)(outputs >> (2 * i) & 3);
        check_case(&sample, true, table);
        check_case(&sample, false, false);
        cases++;
      }
  return cases;
}

static void check_modes(void) {
  static const struct {
    enum gpio_drive drive;
    bool active_low;
    char level[4]; /* for 0, 1, z */
  } modes[] = {
      {GPIO_PUSH_PULL, false, "01z"},   {GPIO_PUSH_PULL, true, "10z"},
      {GPIO_OPEN_DRAIN, false, "0zz"},  {GPIO_OPEN_DRAIN, true, "z0z"},
      {GPIO_OPEN_SOURCE, false, "z1z"}, {GPIO_OPEN_SOURCE, true, "1zz"},
  };
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *line = new_line(board, "u", "a");
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
    for (int level = GPIO_0; level <= GPIO_Z; level++) {
      set_up(line, (struct gpio_settings){.direction = GPIO_OUTPUT,
                                          .drive = modes[i].drive,
                                          .active_low = modes[i].active_low,
                                          .output_value = (enum gpio_level)level});
      settle(board);
      CHECK(gpio_level_letter(gpio_line_level(line)) == modes[i].level[level]);
    }
  gpio_board_close(board);
}

/* Two open drains and a pull-up: a wired AND. */
static void check_bus(void) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *a = new_line(board, "a", "sda"), *b = new_line(board, "b", "sda");
  struct gpio_settings settings = {
      .direction = GPIO_OUTPUT, .bias = GPIO_PULL_UP, .drive = GPIO_OPEN_DRAIN};
  set_up(a, settings);
  set_up(b, settings);
  join(a, b);
  for (int i = 0; i < 4; i++) {
    write_level(a, (enum gpio_level)(i & 1));
    write_level(b, (enum gpio_level)(i >> 1));
    settle(board);
    CHECK(read_value(a) == (i == 3) && read_value(b) == (i == 3));
  }
  CHECK(board->contentions.count == 0);
  gpio_board_close(board);
}

static void check_floating(void) {
  static const struct {
    enum gpio_read_policy policy;
    int first, then;
  } cases[] = {{GPIO_READ_LOW, 0, 0}, {GPIO_READ_HIGH, 1, 1}, {GPIO_READ_HOLD, 0, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct gpio_board *board = new_board((struct gpio_options){.read_policy = cases[i].policy});
    struct gpio_line *line = new_line(board, "u", "a");
    CHECK(read_value(line) == cases[i].first && line->floating_reads == 1);
    set_up(line, (struct gpio_settings){.direction = GPIO_OUTPUT, .output_value = GPIO_1});
    settle(board);
    CHECK(read_value(line) == 1 && line->floating_reads == 1);
    write_level(line, GPIO_Z);
    settle(board);
    CHECK(read_value(line) == cases[i].then && line->floating_reads == 2);
    CHECK(board->floating_reads == 2);
    gpio_board_close(board);
  }
}

static uint32_t random_reads(uint64_t seed) {
  struct gpio_board *board =
      new_board((struct gpio_options){.read_policy = GPIO_READ_RANDOM, .seed = seed});
  struct gpio_line *line = new_line(board, "u", "a");
  uint32_t bits = 0;
  for (int i = 0; i < 32; i++)
    bits = bits << 1 | (uint32_t)read_value(line);
  gpio_board_close(board);
  return bits;
}

static void check_other_policies(void) {
  CHECK(random_reads(1) == random_reads(1) && random_reads(1) != random_reads(2));
  struct gpio_board *board =
      new_board((struct gpio_options){.name = "lab", .read_policy = GPIO_READ_ERROR});
  struct gpio_line *line = new_line(board, "u", "a");
  int value;
  CHECK(gpio_line_label(line, "bus") == GPIO_OK);
  CHECK(gpio_line_read(line, &value) == GPIO_FLOATING);
  CHECK(says(board, "board lab: pin u.a (net bus) is driven by nobody"));
  gpio_board_close(board);
}

/* --- Contention -------------------------------------------------------------------------- */

static void check_contention(void) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *a = new_output(board, "cpu", GPIO_1), *b = new_output(board, "rom", GPIO_Z);
  struct gpio_line *c = new_output(board, "odd", GPIO_X);
  join(a, b);
  join(b, c);
  run_until(board, 10);
  CHECK(gpio_line_level(a) == GPIO_X && board->contentions.count == 0);
  write_level(c, GPIO_Z);
  write_level(b, GPIO_0);
  CHECK(gpio_line_level(a) == GPIO_X);
  board->contention_armed = true;
  CHECK(gpio_board_advance(board, 100, UINT64_MAX) == GPIO_NOTIFY);
  CHECK(gpio_board_take_notice(board) == &board->contention_notice);
  CHECK(board->contentions.count == 1);
  struct gpio_contention *found =
      list_entry(board->contentions.list.next, struct gpio_contention, link);
  CHECK(found->began == 10 && found->lasts && found->count == 2);
  CHECK(found->opponents[0].line == a->id && found->opponents[0].level == GPIO_1);
  CHECK(found->opponents[1].line == b->id && found->opponents[1].level == GPIO_0);
  CHECK(strcmp(board->lines[found->opponents[1].line]->name, "rom.out") == 0);
  run_until(board, 35);
  write_level(a, GPIO_0);
  CHECK(gpio_board_advance(board, 100, UINT64_MAX) == GPIO_NOTIFY);
  CHECK(gpio_board_take_notice(board) == &board->contention_notice);
  CHECK(!found->lasts && found->ended == 35 && board->contentions.count == 1);
  gpio_board_close(board);
}

static void check_contention_limit(void) {
  struct gpio_board *board = new_board((struct gpio_options){.contention_limit = 2});
  struct gpio_line *a = new_output(board, "a", GPIO_1), *b = new_output(board, "b", GPIO_1);
  join(a, b);
  for (int i = 0; i < 10; i++) {
    write_level(b, (enum gpio_level)(i & 1));
    run_until(board, i + 1);
  }
  CHECK(board->contentions.count == 2 && board->contentions.dropped == 3);
  gpio_board_close(board);
}

int main(int count, char **arguments) {
  bool table = count > 1 && strcmp(arguments[1], "--table") == 0;
  CHECK(check_table(table) == 336);
  check_modes();
  check_bus();
  check_floating();
  check_other_policies();
  check_contention();
  check_contention_limit();
  if (!table)
    printf("good: %d checks\n", checked);
  return 0;
}
