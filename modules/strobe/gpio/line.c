#include "modules/strobe/gpio/line.h"

#include "modules/strobe/gpio/board.h"
#include "modules/strobe/gpio/edge.h"
#include "modules/strobe/gpio/pwm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Opening, closing -------------------------------------------------------------------- */

static char *join_names(const char *component, const char *name) {
  size_t size = strlen(component) + strlen(name) + 2;
  char *joined = malloc(size);
  if (joined)
    snprintf(joined, size, "%s%s%s", component, *component ? "." : "", name);
  return joined;
}

static void init(struct gpio_line *line) {
  for (int tier = 0; tier < GPIO_TIERS; tier++)
    gpio_driver_init(&line->drivers[tier], line, (enum gpio_tier)tier);
  line->output = line->level = line->defined = line->shown = GPIO_Z;
  list_init(&line->net_link);
  list_init(&line->watched);
  list_init(&line->wires);
  list_init(&line->search);
  list_init(&line->watches);
  gpio_debounce_init(line);
}

struct gpio_line *gpio_line_open(struct gpio_board *board, struct gpio_component *component,
                                 const char *name) {
  struct gpio_line *line = calloc(1, sizeof *line);
  struct gpio_net *net = gpio_net_open(board);
  char *joined = join_names(component->name, name);
  if (!line || !net || !joined) {
    free(line);
    free(net);
    free(joined);
    return NULL;
  }
  line->board = board;
  line->component = component;
  line->name = joined;
  line->id = board->line_count;
  init(line);
  gpio_net_add(net, line);
  return line;
}

/* The last line of a net takes it along. */
void gpio_line_close(struct gpio_line *line) {
  struct gpio_net *net = line->net;
  for (int tier = 0; tier < GPIO_TIERS; tier++)
    gpio_driver_cancel(&line->drivers[tier]);
  gpio_debounce_cancel(line);
  gpio_pwm_end(line);
  list_remove(&line->watched);
  list_remove(&line->net_link);
  if (list_empty(&net->lines))
    gpio_net_close(net);
  free(line->name);
  free(line->label);
  free(line->consumer);
  free(line);
}

/* --- Owners ------------------------------------------------------------------------------ */

enum gpio_status gpio_line_request(struct gpio_line *line, const char *consumer, bool shared) {
  if (line->requests > 0 && !(shared && line->shared))
    return gpio_board_fail(line->board, GPIO_BUSY, "board %s: pin %s is in use by %s",
                           line->board->name, line->name, line->consumer);
  if (line->requests == 0) {
    line->consumer = strdup(consumer ? consumer : "?");
    if (!line->consumer)
      return gpio_board_fail(line->board, GPIO_NO_MEMORY, "no memory to request %s", line->name);
    line->shared = shared;
  }
  line->requests++;
  return GPIO_OK;
}

void gpio_line_release(struct gpio_line *line) {
  if (line->requests == 0 || --line->requests > 0)
    return;
  free(line->consumer);
  line->consumer = NULL;
  gpio_line_configure(line, &(struct gpio_settings){.direction = GPIO_INPUT});
}

/* --- Settings ---------------------------------------------------------------------------- */

static bool settings_good(const struct gpio_settings *settings) {
  return settings->direction <= GPIO_OUTPUT && settings->bias <= GPIO_PULL_DOWN &&
         settings->drive <= GPIO_OPEN_SOURCE && settings->output_value < GPIO_LEVELS &&
         settings->delay_kind <= GPIO_INERTIAL && settings->debounce_period >= 0 &&
         settings->delay >= 0;
}

static enum gpio_level pull_of(enum gpio_bias bias) {
  return bias == GPIO_PULL_UP ? GPIO_1 : bias == GPIO_PULL_DOWN ? GPIO_0 : GPIO_Z;
}

enum gpio_level gpio_line_driven(const struct gpio_line *line, enum gpio_level value) {
  enum gpio_level level = gpio_line_logical(line, value);
  enum gpio_drive drive = line->settings.drive;
  if ((drive == GPIO_OPEN_DRAIN && level == GPIO_1) ||
      (drive == GPIO_OPEN_SOURCE && level == GPIO_0))
    return GPIO_Z;
  return level;
}

enum gpio_status gpio_line_configure(struct gpio_line *line, const struct gpio_settings *settings) {
  struct gpio_driver *out = &line->drivers[GPIO_STRONG];
  if (!settings_good(settings))
    return gpio_board_fail(line->board, GPIO_INVALID, "board %s: pin %s: not a setting",
                           line->board->name, line->name);
  gpio_pwm_end(line);
  gpio_driver_cancel(out);
  line->settings = *settings;
  line->output = settings->direction == GPIO_OUTPUT ? settings->output_value : GPIO_Z;
  gpio_driver_drive(out, gpio_line_driven(line, line->output));
  gpio_driver_drive(&line->drivers[GPIO_WEAK], pull_of(settings->bias));
  gpio_line_review(line);
  gpio_debounce_reset(line);
  return GPIO_OK;
}

enum gpio_status gpio_line_write(struct gpio_line *line, enum gpio_level value) {
  const struct gpio_settings *settings = &line->settings;
  struct gpio_driver *out = &line->drivers[GPIO_STRONG];
  if (settings->direction != GPIO_OUTPUT)
    return gpio_board_fail(
        line->board, GPIO_WRONG_DIRECTION,
        "board %s: a write to pin %s (net %s), an input: make it an output first",
        line->board->name, line->name, gpio_net_name(line->net));
  if (value >= GPIO_LEVELS)
    return gpio_board_fail(line->board, GPIO_INVALID, "board %s: pin %s: %u is no level",
                           line->board->name, line->name, (unsigned)value);
  if (line->pwm)
    gpio_pwm_end(line);
  line->output = value;
  return gpio_driver_drive_after(out, gpio_line_driven(line, value), settings->delay,
                                 settings->delay_kind);
}

enum gpio_status gpio_line_toggle(struct gpio_line *line) {
  return gpio_line_write(line, line->output == GPIO_1 ? GPIO_0 : GPIO_1);
}

/* --- Circuit ----------------------------------------------------------------------------- */

enum gpio_status gpio_line_label(struct gpio_line *line, const char *label) {
  char *copy = label ? strdup(label) : NULL;
  if (label && !copy)
    return gpio_board_fail(line->board, GPIO_NO_MEMORY, "no memory to label %s", line->name);
  free(line->label);
  line->label = copy;
  return GPIO_OK;
}

void gpio_line_stick(struct gpio_line *line, enum gpio_level level) {
  gpio_driver_drive(&line->drivers[GPIO_FAULT], level);
}

void gpio_line_trace(struct gpio_line *line, bool traced) {
  bool before = line->traces > 0;
  if (!traced && !before)
    return;
  line->traces = traced ? line->traces + 1 : line->traces - 1;
  if (before == (line->traces > 0))
    return;
  gpio_pwm_refresh(line->net);
  line->shown = line->net->value;
  if (traced)
    line->net->traced++;
  else
    line->net->traced--;
  gpio_pwm_review(line->net);
}
