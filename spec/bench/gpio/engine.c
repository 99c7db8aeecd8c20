/* What the engine of circuits does by itself, in C: no Lua, no loop.
 *
 * usage: engine COUNT      net changes of each circuit */
#include "modules/strobe/gpio/board.h"
#include "modules/strobe/gpio/subscription.h"
#include "modules/strobe/gpio/wire.h"
#include "modules/strobe/vcd/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 5, STEP_NS = 1000, PINS = 4096, TRACED = 64, STAGES = 16, BLOCK = 64 * 1024 };

struct circuit {
  struct gpio_board *board;
  struct gpio_line **outputs;
  uint32_t count;
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void must(bool good, const char *what) {
  if (good)
    return;
  fprintf(stderr, "error: %s\n", what);
  exit(1);
}

static struct gpio_line *add_line(struct gpio_board *board, const char *name) {
  struct gpio_component *component = NULL;
  struct gpio_line *line = NULL;
  must(gpio_board_add_component(board, name, &component) == GPIO_OK, "no component");
  must(gpio_board_add_line(board, component, "pin", &line) == GPIO_OK, "no line");
  return line;
}

/* An output wired to an input. */
static struct gpio_line *add_pair(struct gpio_board *board) {
  struct gpio_line *output = add_line(board, "out"), *input = add_line(board, "in");
  struct gpio_settings settings = {.direction = GPIO_OUTPUT};
  struct gpio_wire *wire;
  must(gpio_line_configure(output, &settings) == GPIO_OK, "no output");
  must(gpio_wire_connect(output, input, &wire) == GPIO_OK, "no wire");
  return output;
}

static struct circuit open_circuit(uint32_t pins) {
  struct gpio_options options = {.name = "bench"};
  struct circuit circuit = {.board = gpio_board_open(&options), .count = pins / 2};
  circuit.outputs = malloc(circuit.count * sizeof *circuit.outputs);
  must(circuit.board && circuit.outputs, "no memory");
  for (uint32_t i = 0; i < circuit.count; i++)
    circuit.outputs[i] = add_pair(circuit.board);
  must(gpio_board_advance(circuit.board, 0, UINT64_MAX) == GPIO_OK, "it does not settle");
  return circuit;
}

static void close_circuit(struct circuit *circuit) {
  gpio_board_close(circuit->board);
  free(circuit->outputs);
}

/* Makes all outputs change at each step of time, until so many nets have changed. */
static void toggle_all(struct circuit *circuit, uint64_t changes) {
  struct gpio_board *board = circuit->board;
  uint64_t end = board->changes + changes;
  int64_t time = board->schedule.now;
  bool high = false;
  while (board->changes < end) {
    high = !high;
    time += STEP_NS;
    must(gpio_board_advance(board, time, UINT64_MAX) == GPIO_OK, board->message);
    for (uint32_t i = 0; i < circuit->count; i++)
      must(gpio_line_write(circuit->outputs[i], high ? GPIO_1 : GPIO_0) == GPIO_OK, "no change");
  }
}

static void report(const char *name, uint64_t changes, double seconds) {
  printf("RESULT %s %.6g changes/s\n", name, (double)changes / seconds);
}

/* The best of some runs; the first is a warm-up. */
static void measure_toggles(const char *name, struct circuit *circuit, uint64_t changes) {
  double best = 1e9;
  for (int i = 0; i <= ROUNDS; i++) {
    double began = now();
    toggle_all(circuit, changes);
    double taken = now() - began;
    best = i > 0 && taken < best ? taken : best;
  }
  report(name, changes, best);
}

static void measure_nets(uint64_t changes) {
  struct circuit circuit = open_circuit(2);
  measure_toggles("net_changes_per_s", &circuit, changes);
  close_circuit(&circuit);
  circuit = open_circuit(PINS);
  measure_toggles("pins_4096_changes_per_s", &circuit, changes);
  close_circuit(&circuit);
}

/* --- A trace --------------------------------------------------------------------------------- */

struct trace {
  struct vcd_writer *writer;
  struct buffer text;
  FILE *file;
  uint32_t vars[2 * TRACED]; /* by the lines' ids */
};

static void drain(struct trace *trace) {
  size_t size = buffer_size(&trace->text);
  must(fwrite(buffer_front(&trace->text), 1, size, trace->file) == size, "cannot write");
  buffer_take(&trace->text, size);
}

static void write_change(void *context, int64_t time, const struct gpio_line *line,
                         enum gpio_level level) {
  struct trace *trace = context;
  vcd_writer_wire(trace->writer, time, trace->vars[line->id], gpio_level_letter(level));
  if (buffer_size(&trace->text) > BLOCK)
    drain(trace);
}

static void open_trace(struct trace *trace, struct gpio_board *board) {
  struct vcd_options options = {.unit_ns = STEP_NS};
  buffer_init(&trace->text);
  trace->writer = vcd_writer_new(&options, &trace->text);
  trace->file = fopen("/dev/null", "w");
  must(trace->writer && trace->file, "no trace");
  for (uint32_t i = 0; i < board->line_count; i++) {
    struct gpio_line *line = board->lines[i];
    struct vcd_var var = {VCD_WIRE, 1, "out", 3, '0', NULL};
    if (line->settings.direction != GPIO_OUTPUT)
      continue;
    must(vcd_writer_var(trace->writer, &var, &trace->vars[i]) == VCD_OK, "no variable");
    gpio_line_trace(line, true);
  }
  must(vcd_writer_begin(trace->writer, board->schedule.now) == VCD_OK, "no beginning");
  board->trace = (struct gpio_trace){.changed = write_change, .context = trace};
}

static void close_trace(struct trace *trace) {
  drain(trace);
  fclose(trace->file);
  vcd_writer_free(trace->writer);
  buffer_free(&trace->text);
}

static void measure_trace(uint64_t changes) {
  struct circuit circuit = open_circuit(2 * TRACED);
  struct trace trace;
  open_trace(&trace, circuit.board);
  measure_toggles("vcd_changes_per_s", &circuit, changes);
  close_trace(&trace);
  close_circuit(&circuit);
}

/* --- A divider chain ------------------------------------------------------------------------- */

/* A flip-flop that toggles when what it listens to falls. */
struct stage {
  struct gpio_line *q;
  struct gpio_subscription *falling;
  bool high;
};

struct divider {
  struct gpio_board *board;
  struct gpio_line *clock;
  struct stage stages[STAGES];
};

static struct gpio_line *add_output(struct gpio_board *board, const char *name) {
  struct gpio_line *line = add_line(board, name);
  struct gpio_settings settings = {.direction = GPIO_OUTPUT};
  must(gpio_line_configure(line, &settings) == GPIO_OK, "no output");
  return line;
}

static void open_stage(struct stage *stage, struct gpio_line *source) {
  struct gpio_line *input = add_line(source->board, "input");
  struct gpio_watching watching = {&input, 1, GPIO_FALLING, 0};
  struct gpio_wire *wire;
  *stage = (struct stage){.q = add_output(source->board, "q")};
  must(gpio_wire_connect(source, input, &wire) == GPIO_OK, "no wire");
  must(gpio_subscription_open(source->board, &watching, &stage->falling) == GPIO_OK,
       "no subscription");
  stage->falling->notice.context = stage;
  stage->falling->armed = true;
}

static void open_divider(struct divider *divider) {
  struct gpio_options options = {.name = "divider"};
  divider->board = gpio_board_open(&options);
  must(divider->board, "no memory");
  divider->clock = add_output(divider->board, "clock");
  struct gpio_line *source = divider->clock;
  for (int i = 0; i < STAGES; i++) {
    open_stage(&divider->stages[i], source);
    source = divider->stages[i].q;
  }
}

static void toggle(struct stage *stage) {
  struct gpio_edge_event event;
  while (gpio_subscription_read(stage->falling, &event, 1) == 1)
    stage->high = !stage->high;
  must(gpio_line_write(stage->q, stage->high ? GPIO_1 : GPIO_0) == GPIO_OK, "no change");
}

static void run_until(struct gpio_board *board, int64_t time) {
  while (gpio_board_advance(board, time, UINT64_MAX) == GPIO_NOTIFY) {
    const struct gpio_notice *notice;
    while ((notice = gpio_board_take_notice(board)))
      toggle(notice->context);
  }
  must(board->failure == GPIO_OK, board->message);
}

/* Two edges of the clock make, with those of the chain, nearly four changes. */
static void divide(struct divider *divider, uint64_t changes) {
  uint64_t end = divider->board->changes + changes;
  int64_t time = divider->board->schedule.now;
  for (bool high = true; divider->board->changes < end; high = !high) {
    must(gpio_line_write(divider->clock, high ? GPIO_1 : GPIO_0) == GPIO_OK, "no change");
    time += STEP_NS;
    run_until(divider->board, time);
  }
}

static void time_divider(const char *name, struct divider *divider, uint64_t changes) {
  double best = 1e9;
  for (int i = 0; i <= ROUNDS; i++) {
    double began = now();
    divide(divider, changes);
    double taken = now() - began;
    best = i > 0 && taken < best ? taken : best;
  }
  report(name, changes, best);
}

static void measure_divider(uint64_t changes) {
  struct divider divider;
  struct trace trace;
  open_divider(&divider);
  time_divider("divider_changes_per_s", &divider, changes);
  open_trace(&trace, divider.board);
  time_divider("divider_vcd_changes_per_s", &divider, changes);
  gpio_board_close(divider.board);
  close_trace(&trace);
}

int main(int argc, char **argv) {
  uint64_t changes = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000 * 1000;
  measure_nets(changes);
  measure_trace(changes);
  measure_divider(changes);
  return 0;
}
