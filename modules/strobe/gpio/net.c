#include "modules/strobe/gpio/net.h"

#include "modules/strobe/gpio/board.h"
#include "modules/strobe/gpio/pwm.h"

#include <stdlib.h>

static struct gpio_line *line_of(const struct list *link) {
  return list_entry(link, struct gpio_line, net_link);
}

struct gpio_net *gpio_net_open(struct gpio_board *board) {
  struct gpio_net *net = calloc(1, sizeof *net);
  if (!net)
    return NULL;
  net->value = net->defined = GPIO_Z;
  net->board = board;
  list_init(&net->dirty);
  list_init(&net->touched);
  list_init(&net->lines);
  list_init(&net->watched);
  list_init(&net->pwms);
  return net;
}

void gpio_net_close(struct gpio_net *net) {
  gpio_contention_end(net, net->board->schedule.now);
  list_remove(&net->dirty);
  list_remove(&net->touched);
  free(net);
}

void gpio_net_touch(struct gpio_net *net) {
  if (!list_linked(&net->dirty))
    list_append(&net->board->dirty, &net->dirty);
}

/* Counts a line in, and has it look at this net. */
static void adopt(struct gpio_net *net, struct gpio_line *line) {
  for (int tier = 0; tier < GPIO_TIERS; tier++)
    net->drivers[tier][line->drivers[tier].value]++;
  net->size++;
  net->traced += line->traces > 0;
  line->net = net;
  if (list_linked(&line->watched)) {
    list_remove(&line->watched);
    list_append(&net->watched, &line->watched);
  }
  if (line->pwm)
    gpio_pwm_move(line->pwm, net);
}

static void disown(struct gpio_net *net, struct gpio_line *line) {
  for (int tier = 0; tier < GPIO_TIERS; tier++)
    net->drivers[tier][line->drivers[tier].value]--;
  net->size--;
  net->traced -= line->traces > 0;
}

void gpio_net_add(struct gpio_net *net, struct gpio_line *line) {
  list_append(&net->lines, &line->net_link);
  adopt(net, line);
}

/* Merges lines by id into those of `net`. */
static void merge_lines(struct gpio_net *net, struct list *from) {
  struct list merged;
  list_init(&merged);
  if (!list_empty(from) && line_of(net->lines.prev)->id < line_of(from->next)->id) {
    list_move_all(&net->lines, from);
    return;
  }
  while (!list_empty(&net->lines) && !list_empty(from)) {
    bool ours = line_of(net->lines.next)->id < line_of(from->next)->id;
    list_append(&merged, list_shift(ours ? &net->lines : from));
  }
  list_move_all(&merged, &net->lines);
  list_move_all(&merged, from);
  list_move_all(&net->lines, &merged);
}

static void rewire(struct gpio_net *net) {
  net->rewired = true;
  gpio_pwm_refresh(net);
  gpio_pwm_review(net);
  gpio_net_touch(net);
}

static bool outlives(const struct gpio_net *a, const struct gpio_net *b) {
  if (a->size != b->size)
    return a->size > b->size;
  return line_of(a->lines.next)->id < line_of(b->lines.next)->id;
}

void gpio_net_join(struct gpio_net *a, struct gpio_net *b) {
  struct gpio_net *net = outlives(a, b) ? a : b, *other = net == a ? b : a;
  gpio_pwm_refresh(net);
  gpio_pwm_refresh(other);
  for (struct list *link = other->lines.next; link != &other->lines; link = link->next)
    adopt(net, line_of(link));
  merge_lines(net, &other->lines);
  if (net->defined == GPIO_Z)
    net->defined = other->defined;
  rewire(net);
  gpio_net_close(other);
}

void gpio_net_split(struct gpio_net *net, struct gpio_net *part) {
  struct list *link = net->lines.next, *next;
  gpio_pwm_refresh(net);
  part->value = net->value;
  part->defined = net->defined;
  for (; link != &net->lines; link = next) {
    struct gpio_line *line = line_of(link);
    next = link->next;
    if (!line->marked)
      continue;
    line->marked = false;
    disown(net, line);
    list_remove(link);
    gpio_net_add(part, line);
  }
  rewire(net);
  rewire(part);
}

const char *gpio_net_name(const struct gpio_net *net) {
  const struct list *link = net->lines.next;
  for (; link != &net->lines; link = link->next)
    if (line_of(link)->label)
      return line_of(link)->label;
  return line_of(net->lines.next)->name;
}
