#include "modules/strobe/gpio/contention.h"

#include "modules/strobe/gpio/line.h"

#include <stdlib.h>

void gpio_contentions_init(struct gpio_contentions *contentions, uint32_t capacity) {
  *contentions = (struct gpio_contentions){.capacity = capacity};
  list_init(&contentions->list);
}

static void forget(struct gpio_contention *contention) {
  if (contention->net)
    contention->net->contention = NULL;
  free(contention);
}

static void drop_oldest(struct gpio_contentions *contentions) {
  struct list *link = list_shift(&contentions->list);
  contentions->count--;
  forget(list_entry(link, struct gpio_contention, link));
}

void gpio_contentions_free(struct gpio_contentions *contentions) {
  struct list *list = &contentions->list;
  for (struct list *link = list->next, *next; link != list; link = next) {
    next = link->next;
    forget(list_entry(link, struct gpio_contention, link));
  }
}

static void add_opponents(struct gpio_contention *contention, const struct gpio_net *net) {
  const struct list *link = net->lines.next;
  for (; link != &net->lines; link = link->next) {
    const struct gpio_line *line = list_entry(link, struct gpio_line, net_link);
    enum gpio_level level = line->drivers[GPIO_STRONG].value;
    if (level != GPIO_Z)
      contention->opponents[contention->count++] = (struct gpio_opponent){line->id, level};
  }
}

bool gpio_contention_begin(struct gpio_contentions *contentions, struct gpio_net *net,
                           int64_t now) {
  const uint32_t *strong = net->drivers[GPIO_STRONG];
  size_t count = (size_t)strong[GPIO_0] + strong[GPIO_1] + strong[GPIO_X];
  struct gpio_contention *contention =
      calloc(1, sizeof *contention + count * sizeof contention->opponents[0]);
  if (!contention)
    return false;
  if (contentions->count == contentions->capacity) {
    drop_oldest(contentions);
    contentions->dropped++;
  }
  contention->seq = ++contentions->seq;
  contention->began = now;
  contention->lasts = true;
  contention->net = net;
  contention->line = list_entry(net->lines.next, struct gpio_line, net_link)->id;
  add_opponents(contention, net);
  contentions->count++;
  list_append(&contentions->list, &contention->link);
  net->contention = contention;
  net->contended = true;
  return true;
}

void gpio_contention_end(struct gpio_net *net, int64_t now) {
  struct gpio_contention *contention = net->contention;
  net->contended = false;
  if (!contention) /* no longer kept */
    return;
  contention->ended = now;
  contention->lasts = false;
  contention->net = NULL;
  net->contention = NULL;
}
