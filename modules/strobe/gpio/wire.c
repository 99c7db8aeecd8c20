#include "modules/strobe/gpio/wire.h"

#include <stdlib.h>

static void attach(struct gpio_wire *wire, int end, struct gpio_line *line) {
  wire->ends[end].wire = wire;
  wire->ends[end].line = line;
  list_append(&line->wires, &wire->ends[end].link);
}

enum gpio_status gpio_wire_connect(struct gpio_line *a, struct gpio_line *b,
                                   struct gpio_wire **connected) {
  struct gpio_board *board = a->board;
  if (a == b)
    return gpio_board_fail(board, GPIO_INVALID, "a wire from %s to itself", a->name);
  if (b->board != board)
    return gpio_board_fail(board, GPIO_INVALID, "a wire from %s to %s of another board, %s",
                           a->name, b->name, b->board->name);
  struct gpio_wire *wire = calloc(1, sizeof *wire);
  if (!wire)
    return gpio_board_fail(board, GPIO_NO_MEMORY, "no memory for a wire from %s to %s", a->name,
                           b->name);
  list_append(&board->wires, &wire->link);
  attach(wire, 0, a);
  attach(wire, 1, b);
  if (a->net != b->net)
    gpio_net_join(a->net, b->net);
  *connected = wire;
  return GPIO_OK;
}

static void mark(struct gpio_line *line, struct list *found) {
  if (line->marked)
    return;
  line->marked = true;
  list_append(found, &line->search);
}

static void mark_neighbours(struct gpio_line *line, struct list *found) {
  for (struct list *link = line->wires.next; link != &line->wires; link = link->next) {
    struct gpio_wire_end *end = list_entry(link, struct gpio_wire_end, link);
    struct gpio_wire *wire = end->wire;
    mark(wire->ends[end == &wire->ends[0]].line, found);
  }
}

/* Marks what wires join with `line`, and lists it in `found`. */
static void search(struct gpio_line *line, struct list *found) {
  mark(line, found);
  for (struct list *link = found->next; link != found; link = link->next)
    mark_neighbours(list_entry(link, struct gpio_line, search), found);
}

static void end_search(struct list *found, bool unmark) {
  struct list *link;
  while ((link = list_shift(found)))
    if (unmark)
      list_entry(link, struct gpio_line, search)->marked = false;
}

static void detach(struct gpio_wire *wire) {
  list_remove(&wire->ends[0].link);
  list_remove(&wire->ends[1].link);
}

void gpio_wire_free(struct gpio_wire *wire) {
  detach(wire);
  list_remove(&wire->link);
  free(wire);
}

enum gpio_status gpio_wire_cut(struct gpio_wire *wire) {
  struct gpio_line *a = wire->ends[0].line, *b = wire->ends[1].line;
  struct gpio_net *part = gpio_net_open(a->board);
  if (!part)
    return gpio_board_fail(a->board, GPIO_NO_MEMORY, "no memory to cut the wire from %s to %s",
                           a->name, b->name);
  struct list found;
  list_init(&found);
  gpio_wire_free(wire);
  search(b, &found);
  bool joined = a->marked;
  end_search(&found, joined);
  if (joined)
    gpio_net_close(part);
  else
    gpio_net_split(a->net, part);
  return GPIO_OK;
}
