/* Random circuits: the same calls give the same trace, bookkeeping agrees with a recount, and
 * the order in which parts registered does not show. `--speed` prints how fast nets change. */
#include "spec/support/circuit.h"
#include "spec/support/random.h"

#include <time.h>

enum { PARTS = 24, STEPS = 400, SPAN = 40, CIRCUITS = 60, SPEED_CHANGES = 20 * 1000 * 1000 };

/* --- A random circuit of gates --------------------------------------------------------------- */

struct gate {
  struct gpio_line *a, *b, *out;
  struct gpio_subscription *subscription;
  int kind;
};

struct circuit {
  struct gpio_board *board;
  struct gate gates[PARTS];
  struct gpio_line *inputs[PARTS];
  uint64_t hash; /* of the trace as it is */
  uint64_t sum;  /* of its lines, in whatever order they are within a time */
  uint64_t told;
};

static uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
  return hash ^ hash >> 29;
}

static void trace(void *context, int64_t time, const struct gpio_line *line,
                  enum gpio_level level) {
  struct circuit *circuit = context;
  uint64_t what = mix(mix(mix(1, (uint64_t)time), line->id), level);
  circuit->hash = mix(circuit->hash, what);
  circuit->sum += what;
  circuit->told++;
}

static struct gpio_line *new_pin(struct gpio_board *board, struct gpio_component *component,
                                 const char *name) {
  struct gpio_line *line;
  CHECK(gpio_board_add_line(board, component, name, &line) == GPIO_OK);
  gpio_line_trace(line, true);
  return line;
}

/* Gates look at earlier ones only, and have a delay or none: so all comes to rest. */
static void build(struct circuit *circuit, uint32_t *dice) {
  circuit->board = new_board((struct gpio_options){.seed = 1});
  circuit->board->trace = (struct gpio_trace){.changed = trace, .context = circuit};
  for (int i = 0; i < PARTS; i++) {
    struct gate *gate = &circuit->gates[i];
    struct gpio_component *component;
    CHECK(gpio_board_add_component(circuit->board, "g", &component) == GPIO_OK);
    gate->a = new_pin(circuit->board, component, "a");
    gate->b = new_pin(circuit->board, component, "b");
    gate->out = new_pin(circuit->board, component, "out");
    gate->kind = (int)(dice[i] % 3);
    circuit->inputs[i] = new_output(circuit->board, "in", GPIO_0);
    set_up(gate->out,
           (struct gpio_settings){.direction = GPIO_OUTPUT,
                                  .delay = dice[i] % 5,
                                  .delay_kind = dice[i] % 2 ? GPIO_INERTIAL : GPIO_TRANSPORT});
    join(gate->a, circuit->inputs[i]);
    if (i > 0)
      join(gate->b, circuit->gates[dice[i] % (uint32_t)i].out);
  }
}

static void react(struct gate *gate) {
  int a = read_value(gate->a), b = read_value(gate->b);
  int result = gate->kind == 0 ? a & b : gate->kind == 1 ? !(a & b) : a ^ b;
  write_level(gate->out, (enum gpio_level)result);
}

static void run_gates(struct circuit *circuit, int64_t until) {
  while (gpio_board_advance(circuit->board, until, UINT64_MAX) == GPIO_NOTIFY) {
    struct gpio_notice *notice;
    while ((notice = gpio_board_take_notice(circuit->board)))
      for (int i = 0; i < PARTS; i++)
        if (notice == &circuit->gates[i].subscription->notice)
          react(&circuit->gates[i]);
  }
  CHECK(circuit->board->failure == GPIO_OK && circuit->board->schedule.now == until);
}

static void watch_gate(struct circuit *circuit, int i) {
  struct gate *gate = &circuit->gates[i];
  struct gpio_line *lines[] = {gate->a, gate->b};
  struct gpio_watching watching = {lines, 2, GPIO_CHANGE, 4};
  CHECK(gpio_subscription_open(circuit->board, &watching, &gate->subscription) == GPIO_OK);
  gate->subscription->armed = true;
}

static struct circuit run_circuit(uint32_t *dice, bool backward) {
  struct circuit circuit = {0};
  build(&circuit, dice);
  for (int i = 0; i < PARTS; i++)
    watch_gate(&circuit, backward ? PARTS - 1 - i : i);
  for (int i = 0; i < STEPS; i++) {
    write_level(circuit.inputs[dice[i] % PARTS], (enum gpio_level)(dice[i] / PARTS % 4));
    write_level(circuit.inputs[dice[i] / 7 % PARTS], (enum gpio_level)(dice[i] / PARTS % 2));
    run_gates(&circuit, circuit.board->schedule.now + dice[i] % SPAN);
  }
  CHECK(circuit.told > STEPS);
  gpio_board_close(circuit.board);
  return circuit;
}

static void check_determinism(void) {
  static uint32_t dice[STEPS];
  uint64_t last = 0;
  for (int i = 0; i < CIRCUITS; i++) {
    for (int j = 0; j < STEPS; j++)
      dice[j] = random_below(1 << 30);
    struct circuit first = run_circuit(dice, false), again = run_circuit(dice, false);
    struct circuit backward = run_circuit(dice, true);
    CHECK(again.hash == first.hash && backward.sum == first.sum);
    CHECK(first.hash != last);
    last = first.hash;
  }
}

/* --- Many pins ------------------------------------------------------------------------------- */

static void check_many(void) {
  enum { MANY = 4096 };
  static struct gpio_line *lines[MANY];
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *clock = new_output(board, "clock", GPIO_0);
  for (int i = 0; i < MANY; i++) {
    lines[i] = new_line(board, "led", "a");
    join(i ? lines[i - 1] : clock, lines[i]);
  }
  struct gpio_watching watching = {lines, MANY, GPIO_RISING | GPIO_FALLING, 0};
  struct gpio_subscription *all;
  CHECK(gpio_subscription_open(board, &watching, &all) == GPIO_OK);
  settle(board);
  write_level(clock, GPIO_1);
  settle(board);
  CHECK(all->count == MANY && clock->net->size == MANY + 1);
  CHECK(gpio_wire_cut(list_entry(board->wires.next, struct gpio_wire, link)) == GPIO_OK);
  settle(board);
  CHECK(lines[0]->net->size == MANY && gpio_line_level(lines[0]) == GPIO_Z);
  gpio_board_close(board);
}

/* --- Speed ----------------------------------------------------------------------------------- */

static double seconds(void) {
  struct timespec time;
  timespec_get(&time, TIME_UTC);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void print_speed(const char *what, double began) {
  printf("%-44s %6.2f M/s\n", what, SPEED_CHANGES / (seconds() - began) / 1e6);
}

static struct gpio_line *new_toggled(struct gpio_board *board, unsigned kinds) {
  struct gpio_line *out = new_output(board, "u", GPIO_0), *in = new_line(board, "v", "in");
  join(out, in);
  settle(board);
  watch(in, kinds);
  return out;
}

/* A driver that toggles its net by the schedule, one subscriber. */
static void measure_pwm(void) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *out = new_toggled(board, GPIO_RISING | GPIO_FALLING);
  CHECK(gpio_line_pwm(out, 20, 10) == GPIO_OK);
  double began = seconds();
  run_until(board, INT64_C(10) * SPEED_CHANGES);
  print_speed("PWM, one subscriber", began);
  gpio_board_close(board);
}

/* The same from outside: a write and an advance for each change. */
static void measure_writes(void) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *out = new_toggled(board, GPIO_RISING | GPIO_FALLING);
  double began = seconds();
  for (int i = 0; i < SPEED_CHANGES; i++) {
    gpio_line_write(out, (enum gpio_level)(~i & 1));
    gpio_board_advance(board, i, UINT64_MAX);
  }
  print_speed("write and advance, one subscriber", began);
  gpio_board_close(board);
}

/* And with a delay: each change is an event. Who subscribed is told of each. */
static void measure_notices(void) {
  struct gpio_board *board = new_board((struct gpio_options){0});
  struct gpio_line *out = new_output(board, "u", GPIO_0), *in = new_line(board, "v", "in");
  struct gpio_edge_event event;
  join(out, in);
  set_up(out, (struct gpio_settings){.direction = GPIO_OUTPUT, .delay = 10});
  settle(board);
  struct gpio_subscription *edges = watch(in, GPIO_RISING | GPIO_FALLING);
  edges->armed = true;
  double began = seconds();
  gpio_line_write(out, GPIO_1);
  for (int i = 0; i < SPEED_CHANGES; i++) {
    gpio_board_advance(board, GPIO_NEVER, UINT64_MAX);
    CHECK(gpio_board_take_notice(board) == &edges->notice);
    gpio_subscription_read(edges, &event, 1);
    gpio_line_write(out, (enum gpio_level) !event.value);
  }
  print_speed("notice, read, write with a delay", began);
  gpio_board_close(board);
}

int main(int count, char **arguments) {
  if (count > 1 && strcmp(arguments[1], "--speed") == 0) {
    measure_pwm();
    measure_writes();
    measure_notices();
    return 0;
  }
  check_determinism();
  check_many();
  printf("good: %d checks\n", checked);
  return 0;
}
