/* What a program reads from a line. */
#include "modules/strobe/gpio/board.h"
#include "modules/strobe/gpio/line.h"
#include "modules/strobe/gpio/pwm.h"

enum gpio_level gpio_line_level(struct gpio_line *line) {
  gpio_pwm_refresh(line->net);
  return gpio_net_resolve(line->net);
}

static void put_pending(struct gpio_net *view, const struct gpio_driver *driver) {
  view->drivers[driver->tier][driver->value]--;
  view->drivers[driver->tier][driver->pending]++;
}

/* The level of the net with what the component has written but others do not see yet. */
static enum gpio_level own_view(const struct gpio_line *line) {
  struct gpio_net view = *line->net;
  const struct list *next = &line->board->schedule.next;
  for (const struct list *link = next->next; link != next; link = link->next) {
    const struct gpio_event *event = list_entry(link, struct gpio_event, link);
    const struct gpio_driver *driver = gpio_driver_of(event);
    if (driver && driver->line->net == line->net && driver->line->component == line->component)
      put_pending(&view, driver);
  }
  return gpio_net_resolve(&view);
}

static enum gpio_status read_floating(struct gpio_line *line, enum gpio_level level, int *value) {
  struct gpio_board *board = line->board;
  enum gpio_level held = gpio_line_logical(line, line->net->defined);
  line->floating_reads++;
  board->floating_reads++;
  *value = 0;
  switch (board->read_policy) {
  case GPIO_READ_ERROR:
    return gpio_board_fail(board, GPIO_FLOATING, "board %s: pin %s (net %s) is %s", board->name,
                           line->name, gpio_net_name(line->net),
                           level == GPIO_Z ? "driven by nobody" : "in conflict");
  case GPIO_READ_HIGH:
    *value = 1;
    break;
  case GPIO_READ_HOLD:
    *value = held == GPIO_1;
    break;
  case GPIO_READ_RANDOM:
    *value = (int)(gpio_board_random(board) >> 63);
    break;
  default:
    break;
  }
  return GPIO_OK;
}

static enum gpio_level level_to_read(struct gpio_line *line) {
  if (line->settings.debounce_period > 0 && line->settings.direction == GPIO_INPUT &&
      line->debounce.level != GPIO_Z)
    return line->debounce.level;
  enum gpio_level level = gpio_line_level(line);
  return line->component->pending > 0 ? own_view(line) : level;
}

enum gpio_status gpio_line_read(struct gpio_line *line, int *value) {
  enum gpio_level level = level_to_read(line);
  if (!gpio_level_defined(level))
    return read_floating(line, level, value);
  *value = gpio_line_logical(line, level) == GPIO_1;
  return GPIO_OK;
}
