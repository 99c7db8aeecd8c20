#include "modules/strobe/gpio/notice.h"

void gpio_notices_init(struct gpio_notices *notices) {
  *notices = (struct gpio_notices){.sorted = true};
  list_init(&notices->waiting);
}

void gpio_notice_init(struct gpio_notices *notices, struct gpio_notice *notice,
                      enum gpio_notice_kind kind) {
  list_init(&notice->link);
  notice->kind = kind;
  notice->context = NULL;
  notice->order = notices->next_order++;
}

static bool before(const struct list *a, const struct list *b) {
  return list_entry(a, struct gpio_notice, link)->order <
         list_entry(b, struct gpio_notice, link)->order;
}

/* Merges two sorted lists; `from` is empty afterwards. */
static void merge(struct list *to, struct list *from) {
  struct list merged;
  list_init(&merged);
  while (!list_empty(to) && !list_empty(from))
    list_append(&merged, list_shift(before(to->next, from->next) ? to : from));
  list_move_all(&merged, to);
  list_move_all(&merged, from);
  list_move_all(to, &merged);
}

/* A bottom-up merge sort: runs[i] has 2^i notices, or none. */
static void sort(struct list *waiting) {
  enum { RUNS = 32 };
  struct list runs[RUNS], carry, *link;
  for (int i = 0; i < RUNS; i++)
    list_init(&runs[i]);
  list_init(&carry);
  while ((link = list_shift(waiting))) {
    int i = 0;
    list_append(&carry, link);
    for (; i < RUNS - 1 && !list_empty(&runs[i]); i++)
      merge(&carry, &runs[i]);
    list_move_all(&runs[i], &carry);
  }
  for (int i = 0; i < RUNS; i++)
    merge(waiting, &runs[i]);
}

struct gpio_notice *gpio_notices_take(struct gpio_notices *notices) {
  if (!notices->sorted)
    sort(&notices->waiting);
  notices->sorted = true;
  struct list *link = list_shift(&notices->waiting);
  return link ? list_entry(link, struct gpio_notice, link) : NULL;
}
