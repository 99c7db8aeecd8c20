/* An intrusive, circular, doubly linked list.
 *
 * A list head and a member are the same struct. A member that is in no list
 * points to itself, so removing it twice is harmless and asking is one compare.
 */
#ifndef STROBE_BASE_LIST_H
#define STROBE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
  struct list *prev, *next;
};

#define list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *node) {
  node->prev = node->next = node;
}

static inline bool list_empty(const struct list *head) {
  return head->next == head;
}

/* Whether a member is in some list. */
static inline bool list_linked(const struct list *node) {
  return node->next != node;
}

static inline void list_append(struct list *head, struct list *node) {
  node->prev = head->prev;
  node->next = head;
  head->prev->next = node;
  head->prev = node;
}

static inline void list_prepend(struct list *head, struct list *node) {
  list_append(head->next, node);
}

static inline void list_remove(struct list *node) {
  node->prev->next = node->next;
  node->next->prev = node->prev;
  list_init(node);
}

/* Takes the first member off, or returns NULL. */
static inline struct list *list_shift(struct list *head) {
  if (list_empty(head))
    return NULL;
  struct list *node = head->next;
  list_remove(node);
  return node;
}

/* Moves all members of `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_move_all(struct list *to, struct list *from) {
  if (list_empty(from))
    return;
  from->next->prev = to->prev;
  to->prev->next = from->next;
  from->prev->next = to;
  to->prev = from->prev;
  list_init(from);
}

#endif
