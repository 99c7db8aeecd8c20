/* The base layer against simple models: random operations, the same in every run. */
#include "core/base/buffer.h"
#include "core/base/heap.h"
#include "core/base/list.h"
#include "spec/support/check.h"
#include "spec/support/random.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 200000, MEMBERS = 500, MODEL = 1 << 16 };

/* --- heap: the model is an array that is searched ------------------------------- */

struct entry {
  struct heap_node node;
  int64_t key;
  uint64_t order; /* 0: in no heap */
};

static struct entry *model_first(struct entry *entries) {
  struct entry *first = NULL;
  for (int i = 0; i < MEMBERS; i++) {
    struct entry *e = &entries[i];
    if (e->order > 0 &&
        (!first || e->key < first->key || (e->key == first->key && e->order < first->order)))
      first = e;
  }
  return first;
}

static void check_first(const struct heap *heap, struct entry *entries) {
  int64_t key = 0;
  struct entry *expected = model_first(entries);
  struct heap_node *node = heap_first(heap, &key);
  CHECK(node == (expected ? &expected->node : NULL));
  CHECK(!expected || key == expected->key);
}

static void test_heap(void) {
  static struct entry entries[MEMBERS];
  struct heap heap;
  uint64_t order = 0;
  heap_init(&heap);
  for (int step = 0; step < STEPS / 10; step++) {
    struct entry *e = &entries[random_below(MEMBERS)];
    CHECK(heap_linked(&e->node) == (e->order > 0));
    if (e->order > 0 || random_below(4) == 0) {
      CHECK(e->order == 0 || heap_key(&heap, &e->node) == e->key);
      heap_remove(&heap, &e->node);
      e->order = 0;
    } else {
      e->key = random_below(50);
      e->order = ++order;
      CHECK(heap_insert(&heap, &e->node, e->key));
    }
    check_first(&heap, entries);
  }
  heap_free(&heap);
}

/* --- buffer: the model is an array that is moved -------------------------------- */

static char model[MODEL];

static void append(struct buffer *buffer, size_t *size, size_t count) {
  if (*size + count > MODEL)
    return;
  for (size_t i = 0; i < count; i++)
    model[*size + i] = (char)random_below(256);
  CHECK(buffer_append(buffer, model + *size, count));
  *size += count;
}

static void take(struct buffer *buffer, size_t *size, size_t count) {
  buffer_take(buffer, count);
  count = count < *size ? count : *size;
  *size -= count;
  memmove(model, model + count, *size);
}

static void test_buffer(void) {
  struct buffer buffer;
  size_t size = 0;
  buffer_init(&buffer);
  for (int step = 0; step < STEPS / 20; step++) {
    if (random_below(2))
      append(&buffer, &size, random_below(random_below(2) ? 2000 : 10));
    else
      take(&buffer, &size, random_below(random_below(50) ? 1200 : MODEL));
    CHECK(buffer_size(&buffer) == size);
    CHECK(size == 0 || memcmp(buffer_front(&buffer), model, size) == 0);
  }
  buffer_free(&buffer);
  CHECK(buffer_size(&buffer) == 0);
  buffer_free(&buffer);
}

/* --- list: the model is an array of numbers ------------------------------------- */

struct member {
  struct list link;
  bool linked;
};

static int numbers[MEMBERS], count;

static void forget(int number) {
  int i = 0;
  while (numbers[i] != number)
    i++;
  count--;
  memmove(numbers + i, numbers + i + 1, (size_t)(count - i) * sizeof *numbers);
}

static void check_order(struct list *head, struct member *members) {
  struct list *link = head->next;
  for (int i = 0; i < count; i++, link = link->next) {
    CHECK(link == &members[numbers[i]].link);
    CHECK(link->next->prev == link);
  }
  CHECK(link == head);
  CHECK(list_empty(head) == (count == 0));
}

static void change(struct list *head, struct member *members) {
  int number = (int)random_below(MEMBERS);
  struct member *m = &members[number];
  CHECK(list_linked(&m->link) == m->linked);
  if (m->linked) {
    list_remove(&m->link);
    forget(number);
  } else {
    list_append(head, &m->link);
    numbers[count++] = number;
  }
  m->linked = !m->linked;
}

static void shift(struct list *head) {
  struct list *link = list_shift(head);
  CHECK((link == NULL) == (count == 0));
  if (!link)
    return;
  struct member *m = list_entry(link, struct member, link);
  m->linked = false;
  forget(numbers[0]);
  list_remove(link); /* twice is harmless */
}

static void test_list(void) {
  static struct member members[MEMBERS];
  struct list heads[2], *head = &heads[0];
  list_init(&heads[0]);
  list_init(&heads[1]);
  for (int i = 0; i < MEMBERS; i++)
    list_init(&members[i].link);
  for (int step = 0; step < STEPS / 20; step++) {
    if (random_below(20) == 0) {
      struct list *other = head == &heads[0] ? &heads[1] : &heads[0];
      list_move_all(other, head);
      CHECK(list_empty(head));
      head = other;
    } else if (random_below(3) == 0) {
      shift(head);
    } else {
      change(head, members);
    }
    check_order(head, members);
  }
}

int main(void) {
  test_heap();
  test_buffer();
  test_list();
  puts("good");
  return 0;
}
