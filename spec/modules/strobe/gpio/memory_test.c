/* A circuit is built and runs again and again; in the nth run the nth allocation fails. The call
 * says so, is repeated, and in the end the trace is that of a run in which nothing failed. */
#include "spec/support/circuit.h"

#include <stddef.h>

enum { PARTS = 40, NAMES = 3 };

static long allocations, failing;
static bool failed;

/* --- An allocator that fails -------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CAN_FAIL = false }; /* a sanitizer has an allocator of its own */
#else
enum { CAN_FAIL = true };

void *__libc_malloc(size_t size);               /* NOLINT: glibc's own names */
void *__libc_calloc(size_t count, size_t size); /* NOLINT */
void *__libc_realloc(void *old, size_t size);   /* NOLINT */

static bool fails(void) {
  failed = failed || allocations + 1 == failing;
  return ++allocations == failing;
}

void *malloc(size_t size) {
  return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
  return fails() ? NULL : __libc_realloc(old, size);
}
#endif

/* --- The circuit ----------------------------------------------------------------------------- */

/* Once more when memory was missing, which happens once. */
#define DO(call) do_again((call) == GPIO_OK || (call) == GPIO_OK, __LINE__)

static void do_again(bool good, int line) {
  check(good, "good, or good the second time", line);
}

struct part {
  struct gpio_component *component;
  struct gpio_line *lines[NAMES];
  struct gpio_subscription *subscription;
};

static void trace(void *context, int64_t time, const struct gpio_line *line,
                  enum gpio_level level) {
  uint64_t *hash = context;
  uint64_t what = ((uint64_t)time * 1024 + line->id * 4 + level) * UINT64_C(0x9e3779b97f4a7c15);
  *hash += what ^ what >> 29; /* in whatever order within a time: what was late is behind */
}

static void build(struct gpio_board *board, struct part *part, int number) {
  static const char *const names[NAMES] = {"in", "out", "extra"};
  struct gpio_wire *wire;
  DO(gpio_board_add_component(board, "part", &part->component));
  for (int i = 0; i < NAMES; i++) {
    DO(gpio_board_add_line(board, part->component, names[i], &part->lines[i]));
    gpio_line_trace(part->lines[i], true);
  }
  DO(gpio_line_label(part->lines[0], "net"));
  DO(gpio_line_request(part->lines[0], "test", false));
  struct gpio_settings settings = {.direction = GPIO_OUTPUT, .delay = number};
  DO(gpio_line_configure(part->lines[1], &settings));
  settings = (struct gpio_settings){.debounce_period = 5};
  DO(gpio_line_configure(part->lines[0], &settings));
  DO(gpio_wire_connect(part->lines[0], part->lines[1], &wire));
  DO(gpio_wire_connect(part->lines[0], part->lines[2], &wire));
  if (number % 2)
    DO(gpio_wire_cut(wire));
  struct gpio_watching watching = {part->lines, 1, GPIO_RISING, 0};
  DO(gpio_subscription_open(board, &watching, &part->subscription));
}

static void advance(struct gpio_board *board, int64_t until) {
  enum gpio_status status = gpio_board_advance(board, until, UINT64_MAX);
  if (status != GPIO_OK) {
    CHECK(failed && (status == GPIO_NO_MEMORY || status == GPIO_LIMIT));
    gpio_board_clear(board);
    status = gpio_board_advance(board, until, UINT64_MAX);
  }
  CHECK(status == GPIO_OK && board->schedule.now == until);
}

static void run(struct gpio_board *board, struct part *parts) {
  struct gpio_settings opposed = {.direction = GPIO_OUTPUT, .output_value = GPIO_0};
  for (int i = 0; i < PARTS; i++) {
    struct gpio_line *out = parts[i].lines[1];
    if (i % 3 == 0)
      DO(gpio_line_pwm(out, 20, 10));
    for (int change = 0; change < 4 && i % 3; change++)
      DO(gpio_line_write(out, (enum gpio_level)(~change & 1)));
  }
  advance(board, 100);
  for (int i = 0; i < PARTS; i += 5)
    DO(gpio_line_configure(parts[i].lines[2], &opposed));
  advance(board, 300);
  for (int i = 0; i < PARTS; i++)
    gpio_line_release(parts[i].lines[0]);
  advance(board, 400);
}

/* The trace's hash when the nth allocation fails; 0 is none. */
static uint64_t hash_failing(long number) {
  static struct part parts[PARTS];
  uint64_t hash = 1;
  struct gpio_options options = {.name = "lab"};
  allocations = 0;
  failing = number;
  failed = false;
  struct gpio_board *board = gpio_board_open(&options);
  if (!board)
    board = gpio_board_open(&options);
  CHECK(board != NULL);
  board->trace = (struct gpio_trace){.changed = trace, .context = &hash};
  for (int i = 0; i < PARTS; i++)
    build(board, &parts[i], i);
  run(board, parts);
  CHECK(board->contentions.seq > 0);
  gpio_board_close(board);
  return hash;
}

int main(void) {
  uint64_t hash = hash_failing(0);
  if (!CAN_FAIL) {
    printf("no allocation fails here: the sanitizer has an allocator of its own\n");
  } else {
    long number = 0;
    do
      CHECK(hash_failing(++number) == hash || !failed);
    while (failed);
    CHECK(number > PARTS * 5 && hash_failing(0) == hash);
  }
  printf("good: %d checks\n", checked);
  return 0;
}
