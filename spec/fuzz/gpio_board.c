/* Random calls to a circuit board, for libFuzzer. `./run fuzz` builds it, with all engines.
 *
 * Three bytes are a call: which, on what, with what. What must hold after each: the counts of a
 * net agree with its drivers, lines are on one net exactly when wires join them, a net that has
 * settled has the value of its drivers, and time does not go back. */
#include "modules/strobe/gpio/board.h"
#include "modules/strobe/gpio/pwm.h"
#include "modules/strobe/gpio/subscription.h"
#include "modules/strobe/gpio/timer.h"
#include "modules/strobe/gpio/wire.h"

#include <stdlib.h>
#include <string.h>

enum { COMPONENTS = 4, LINES = 12, WIRES = 24, SUBSCRIPTIONS = 6, TIMERS = 4, CALL = 3, FEW = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
  struct gpio_board *board;
  struct gpio_line *lines[LINES];
  struct gpio_wire *wires[WIRES];
  struct gpio_subscription *subscriptions[SUBSCRIPTIONS];
  struct gpio_timer timers[TIMERS];
  int64_t traced_at;
};

static void must(bool good) {
  if (!good)
    abort();
}

/* --- What must hold -------------------------------------------------------------------------- */

static int root_of(const int *parents, int line) {
  while (parents[line] != line)
    line = parents[line];
  return line;
}

static void check_nets(const struct world *world) {
  int parents[LINES];
  for (int i = 0; i < LINES; i++)
    parents[i] = i;
  for (int i = 0; i < WIRES; i++)
    if (world->wires[i]) {
      int a = (int)world->wires[i]->ends[0].line->id, b = (int)world->wires[i]->ends[1].line->id;
      parents[root_of(parents, a)] = root_of(parents, b);
    }
  for (int i = 0; i < LINES; i++)
    for (int j = 0; j < LINES; j++)
      must((world->lines[i]->net == world->lines[j]->net) ==
           (root_of(parents, i) == root_of(parents, j)));
}

static void check_counts(const struct gpio_net *net) {
  uint32_t drivers[GPIO_TIERS][GPIO_LEVELS] = {0}, size = 0, traced = 0, last = 0;
  for (const struct list *link = net->lines.next; link != &net->lines; link = link->next) {
    const struct gpio_line *line = list_entry(link, struct gpio_line, net_link);
    must(line->net == net && !line->marked && (size == 0 || line->id > last));
    last = line->id;
    for (int tier = 0; tier < GPIO_TIERS; tier++)
      drivers[tier][line->drivers[tier].value]++;
    size++;
    traced += line->traces > 0;
  }
  must(memcmp(drivers, net->drivers, sizeof drivers) == 0);
  must(size == net->size && traced == net->traced);
  must(list_linked(&net->dirty) || net->value == gpio_net_resolve(net));
  must(!net->contention || net->contended);
}

static void check_line(const struct world *world, const struct gpio_line *line) {
  bool debounced = line->settings.debounce_period > 0 && line->settings.direction == GPIO_INPUT;
  must(list_linked(&line->watched) == (debounced || !list_empty(&line->watches)));
  must(!line->pwm || line->settings.direction == GPIO_OUTPUT);
  must(!gpio_event_queued(&line->debounce.event) || debounced);
  check_counts(line->net);
  uint32_t pending = 0;
  for (int i = 0; i < LINES; i++)
    if (world->lines[i]->component == line->component)
      for (int tier = 0; tier < GPIO_TIERS; tier++)
        pending += gpio_driver_pending(&world->lines[i]->drivers[tier]);
  must(pending == line->component->pending);
}

static void check_world(const struct world *world) {
  check_nets(world);
  for (int i = 0; i < LINES; i++)
    check_line(world, world->lines[i]);
  for (int i = 0; i < SUBSCRIPTIONS; i++) {
    const struct gpio_subscription *subscription = world->subscriptions[i];
    must(!subscription || subscription->count <= subscription->capacity);
  }
  must(world->board->contentions.count <= FEW);
}

/* --- Calls ----------------------------------------------------------------------------------- */

static void cut(struct world *world, int place) {
  if (world->wires[place])
    must(gpio_wire_cut(world->wires[place]) == GPIO_OK);
  world->wires[place] = NULL;
}

static void connect(struct world *world, struct gpio_line *line, uint8_t choice) {
  int place = choice % WIRES;
  cut(world, place);
  gpio_wire_connect(line, world->lines[choice / WIRES % LINES], &world->wires[place]);
}

static void unsubscribe(struct world *world, int place) {
  if (world->subscriptions[place])
    gpio_subscription_close(world->subscriptions[place]);
  world->subscriptions[place] = NULL;
}

static void subscribe(struct world *world, struct gpio_line *line, uint8_t choice) {
  int place = choice % SUBSCRIPTIONS;
  struct gpio_line *lines[] = {line, world->lines[choice % LINES]};
  struct gpio_watching watching = {lines, 1 + choice % 2, choice >> 5 & 7, choice % FEW};
  unsubscribe(world, place);
  if (gpio_subscription_open(world->board, &watching, &world->subscriptions[place]) == GPIO_OK)
    world->subscriptions[place]->armed = choice & 16;
}

static void configure(struct gpio_line *line, uint8_t choice) {
  gpio_line_configure(line, &(struct gpio_settings){.direction = choice & 1,
                                                    .bias = (choice >> 1 & 3) % 3,
                                                    .drive = (choice >> 3 & 3) % 3,
                                                    .active_low = choice & 32,
                                                    .output_value = choice & 64 ? GPIO_1 : GPIO_0,
                                                    .debounce_period = choice & 128 ? 20 : 0,
                                                    .delay = choice % 7,
                                                    .delay_kind = choice & 1});
}

static void react(struct world *world, struct gpio_notice *notice, uint8_t choice) {
  struct gpio_edge_event events[2];
  struct gpio_line *line = world->lines[choice % LINES];
  if (notice->kind == GPIO_NOTICE_SUBSCRIPTION)
    gpio_subscription_read(list_entry(notice, struct gpio_subscription, notice), events, 2);
  if (choice & 64)
    gpio_line_write(line, (enum gpio_level)(choice & 3));
  if (choice % 13 == 0)
    unsubscribe(world, choice % SUBSCRIPTIONS);
  if (choice % 11 == 0)
    cut(world, choice % WIRES);
}

static void advance(struct world *world, uint8_t choice) {
  struct gpio_board *board = world->board;
  int64_t before = board->schedule.now, until = before + choice;
  struct gpio_notice *notice;
  enum gpio_status status = gpio_board_advance(board, until, 200);
  for (int turn = 0; turn < 30 && status == GPIO_NOTIFY; turn++) {
    while ((notice = gpio_board_take_notice(board)))
      react(world, notice, choice);
    status = gpio_board_advance(board, until, 200);
  }
  must(board->schedule.now >= before && board->schedule.now <= until);
  if (status == GPIO_OK)
    must(board->schedule.now == until && list_empty(&board->dirty) && !board->unsettled);
  else
    gpio_board_clear(board);
}

static void read(struct gpio_line *line) {
  int value;
  enum gpio_status status = gpio_line_read(line, &value);
  must(status == GPIO_FLOATING || value == 0 || value == 1);
  must(gpio_line_level(line) < GPIO_LEVELS && *gpio_net_name(line->net));
}

static void call(struct world *world, const uint8_t bytes[CALL]) {
  struct gpio_line *line = world->lines[bytes[1] % LINES];
  uint8_t choice = bytes[2];
  switch (bytes[0] % 16) {
  case 0:
  case 1:
  case 2:
    gpio_line_write(line, (enum gpio_level)(choice & 3));
    break;
  case 3:
  case 4:
    advance(world, choice);
    break;
  case 5:
    connect(world, line, choice);
    break;
  case 6:
    cut(world, choice % WIRES);
    break;
  case 7:
    configure(line, choice);
    break;
  case 8:
    subscribe(world, line, choice);
    break;
  case 9:
    unsubscribe(world, choice % SUBSCRIPTIONS);
    break;
  case 10:
    gpio_line_pwm(line, 1 + choice % 30, choice / 8);
    break;
  case 11:
    gpio_line_stick(line, (enum gpio_level)(choice & 3));
    break;
  case 12:
    gpio_line_trace(line, choice & 1);
    break;
  case 13:
    gpio_timer_start(&world->timers[choice % TIMERS], choice / TIMERS);
    break;
  case 14:
    gpio_timer_stop(&world->timers[choice % TIMERS]);
    break;
  default:
    read(line);
  }
}

static void traced(void *context, int64_t time, const struct gpio_line *line,
                   enum gpio_level level) {
  struct world *world = context;
  must(time >= world->traced_at && line->traces > 0 && level < GPIO_LEVELS);
  world->traced_at = time;
}

static void open_world(struct world *world) {
  struct gpio_component *component = NULL;
  memset(world, 0, sizeof *world);
  world->board = gpio_board_open(&(struct gpio_options){.read_policy = GPIO_READ_RANDOM,
                                                        .delta_limit = 300,
                                                        .event_limit = 40,
                                                        .contention_limit = FEW});
  must(world->board != NULL);
  world->board->trace = (struct gpio_trace){.changed = traced, .context = world};
  for (int i = 0; i < LINES; i++) {
    char name[] = {(char)('a' + i), '\0'};
    if (i % (LINES / COMPONENTS) == 0)
      must(gpio_board_add_component(world->board, name, &component) == GPIO_OK);
    must(gpio_board_add_line(world->board, component, name, &world->lines[i]) == GPIO_OK);
  }
  for (int i = 0; i < TIMERS; i++)
    gpio_timer_init(&world->timers[i], world->board);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct world world;
  open_world(&world);
  for (; size >= CALL; data += CALL, size -= CALL) {
    call(&world, data);
    check_world(&world);
  }
  gpio_board_close(world.board);
  return 0;
}
